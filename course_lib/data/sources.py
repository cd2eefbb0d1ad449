"""The data sets: where the real ones are, how their files are read, and what stands in for them.

Where each SHA-256 and size was read:

- MNIST, Fashion-MNIST, CIFAR-10, Tiny Shakespeare: ``download_checksums`` in ``datasets/*/dataset_infos.json`` of
  github.com/huggingface/datasets at commit 040102f. TensorFlow's ``cifar10.py`` has the same sum for CIFAR-10, and
  many projects the same for the others.
- names: computed from a copy of the file; public projects that fetch it give the same sum.
"""

from collections.abc import Callable
from dataclasses import dataclass

from . import drawings, readers, standins


@dataclass(frozen=True)
class File:
    """One file as its publisher has it; ``size`` in bytes."""

    name: str
    url: str
    sha256: str
    size: int


@dataclass(frozen=True)
class StandIn:
    """What is there without a file: ``make()`` returns the parts, ``what`` says what they are."""

    make: Callable[[], tuple]
    what: str
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """One data set.

    Attributes:
        name, title: for programs and for people.
        kind: "images", "text" or "names".
        files: what is fetched; empty if it may not be.
        read: paths of ``files``, in that order -> parts (see `readers`).
        stand_in: what to use without them.
        classes: names of the classes of images.
        shape: shape of one image.
    """

    name: str
    title: str
    kind: str
    files: tuple[File, ...]
    read: Callable[[list], tuple]
    stand_in: StandIn
    classes: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()


DIGITS = tuple("0123456789")
CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def _idx_files(home, sums):
    """Return the four files of MNIST's form at the address ``home``; ``sums`` are their (SHA-256, size)."""
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    return tuple(
        File(f"{name}-ubyte.gz", f"{home}/{name}-ubyte.gz", *sha256_and_size)
        for name, sha256_and_size in zip(names, sums, strict=True)
    )


SOURCES = {
    source.name: source
    for source in (
        Source(
            name="mnist",
            title="MNIST",
            kind="images",
            files=_idx_files(
                "https://storage.googleapis.com/cvdf-datasets/mnist",
                (
                    ("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9_912_422),
                    ("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28_881),
                    ("8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1_648_877),
                    ("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4_542),
                ),
            ),
            read=readers.idx_parts,
            classes=DIGITS,
            shape=(28, 28),
            stand_in=StandIn(standins.digits, "1,797 of scikit-learn's 8x8 digits, enlarged", DIGITS),
        ),
        Source(
            name="fashion_mnist",
            title="Fashion-MNIST",
            kind="images",
            files=_idx_files(
                "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
                (
                    ("3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", 26_421_880),
                    ("a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", 29_515),
                    ("346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", 4_422_102),
                    ("67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", 5_148),
                ),
            ),
            read=readers.idx_parts,
            classes=CLOTHES,
            shape=(28, 28),
            stand_in=StandIn(standins.clothes, "1,800 garments drawn by formula", CLOTHES),
        ),
        Source(
            name="cifar10",
            title="CIFAR-10",
            kind="images",
            files=(
                File(
                    "cifar-10-python.tar.gz",
                    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
                    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
                    170_498_071,
                ),
            ),
            read=readers.batch_parts,
            classes=THINGS,
            shape=(32, 32, 3),
            stand_in=StandIn(standins.shapes, "1,800 coloured shapes drawn by formula", drawings.SHAPES),
        ),
        Source(
            name="tinyshakespeare",
            title="Tiny Shakespeare",
            kind="text",
            files=(
                File(
                    "input.txt",
                    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
                    "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
                    1_115_394,
                ),
            ),
            read=readers.text_parts,
            stand_in=StandIn(standins.prose, "100,000 characters of Python's own reference"),
        ),
        Source(
            name="ptb",
            title="Penn Treebank",
            kind="text",
            files=(),  # licensed text: a teacher who has it imports it
            read=readers.text_parts,
            stand_in=StandIn(standins.sentences, "sentences of Python's own reference in the same form"),
        ),
        Source(
            name="names",
            title="first names",
            kind="names",
            files=(
                File(
                    "names.txt",
                    "https://raw.githubusercontent.com/karpathy/makemore/master/names.txt",
                    "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d",
                    228_145,
                ),
            ),
            read=readers.names_parts,
            stand_in=StandIn(standins.first_names, "2,000 names made up from syllables"),
        ),
    )
}
