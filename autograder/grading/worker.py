"""Grading processes: each takes jobs, writes results and feedback pages, and says when each is done.

`autograder.grading.pool` starts them as ``python -c "…; main(descriptors)"`` with one inherited socket for each, over
which they exchange Python objects with it; both ends are ours. The first collects the checks and starts the
zygote; the others are forked from it when it is ready, so that all of this is done, and held in memory, once.
"""

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from ..assignment import Assignment
from ..course import Course
from ..errors import GradusError, InfraError
from ..reports.feedback import feedback_page
from ..results import write_atomically
from .grader import Grader

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
BOOT = "from autograder.grading.worker import main; main({})"


@dataclass(frozen=True)
class Setting:
    """What a worker needs to know: where the course is, which assignment, how to wall in, where to write.

    With ``out`` None nothing is written: each result comes back as a pair with its feedback page.
    """

    root: Path
    assignment: str
    isolation: str
    certified: bool
    out: Path | None


def main(*descriptors):
    """Grade jobs from the sockets until they close, each in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the pool decides
    connections = [Connection(descriptor) for descriptor in descriptors]
    setting, number = connections[0].recv()
    try:
        assignment = Assignment.load(Course(setting.root), setting.assignment)
        if "torch" in assignment.settings.frameworks:
            import torch

            torch.set_num_threads(1)
        grader = Grader(assignment, setting.isolation, setting.certified, _core(number))
        grader.session(lambda ready: _serve_all(connections, ready, assignment, setting.out))
    except GradusError as error:  # nothing can be served
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.send(("stop", error))


def _core(number):
    cores = sorted(os.sched_getaffinity(0))
    return cores[number % len(cores)]


def _serve_all(connections, grader, assignment, out):
    """Serve the first connection here, and each other one in a process forked now."""
    first, *others = connections
    if others:
        with contextlib.suppress(InfraError):  # then each will try for itself, and say of each submission what it was
            grader.warm()
    for other in others:
        if len(os.listdir("/proc/self/task")) > 1:  # a check has started threads; their locks would not survive a fork
            start(other.fileno())
        elif os.fork() == 0:
            try:
                for unused in connections:
                    if unused is not other:
                        unused.close()  # or the pool would not see it close when the process that it is for dies
                _, number = other.recv()
                grader.branch(_core(number))
                _serve_until_closed(other, grader, assignment, out)
            finally:
                os._exit(0)
        other.close()
    _serve_until_closed(first, grader, assignment, out)


def start(*descriptors):
    """Start a process that serves the sockets of these descriptors; return its Popen."""
    line = [sys.executable, "-P", "-c", BOOT.format(", ".join(map(str, descriptors)))]
    return subprocess.Popen(line, pass_fds=descriptors, stdin=subprocess.DEVNULL, env=ENVIRONMENT)


def _serve_until_closed(connection, grader, assignment, out):
    """Serve; a pool that has all its results closes the socket, perhaps before this worker was ready."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        try:
            _serve(connection, grader, assignment, out)
        except GradusError as error:
            connection.send(("stop", error))


def _serve(connection, grader, assignment, out):
    connection.send(("ready", os.getpid()))
    if grader.cpu is not None:
        os.sched_setaffinity(0, {grader.cpu})  # beside its student: one of the two always waits for the other
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        result = grader.grade(job)
        if out is None:
            connection.send(("result", (result, feedback_page(result, assignment))))
            continue
        try:
            write_result(result, feedback_page(result, assignment), out)
        except OSError as error:
            note = f"the result could not be written: {error.strerror}"
            result = result.model_copy(
                update={"status": "infra_error", "score": None, "questions": [], "notes": [note]}
            )
        connection.send(("result", result))


def write_result(result, page, out):
    """Write the page, then the result: a result on disk says that its page is there too."""
    if result.status != "infra_error":
        folder = out / result.student
        write_atomically(folder / "feedback.html", page)
        write_atomically(folder / "result.json", result.text())
