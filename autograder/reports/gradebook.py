"""Writes scores into nbgrader's gradebook, through its own API, and the files that its formgrader reads.

A person's marks are never touched: manual scores, extra credit and manual comments stay through every
regrade. Only `auto_score`, `needs_manual_grade` and `auto_comment` are written.
"""

import os
import shutil
import sys
import warnings
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import nbformat

from ..errors import InputError
from ..results import write_atomically
from .words import clean, sentence

SOLUTION_KINDS = ("answer", "manual")


@dataclass(frozen=True)
class SubmissionFiles:
    """Where a student's notebooks are, and when they were handed in (UTC, naive; None if not known)."""

    student: str
    notebooks: dict[str, Path]
    timestamp: datetime | None = None


@dataclass
class GradebookReport:
    """How many submissions were written, and how many were left as they were."""

    written: int = 0
    skipped: int = 0


def write_gradebook(results, assignment, course, db_url, submissions):
    """Write ``results`` into the gradebook at ``db_url``; return a GradebookReport.

    Args:
        results: list of Result. Those with status "infra_error" are left as they were.
        assignment: the Assignment.
        course: the Course; ``autograded/`` and ``submitted/`` are written below it.
        db_url: any SQLAlchemy URL.
        submissions: {student: SubmissionFiles}.
    """
    report = GradebookReport()
    with warnings.catch_warnings(), opened(db_url) as book:
        warnings.filterwarnings(
            "ignore", message="Object of type", module="nbgrader"
        )  # SQLAlchemy about nbgrader's own
        _describe(book, assignment)
        for result in results:
            if result.status == "infra_error":
                report.skipped += 1
                continue
            files = submissions.get(result.student) or SubmissionFiles(result.student, {})
            _write_submission(book, result, assignment, files)
            _write_files(result, assignment, course, files)
            report.written += 1
    return report


def opened(db_url):
    """Return nbgrader's Gradebook at a SQLAlchemy URL, made if it is not there; raise InputError if it will not open."""
    from nbgrader.api import Gradebook

    # A new database is stamped by a program beside this interpreter, which nbgrader looks up on the path.
    beside = str(Path(sys.executable).parent)
    if beside not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = beside + os.pathsep + os.environ.get("PATH", "")
    try:
        return Gradebook(db_url)
    except Exception as error:
        problem = f"the gradebook cannot be opened ({type(error).__name__}: {str(error).splitlines()[0]})"
        remedy = "check the URL; a database of an older nbgrader needs `nbgrader db upgrade` (back it up first)"
        raise InputError(problem, where=db_url.rsplit("@", 1)[-1], remedy=remedy) from None


def scores(db_url, assignment):
    """Return {student: (points with the marks given by hand, points that wait for a person)} from a gradebook."""
    found = {}
    with warnings.catch_warnings(), opened(db_url) as book:
        warnings.filterwarnings("ignore", message="Object of type", module="nbgrader")
        for submission in book.assignment_submissions(assignment):
            grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
            waits = sum(grade.max_score for grade in grades if grade.needs_manual_grade)
            found[submission.student_id] = (round(sum(grade.score for grade in grades), 6), waits)
    return found


def _describe(book, assignment):
    """Make the rows of the assignment, its notebooks and cells, as ``nbgrader generate_assignment`` would."""
    book.update_or_create_assignment(assignment.name)
    for nb in assignment.notebooks:
        book.update_or_create_notebook(nb.name, assignment.name)
        for cell in nb.cells:
            if not cell.id:
                continue
            place = (cell.id, nb.name, assignment.name)
            if cell.kind in ("checks", "manual"):
                book.update_or_create_grade_cell(*place, max_score=cell.points, cell_type=cell.cell_type)
            if cell.kind in SOLUTION_KINDS:
                book.update_or_create_solution_cell(*place)
            if cell.kind == "task":
                book.update_or_create_task_cell(*place, max_score=cell.points, cell_type=cell.cell_type)
            locked = cell.kind in ("checks", "task", "locked")
            book.update_or_create_source_cell(*place, cell_type=cell.cell_type, locked=locked, source=cell.source)


