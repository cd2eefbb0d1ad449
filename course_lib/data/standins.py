"""Small data sets that need no file and no network; the same on every run.

The texts come from Python's own documentation, so they differ a little between versions of Python.
"""

import re
from collections import Counter

import numpy as np

from . import drawings
from .values import DataError

TRAIN, TEST = 1500, 300  # images
CHARACTERS = 100_000
NAMES = 2_000
VOWELS = ("a", "e", "i", "o", "u", "ia", "ay", "ee")
STARTS = (
    "b",
    "br",
    "c",
    "ch",
    "d",
    "el",
    "f",
    "g",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "r",
    "s",
    "sh",
    "t",
    "th",
    "v",
    "z",
    "",
)
MIDDLES = ("l", "ll", "m", "n", "nn", "r", "s", "t", "v", "d", "br", "nd", "y")
ENDS = ("", "", "n", "l", "h", "s", "ra", "na", "nne", "lyn", "ton", "rd")


def digits():
    """Return scikit-learn's 8x8 digits, enlarged: x (1797, 28, 28) uint8 and y (1797,) int64, shuffled.

    Each digit fills 20x20 pixels in the middle, as in MNIST.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        message = "the stand-in for MNIST comes from scikit-learn, which is not installed: `pip install scikit-learn`."
        raise DataError(message) from None
    small = load_digits()
    order = np.random.default_rng(0).permutation(len(small.target))
    at = np.clip((np.arange(20) + 0.5) * 8 / 20 - 0.5, 0, 7)  # where the centres of the new pixels lie among the old
    left = np.minimum(at.astype(int), 6)
    linear = np.zeros((20, 8))
    linear[np.arange(20), left], linear[np.arange(20), left + 1] = 1 - (at - left), at - left
    x = np.zeros((len(order), 28, 28))
    x[:, 4:24, 4:24] = linear @ small.images[order] @ linear.T * (255 / 16)
    return x.round().astype(np.uint8), small.target[order].astype(np.int64)


def clothes():
    """Return drawn garments: x (1800, 28, 28) uint8 and y (1800,) int64, ten kinds as in Fashion-MNIST."""
    return _drawn(drawings.clothes)


def shapes():
    """Return coloured shapes: x (1800, 32, 32, 3) uint8 and y (1800,) int64, ten kinds."""
    return _drawn(drawings.shapes)


def _drawn(draw):
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(TRAIN + TEST) % 10)
    return draw(y, rng), y


def prose():
    """Return 100,000 characters of ASCII text: chapters of Python's reference, as `help()` shows them."""
    from pydoc_data.topics import topics

    text = "\n\n".join(topics[name].strip() for name in sorted(topics))
    return "".join(c for c in text if c == "\n" or " " <= c <= "~")[:CHARACTERS]


def sentences():
    """Return ``prose`` in the form of the Penn Treebank: a sentence a line, lower case, words between spaces.

    Numbers are ``N``, and words that come less than three times are ``<unk>``.
    """
    words = [
        re.findall(r"[a-z]+(?:'[a-z]+)?|[0-9]+", sentence) for sentence in re.split(r"[.!?:]\s|\n\n", prose().lower())
    ]
    words = [["N" if word.isdigit() else word for word in line] for line in words if len(line) > 2]
    count = Counter(word for line in words for word in line)
    return "".join(" " + " ".join(w if count[w] > 2 else "<unk>" for w in line) + " \n" for line in words)


def first_names():
    """Return 2,000 made-up names, a list of str of a to z, all different."""
    rng = np.random.default_rng(0)
    names: dict[str, None] = {}
    while len(names) < NAMES:
        pick = [rng.choice(STARTS), rng.choice(VOWELS)]
        for _ in range(rng.choice((0, 1, 2), p=(0.4, 0.5, 0.1))):
            pick += [rng.choice(MIDDLES), rng.choice(VOWELS)]
        name = "".join((*pick, rng.choice(ENDS)))
        if len(name) > 1:
            names[name] = None
    return list(names)
