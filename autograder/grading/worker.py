"""A grading process: takes jobs, writes results and feedback pages, and says when each is done.

`autograder.grading.pool` starts it as ``python -c "…; main(descriptor)"`` with one inherited socket, over
which the two exchange Python objects; both ends are ours.
"""

import os
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from ..assignment import Assignment
from ..course import Course
from ..errors import GradusError
from ..reports.feedback import feedback_page
from ..results import write_atomically
from .grader import Grader


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


def main(descriptor):
    """Grade jobs from the socket until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the pool decides
    connection = Connection(descriptor)
    setting, number = connection.recv()
    cores = sorted(os.sched_getaffinity(0))
    core = cores[number % len(cores)]
    try:
        assignment = Assignment.load(Course(setting.root), setting.assignment)
        if "torch" in assignment.settings.frameworks:
            import torch

            torch.set_num_threads(1)
        grader = Grader(assignment, setting.isolation, setting.certified, core)
        grader.session(lambda ready: _serve_until_closed(connection, ready, assignment, setting.out))
    except GradusError as error:
        connection.send(("stop", error))


def _serve_until_closed(connection, grader, assignment, out):
    """Serve; a pool that has all its results closes the socket, perhaps before this worker was ready."""
    try:
        _serve(connection, grader, assignment, out)
    except (BrokenPipeError, ConnectionResetError):
        return


def _serve(connection, grader, assignment, out):
    connection.send(("ready", None))
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
