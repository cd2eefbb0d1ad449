"""Looks over the whole course: what each assignment's results say, and what each student has."""

from .assignment import Assignment
from .errors import InputError
from .exports.marks import marks
from .pipeline import results_in
from .reports import statistics
from .reports.course_report import AssignmentRow, course_report
from .results import write_atomically


def report_on_course(course, out=None, db=None):
    """Write ``course.html`` from the results on disk; return its path.

    Args:
        out: folder with one folder of results for each assignment; ``graded`` in the course by default.
        db: SQLAlchemy URL of the gradebook with the marks given by hand; ``gradebook.db`` in the course by default.
    """
    out = out.resolve() if out else course.graded
    db = db or f"sqlite:///{course.root / 'gradebook.db'}"
    assignments = [Assignment.load(course, name, need_release=False) for name in in_order(course)]
    rows = [course_row(assignment, results_in(out / assignment.name), db) for assignment in assignments]
    if not any(row.marks for row in rows):
        raise InputError(
            "there are no results", where=str(out), remedy="run `gradus grade A` first, for some assignment A"
        )
    path = out / "course.html"
    write_atomically(path, course_report(rows))
    return path


def in_order(course):
    """Return the names of the assignments as ``source/syllabus.txt`` has them, then those that it does not name."""
    syllabus, names = course.source / "syllabus.txt", course.assignments()
    listed = syllabus.read_text().split() if syllabus.is_file() else []
    return [name for name in listed if name in names] + [name for name in names if name not in listed]


def course_row(assignment, results, db="sqlite:///"):
    """Return the AssignmentRow of an assignment's Results, with the marks given by hand in the gradebook at ``db``."""
    questions = statistics.question_statistics(results, assignment)
    tried = [q for q in questions if q.difficulty is not None]
    known, unexplained = statistics.mistakes(results)
    return AssignmentRow(
        name=assignment.name,
        title=assignment.title,
        hours=assignment.settings.hours,
        max_score=assignment.max_score,
        marks={mark.student: mark for mark in marks(results, assignment, db)} if results else {},
        hardest=min(tried, key=lambda q: q.difficulty, default=None),
        mistake=next(iter([*known, *unexplained]), None),
    )
