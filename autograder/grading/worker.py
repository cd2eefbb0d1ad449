"""Grading processes: each takes jobs, writes results and feedback pages, and says when each is done.

`autograder.grading.pool` starts them as ``python -c "…; main(descriptors)"`` with one inherited socket for each, over
which they exchange Python objects with it; both ends are ours. The first collects the checks and starts the
zygote; the others are forked from it when it is ready, so that all of this is done, and held in memory, once.
"""

import contextlib
import os
import signal
from multiprocessing.connection import Connection

from ..assignment import Assignment
from ..course import Course
from ..errors import GradusError, InfraError
from ..reports.feedback import feedback_page
from ..results import write_result
from .cores import Core
from .grader import Grader
from .jobs import start


def main(*descriptors):
    """Grade jobs from the sockets until they close, each in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the pool decides
    connections = [Connection(descriptor) for descriptor in descriptors]
    setting, number = connections[0].recv()
    try:
        assignment = Assignment.load(Course(setting.root), setting.assignment)
        core = Core(number)
        grader = Grader(assignment, setting.isolation, setting.certified, core.number)
        grader.session(lambda ready: _serve_all(connections, ready, assignment, setting.out, core))
    except GradusError as error:  # nothing can be served
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.send(("stop", error))


def _serve_all(connections, grader, assignment, out, core):
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
                core.release()
                _, number = other.recv()
                core = Core(number)
                grader.branch(core.number)
                _serve_until_closed(other, grader, assignment, out)
            finally:
                os._exit(0)
        other.close()
    _serve_until_closed(first, grader, assignment, out)


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
