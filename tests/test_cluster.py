"""Grading on a real dask scheduler with worker processes on loopback, some of which are killed."""

import os
import signal
import threading
import time

import pytest
from conftest import DOUBLE, SOLVED, hand_in, make_tiny
from distributed import LocalCluster
from test_faults import results

from autograder.course import Course
from autograder.errors import InputError
from autograder.pipeline import grade_and_report

COUNT = 200
ANSWERS = [SOLVED, {**SOLVED, "double-answer": "def double(x):\n    return x * x"}, {"double-answer": DOUBLE}, {}]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A class of COUNT submissions (one of them not a notebook) and its results from the local pool."""
    root = tmp_path_factory.mktemp("cluster")
    course = make_tiny(root)
    for number in range(COUNT - 1):
        hand_in(root / "submitted", f"s{number:03d}", course, ANSWERS[number % 4])
    broken = root / "submitted" / "broken" / "tiny" / "tiny.ipynb"
    broken.parent.mkdir(parents=True)
    broken.write_text("not a notebook")
    local = grade(root, "local")
    assert len(local) == COUNT
    return root, local


def grade(root, out, **options):
    grade_and_report(Course(root), "tiny", root / "submitted", out=root / out, seed=5,
                     db=f"sqlite:///{root / out}.db", **options)  # fmt: skip
    return results(root / out)


@pytest.fixture
def cluster():
    with LocalCluster(n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None) as made:
        yield made


def test_a_cluster_grades_as_the_local_pool_does(place, cluster):
    """Every result and page is there, once, and equal to the local one."""
    root, local = place
    assert grade(root, "elsewhere", cluster=cluster.scheduler_address) == local
    assert len(list((root / "elsewhere").glob("*/feedback.html"))) == COUNT
    assert grade(root, "elsewhere", cluster=cluster.scheduler_address) == local


def test_workers_are_killed_during_the_class(place, cluster):
    """kill -9 of dask workers at random moments: the class completes, and no result differs."""
    root, local = place
    killed = []

    def kill_some():
        while len(killed) < 3:
            time.sleep(0.3)
            if len(list((root / "killed").glob("*/result.json"))) < 10 * (len(killed) + 1):
                continue
            pids = [w.pid for w in cluster.workers.values() if w.pid]
            if pids:
                os.kill(pids[len(killed) % len(pids)], signal.SIGKILL)
                killed.append(pids[len(killed) % len(pids)])

    thread = threading.Thread(target=kill_some, daemon=True)
    thread.start()
    assert grade(root, "killed", cluster=cluster.scheduler_address) == local
    thread.join(10)
    assert killed


def test_no_scheduler_is_a_clear_error(place, monkeypatch):
    """An address where nobody listens gives a sentence that says what to start."""
    monkeypatch.setattr("autograder.grading.cluster.CONNECT_SECONDS", 1)
    with pytest.raises(InputError, match="dask scheduler"):
        grade(place[0], "nowhere", cluster="tcp://127.0.0.1:9")
