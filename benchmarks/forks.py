"""How long a student's process takes from nothing to its first answer, warm, by framework.

python benchmarks/forks.py [numpy torch tensorflow]
"""

import statistics
import sys
import time

from autograder.jail.sandbox import Zygote

REPEATS = 20
CELL = {"op": "exec", "cell": "a", "source": "def double(x):\n    return 2 * x"}
CALL = {"op": "call", "target": "double", "args": (1.5,)}


def measure(framework):
    """Return (seconds until the zygote is up, median milliseconds to the first answer, median milliseconds to the end)."""
    start = time.perf_counter()
    zygote = Zygote((framework,), (framework,), 1024).start()
    up = time.perf_counter() - start
    answers, ends = [], []
    try:
        for _ in range(REPEATS):
            start = time.perf_counter()
            process = zygote.fork()
            process.exchange(1, CELL, 10)
            process.exchange(2, CALL, 10)
            answered = time.perf_counter()
            process.kill()
            answers.append(answered - start)
            ends.append(time.perf_counter() - answered)
    finally:
        zygote.stop()
    return up, 1000 * statistics.median(answers), 1000 * statistics.median(ends)


def main():
    """Print one row a framework."""
    print(f"{'framework':12} {'zygote up':>10} {'first answer':>13} {'end':>8}")
    for framework in sys.argv[1:] or ("numpy", "torch", "tensorflow"):
        up, answer, end = measure(framework)
        print(f"{framework:12} {up:8.1f} s {answer:10.1f} ms {end:5.1f} ms")


if __name__ == "__main__":
    main()
