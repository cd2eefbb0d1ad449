"""Writes scores into nbgrader's gradebook, through its own API, and the files that its formgrader reads.

A person's marks are never touched: manual scores, extra credit and manual comments stay through every
regrade. Only `auto_score`, `needs_manual_grade` and `auto_comment` are written.
"""

import contextlib
import functools
import json
import shutil
import threading
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue

from .. import seen, times
from ..errors import InputError
from ..results import write_atomically
from .words import clean, question_lines

SOLUTION_KINDS = ("answer", "manual")
BATCH_SECONDS = 0.5
SECRET = "submission_secret.txt"  # of nbgrader's exchange: under its hash the feedback goes back


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


class GradebookWriter:
    """Writes results while the next ones are graded, in a thread of its own; leaving it waits until all are written.

    What the gradebook holds already is not written again; where nothing has changed since the last time, it is not even
    opened. ``seen`` is the file that remembers which results and which state of the gradebook were seen together.

    Args:
        assignment, course, db_url, submissions: as for `write_gradebook`.
        seen: path of a file of ours.
    """

    def __init__(self, assignment, course, db_url, submissions, seen):
        self.target = (assignment, course, db_url, submissions)
        self.seen, self.keys = seen, {}
        self.results: SimpleQueue = SimpleQueue()
        self.complete = threading.Event()
        self.work: Future | None = None

    def __enter__(self):
        self.aside = ThreadPoolExecutor(1)
        return self

    def begin(self, old, fresh):
        """Take the list of Results that are on disk already, and start on them; ``fresh`` students follow by `put`."""
        for result in old:
            self.put(result)
        if fresh or not seen.is_remembered(self.seen, self._state()):
            self.work = self.aside.submit(write_batches, self._batches(), *self.target, fresh=set(fresh))

    def _batches(self):
        """Yield lists of what has come within a moment, until all has come."""
        while True:
            batch = [self.results.get()]
            self.complete.wait(BATCH_SECONDS)
            while not self.results.empty():
                batch.append(self.results.get())
            yield [result for result in batch if result is not None]
            if batch[-1] is None:
                return

    def put(self, result):
        """Take one Result; raise what went wrong with the gradebook, if something did."""
        self.keys[result.student] = result.key
        self.results.put(result)
        if self.work is not None and self.work.done():
            self.work.result()

    def __exit__(self, kind, *_):
        self.results.put(None)
        self.complete.set()
        self.aside.shutdown()
        if kind is None and self.work is not None:
            self.work.result()
            seen.remember(self.seen, self._state())

    def _state(self):
        """What was written where: addresses other than a file's say nothing of their state, so they are always opened."""
        url = self.target[2]
        file = url.removeprefix("sqlite:///")
        return seen.state([file], url, sorted(self.keys.items())) if file != url else ""


def write_gradebook(results, assignment, course, db_url, submissions, fresh=None):
    """Write results into the gradebook at ``db_url``; return a GradebookReport.

    Args:
        results: iterable of Result. Those with status "infra_error" are left as they were.
        assignment: the Assignment.
        course: the Course; ``autograded/`` and ``submitted/`` are written below it.
        db_url: any SQLAlchemy URL.
        submissions: {student: SubmissionFiles}.
        fresh: students whose results are new; the others' are written only where the gradebook says otherwise.
    """
    return write_batches([results], assignment, course, db_url, submissions, fresh)


def write_batches(batches, assignment, course, db_url, submissions, fresh=None):
    """Write results as `write_gradebook` does, each of the lists in ``batches`` in a transaction of its own."""
    report = GradebookReport()
    with opened(db_url) as book:
        cells = _describe(book, assignment)
        known = _known(book, assignment) if fresh is not None else {}
        for some in batches:
            written = []
            for result in some:
                same = (
                    fresh is not None and result.student not in fresh and known.get(result.student) == _points(result)
                )
                same = same and all(_autograded_path(course, result, nb.name).is_file() for nb in assignment.notebooks)
                if same or result.status == "infra_error":
                    report.skipped += 1
                else:
                    written.append((result, submissions.get(result.student) or SubmissionFiles(result.student, {})))
            _write_submissions(book, written, assignment, cells)
            for result, files in written:
                _write_files(result, assignment, course, files)
            report.written += len(written)
    return report


