"""Grades a class on a dask cluster.

Every dask worker keeps grading processes of its own, each with its checks collected and its zygote warm,
just as the local pool does. A task is one submission; it carries the submission's bytes and refers to the
course's, so that nothing needs to be shared but the scheduler's address. Results come back with their
pages and are written here. A worker tries its own walls before its first submission and grades nothing
if one does not hold.
"""

import atexit
import hashlib
import itertools
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

from .. import __version__, notebook
from ..course import Course
from ..errors import GradusError, InfraError, InputError, SubmissionError
from ..results import Result, write_result
from .pool import GRACE_SECONDS, Worker, grade_all, hire

CONNECT_SECONDS = 15
CLUSTER_TRIES = 6  # workers of a cluster come and go; each going may take a submission with it
AHEAD = 2  # submissions sent per thread of the cluster, so that none waits for the network


def grade_on_cluster(jobs, setting, limit_seconds, address, certify):
    """Grade ``jobs`` on the cluster whose scheduler is at ``address``; yield each Result as it is done.

    Args:
        jobs: list of Job.
        setting: a Setting; results and pages are written to its ``out``.
        limit_seconds: the assignment's limit for one submission.
        certify: function(folder, isolation) -> bool that tries the walls of the machine it runs on.
    """
    client = connected(address)
    from distributed import as_completed

    sendable, unreadable = with_files(jobs)
    yield from grade_all(unreadable, setting, limit_seconds, 1) if unreadable else ()
    with client:
        course = Course(setting.root).files(setting.assignment)
        name = f"gradus-course-{hashlib.sha256(repr(sorted(course.items())).encode()).hexdigest()}"
        course = client.submit(dict, course, key=name)
        running, waiting = as_completed(loop=client.loop), iter(sendable)

        def send(pairs, time=""):
            for job, files in pairs:
                future = client.submit(
                    grade_here, course, name, setting, job, files, limit_seconds + GRACE_SECONDS, certify,
                    key=f"gradus-{job.student}-{job.key}{time}", retries=CLUSTER_TRIES, pure=True,
                )  # fmt: skip
                owners[future.key] = (job, files)
                running.add(future)

        owners, again = {}, set()
        send(itertools.islice(waiting, AHEAD * max(1, sum(client.nthreads().values()))))
        for future in running:
            job, files = owners.pop(future.key)
            result = _written(future, job, setting)
            future.release()
            if result.status == "infra_error" and job.student not in again:  # a result that went with its worker
                again.add(job.student)
                send([(job, files)], "-again")
                continue
            yield result
            send(itertools.islice(waiting, 1))


def connected(address):
    """Return a client of the scheduler at ``address``; raise InputError if there is none."""
    try:
        from distributed import Client
    except ImportError:
        raise InputError("--cluster needs dask.distributed", remedy='pip install "gradus[cluster]"') from None
    try:
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"there is no dask scheduler at {address}: {error}",
                         remedy="start one with `dask scheduler`, workers with `dask worker ADDRESS`") from None  # fmt: skip


def with_files(jobs):
    """Return ([(job, {notebook: bytes})], [jobs whose files cannot be read])."""
    sendable, unreadable = [], []
    for job in jobs:
        try:
            sendable.append((job, {name: (p.name, notebook.file_bytes(p)) for name, p in job.files.items()}))
        except SubmissionError:
            unreadable.append(job)
    return sendable, unreadable


def _written(future, job, setting):
    if future.status == "finished":
        result, page = future.result()
        try:
            write_result(result, page, setting.out)
            return result
        except OSError as error:
            reason = f"the result could not be written: {error.strerror}"
    else:
        reason = f"the cluster gave it up: {future.exception()}"
    return Result(assignment=setting.assignment, student=job.student, grader_version=__version__, seed=job.seed,
                  isolation=setting.isolation, status="infra_error", notes=[reason])  # fmt: skip


# What runs on a worker -------------------------------------------------------------------------------


class _Here:
    """What one dask worker process keeps between submissions."""

    def __init__(self):
        self.lock = threading.Lock()
        self.idle: dict[str, list[Worker]] = {}
        self.courses: dict[str, tempfile.TemporaryDirectory] = {}
        self.walls_hold: bool | None = None
        self.numbers = itertools.count()
        atexit.register(self.close)

    def take(self, name, course, setting):
        """Return an idle grading process for this course, or a new one."""
        with self.lock:
            if self.idle.get(name):
                return self.idle[name].pop()
            if name not in self.courses:
                self._forget()
                self.courses[name] = tempfile.TemporaryDirectory(prefix="gradus-course-")
                for path, data in course.items():
                    target = Path(self.courses[name].name, path)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(data)
            root = Path(self.courses[name].name)
            return hire(replace(setting, root=root, out=None), [next(self.numbers)])[0]

    def give_back(self, name, worker):
        with self.lock:
            self.idle.setdefault(name, []).append(worker)

    def certified(self, certify, isolation):
        with self.lock:
            if self.walls_hold is None:
                with tempfile.TemporaryDirectory() as folder:
                    self.walls_hold = certify(folder, isolation)
            return self.walls_hold

    def _forget(self):
        """End the grading processes of other courses; a worker serves one at a time."""
        for workers in self.idle.values():
            for worker in workers:
                worker.stop()
        self.idle.clear()

    def close(self):
        self._forget()
        for folder in self.courses.values():
            folder.cleanup()


_here = None
_making = threading.Lock()


def grade_here(course, name, setting, job, files, seconds, certify):
    """Grade one submission on this dask worker; return (Result, feedback page)."""
    global _here
    with _making:
        _here = _here or _Here()
    if setting.isolation != "none" and not _here.certified(certify, setting.isolation):
        raise InfraError("a wall does not hold on this worker", remedy="run `gradus doctor` there")
    worker = _here.take(name, course, setting)
    done = False
    try:
        with tempfile.TemporaryDirectory(prefix="gradus-job-") as folder:
            worker.give(unpacked(job, files, folder), seconds)
            answer = _answer(worker, seconds)
        done = True
        return answer
    finally:
        if done:
            _here.give_back(name, worker)
        else:
            worker.stop(now=True)


def unpacked(job, files, folder):
    """Return ``job`` with its files, {notebook: (file name, bytes)}, written below ``folder``."""
    paths = {}
    for name, (filename, data) in files.items():
        paths[name] = Path(folder, name, filename)
        paths[name].parent.mkdir()
        paths[name].write_bytes(data)
    return replace(job, files=paths)


def _answer(worker, seconds):
    """Return what the grading process sends for its job; raise if it dies, stops or takes too long."""
    while worker.connection.poll(seconds):
        kind, value = worker.news()
        if kind == "result":
            worker.job = None
            if value[0].status == "infra_error":
                raise InfraError(" ".join(value[0].notes))
            return value
        if kind == "stop":
            raise value if isinstance(value, GradusError) else InfraError(str(value))
        if kind == "died":
            break
    raise InfraError("the grading process died or did not answer")
