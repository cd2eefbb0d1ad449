"""Grading on a real dask scheduler with worker processes on loopback, some of which are killed."""

import os
import signal
import threading
import time

import pytest
from distributed import LocalCluster
from large_class import COUNT, SEED, results

from autograder.course import Course
from autograder.errors import InputError
from autograder.pipeline import grade_and_report


def grade(root, out, **options):
    grade_and_report(Course(root), "tiny", root / "submitted", out=root / out, seed=SEED,
                     db=f"sqlite:///{root / out}.db", **options)  # fmt: skip
    return results(root / out)


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None) as made:
        yield made


def test_a_cluster_grades_as_the_local_pool_does(large_class, cluster):
    """Every result and page is there, once, and equal to the local one."""
    root, local = large_class
    assert grade(root, "elsewhere", cluster=cluster.scheduler_address) == local
    assert len(list((root / "elsewhere").glob("*/feedback.html"))) == COUNT
    assert grade(root, "elsewhere", cluster=cluster.scheduler_address) == local


def test_workers_are_killed_during_the_class(large_class, cluster):
    """kill -9 of dask workers at random moments: the class completes, and no result differs."""
    root, local = large_class
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


def test_no_scheduler_is_a_clear_error(large_class, monkeypatch):
    """An address where nobody listens gives a sentence that says what to start."""
    monkeypatch.setattr("autograder.grading.cluster.CONNECT_SECONDS", 1)
    with pytest.raises(InputError, match="dask scheduler"):
        grade(large_class[0], "nowhere", cluster="tcp://127.0.0.1:9")
