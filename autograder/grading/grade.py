"""Grades a class: finds the submissions, grades what is new, and keeps every result exactly once."""

import hashlib
import secrets
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from .. import __version__, notebook, results
from ..assignment import Assignment
from ..errors import SubmissionError
from ..results import Change, Result, change
from ..seeds import submission_seed
from . import submissions
from .jobs import Job, Setting
from .pool import grade_all


@dataclass
class ClassResult:
    """All results of one run of ``grade``, by student; how many were graded anew, and how many for the first time."""

    assignment: Assignment
    results: list[Result]
    found: submissions.Found
    out: Path
    fresh: int = 0
    first: int = 0
    changed: list[Change] = field(default_factory=list)

    @property
    def ungraded(self):
        return [r for r in self.results if r.status == "infra_error"]

    def mean_percent(self):
        """Return the mean score of what was graded, in percent of the points that need no person."""
        shares = [r.score / (r.max_score - r.manual_open) for r in self.results
                  if r.score is not None and r.max_score > r.manual_open]  # fmt: skip
        return 100 * sum(shares) / len(shares) if shares else 0.0


@contextmanager
def found_submissions(path, assignment, roster=None):
    """Yield what was Found at ``path``; what was unpacked for it is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="gradus-") as scratch:
        yield submissions.find(path, assignment, scratch, roster)


def grade_class(course, assignment, found, *, out, isolation, certified, seed=None, jobs=None, progress=None,
                elsewhere=None, writer=None, announce=None):  # fmt: skip
    """Grade what was Found and return a ClassResult.

    Args:
        course, assignment: where and what.
        out: folder for ``<student>/result.json`` and ``feedback.html``.
        isolation: "namespaces", "container" or "none".
        certified: whether all walls were seen to hold here.
        seed: one seed for all submissions instead of each student's own.
        jobs: number of worker processes.
        progress: called as progress(done, total, Result or None).
        elsewhere: grades in place of the local pool: elsewhere(jobs, setting, seconds) yields each Result.
        writer: a GradebookWriter, which gets each Result that has no older score at once, and the others at the end.
        announce: called with the list of Changes before the writer gets what has changed.
    """
    progress = progress or (lambda done, total, result: None)
    key = course_key(course)
    old, todo, done = {}, [], {}
    for submission in found.submissions:
        job = _job(submission, assignment, key, seed, isolation, certified)
        before = results.read(out / submission.student / "result.json")
        if before is not None:
            old[submission.student] = before
            if before.key == job.key:
                done[submission.student] = before
                continue
        todo.append(job)
    count = len(found.submissions)
    progress(len(done), count, None)
    if writer:
        writer.begin(list(done.values()), [job.student for job in todo])
    setting = Setting(course.root, assignment.name, isolation, certified, out)
    limit = assignment.settings.total_seconds * len(assignment.notebooks)
    grade = elsewhere or partial(grade_all, workers=jobs)
    for result in grade(todo, setting, limit) if todo else ():
        done[result.student] = result
        progress(len(done), count, result)
        if writer and result.student not in old:
            writer.put(result)
    changed = [moved for s, r in sorted(done.items()) if s in old and r.status != "infra_error"
               if (moved := change(old[s], r))]  # fmt: skip
    if announce and changed:
        announce(changed)
    if writer:
        for job in todo:
            if job.student in old:
                writer.put(done[job.student])
    ordered = [done[s.student] for s in found.submissions]
    return ClassResult(assignment, ordered, found, out, len(todo), count - len(old), changed)


def course_key(course):
    """Return the course's secret key (bytes), made on first use and readable by its owner only."""
    path = course.root / ".gradus" / "course_key"
    if not path.is_file():
        path.parent.mkdir(exist_ok=True)
        results.write_atomically(path, secrets.token_bytes(32))
        path.chmod(0o600)
    return path.read_bytes()


def _job(submission, assignment, key, seed, isolation, certified):
    if seed is None:
        seed = submission_seed(key, assignment.name, submission.student)
    late_share, notes = _lateness(submission, assignment.settings.late)
    digest = hashlib.sha256(f"{__version__} {seed} {isolation} {certified} {late_share} {notes}".encode())
    digest.update(assignment.fingerprint.encode())
    for name, path in sorted(submission.files.items()):
        try:
            digest.update(name.encode() + hashlib.sha256(notebook.file_bytes(path)).digest())
        except SubmissionError as error:
            digest.update(str(error).encode())
    return Job(submission.student, submission.files, seed, digest.hexdigest(), notes, late_share)


def _lateness(submission, policy):
    """Return the share of the points that is lost, and the submission's notes with a sentence about it."""
    share = 0.0
    said: tuple[str, ...] = ()
    if policy and submission.timestamp:
        share = policy.share(submission.timestamp)
        said = (f"late, which costs {100 * share:g} % of the points",) if share else ()
    elif policy and submission.late:
        said = ("no time of its hand-in is known, so nothing is taken off for lateness",)
    return share, (*submission.notes, *said)
