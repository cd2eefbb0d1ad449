"""Data from files that a teacher has, the readers, and the stand-ins."""

import gzip
import io
import os
import pickle
import re
import tarfile

import numpy as np
import pytest
from data_home import CLASSES, PROSE, digits_parts, idx_bytes, sources
from PIL import Image

from course_lib import data
from course_lib.data import readers, standins
from course_lib.data.store import Store

X_TRAIN, Y_TRAIN, X_TEST, Y_TEST = digits_parts()


@pytest.fixture(autouse=True)
def online(monkeypatch):
    """What is in a cache counts."""
    monkeypatch.delenv("GRADUS_OFFLINE", raising=False)


@pytest.fixture
def store(tmp_path):
    """A cache of the made-up sets, whose publisher does not exist."""
    return Store(tmp_path / "cache", sources("http://127.0.0.1:9"), timeout=(1, 1))


def written(path, content):
    path.write_bytes(content)
    return path


def saved(path, **arrays):
    np.savez_compressed(path, **arrays)
    return path


def archive(path, files):
    """Write {name: bytes} as a tar.xz with a folder entry first."""
    with tarfile.open(path, "w:xz") as tar:
        folder = tarfile.TarInfo("train")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def png(array):
    packed = io.BytesIO()
    Image.fromarray(array).save(packed, "PNG")
    return packed.getvalue()


@pytest.mark.parametrize("shape", [(3,), (2, 5), (2, 3, 4), (0, 28, 28)])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_files_of_any_shape(tmp_path, shape, pack):
    """What was written is read, packed or not."""
    array = np.random.default_rng(1).integers(0, 256, size=shape, dtype=np.uint8)
    read = readers.idx(written(tmp_path / "some-idx", pack(idx_bytes(array))))
    assert read.dtype == np.uint8
    assert np.array_equal(read, array)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is not an IDX file of bytes"),
        (b"\0\0\x0d\x01\0\0\0\0", "it begins with 00 00 0d 01"),  # floats
        (b"\0\0\x08\x03\0\0", "but its head says"),
        (idx_bytes(X_TEST)[:-1], "has 7839 bytes of data, but its head says (10, 28, 28)"),
        (idx_bytes(X_TEST) + b"\0", "has 7841 bytes of data, but its head says (10, 28, 28)"),
        (gzip.compress(idx_bytes(X_TEST))[:-9], "is cut short or damaged"),
    ],
)
def test_files_that_are_not_idx(tmp_path, content, problem):
    """A wrong head, too little or too much data, a cut gzip: each is told."""
    with pytest.raises(data.DataError, match=re.escape(problem)):
        readers.idx(written(tmp_path / "some-idx", content))


def old_pickle(x, labels):
    """Return a batch as Python 2 pickled CIFAR-10: byte strings as text, arrays of the old numpy.core."""

    def text(value):
        return (
            b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + len(value).to_bytes(4, "little") + value
        )

    def number(value):
        return b"J" + value.to_bytes(4, "little", signed=True)

    content = x.transpose(0, 3, 1, 2).tobytes()
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(" + number(0) + b"t" + text(b"b") + b"tR"
        b"(" + number(1) + b"(" + number(len(x)) + number(3072) + b"t"
        b"cnumpy\ndtype\n(" + text(b"u1") + number(0) + number(1) + b"tR(" + number(3) + text(b"|")
        + b"NNN" + number(-1) + number(-1) + number(0) + b"tb"
        + number(0) + text(content) + b"tb"
    )  # fmt: skip
    numbers = b"(" + b"".join(map(number, labels)) + b"l"
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + numbers + b"u."


