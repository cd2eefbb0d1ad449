"""Files to parts.

The parts of a set of images are x_train, y_train, x_test, y_test: uint8 (N, H, W) or (N, H, W, 3), and int64 (N,).
The parts of a text are two str, those of names two lists of str. A file that is not what it should be is a DataError.
"""

import gzip
import io
import math
import pickle
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np

from .values import DataError

BATCHES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    gzip.BadGzipFile,
    EOFError,
    ValueError,
    pickle.UnpicklingError,
)
PIXELS_OF_A_PICTURE = 1 << 20  # a larger one is no picture of these sets


def idx(path):
    """Return the uint8 array of an IDX file, as MNIST's are: packed by gzip or not, of any shape.

    An IDX file is 0 0, the type (8 is uint8), the number of axes, each axis as a big-endian uint32, then the data.
    """
    content = Path(path).read_bytes()
    try:
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except BROKEN as error:
        raise DataError(f"{Path(path).name} is cut short or damaged ({error}).") from None
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise DataError(f"{Path(path).name} is not an IDX file of bytes: it begins with {content[:4].hex(' ')}.")
    start = 4 + 4 * content[3]
    shape = tuple(np.frombuffer(content[4:start], dtype=">u4").tolist()) if len(content) >= start else ()
    if len(content) - start != math.prod(shape):
        raise DataError(f"{Path(path).name} has {len(content) - start} bytes of data, but its head says {shape}.")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def idx_parts(paths):
    """Return the parts of images from four IDX files: training images and labels, test images and labels."""
    x_train, y_train, x_test, y_test = map(idx, paths)
    return x_train, y_train.astype(np.int64), x_test, y_test.astype(np.int64)


def batch_parts(paths):
    """Return the parts of CIFAR-10 from its tar archive of pickled batches.

    A batch has ``data``, uint8 (N, 3072): red, green, blue, each row by row; and ``labels``, a list.
    """
    batches = {}
    try:
        with tarfile.open(paths[0]) as archive:
            for member in archive:
                name = Path(member.name).name
                if member.isfile() and name in BATCHES:
                    batches[name] = _batch(_content(archive, member))
    except (*BROKEN, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{Path(paths[0]).name} is cut short or damaged ({error}).") from None
    if missing := [name for name in BATCHES if name not in batches]:
        raise DataError(f"{Path(paths[0]).name} has no {', '.join(missing)}.")
    x = [batches[name][0] for name in BATCHES]
    y = [batches[name][1] for name in BATCHES]
    return np.concatenate(x[:-1]), np.concatenate(y[:-1]), x[-1], y[-1]


def _batch(content):
    batch = _Unpickler(io.BytesIO(content), encoding="bytes").load()
    x = np.asarray(batch[b"data"], dtype=np.uint8).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x), np.asarray(batch[b"labels"], dtype=np.int64)


class _Unpickler(pickle.Unpickler):
    """Reads arrays and plain values only: a pickle could run anything."""

    def find_class(self, module, name):
        from numpy._core import multiarray

        if (name, module.replace("._core", ".core")) == ("_reconstruct", "numpy.core.multiarray"):
            return multiarray._reconstruct
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        if (module, name) == ("_codecs", "encode"):  # how Python 3 writes bytes for Python 2
            return lambda text, encoding: text.encode(encoding)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no batch needs")


def image_parts(path, classes, shape):
    """Return the parts of images from a file of a teacher's own.

    Args:
        path: an ``.npz`` with x_train, y_train, x_test, y_test, or with images and labels (then the last sixth becomes
            the test part); CIFAR-10's tar archive of batches; or a tar archive of folders ``train/CLASS/…`` and
            ``test/CLASS/…`` with pictures in them.
        classes: names of the classes.
        shape: shape of one image.
    """
    path = Path(path)
    if zipfile.is_zipfile(path):
        parts = _npz_parts(path)
    elif tarfile.is_tarfile(path):
        parts = batch_parts([path]) if _has_batches(path) else _folder_parts(path, classes, shape)
    else:
        raise DataError(f"{path.name} is neither an .npz file nor a tar archive.")
    return _checked(path, parts, classes, shape)


def _npz_parts(path):
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (*BROKEN, OSError) as error:
        raise DataError(f"{path.name} is not a whole .npz file of plain arrays ({error}).") from None
    if {"x_train", "y_train", "x_test", "y_test"} <= arrays.keys():
        return tuple(np.atleast_1d(arrays[name]) for name in ("x_train", "y_train", "x_test", "y_test"))
    if {"images", "labels"} <= arrays.keys():
        x, y = np.atleast_1d(arrays["images"]), np.atleast_1d(arrays["labels"])
        cut = len(x) - len(x) // 6
        return x[:cut], y[:cut], x[cut:], y[cut:]
    found = ", ".join(sorted(arrays)) or "nothing"
    raise DataError(f"{path.name} holds {found}; it needs x_train, y_train, x_test, y_test, or images and labels.")