def opened(db_url):
    """Return nbgrader's Gradebook at a SQLAlchemy URL, made if it is not there; raise InputError if it will not open."""
    warnings.filterwarnings("ignore", message="Object of type", module="nbgrader")  # SQLAlchemy about nbgrader's own
    from nbgrader import api

    api.get_alembic_version = _newest_schema  # nbgrader would start a program for it, which takes seconds
    try:
        return api.Gradebook(db_url)
    except Exception as error:
        problem = f"the gradebook cannot be opened ({type(error).__name__}: {str(error).splitlines()[0]})"
        remedy = "check the URL; a database of an older nbgrader needs `nbgrader db upgrade` (back it up first)"
        raise InputError(problem, where=db_url.rsplit("@", 1)[-1], remedy=remedy) from None


def _newest_schema():
    """Return the version of the installed nbgrader's tables, which a new gradebook is stamped with."""
    from alembic.script import ScriptDirectory
    from nbgrader.dbutil import ALEMBIC_DIR

    return ScriptDirectory(ALEMBIC_DIR).get_current_head()


def scores(db_url, assignment):
    """Return {student: (points with the marks given by hand, points that wait for a person)} from a gradebook."""
    from nbgrader.api import Grade, Student

    found: dict[str, tuple[float, float]] = {}
    with opened(db_url) as book:
        columns = Student.id, Grade.score, Grade.needs_manual_grade, Grade.max_score
        for student, points, waits, most in _grades(book, assignment, *columns):
            before = found.get(student, (0.0, 0.0))
            found[student] = (round(before[0] + points, 6), before[1] + (most if waits else 0.0))
    return found


def _describe(book, assignment):
    """Make the rows of the assignment, its notebooks and cells, as ``nbgrader generate_assignment`` would.

    Returns {id of a cell's row: its name}, so that names need not be asked for row by row.
    """
    cells = {}
    book.update_or_create_assignment(assignment.name)
    for nb in assignment.notebooks:
        book.update_or_create_notebook(nb.name, assignment.name)
        for cell in nb.cells:
            if not cell.id:
                continue
            place = (cell.id, nb.name, assignment.name)
            if cell.kind in ("checks", "manual"):
                row = book.update_or_create_grade_cell(*place, max_score=cell.points, cell_type=cell.cell_type)
                cells[row.id] = cell.id
            if cell.kind in SOLUTION_KINDS:
                cells[book.update_or_create_solution_cell(*place).id] = cell.id
            if cell.kind == "task":
                row = book.update_or_create_task_cell(*place, max_score=cell.points, cell_type=cell.cell_type)
                cells[row.id] = cell.id
            locked = cell.kind in ("checks", "task", "locked")
            book.update_or_create_source_cell(
                *place, cell_type=cell.cell_type, locked=locked, source=cell.source, checksum=_checksum(cell, locked)
            )
    return cells


def _checksum(cell, locked):
    """Return what nbgrader's own autograde compares a locked cell with."""
    from nbformat import from_dict
    from nbgrader.utils import compute_checksum

    marks = {"grade_id": cell.id, "grade": cell.kind in ("checks", "manual"), "solution": cell.kind in SOLUTION_KINDS,
             "task": cell.kind == "task", "locked": locked, "points": cell.points}  # fmt: skip
    return compute_checksum(
        from_dict({"cell_type": cell.cell_type, "source": cell.source, "metadata": {"nbgrader": marks}})
    )


def _points(result):
    """Return {question: automatic points, None where a person gives them} of a Result."""
    return {q.id: None if q.status == "manual" else q.points for q in result.questions}


def _known(book, assignment):
    """Return {student: {question: automatic points}} for all that the gradebook holds, in one query."""
    from nbgrader.api import BaseCell, Grade, Student

    found: dict[str, dict[str, float | None]] = {}
    for student, cell, points in _grades(book, assignment.name, Student.id, BaseCell.name, Grade.auto_score):
        found.setdefault(student, {})[cell] = points
    return found


def _grades(book, assignment, *columns):
    """Return the columns asked for, a row for each grade of an assignment, in one query."""
    from nbgrader.api import Assignment, BaseCell, Grade, Student, SubmittedAssignment, SubmittedNotebook

    return (
        book.db.query(*columns)
        .select_from(Student)
        .join(SubmittedAssignment, SubmittedAssignment.student_id == Student.id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, BaseCell.id == Grade.cell_id)
        .filter(Assignment.name == assignment)
    )


def _write_submissions(book, written, assignment, cells):
    """Write a list of (Result, its SubmissionFiles) in one transaction and few statements."""
    with _held_back(book):
        for result, _ in written:
            book.update_or_create_student(result.student)
        book.db.flush()
        rows = [book.update_or_create_submission(assignment.name, result.student, timestamp=files.timestamp)
                for result, files in written]  # fmt: skip
        for submission, (result, _) in zip(rows, written, strict=True):
            _fill_in(submission, result, assignment, cells)
        book.db.flush()
        for submission, (result, _) in zip(rows, written, strict=True):
            for notebook in submission.notebooks:
                if result.late_share or notebook.late_submission_penalty:
                    notebook.late_submission_penalty = round(result.late_share * notebook.score, 6)
    book.db.commit()