def _write_submission(book, result, assignment, files):
    book.update_or_create_student(result.student)
    submission = book.update_or_create_submission(assignment.name, result.student, timestamp=files.timestamp)
    found = {q.id: q for q in result.questions}
    comments = _comments(result, assignment)
    for notebook in submission.notebooks:
        for grade in notebook.grades:
            question = found.get(grade.name)
            waits = question is not None and question.status == "manual"
            grade.auto_score = None if waits else question.points if question else 0.0
            grade.needs_manual_grade = waits and grade.manual_score is None
        for comment in notebook.comments:
            comment.auto_comment = comments.get(comment.name)
    book.db.commit()
    for notebook in submission.notebooks:
        if result.late_share or notebook.late_submission_penalty:
            notebook.late_submission_penalty = round(result.late_share * notebook.score, 6)
            book.db.commit()


def _comments(result, assignment):
    """Return {solution cell id: feedback as Markdown that cannot hold markup of a student's}."""
    comments = {}
    for question in result.questions:
        own = next(q for q in assignment.questions if q.id == question.id)
        if own.answers and not own.manual:
            comments[own.answers[-1]] = "    " + "\n    ".join(_lines(question))  # an indented block stays text
    return comments


def _lines(question):
    lines = [f"{question.id}: {question.points:g} of {question.max_points:g}"]
    if question.message:
        lines.append(sentence(question.message))
    for check in question.checks:
        lines.append(f"{'ok  ' if check.status == 'passed' else 'not '} {check.title}")
        if check.status != "passed":
            lines += [f"     {sentence(text)}" for text in (check.message, check.hint) if text]
    return clean("\n".join(lines)).splitlines()


def _write_files(result, assignment, course, files):
    """Put the notebooks where formgrader looks for them, and the timestamp that it compares."""
    submitted = course.submitted / result.student / assignment.name
    for name, path in files.notebooks.items():
        target = submitted / f"{name}.ipynb"
        if path.is_file() and not path.is_symlink() and not target.exists():
            submitted.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    submitted.mkdir(parents=True, exist_ok=True)
    autograded = course.root / "autograded" / result.student / assignment.name
    for folder in (submitted, autograded):
        _write_timestamp(folder, files.timestamp)
    for nb in assignment.notebooks:
        own = files.notebooks.get(nb.name)
        write_atomically(autograded / f"{nb.name}.ipynb", _autograded(nb, own, result, assignment))


def _write_timestamp(folder, timestamp):
    """formgrader shows a submission as graded only if file and database agree, or both have no time."""
    path = folder / "timestamp.txt"
    if timestamp is None:
        path.unlink(missing_ok=True)
    elif not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(timestamp.isoformat(sep=" ") + " UTC")


def _autograded(nb, own, result, assignment):
    """Return the release with the student's answers and cells, and the verdict under each grade cell."""
    from .. import notebook
    from ..errors import SubmissionError

    release = nbformat.read(assignment.release_folder / f"{nb.name}.ipynb", as_version=4)
    try:
        submitted = notebook.read(own) if own else None
    except SubmissionError:
        submitted = None
    sources = submitted.by_id() if submitted else {}
    verdicts = {q.id: "\n".join(_lines(q)) for q in result.questions}
    for cell in release.cells:
        marks = cell.metadata.get("nbgrader", {})
        name = marks.get("grade_id")
        if marks.get("solution") and name in sources:
            cell.source = clean(sources[name].source)
        if marks.get("grade") and not marks.get("solution") and name in verdicts:
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=verdicts[name] + "\n")]
    if submitted:
        release.cells += _own_cells(submitted)
    return nbformat.writes(release) + "\n"


def _own_cells(submitted):
    """Return the student's own cells (those that are not the assignment's), for a person to read."""
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    return [
        make[cell.cell_type](clean(cell.source), id=f"own-{number}")
        for number, cell in enumerate(submitted.cells)
        if not cell.id and cell.cell_type == "code" and cell.source.strip()
    ]
