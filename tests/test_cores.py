"""Grading processes that know nothing of each other do not crowd on one core."""

import os
import subprocess
import sys

import pytest

HOLD = "from autograder.grading.cores import Core; c = Core({wanted}, {name!r}); print(c.number, flush=True); input()"
CORES = sorted(os.sched_getaffinity(0))


@pytest.fixture
def holders(request):
    """Start processes that each claim a core and hold it; they end with the test."""
    started = []

    def start(wanted):
        name = f"gradus-test-{os.getpid()}-{request.node.name}"
        line = [sys.executable, "-c", HOLD.format(wanted=wanted, name=name)]
        process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process, int(process.stdout.readline())

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_each_core_is_given_once_and_then_shared(holders):
    """Commands that all ask for the first core get one each, as long as there are any."""
    given = [holders(0)[1] for _ in CORES]
    assert sorted(given) == CORES
    assert holders(0)[1] == CORES[0]


def test_the_core_of_a_killed_process_is_free_again(holders):
    """Nothing has to be tidied up."""
    last = len(CORES) - 1
    process, number = holders(last)
    process.kill()
    process.wait()
    assert (number, holders(last)[1]) == (CORES[last], CORES[last])
