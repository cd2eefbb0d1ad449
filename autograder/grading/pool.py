"""Worker processes that grade in parallel and are replaced when one dies.

Each worker keeps an assignment's collected checks and warm zygote. A job whose worker dies or does not
come back is given to a fresh worker; after two such ends it becomes an ``infra_error``, never a zero.
"""

import os
import subprocess
import sys
import time
from multiprocessing import Pipe
from multiprocessing.connection import wait

from .. import __version__
from ..errors import GradusError
from ..results import Result

TRIES = 2
GRACE_SECONDS = 120  # beyond the assignment's own limit: start of the frameworks, diagnosis
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
BOOT = "from autograder.grading.worker import main; main({})"


class _Worker:
    def __init__(self, setting):
        self.connection, theirs = Pipe()
        number = theirs.fileno()
        line = [sys.executable, "-P", "-c", BOOT.format(number)]
        self.process = subprocess.Popen(line, pass_fds=(number,), stdin=subprocess.DEVNULL, env=ENVIRONMENT)
        theirs.close()
        self.connection.send(setting)
        self.job = None
        self.deadline = None

    def give(self, job, seconds):
        self.job, self.deadline = job, time.monotonic() + seconds
        self.connection.send(job)

    def stop(self):
        self.connection.close()
        try:
            self.process.wait(2 if self.job is None else 0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def grade_all(jobs, setting, limit_seconds, workers=None):
    """Grade ``jobs`` and yield each Result as it is done, in no particular order.

    Args:
        jobs: list of Job.
        setting: a Setting.
        limit_seconds: the assignment's limit for one submission.
        workers: number of processes; by default one a core.
    """
    waiting = [(job, 1) for job in reversed(jobs)]
    count = min(workers or os.cpu_count() or 1, len(jobs))
    crew = [_Worker(setting) for _ in range(count)]
    tries = {}
    try:
        while waiting or any(w.job for w in crew):
            for w in list(wait([w.connection for w in crew], timeout=1.0)):
                worker_ = next(x for x in crew if x.connection is w)
                try:
                    kind, value = w.recv()
                except (EOFError, OSError):
                    kind, value = "died", None
                if kind == "stop":
                    raise value
                if kind == "result":
                    job, worker_.job = worker_.job, None
                    again = value.status == "infra_error" and tries[job.student] < TRIES
                    if again:
                        waiting.append((job, tries[job.student] + 1))
                    else:
                        yield value
                if kind == "died":
                    yield from _replace(crew, worker_, waiting, tries, setting, "the grading process died")
                else:
                    _next(worker_, waiting, tries, limit_seconds)
            for worker_ in list(crew):
                if worker_.job and time.monotonic() > worker_.deadline:
                    yield from _replace(crew, worker_, waiting, tries, setting, "the grading process did not answer")
    finally:
        for w in crew:
            w.stop()


def _next(worker_, waiting, tries, limit_seconds):
    if waiting and worker_.job is None:
        job, number = waiting.pop()
        tries[job.student] = number
        worker_.give(job, limit_seconds + GRACE_SECONDS)


def _replace(crew, old, waiting, tries, setting, reason):
    """Put a fresh worker in the place of ``old``; its job waits again, or is given up as ours to mend."""
    job = old.job
    old.process.kill()
    old.stop()
    crew[crew.index(old)] = _Worker(setting)
    if job is None:
        tries[""] = tries.get("", 0) + 1
        if tries[""] > 5:
            raise GradusError("the grading processes die before they can work", remedy="run `gradus doctor`")
        return
    if tries[job.student] < TRIES:
        waiting.append((job, tries[job.student] + 1))
        return
    yield Result(
        assignment=setting.assignment, student=job.student, grader_version=__version__, seed=job.seed,
        isolation=setting.isolation, status="infra_error", notes=[f"{reason}, {TRIES} times"],
    )
