"""Right programs that look different. Each must get full points."""

from autograder.mutation import Variant

VARIANTS = [
    Variant(
        "loop",
        "moving_average",
        code="""
def moving_average(x, window):
    means = []
    for start in range(len(x) - window + 1):
        means.append(sum(x[start : start + window]) / window)
    return means
""",
    ),
    Variant(
        "running_sum",
        "moving_average",
        code="""
def moving_average(x, window):
    total = np.cumsum(np.append(0.0, x))
    return (total[window:] - total[:-window]) / window
""",
    ),
    Variant(
        "float32",
        "moving_average",
        code="""
def moving_average(x, window):
    return np.convolve(np.asarray(x, dtype=np.float32), np.ones(window, np.float32) / window, mode="valid")
""",
    ),
]