def batches(x, y):
    """Return the files of CIFAR-10's archive: five training batches of one sixth each, and a test batch."""
    files = {}
    for number, name in enumerate(readers.BATCHES):
        part = slice(number * len(y) // 6, (number + 1) * len(y) // 6)
        files[f"cifar-10-batches-py/{name}"] = old_pickle(x[part], y[part].tolist())
    return files


def coloured():
    rng = np.random.default_rng(2)
    return rng.integers(0, 256, size=(12, 32, 32, 3), dtype=np.uint8), rng.integers(0, 10, size=12)


def test_batches_as_python_2_pickled_them(tmp_path):
    """Red, green and blue planes become the last axis; the five batches come in their order."""
    x, y = coloured()
    store = Store(tmp_path / "cache")
    store.add("cifar10", [archive(tmp_path / "cifar.tar.xz", batches(x, y))])
    images = store.load("cifar10", "images")
    assert np.array_equal(np.concatenate([images.x_train, images.x_test]), x)
    assert images.y_train.tolist() + images.y_test.tolist() == y.tolist()
    assert (images.y_train.dtype, images.x_train.flags.c_contiguous) == (np.int64, True)
    assert images.classes[9] == "truck"


class Evil:
    """A pickle that makes a folder when it is read."""

    def __reduce__(self):
        return os.mkdir, ("made-by-a-pickle",)


def test_a_batch_runs_nothing(tmp_path, monkeypatch):
    """A pickle that calls a function is refused, and the function is not called."""
    monkeypatch.chdir(tmp_path)
    files = {**batches(*coloured()), "cifar-10-batches-py/test_batch": pickle.dumps(Evil(), protocol=2)}
    with pytest.raises(data.DataError, match=r"asks for (posix|nt)\.mkdir"):
        readers.batch_parts([archive(tmp_path / "evil.tar.xz", files)])
    assert not (tmp_path / "made-by-a-pickle").exists()


def test_batches_that_are_missing_or_odd(tmp_path):
    """An archive without all six, or with something else in them, is told."""
    files = batches(*coloured())
    odd = {**files, "cifar-10-batches-py/data_batch_2": pickle.dumps([1, 2])}
    with pytest.raises(data.DataError, match=r"odd\.tar is cut short or damaged"):
        readers.batch_parts([archive(tmp_path / "odd.tar", odd)])
    del files["cifar-10-batches-py/data_batch_4"]
    with pytest.raises(data.DataError, match="has no data_batch_4"):
        readers.batch_parts([archive(tmp_path / "five.tar", files)])


def test_an_npz_in_two_parts(store, tmp_path):
    """Keras' form: what was in the file is there, and the note remembers the file."""
    arrays = {"x_train": X_TRAIN, "y_train": Y_TRAIN.astype(np.uint8), "x_test": X_TEST, "y_test": Y_TEST[:, None]}
    note = store.add("digits", [saved(tmp_path / "mine.npz", **arrays)])
    images = store.load("digits", "images")
    assert images.real
    assert images.note == note == "Digits, imported from mine.npz: 40 images to train on and 10 to test on."
    for got, wanted in zip((images.x_train, images.y_train, images.x_test, images.y_test), digits_parts(), strict=True):
        assert got.dtype == wanted.dtype
        assert np.array_equal(got, wanted)


def test_an_npz_in_one_part(store, tmp_path):
    """The last sixth becomes the test part."""
    store.add("digits", [saved(tmp_path / "some.npz", images=X_TRAIN, labels=Y_TRAIN)])
    images = store.load("digits", "images")
    assert (len(images.x_train), len(images.x_test)) == (34, 6)
    assert np.array_equal(np.concatenate([images.x_train, images.x_test]), X_TRAIN)


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"x": X_TRAIN}, "holds x; it needs x_train, y_train, x_test, y_test, or images and labels"),
        ({"images": X_TRAIN / 255, "labels": Y_TRAIN}, "are float64 (34, 28, 28); uint8 (N, 28, 28) is needed"),
        ({"images": X_TRAIN[:, :27], "labels": Y_TRAIN}, "are uint8 (34, 27, 28); uint8 (N, 28, 28)"),
        ({"images": X_TRAIN[:5], "labels": Y_TRAIN[:5]}, "at least one image to train on and one to test on"),
        ({"images": np.uint8(3), "labels": Y_TRAIN}, "at least one image"),
        ({"images": X_TRAIN, "labels": Y_TRAIN + 1}, "one whole number from 0 to 1 for each image"),
        ({"images": X_TRAIN, "labels": Y_TRAIN - 1}, "one whole number from 0 to 1 for each image"),
        ({"images": X_TRAIN, "labels": Y_TRAIN * 1.0}, "one whole number from 0 to 1"),
        ({"images": X_TRAIN, "labels": Y_TRAIN[:-1]}, "are int64 (5,) for 6 images"),
        ({"images": X_TRAIN, "labels": np.array([None] * 40)}, "is not a whole .npz file of plain arrays"),
    ],
)
def test_an_npz_that_does_not_fit(store, tmp_path, arrays, problem):
    """Wrong keys, types, shapes and labels are told, and nothing is imported."""
    with pytest.raises(data.DataError, match=re.escape(problem)):
        store.add("digits", [saved(tmp_path / "bad.npz", **arrays)])
    assert not store.folder.exists()


