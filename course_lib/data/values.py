"""What `course_lib.data` hands out, and its one error."""

from dataclasses import dataclass

import numpy as np


class DataError(Exception):
    """A data set cannot be had, or a file is not what it should be. The text says what to do about it."""


@dataclass(frozen=True)
class Images:
    """Labelled images.

    Attributes:
        name: which set it is (or stands in for).
        x_train: uint8 (N, H, W) in grey or (N, H, W, 3) in colour; 0 is black.
        y_train: int64 (N,), the number of the class in ``classes``.
        x_test, y_test: the same for the test part.
        classes: the names of the classes, a tuple of str.
        real: False if it is a stand-in.
        note: one line that says what it is.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]
    real: bool
    note: str


@dataclass(frozen=True)
class Text:
    """A text in two parts: the first nine tenths to train on, the rest to test on, unless it came in two files.

    Attributes:
        name: which text it is (or stands in for).
        train, test: str.
        real: False if it is a stand-in.
        note: one line that says what it is.
    """

    name: str
    train: str
    test: str
    real: bool
    note: str


@dataclass(frozen=True)
class Names:
    """First names in lower case, in an order drawn once and for all.

    Attributes:
        train, test: nine tenths and one tenth of the names, lists of str.
        real: False if they are made up.
        note: one line that says what they are.
    """

    train: list[str]
    test: list[str]
    real: bool
    note: str
