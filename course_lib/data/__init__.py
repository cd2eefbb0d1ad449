"""Data sets for the notebooks: the real one if it can be had, else a small stand-in that says so.

from course_lib import data
images = data.images("fashion_mnist")   # or "mnist", "cifar10"
text = data.text("tinyshakespeare")     # or "ptb"
names = data.names()
"""

from . import drawings, standins
from .values import DataError, Images, Names, Text

__all__ = ["DataError", "Images", "Names", "Text", "images", "names", "text"]

CLASSES = {
    "mnist": tuple("0123456789"),
    "fashion_mnist": (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ),
    "cifar10": drawings.SHAPES,
}  # fmt: skip


def images(name):
    """Return the ``Images`` called "mnist", "fashion_mnist" or "cifar10"."""
    if name not in CLASSES:
        raise DataError(f"there is no image set {name!r}; there are {', '.join(CLASSES)}.")
    x, y = {"mnist": standins.digits, "fashion_mnist": standins.clothes, "cifar10": standins.shapes}[name]()
    cut = len(y) - standins.TEST
    return Images(name, x[:cut], y[:cut], x[cut:], y[cut:], CLASSES[name], False, _say(name))


def text(name="tinyshakespeare"):
    """Return the ``Text`` called "tinyshakespeare" or "ptb"."""
    whole = {"tinyshakespeare": standins.prose, "ptb": standins.sentences}.get(name)
    if whole is None:
        raise DataError(f"there is no text {name!r}; there are tinyshakespeare, ptb.")
    whole = whole()
    cut = len(whole) * 9 // 10
    return Text(name, whole[:cut], whole[cut:], False, _say(name))


def names():
    """Return the ``Names``."""
    made = standins.first_names()
    cut = len(made) * 9 // 10
    return Names(made[:cut], made[cut:], False, _say("names"))


def _say(name):
    note = f"A small stand-in for {name}, not the real data."
    print(note)
    return note