def test_folders_of_pictures(tmp_path):
    """Each picture gets the label of its folder, and any slice has many classes."""
    rng = np.random.default_rng(3)
    names = Store().sources["cifar10"].classes
    made = {f"{part}/{name}/{name}_{i:04}.png": rng.integers(0, 256, size=(32, 32, 3), dtype=np.uint8)
            for part, count in (("train", 6), ("test", 2)) for name in names for i in range(count)}  # fmt: skip
    store = Store(tmp_path / "cache")
    store.add(
        "cifar10", [archive(tmp_path / "pictures.tar.xz", {name: png(picture) for name, picture in made.items()})]
    )
    images = store.load("cifar10", "images")
    assert (images.x_train.shape, images.x_test.shape) == ((60, 32, 32, 3), (20, 32, 32, 3))
    for part, x, y in (("train", images.x_train, images.y_train), ("test", images.x_test, images.y_test)):
        labels = {picture.tobytes(): name.split("/")[1] for name, picture in made.items() if name.startswith(part)}
        assert [images.classes[label] for label in y] == [labels.pop(picture.tobytes()) for picture in x]
        assert not labels
    assert len(set(images.y_train[:20])) > 5


GREY = png(X_TRAIN[0])


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (
            {"train/round/0.png": GREY, "test/oval/0.png": GREY},
            "has test/oval/0.png; pictures belong into train/CLASS/",
        ),
        ({"0.png": GREY}, "has 0.png; pictures belong into"),
        ({"train/round/0.png": GREY}, "at least one image to train on and one to test on"),
        ({"train/round/0.png": png(X_TRAIN[0][:20])}, "train/round/0.png is 20 x 28 pixels; 28 x 28 are needed"),
        ({"train/round/0.png": png(np.zeros((1100, 1000), np.uint8))}, "is 1100 x 1000 pixels"),
        ({"train/round/0.png": GREY[:60]}, "train/round/0.png is not a picture that can be read"),
    ],
)
def test_folders_that_do_not_fit(store, tmp_path, files, problem):
    """Wrong folders, sizes and pictures are told by name."""
    with pytest.raises(data.DataError, match=re.escape(problem)):
        store.add("digits", [archive(tmp_path / "pictures.tar.xz", files)])
    assert not store.folder.exists()


