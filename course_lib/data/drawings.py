"""Small pictures drawn by formula: the stand-ins for Fashion-MNIST and CIFAR-10.

A picture is a function of the plane: x to the right and y downwards, both from -1 to 1. It is drawn with two samples per
pixel and direction, then averaged, so that edges are grey.
"""

import numpy as np

FINE = 2  # samples per pixel and direction
SHAPES = ("disc", "ring", "square", "frame", "triangle", "cross", "stripes", "checks", "crescent", "hourglass")


def clothes(labels, rng):
    """Draw one garment per label.

    Args:
        labels: int (N,), classes of Fashion-MNIST.
        rng: numpy Generator.

    Returns:
        uint8 (N, 28, 28): a bright garment on black, each with its own place, width, shade, sleeves and noise.
    """
    coverage = np.empty((len(labels), 28, 28))
    for label, draw in enumerate(GARMENTS):
        chosen = np.flatnonzero(labels == label)
        x, y = _plane(len(chosen), 28, rng, turn=0.08, size=(0.85, 1.1))
        x = x / rng.uniform(0.8, 1.2, size=(len(chosen), 1, 1))
        coverage[chosen] = _average(draw(x, y, _Draws(rng, len(chosen))))
    n = len(labels)
    shade = rng.uniform(0.35, 1.0, size=(n, 1, 1))
    weave = 1 + 0.25 * rng.uniform(-1, 1, size=(n, 1, 1)) * np.sin(
        rng.uniform(1, 3, (n, 1, 1)) * np.arange(28)[:, None]
    )
    grey = coverage * shade * weave + rng.normal(0, 0.12, size=coverage.shape) * (coverage > 0)
    grey += rng.normal(0, 0.04, size=coverage.shape)
    return _to_bytes(grey)


def shapes(labels, rng):
    """Draw one coloured shape per label.

    Args:
        labels: int (N,), the number of the shape in SHAPES.
        rng: numpy Generator.

    Returns:
        uint8 (N, 32, 32, 3): a shape of one colour on a background that fades between two others, with noise.
    """
    coverage = np.empty((len(labels), 32, 32))
    for label, draw in enumerate(OUTLINES):
        chosen = np.flatnonzero(labels == label)
        x, y = _plane(len(chosen), 32, rng, turn=0.4, size=(0.45, 0.85))
        coverage[chosen] = _average(draw(x, y))
    n = len(labels)
    one, other, colour = rng.uniform(0, 1, size=(3, n, 1, 1, 3))
    fade = np.linspace(0, 1, 32)[:, None, None]
    background = one + (other - one) * fade
    colour = np.where(np.abs(colour - background.mean((1, 2), keepdims=True)).max(-1, keepdims=True) < 0.3,
                      (colour + 0.5) % 1, colour)  # fmt: skip
    mask = coverage[..., None]
    return _to_bytes(background * (1 - mask) + colour * mask + rng.normal(0, 0.1, size=(n, 32, 32, 3)))


class _Draws:
    """Random numbers for n pictures at once, of the shape (n, 1, 1)."""

    def __init__(self, rng, n):
        self.rng, self.n = rng, n

    def __call__(self, low, high):
        return self.rng.uniform(low, high, size=(self.n, 1, 1))


def _plane(n, pixels, rng, turn, size):
    """Return x and y (n, FINE * pixels, FINE * pixels) of n planes, each moved, turned by up to ``turn`` rad and scaled."""
    draw = _Draws(rng, n)
    line = (np.arange(FINE * pixels) + 0.5) / (FINE * pixels) * 2 - 1
    room = 0.12
    x, y = line[None, None, :] - draw(-room, room), line[None, :, None] - draw(-room, room)
    angle, scale = draw(-turn, turn), draw(*size)
    return (x * np.cos(angle) + y * np.sin(angle)) / scale, (y * np.cos(angle) - x * np.sin(angle)) / scale