@contextlib.contextmanager
def _held_back(book):
    """Keep nbgrader's own steps from writing, each by itself, to the disk, and from reading all rows again."""
    book.db.commit = lambda: None
    try:
        with book.db.no_autoflush:
            yield
    finally:
        del book.db.commit


def _fill_in(submission, result, assignment, cells):
    """Set the automatic points and comments of nbgrader's rows; what a person gave stays."""
    found = {q.id: q for q in result.questions}
    comments = _comments(result, assignment)
    for notebook in submission.notebooks:
        for grade in notebook.grades:
            question = found.get(cells.get(grade.cell_id))
            waits = question is not None and question.status == "manual"
            grade.auto_score = None if waits else question.points if question else 0.0
            grade.needs_manual_grade = waits and grade.manual_score is None
        for comment in notebook.comments:
            comment.auto_comment = comments.get(cells.get(comment.cell_id))


def _comments(result, assignment):
    """Return {solution cell id: feedback as Markdown that cannot hold markup of a student's}."""
    comments = {}
    for question in result.questions:
        own = next(q for q in assignment.questions if q.id == question.id)
        if own.answers and not own.manual:
            comments[own.answers[-1]] = "    " + "\n    ".join(question_lines(question))  # an indented block stays text
    return comments


def _write_files(result, assignment, course, files):
    """Put the notebooks where formgrader looks for them, the timestamp that it compares, and the exchange's secret."""
    submitted = course.submitted / result.student / assignment.name
    before = times.read(submitted / "timestamp.txt")
    newer = files.timestamp is not None and before is not None and files.timestamp > before
    for name, path in files.notebooks.items():
        target = submitted / f"{name}.ipynb"
        if path.is_file() and not path.is_symlink() and (newer or not target.exists()):
            submitted.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    autograded = course.root / "autograded" / result.student / assignment.name
    for folder in (submitted, autograded):
        folder.mkdir(parents=True, exist_ok=True)
    _write_timestamp(autograded / "timestamp.txt", files.timestamp)
    if files.timestamp is None or before is None or newer:
        _write_timestamp(submitted / "timestamp.txt", files.timestamp)
    secret = submitted / SECRET
    if secret.is_file() and not secret.is_symlink():
        shutil.copyfile(secret, autograded / SECRET)
    for nb in assignment.notebooks:
        own = files.notebooks.get(nb.name)
        write_atomically(_autograded_path(course, result, nb.name), _autograded(nb, own, result, assignment))


def _autograded_path(course, result, name):
    return course.root / "autograded" / result.student / result.assignment / f"{name}.ipynb"


def _write_timestamp(path, timestamp):
    """formgrader shows a submission as graded only if file and database agree, or both have no time."""
    if timestamp is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(timestamp.isoformat(sep=" ") + " UTC")


def _autograded(nb, own, result, assignment):
    """Return the release with the student's answers and cells, and the verdict under each grade cell."""
    from .. import notebook
    from ..errors import SubmissionError

    release = dict(_release(assignment.release_folder / f"{nb.name}.ipynb"))
    try:
        submitted = notebook.read(own) if own else None
    except SubmissionError:
        submitted = None
    sources = submitted.by_id() if submitted else {}
    verdicts = {q.id: "\n".join(question_lines(q)) for q in result.questions}
    release["cells"] = [dict(cell) for cell in release["cells"]]
    for cell in release["cells"]:
        marks = cell["metadata"].get("nbgrader", {})
        name = marks.get("grade_id")
        if marks.get("solution") and name in sources:
            cell["source"] = clean(sources[name].source)
        if marks.get("grade") and not marks.get("solution") and name in verdicts:
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": verdicts[name] + "\n"}]
    if submitted:
        release["cells"] += _own_cells(submitted)
    return json.dumps(release, ensure_ascii=False) + "\n"  # on one line: indenting takes ten times as long


@functools.lru_cache(maxsize=16)
def _release(path):
    """Return a release, a notebook of format 4, as a dict; read once."""
    return json.loads(path.read_text(encoding="utf-8"))


def _own_cells(submitted):
    """Return the student's own cells (those that are not the assignment's), for a person to read."""
    made = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    return [
        {**made, "id": f"own-{number}", "source": clean(cell.source)}
        for number, cell in enumerate(submitted.cells)
        if not cell.id and cell.cell_type == "code" and cell.source.strip()
    ]
