"""Hidden checks of `__NAME__`. The first line of each docstring is what a student reads in the feedback."""

import math

import numpy as np
import pytest

from autograder.compare import assert_close


def definition(x, window):
    """The formula of the handout, entry by entry, with exact sums."""
    return np.array([math.fsum(x[i : i + window]) / window for i in range(len(x) - window + 1)])


@pytest.mark.cell("moving_average")
@pytest.mark.weight(2)
def test_every_entry_is_the_mean_of_its_window(student, rng, dims):
    """Every entry is the mean of its own window, for any length and window."""
    window, length = sorted(dims(2))
    x = rng.normal(3.0, 1.0, size=length)

    got = student.moving_average(x, window)

    assert_close(got, definition(x, window), rtol=1e-6, name="the moving average")


@pytest.mark.cell("moving_average")
def test_smallest_and_largest_window(student, rng, dims):
    """A window of 1 changes nothing; a window as long as the data leaves one mean."""
    (length,) = dims(1)
    x = rng.normal(size=length)

    assert_close(student.moving_average(x, 1), x, rtol=1e-6, name="the moving average with window 1")
    assert_close(student.moving_average(x, length), [x.mean()], rtol=1e-6, name="the moving average over all values")


@pytest.mark.cell("moving_average")
def test_wave_as_long_as_the_window_vanishes(student, rng, dims):
    """A wave that repeats every `window` values becomes a straight line."""
    (window,) = dims(1, low=3)
    wave = np.tile(rng.exponential(size=window), 3)

    got = student.moving_average(wave, window)

    assert_close(got, np.full(2 * window + 1, wave.mean()), rtol=1e-6, name="the moving average of the wave")
