"""What a training run is given, and what is held back from it.

The set comes from `course_lib.data` in the grader's own process. The training part crosses to the student's
process; held-out inputs cross only to a process that no longer trains, and their labels never do.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from course_lib import data

from ..errors import InputError

MOST_HELD_OUT = 10_000
STREAMS = 100  # parallel readers of the held-out text
MOST_SYMBOLS = 100_000
TEXTS = ("tinyshakespeare", "ptb")


@dataclass(frozen=True)
class ImageSet:
    """Images with labels.

    Attributes:
        train: {"x": uint8 (N, …), "y": int64 (N,)}.
        inputs, labels: held out, uint8 (M, …) and int64 (M,).
        classes: how many there are.
        real: whether they are the real set; ``note`` says what they are.
    """

    train: dict
    inputs: np.ndarray
    labels: np.ndarray
    classes: int
    real: bool
    note: str

    @cached_property
    def fingerprint(self):
        return _hash(*self.train.values(), self.inputs, self.labels)


@dataclass(frozen=True)
class TextSet:
    """A text as symbols.

    Attributes:
        train: {"ids": int64 (n,), "symbols": str, the i-th of which has id i}.
        inputs: held out, int64 (B, T): B stretches of the text that are read side by side.
    """

    train: dict
    inputs: np.ndarray
    real: bool
    note: str

    @cached_property
    def fingerprint(self):
        return _hash(self.train["ids"], self.train["symbols"].encode(), self.inputs)


def load(train):
    """Return the ImageSet or TextSet that the settings ``train`` (a `Train`) name; raise InputError if it cannot be had."""
    try:
        return _text(train) if train.data in TEXTS else _images(train)
    except data.DataError as error:
        raise InputError(str(error), where=f"[train] data = {train.data!r}",
                         remedy="see `python -m course_lib.data status`") from None  # fmt: skip


def _images(train):
    images = data.images(train.data)
    unseen = train.gate(images.real).unseen
    held = np.isin(images.y_train, unseen)
    x, y = images.x_train[~held], images.y_train[~held]
    if train.take:
        x, y = x[: train.take], y[: train.take]
    inputs, labels = images.x_test, images.y_test
    if unseen:
        wanted = np.isin(labels, unseen)
        inputs, labels = inputs[wanted], labels[wanted]
    inputs, labels = inputs[:MOST_HELD_OUT], labels[:MOST_HELD_OUT]
    return ImageSet({"x": x, "y": y}, inputs, labels, len(images.classes), images.real, images.note)


def _text(train):
    text = data.text(train.data)
    part = text.train[: train.take] if train.take else text.train
    symbols = "".join(sorted(set(part)))
    number = {symbol: i for i, symbol in enumerate(symbols)}
    ids = np.array([number[c] for c in part], dtype=np.int64)
    held = np.array([number[c] for c in text.test if c in number], dtype=np.int64)[:MOST_SYMBOLS]
    length = len(held) // STREAMS
    return TextSet({"ids": ids, "symbols": symbols}, held[: length * STREAMS].reshape(STREAMS, length),
                   text.real, text.note)  # fmt: skip


def _hash(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(
            part if isinstance(part, bytes) else np.ascontiguousarray(part).tobytes() + str(part.shape).encode()
        )
    return digest.hexdigest()
