"""Brings the results of shards, machines and graders together into one class, and loses none of them.

Where several folders have a result of one student, these are one if they are about the same hand-in and give the same
points. Where they differ, the one that comes from the present checks and grader counts; where that does not decide,
nothing is written and all of them are listed.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from . import __version__, notebook, results
from .assignment import Assignment
from .errors import InputError, SubmissionError
from .grading.submissions import one_student
from .pipeline import write_pages
from .reports.feedback import feedback_page
from .reports.gradebook import SubmissionFiles, write_gradebook
from .reports.words import count
from .results import Change, Result, change

MOST_LISTED = 20


@dataclass
class Merged:
    """The class after a merge.

    Attributes:
        results: by student, those that nobody could grade included.
        taken: how many results came from other folders.
        changed: what they change of results that were here.
        no_notebook: students whose graded hand-in is not in ``submitted/``, and so not in the gradebook.
    """

    results: list[Result] = field(default_factory=list)
    taken: int = 0
    changed: list[Change] = field(default_factory=list)
    no_notebook: list[str] = field(default_factory=list)

    @property
    def ungraded(self):
        return [r for r in self.results if r.status == "infra_error"]


def merge(course, name, folders, *, out=None, db=None, announce=None):
    """Merge the results in ``folders`` into those in ``out``, write pages and gradebook; return what is Merged.

    Args:
        folders: each as `gradus grade` writes it: ``STUDENT/result.json``.
        out: ``graded/<name>`` in the course by default.
        db: SQLAlchemy URL of nbgrader's gradebook; ``gradebook.db`` in the course by default.
        announce: called with the list of Changes, if there are any, before anything is written.
    """
    assignment = Assignment.load(course, name)
    out = Path(out).resolve() if out else course.graded / name
    here, found = _results(out, assignment), {}
    for student, one in here.items():
        found[student] = [(out, one)]
    for folder in folders:
        there = _results(folder, assignment)
        if not there:
            raise InputError("there are no results in this folder", where=str(folder),
                             remedy=f"give folders that hold STUDENT/result.json, as graded/{name} does")  # fmt: skip
        for student, one in there.items():
            found.setdefault(student, []).append((folder, one))
    chosen = _chosen(found, assignment)
    merged = Merged([chosen[student] for student in sorted(chosen)])
    graded = [r for r in merged.results if r.status != "infra_error"]
    new = [r for r in graded if r is not here.get(r.student)]
    merged.taken = len(new)
    merged.changed = [moved for r in new if r.student in here and (moved := change(here[r.student], r))]
    if announce and merged.changed:
        announce(merged.changed)
    for result in new:
        results.write_result(result, feedback_page(result, assignment), out)
    files = {r.student: own for r in graded if (own := _hand_in(r, course, assignment))}
    merged.no_notebook = [r.student for r in graded if r.student not in files]
    write_gradebook([r for r in graded if r.student in files], assignment, course,
                    db or f"sqlite:///{course.root / 'gradebook.db'}", files, fresh={r.student for r in new})  # fmt: skip
    write_pages(assignment, merged.results, out, demo=False)
    return merged


def _results(folder, assignment):
    """Return {student: Result} of a folder; raise InputError for what is no result of this assignment."""
    found, known = {}, {q.id for q in assignment.questions}
    for path in sorted(Path(folder).glob("*/result.json")):
        result = results.read(path)
        if result is None:
            raise InputError("this result cannot be read", where=str(path), remedy="grade this student again")
        if (result.assignment, result.student) != (assignment.name, path.parent.name):
            raise InputError(f"this is the result of {result.student} for {result.assignment}", where=str(path),
                             remedy=f"give folders with results of {assignment.name} only")  # fmt: skip
        if not known.issuperset(q.id for q in result.questions):
            raise InputError(f"this result has questions that {assignment.name} no longer has", where=str(path),
                             remedy="grade this student again with the present checks")  # fmt: skip
        found[result.student] = result
    return found


def _chosen(found, assignment):
    """Return {student: the Result that counts}; raise InputError with all that cannot be decided."""

    def present(result):
        return (result.checks_sha256, result.grader_version) == (assignment.fingerprint, __version__)

    chosen, disputed = {}, []
    for student, candidates in sorted(found.items()):
        graded = [r for _, r in candidates if r.status != "infra_error"] or [candidates[0][1]]
        if not _agree(graded):
            graded = [r for r in graded if present(r)]
        if graded and _agree(graded):
            chosen[student] = max(graded, key=lambda r: (present(r), r.certified))  # the first of equals
        else:
            disputed.append(f"\n  {student}: " + ", ".join(_described(f, r, present(r)) for f, r in candidates))
    if disputed:
        more = f"\n  and {len(disputed) - MOST_LISTED} more" if len(disputed) > MOST_LISTED else ""
        raise InputError(
            f"{count(len(disputed), 'student')} with results that differ:{''.join(disputed[:MOST_LISTED])}{more}",
            remedy="take the wrong ones out of their folders, or grade these students again with the present checks",
        )
    return chosen


def _agree(graded):
    first = graded[0]
    return all(r.submission_sha256 == first.submission_sha256 and r.status == first.status and change(first, r) is None
               for r in graded)  # fmt: skip


def _described(folder, result, present):
    score = "not graded" if result.score is None else f"{result.after_lateness(result.score):g}"
    checks = "present" if present else "other"
    return f"{score} in {folder} ({checks} checks, hand-in {result.submission_sha256[:8] or 'unreadable'})"


def _hand_in(result, course, assignment):
    """Return the SubmissionFiles in ``submitted/`` that ``result`` is about, or None if they are not there."""
    folder = course.submitted / result.student / assignment.name
    if not folder.is_dir():
        return None
    own = one_student(result.student, folder, assignment)
    digest = hashlib.sha256()  # as the grader makes it
    try:
        for name, path in sorted(own.files.items()):
            digest.update(name.encode() + b"\0" + notebook.file_bytes(path))
    except SubmissionError:
        return None
    if result.submission_sha256 not in ("", digest.hexdigest()):
        return None
    return SubmissionFiles(result.student, dict(own.files), own.timestamp)
