"""Data sets for the notebooks: the real one if it can be had, else a small stand-in that says so.

    from course_lib import data
    images = data.images("fashion_mnist")   # or "mnist", "cifar10"
    text = data.text("tinyshakespeare")     # or "ptb"
    names = data.names()

A real set is fetched once, into the folder that the environment variable GRADUS_DATA names (else the platform's folder
for caches). Without a network, or with GRADUS_OFFLINE set, the stand-in is used and one line says so.
On the command line: ``python -m course_lib.data status``, ``fetch NAME…``, ``import NAME FILE``.
"""

from .store import Store
from .values import DataError, Images, Names, Text

__all__ = ["DataError", "Images", "Names", "Store", "Text", "images", "names", "text"]


def images(name):
    """Return the ``Images`` called "mnist", "fashion_mnist" or "cifar10".

    ``x_train``, ``x_test`` are uint8 (N, 28, 28), for cifar10 (N, 32, 32, 3); ``y_train``, ``y_test`` int64 (N,).
    A stand-in has about 1,500 images to train on and 300 to test on. The order is mixed, so a slice has all classes.

    Raises:
        DataError: there is no such set, or the cache is at fault; the text says what to do.
    """
    return Store().load(name, "images")


def text(name="tinyshakespeare"):
    """Return the ``Text`` called "tinyshakespeare" or "ptb", of which ``train`` and ``test`` are str.

    "ptb" has a sentence a line and ``<unk>`` for rare words. It is licensed, so it is never fetched: a teacher who has it
    imports it with ``python -m course_lib.data import ptb ptb.train.txt ptb.valid.txt``.

    Raises:
        DataError: as ``images``.
    """
    return Store().load(name, "text")


def names():
    """Return the ``Names``, of which ``train`` and ``test`` are lists of lower-case str.

    Raises:
        DataError: as ``images``.
    """
    return Store().load("names", "names")