def _has_batches(path):
    """Say whether the first file in a tar archive lies beside CIFAR-10's batches."""
    try:
        with tarfile.open(path) as archive:
            first = next((member.name for member in archive if member.isfile()), "")
    except BROKEN as error:
        raise DataError(f"{path.name} is cut short or damaged ({error}).") from None
    return Path(first).parent.name == "cifar-10-batches-py"


def _folder_parts(path, classes, shape):
    """Read pictures from folders; their order is drawn once and for all, so that any slice has all classes."""
    from tqdm.auto import tqdm

    pictures = []
    try:
        with tarfile.open(path) as archive:
            for member in tqdm(archive, desc=f"Reading {path.name}", unit=" files", disable=None):
                if member.isfile():
                    part, label, file = ("", "", *Path(member.name).parts)[-3:]
                    if part not in ("train", "test") or label not in classes:
                        problem = f"{path.name} has {member.name}; pictures belong into train/CLASS/ and test/CLASS/"
                        raise DataError(f"{problem}, where CLASS is one of {', '.join(classes)}.")
                    picture = _picture(_content(archive, member), member.name, shape)
                    pictures.append((part, file, classes.index(label), picture))
    except (*BROKEN, OSError) as error:
        raise DataError(f"{path.name} is cut short or damaged ({error}).") from None
    pictures.sort(key=lambda picture: picture[:3])
    parts = []
    for wanted in ("train", "test"):
        chosen = [(picture, label) for part, _, label, picture in pictures if part == wanted]
        order = np.random.default_rng(0).permutation(len(chosen))
        parts.append(np.array([chosen[i][0] for i in order], dtype=np.uint8).reshape(-1, *shape))
        parts.append(np.array([chosen[i][1] for i in order], dtype=np.int64))
    return tuple(parts)


def _content(archive, member):
    """Return the bytes of a file in a tar archive."""
    file = archive.extractfile(member)
    return file.read() if file else b""


def _picture(content, name, shape):
    """Return the uint8 array of ``shape`` of a picture file."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.width * image.height > PIXELS_OF_A_PICTURE:
                raise DataError(f"{name} is {image.height} x {image.width} pixels; {shape[0]} x {shape[1]} are needed.")
            picture = np.asarray(image.convert("RGB" if len(shape) == 3 else "L"))
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(f"{name} is not a picture that can be read ({error}).") from None
    if picture.shape != shape:
        raise DataError(
            f"{name} is {picture.shape[0]} x {picture.shape[1]} pixels; {shape[0]} x {shape[1]} are needed."
        )
    return picture


def _checked(path, parts, classes, shape):
    """Return the parts with int64 labels, or raise what is wrong with them."""
    made = []
    for x, y in (parts[:2], parts[2:]):
        if x.dtype != np.uint8 or x.shape[1:] != shape or not len(x):
            raise DataError(f"the images in {path.name} are {x.dtype} {x.shape}; uint8 {('N', *shape)} is needed, "
                            "with at least one image to train on and one to test on.".replace("'", ""))  # fmt: skip
        y = y.reshape(-1) if y.shape == (len(x), 1) else y
        if y.dtype.kind not in "iu" or y.shape != (len(x),) or y.min() < 0 or y.max() >= len(classes):
            raise DataError(f"the labels in {path.name} are {y.dtype} {y.shape} for {len(x)} images; one whole number from "
                            f"0 to {len(classes) - 1} for each image is needed.")  # fmt: skip
        made += [x, y.astype(np.int64)]
    return tuple(made)


def text_parts(paths):
    """Return the parts of a text from two files, or from one: its first nine tenths and the rest."""
    texts = [_text(path) for path in paths]
    return (texts[0], texts[1]) if len(texts) == 2 else nine_tenths(texts[0])


def names_parts(paths):
    """Return the parts of names from a file with one name a line, in an order drawn once and for all.

    The published file is sorted by how common a name is, so its end alone would be no fair test.
    """
    names = _text(paths[0]).split()
    if bad := next((name for name in names if not name.isalpha()), None):
        raise DataError(f"{Path(paths[0]).name} has {bad[:40]!r}; it needs one name a line, letters only.")
    return nine_tenths([names[i].lower() for i in np.random.default_rng(0).permutation(len(names))])


def nine_tenths(whole):
    """Cut a str, list or array into its first nine tenths and the rest."""
    cut = int(0.9 * len(whole))
    return whole[:cut], whole[cut:]


def _text(path):
    try:
        text = Path(path).read_bytes().decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{Path(path).name} is not text in UTF-8 ({error}).") from None
    if len(text.split()) < 10:
        raise DataError(f"{Path(path).name} has fewer than ten words.")
    return text
