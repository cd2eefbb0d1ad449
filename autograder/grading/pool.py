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
from ..errors import InfraError
from ..results import Result
from .grader import Job

TRIES = 2
MOST_EARLY_DEATHS = 4
GRACE_SECONDS = 120  # beyond the assignment's own limit: start of the frameworks, diagnosis
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
BOOT = "from autograder.grading.worker import main; main({})"


class Worker:
    """One grading process and the job it is at."""

    def __init__(self, setting, number):
        self.number = number
        self.connection, theirs = Pipe()
        descriptor = theirs.fileno()
        line = [sys.executable, "-P", "-c", BOOT.format(descriptor)]
        self.process = subprocess.Popen(line, pass_fds=(descriptor,), stdin=subprocess.DEVNULL, env=ENVIRONMENT)
        theirs.close()
        self.connection.send((setting, number))
        self.job: Job | None = None
        self.deadline = 0.0

    def give(self, job, seconds):
        self.job, self.deadline = job, time.monotonic() + seconds
        self.connection.send(job)

    def news(self):
        """Wait for and return ("ready" | "result" | "stop" | "died", value)."""
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            return "died", None

    def stop(self, *, now=False):
        self.connection.close()
        if now or self.job is not None:
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
    pool = _Pool(jobs, setting, limit_seconds + GRACE_SECONDS)
    try:
        yield from pool.run(min(workers or os.cpu_count() or 1, len(jobs)))
    finally:
        for worker in pool.crew:
            worker.stop()


class _Pool:
    def __init__(self, jobs, setting, seconds):
        self.setting, self.seconds = setting, seconds
        self.waiting = list(reversed(jobs))
        self.tries = {job.student: 0 for job in jobs}
        self.early_deaths = 0
        self.crew: list[Worker] = []

    def run(self, count):
        self.crew = [Worker(self.setting, number) for number in range(count)]
        while self.waiting or any(worker.job for worker in self.crew):
            ready = wait([worker.connection for worker in self.crew], timeout=1.0)
            for worker in [w for w in self.crew if w.connection in ready]:
                yield from self._hear(worker)
            for worker in [w for w in self.crew if w.job and time.monotonic() > w.deadline]:
                yield from self._replace(worker, "the grading process did not answer")

    def _hear(self, worker):
        kind, value = worker.news()
        if kind == "stop":
            raise value
        if kind == "died":
            yield from self._replace(worker, "the grading process died")
            return
        if kind == "result":
            job, worker.job = worker.job, None
            if value.status == "infra_error" and self.tries[job.student] < TRIES:
                self.waiting.append(job)
            else:
                yield value
        if self.waiting:
            job = self.waiting.pop()
            self.tries[job.student] += 1
            worker.give(job, self.seconds)

    def _replace(self, worker, reason):
        """Put a fresh worker in its place; its job waits again, or is given up as ours to mend."""
        job = worker.job
        worker.stop(now=True)
        self.crew[self.crew.index(worker)] = Worker(self.setting, worker.number)
        if job is None:
            self.early_deaths += 1
            if self.early_deaths > MOST_EARLY_DEATHS:
                raise InfraError("the grading processes die before they can work", remedy="run `gradus doctor`")
        elif self.tries[job.student] < TRIES:
            self.waiting.append(job)
        else:
            yield Result(
                assignment=self.setting.assignment,
                student=job.student,
                grader_version=__version__,
                seed=job.seed,
                isolation=self.setting.isolation,
                status="infra_error",
                notes=[f"{reason}, {TRIES} times"],
            )
