"""Numeric gradients, to compare derived ones with."""

import numpy as np


def numerical_gradient(f, x, h=1e-5):
    """Return the gradient of ``f`` at ``x`` by central differences.

    Args:
        f: function of an array like ``x`` that returns a number.
        x: float array of any shape. It is restored after each probe.
        h: step; the error is of order h squared.

    Returns:
        Array of the shape of ``x``: entry i is (f(x + h e_i) - f(x - h e_i)) / 2h.
    """
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        keep = x[index]
        x[index] = keep + h
        above = f(x)
        x[index] = keep - h
        below = f(x)
        x[index] = keep
        gradient[index] = (above - below) / (2 * h)
    return gradient


def relative_error(a, b):
    """Return the largest entry of |a - b| / max(1e-8, |a| + |b|), a number; 0 for empty arrays."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return float(np.max(np.abs(a - b) / np.maximum(1e-8, np.abs(a) + np.abs(b)), initial=0.0))
