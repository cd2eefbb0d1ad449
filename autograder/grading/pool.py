"""Worker processes that grade in parallel and are replaced when one dies.

Each worker keeps an assignment's collected checks and warm zygote. A job whose worker dies or does not
come back is given to a fresh worker; after two such ends it becomes an ``infra_error``, never a zero.
"""

import contextlib
import os
import select
import signal
import time
from multiprocessing import Pipe
from multiprocessing.connection import wait

from .. import __version__
from ..errors import InfraError
from ..results import Result
from .jobs import Job, start

TRIES = 2
MOST_EARLY_DEATHS = 4
GRACE_SECONDS = 120  # beyond the assignment's own limit: start of the frameworks, diagnosis


class Worker:
    """One grading process and the job it is at."""

    def __init__(self, number, connection, process=None):
        """``process`` is the Popen of the one that was started, and not forked by another."""
        self.number, self.connection, self.process = number, connection, process
        self.pidfd: int | None = None
        self.job: Job | None = None
        self.deadline = 0.0

    def give(self, job, seconds):
        self.job, self.deadline = job, time.monotonic() + seconds
        self.connection.send(job)

    def news(self):
        """Wait for and return ("ready" | "result" | "stop" | "died", value)."""
        try:
            kind, value = self.connection.recv()
            if kind == "ready":
                self.pidfd = os.pidfd_open(value)
            return kind, value
        except (EOFError, OSError):
            return "died", None

    def stop(self, *, now=False):
        self.connection.close()
        if now or self.job is not None:
            self._kill()
        if self.process is not None:
            self.process.wait()
        if self.pidfd is not None:
            select.select([self.pidfd], [], [])
            os.close(self.pidfd)
            self.pidfd = None

    def _kill(self):
        if self.pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        elif self.process is not None:
            self.process.kill()


def hire(setting, numbers):
    """Return a new Worker for each of ``numbers``; they share what is imported, collected and kept warm."""
    pairs = [Pipe() for _ in numbers]
    process = start(*(theirs.fileno() for _, theirs in pairs))
    crew = []
    for number, (ours, theirs) in zip(numbers, pairs, strict=True):
        theirs.close()
        with contextlib.suppress(OSError):  # it has died already; `news` says so
            ours.send((setting, number))
        crew.append(Worker(number, ours, None if crew else process))
    return crew


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
        for member in pool.crew:
            member.stop()


class _Pool:
    def __init__(self, jobs, setting, seconds):
        self.setting, self.seconds = setting, seconds
        self.waiting = list(reversed(jobs))
        self.tries = {job.student: 0 for job in jobs}
        self.early_deaths = 0
        self.crew: list[Worker] = []

    def run(self, count):
        self.crew = hire(self.setting, range(count))
        while self.waiting or any(member.job for member in self.crew):
            ready = wait([member.connection for member in self.crew], timeout=1.0)
            for member in [m for m in self.crew if m.connection in ready]:
                yield from self._hear(member)
            for member in [m for m in self.crew if m.job and time.monotonic() > m.deadline]:
                yield from self._replace(member, "the grading process did not answer")

    def _hear(self, member):
        kind, value = member.news()
        if kind == "stop":
            raise value
        if kind == "died":
            yield from self._replace(member, "the grading process died")
            return
        if kind == "result":
            job, member.job = member.job, None
            if value.status == "infra_error" and self.tries[job.student] < TRIES:
                self.waiting.append(job)
            else:
                yield value
        if self.waiting:
            job = self.waiting.pop()
            self.tries[job.student] += 1
            member.give(job, self.seconds)

    def _replace(self, member, reason):
        """Put a fresh worker in its place; its job waits again, or is given up as ours to mend."""
        job = member.job
        member.stop(now=True)
        self.crew[self.crew.index(member)] = hire(self.setting, [member.number])[0]
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