def _average(inside):
    """Average booleans (n, FINE * p, FINE * p) over each pixel: (n, p, p)."""
    n, fine, _ = inside.shape
    return inside.reshape(n, fine // FINE, FINE, fine // FINE, FINE).mean((2, 4))


def _to_bytes(picture):
    return (np.clip(picture, 0, 1) * 255).round().astype(np.uint8)


def _top(x, y, draw, *, sleeve, waist=(0.4, 0.5), hem=(0.75, 0.9)):
    """A garment for the upper body; ``sleeve`` is the range of the sleeve's length."""
    width, end = draw(*waist), draw(*hem)
    body = (abs(x) < width) & (y > -0.8) & (y < end)
    length, slope = draw(*sleeve), draw(0.1, 0.35)
    arm = abs(x) - width - slope * (y + 0.8)
    sleeves = (arm < 0.24) & (arm > -0.1) & (y > -0.8 + 0.25 * abs(x)) & (y < -0.8 + length)
    return (body | sleeves) & ((x / 0.2) ** 2 + ((y + 0.82) / draw(0.08, 0.25)) ** 2 > 1)


def _tshirt(x, y, draw):
    return _top(x, y, draw, sleeve=(0.3, 0.8))


def _pullover(x, y, draw):
    return _top(x, y, draw, sleeve=(1.1, 1.6), waist=(0.36, 0.5))


def _coat(x, y, draw):
    opening = (abs(x - draw(-0.06, 0.06)) < draw(0.02, 0.07)) & (y > draw(-0.75, -0.2))
    return _top(x, y, draw, sleeve=(1.2, 1.7), waist=(0.36, 0.5), hem=(0.82, 1.0)) & ~opening


def _shirt(x, y, draw):
    row = (y + 0.8) / draw(0.22, 0.34)
    buttons = (abs(x) < draw(0.03, 0.07)) & (row % 1 < 0.45) & (y > -0.6)
    return _top(x, y, draw, sleeve=(0.5, 1.5)) & ~buttons


def _trouser(x, y, draw):
    crotch, gap = draw(-0.6, -0.2), draw(0.02, 0.1)
    return (abs(x) < 0.36 + 0.06 * y) & (abs(y) < 0.92) & ((abs(x) > gap + 0.06 * (y - crotch)) | (y < crotch))


def _dress(x, y, draw):
    flare, waist = draw(0.1, 0.35), draw(-0.35, 0.0)
    outline = draw(0.2, 0.32) + flare * np.maximum(0, y - waist)
    sleeves = (abs(x) < outline + 0.2) & (y > -0.85) & (y < draw(-1.3, -0.4))
    return ((abs(x) < outline) | sleeves) & (abs(y) < 0.9) & ((x / 0.15) ** 2 + ((y + 0.9) / 0.2) ** 2 > 1)


def _shoe(x, y, draw, *, heel, toe=(0.08, 0.25), steep=(5, 10)):
    """A shoe that points left; ``heel`` is the range of its height at the back, ``toe`` at the front."""
    back, front = draw(*heel), draw(*toe)
    height = front + (back - front) / (1 + np.exp(-draw(*steep) * (x - draw(-0.1, 0.25))))
    rounded = 0.15 * np.sqrt(np.clip((x + 0.9) / 0.3, 0, 1)) - 0.15
    return (abs(x) < 0.9) & (y < 0.5) & (y > 0.4 - height - rounded)


def _sandal(x, y, draw):
    straps = ((x + y) / draw(0.2, 0.45)) % 1 < draw(0.35, 0.8)
    sole = (y > draw(0.3, 0.4)) | (x > draw(0.6, 0.85))
    return _shoe(x, y, draw, heel=(0.3, 0.85)) & (straps | sole)


def _sneaker(x, y, draw):
    line = abs(y - draw(0.2, 0.4)) < draw(0.0, 0.05)
    return _shoe(x, y, draw, heel=(0.35, 0.75), toe=(0.1, 0.3)) & ~line


def _boot(x, y, draw):
    return _shoe(x, y, draw, heel=(0.7, 1.3), toe=(0.15, 0.4), steep=(8, 20)) & (y > draw(-0.9, -0.3))


def _bag(x, y, draw):
    top, width = draw(-0.45, 0.05), draw(0.6, 0.9)
    body = (abs(x) < width + draw(-0.15, 0.15) * y) & (y > top) & (y < draw(0.5, 0.85))
    bow = np.hypot(x / draw(0.35, 0.6), (y - top) / draw(0.2, 0.55))
    return body | ((bow < 1) & (bow > 0.75) & (y < top + 0.05))


# In the order of Fashion-MNIST's classes.
GARMENTS = (_tshirt, _trouser, _pullover, _dress, _coat, _sandal, _shirt, _sneaker, _bag, _boot)

# In the order of SHAPES.
OUTLINES = (
    lambda x, y: np.hypot(x, y) < 0.85,
    lambda x, y: abs(np.hypot(x, y) - 0.65) < 0.22,
    lambda x, y: np.maximum(abs(x), abs(y)) < 0.75,
    lambda x, y: abs(np.maximum(abs(x), abs(y)) - 0.62) < 0.2,
    lambda x, y: (abs(x) < (y + 0.9) / 1.9) & (y < 0.75),
    lambda x, y: (np.minimum(abs(x), abs(y)) < 0.26) & (np.maximum(abs(x), abs(y)) < 0.9),
    lambda x, y: (np.maximum(abs(x), abs(y)) < 0.85) & ((2.2 * y) % 1 < 0.5),
    lambda x, y: (np.maximum(abs(x), abs(y)) < 0.85) & ((np.floor(2.3 * x) + np.floor(2.3 * y)) % 2 == 0),
    lambda x, y: (np.hypot(x, y) < 0.9) & (np.hypot(x - 0.4, y) > 0.7),
    lambda x, y: (abs(x) < abs(y) + 0.08) & (abs(y) < 0.8),
)