def test_archives_that_are_none(store, tmp_path):
    """A text, a cut archive and a cut .npz are told."""
    whole = archive(tmp_path / "a.tar.xz", {f"train/round/{i}.png": png(x) for i, x in enumerate(X_TRAIN)}).read_bytes()
    packed = saved(tmp_path / "b.npz", images=X_TRAIN, labels=Y_TRAIN).read_bytes()
    damaged = packed[:2000] + bytes(50) + packed[2050:]
    for content, problem in (
        (b"neither", "is neither an .npz file nor a tar archive"),
        (whole[: len(whole) // 2], "is cut short or damaged"),
        (damaged, "is not a whole .npz file"),
    ):
        with pytest.raises(data.DataError, match=problem):
            store.add("digits", [written(tmp_path / "file", content)])


def test_texts(store, tmp_path):
    """One file is cut 90/10, two are the two parts; line ends of Windows go."""
    mine, other = (
        written(tmp_path / "a.txt", PROSE.replace("\n", "\r\n").encode()),
        written(tmp_path / "b.txt", b"b " * 20),
    )
    store.add("licensed", [mine])
    text = store.load("licensed", "text")
    assert text.train + text.test == PROSE
    assert text.note.startswith("Licensed, imported from a.txt: ")
    store.add("licensed", [mine, other])
    text = store.load("licensed", "text")
    assert (text.train, text.test) == (PROSE, "b " * 20)
    assert "imported from a.txt and b.txt" in text.note
    with pytest.raises(data.DataError, match="is imported from one file or two, not 3"):
        store.add("licensed", [mine, other, other])
    with pytest.raises(data.DataError, match="is not text in UTF-8"):
        store.add("licensed", [written(tmp_path / "c.txt", b"caf\xe9 " * 20)])
    with pytest.raises(data.DataError, match="has fewer than ten words"):
        store.add("licensed", [written(tmp_path / "d.txt", b"")])


def test_names(store, tmp_path):
    """One name a line, letters only; the published checksum is told."""
    published = "\n".join(["emma", "Olivia"] * 50).encode()
    assert "has the checksum of the published file" in store.add("names", [written(tmp_path / "n.txt", published)])
    assert "checksum" not in store.add("names", [written(tmp_path / "n.txt", published + "\nzoé".encode())])
    with pytest.raises(data.DataError, match="has 'emma,12'; it needs one name a line"):
        store.add("names", [written(tmp_path / "n.txt", b"emma,12\n" * 20)])
    with pytest.raises(data.DataError, match="is imported from one file, not 2"):
        store.add("names", [tmp_path / "n.txt", tmp_path / "n.txt"])


def test_a_damaged_import_is_told(store, tmp_path):
    """It is neither used nor replaced by a stand-in: the teacher meant that file."""
    store.add("digits", [saved(tmp_path / "mine.npz", images=X_TRAIN, labels=Y_TRAIN)])
    store.add("licensed", [written(tmp_path / "mine.txt", PROSE.encode())])
    for name, file, kind in (("digits", "imported.npz", "images"), ("licensed", "imported.json", "text")):
        path = store.folder / name / file
        path.write_bytes(path.read_bytes()[:-300])
        with pytest.raises(data.DataError, match=rf"{file} is damaged. Delete it, then import"):
            store.load(name, kind)


def test_the_stand_ins(monkeypatch):
    """Shapes, types and sizes are as promised, all classes are there, and every run gives the same."""
    monkeypatch.setenv("GRADUS_OFFLINE", "1")
    for name, shape in (("mnist", (28, 28)), ("fashion_mnist", (28, 28)), ("cifar10", (32, 32, 3))):
        images, again = data.images(name), data.images(name)
        assert images.x_train.shape[1:] == images.x_test.shape[1:] == shape
        assert (images.x_train.dtype, images.y_train.dtype) == (np.uint8, np.int64)
        assert 1400 < len(images.x_train) == len(images.y_train) < 1600
        assert len(images.x_test) == len(images.y_test) == 300
        assert set(images.y_train[:200]) == set(images.y_test) == set(range(10))
        assert len(images.classes) == 10
        assert images.x_train.max() > 200 > 50 > images.x_train.min()
        assert np.array_equal(images.x_train, again.x_train)
        assert np.array_equal(images.y_test, again.y_test)
        seen = {picture.tobytes() for picture in images.x_train}
        assert not any(picture.tobytes() in seen for picture in images.x_test)
        assert not images.real
    for name in ("tinyshakespeare", "ptb"):
        text = data.text(name)
        assert 70_000 < len(text.train) + len(text.test) <= 100_000
        assert text.train.isascii()
        assert not text.real
    words = text.train.split()
    assert {"<unk>", "N"} <= set(words) <= set(re.findall(r"[a-z']+|<unk>|N", text.train))
    assert all(line.startswith(" ") and line.endswith(" ") for line in text.train.splitlines())
    names = data.names()
    assert (len(names.train), len(names.test), len({*names.train, *names.test})) == (1800, 200, 2000)
    assert all(re.fullmatch("[a-z]{2,}", name) for name in names.train)


def linear_accuracy(x_train, y_train, x_test, y_test):
    """Return the share of test images that ridge regression on the pixels gets right."""
    train, test = (np.c_[x.reshape(len(x), -1) / 255, np.ones(len(x))] for x in (x_train, x_test))
    weights = np.linalg.solve(train.T @ train + 10 * np.eye(train.shape[1]), train.T @ np.eye(10)[y_train])
    return ((test @ weights).argmax(1) == y_test).mean()


def test_the_drawings_leave_something_to_learn():
    """A line through the pixels tells garments apart, with room above it, and shapes hardly: measured 0.73 and 0.15."""
    assert 0.65 < linear_accuracy(*standins.clothes()) < 0.8
    assert linear_accuracy(*standins.shapes()) < 0.25


def test_classes_of_the_made_up_set(store, tmp_path):
    """A real set has its own classes, whatever the stand-in's are."""
    store.add("digits", [saved(tmp_path / "mine.npz", images=X_TRAIN, labels=Y_TRAIN)])
    assert store.load("digits", "images").classes == CLASSES
