"""Small data sets that need no file and no network; the same on every run.

The texts come from Python's own documentation, so they differ a little between versions of Python.
"""

import re
from collections import Counter

import numpy as np

from . import drawings
from .readers import nine_tenths
from .values import DataError

TRAIN, TEST = 1500, 300  # images
CHARACTERS = 100_000
NAMES = 2_000
VOWELS = "a e i o u ia ay ee".split()
STARTS = ("", *"b br c ch d el f g h j k l m n r s sh t th v z".split())
MIDDLES = "l ll m n nn r s t v d br nd y".split()
ENDS = ("", "", *"n l h s ra na nne lyn ton rd".split())


def digits():
    """Return scikit-learn's 8x8 digits, enlarged, as parts: 1,497 to train on, 300 to test on, in a mixed order.

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
    return _parts(x.round().astype(np.uint8), small.target[order].astype(np.int64))


def clothes():
    """Return drawn garments of 28x28 pixels as parts, ten kinds as in Fashion-MNIST."""
    return _drawn(drawings.clothes)


def shapes():
    """Return coloured shapes of 32x32 pixels as parts, ten kinds."""
    return _drawn(drawings.shapes)


def _drawn(draw):
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(TRAIN + TEST) % 10)
    return _parts(draw(y, rng), y)


def _parts(x, y):
    return x[:-TEST], y[:-TEST], x[-TEST:], y[-TEST:]


def prose():
    """Return 100,000 characters of ASCII text, cut in two parts: chapters of Python's reference, as `help()` shows them."""
    return nine_tenths(_reference())


def _reference():
    from pydoc_data.topics import topics

    text = "\n\n".join(topics[name].strip() for name in sorted(topics))
    return "".join(c for c in text if c == "\n" or " " <= c <= "~")[:CHARACTERS]


def sentences():
    """Return the same text in the form of the Penn Treebank: a sentence a line, lower case, words between spaces.

    Numbers are ``N``, and words that come less than three times are ``<unk>``.
    """
    pieces = re.split(r"[.!?:]\s|\n\n", _reference().lower())
    words = [re.findall(r"[a-z]+(?:'[a-z]+)?|[0-9]+", piece) for piece in pieces]
    words = [["N" if word.isdigit() else word for word in line] for line in words if len(line) > 2]
    count = Counter(word for line in words for word in line)
    lines = [" " + " ".join(word if count[word] > 2 else "<unk>" for word in line) + " \n" for line in words]
    train, test = nine_tenths(lines)
    return "".join(train), "".join(test)


def first_names():
    """Return 2,000 made-up names of the letters a to z, all different, in two parts."""
    rng = np.random.default_rng(0)
    names: dict[str, None] = {}
    while len(names) < NAMES:
        pick = [rng.choice(STARTS), rng.choice(VOWELS)]
        for _ in range(rng.choice((0, 1, 2), p=(0.4, 0.5, 0.1))):
            pick += [rng.choice(MIDDLES), rng.choice(VOWELS)]
        name = "".join((*pick, rng.choice(ENDS)))
        if len(name) > 1:
            names[name] = None
    return nine_tenths(list(names))
