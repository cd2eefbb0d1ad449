"""Wrong programs that students write. Each must lose points, and the check in `caught_by` must notice it."""

from autograder.mutation import Mutant

MEAN = "return windows.mean(axis=1)"
MUTANTS = [
    Mutant(
        "sum_not_mean",
        "moving_average",
        replace=((MEAN, "return windows.sum(axis=1)"),),
        hint="You add up each window; divide by the number of values in it.",
        caught_by="test_every_entry_is_the_mean_of_its_window",
    ),
    Mutant(
        "divided_by_length",
        "moving_average",
        replace=((MEAN, "return windows.sum(axis=1) / len(x)"),),
        hint="You divide by the length of the data; divide by the length of the window.",
        caught_by="test_every_entry_is_the_mean_of_its_window",
    ),
    Mutant(
        "last_window_missing",
        "moving_average",
        replace=((MEAN, "return windows[:-1].mean(axis=1)"),),
        hint="The last window is missing: the one that ends with the last value counts too.",
        caught_by="test_smallest_and_largest_window",
    ),
    Mutant(
        "padded_ends",
        "moving_average",
        code="def moving_average(x, window):\n    return np.convolve(x, np.ones(window) / window, mode='same')",
        hint="Your result is as long as the data; windows that reach beyond its ends do not count.",
        caught_by="test_every_entry_is_the_mean_of_its_window",
    ),
    Mutant(
        "median_not_mean",
        "moving_average",
        replace=((MEAN, "return np.median(windows, axis=1)"),),
        hint="You take the middle value of each window; the task asks for its mean.",
        caught_by="test_wave_as_long_as_the_window_vanishes",
    ),
]
