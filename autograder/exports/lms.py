"""Grades as learning platforms take them in: Canvas's gradebook and Moodle's grading worksheet, as CSV.

Both match people by columns of their own. Given the list that the platform exports (a Roster), its columns
come back as they were, with the grades filled in; students whom it does not name are returned, not dropped.
"""

import csv
import html
import io

from ..errors import InputError
from ..reports.tables import plain_cell
from ..reports.words import number

CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Integration ID", "Root Account", "Section")
CANVAS_POINTS = "    Points Possible"
MOODLE = ("Identifier", "Full name", "Email address", "Status", "Grade", "Maximum Grade", "Feedback comments")


def canvas_csv(marks, assignment, roster=None):
    """Return (CSV for Canvas's gradebook import, students it does not name).

    The assignment's column has the name that it has in Canvas's own export, number included, if the roster is one;
    otherwise Canvas makes a new assignment of this title.
    """
    title = assignment.title
    if roster is None:
        rows = [[mark.student, "", "", mark.student, "", _score(mark)] for mark in marks]
        header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title]
        return _csv([header, _points_row(header, assignment), *rows]), []
    columns = [name for name in CANVAS if name in roster.columns]
    if "Student" not in columns or "ID" not in columns:
        raise InputError("this list has no columns Student and ID, which Canvas needs", where=str(roster.path),
                         remedy="export the gradebook from Canvas and give that file")  # fmt: skip
    own = [name for name in roster.columns if name.startswith((f"{title} (", f"{assignment.name} ("))]
    header = [*columns, own[0] if own else title]
    by_row, strangers = _by_row(marks, roster)
    rows = [[*(row[name] for name in columns), _score(by_row.get(id(row)))] for row in roster.rows]
    return _csv([header, _points_row(header, assignment), *rows]), strangers


def moodle_csv(marks, assignment, roster=None):
    """Return (CSV for Moodle, students it does not name).

    With a grading worksheet downloaded from the Moodle assignment, that worksheet with grades and comments; without
    one, a table for Moodle's gradebook import, by user name.
    """
    if roster is None:
        rows = [[mark.student, _score(mark), _comment(mark)] for mark in marks]
        return _csv([["username", assignment.title, "Feedback comments"], *rows]), []
    if "Identifier" not in roster.columns or "Grade" not in roster.columns:
        raise InputError("this list has no columns Identifier and Grade", where=str(roster.path),
                         remedy="download the grading worksheet of the assignment from Moodle")  # fmt: skip
    by_row, strangers = _by_row(marks, roster)
    rows = []
    for row in roster.rows:
        mark, filled = by_row.get(id(row)), dict(row)
        if mark is not None and mark.score is not None:
            filled["Grade"] = _scaled(mark, row.get("Maximum Grade", ""))
            if "Feedback comments" in filled:
                filled["Feedback comments"] = html.escape(_comment(mark))
        rows.append([filled[name] for name in roster.columns])
    return _csv([list(roster.columns), *rows]), strangers


def _by_row(marks, roster):
    """Return ({id of a roster's row: Mark}, students whom no row names)."""
    found = [(roster.row_of_graded(mark.student), mark) for mark in marks]
    strangers = [mark.student for row, mark in found if row is None]
    return {id(row): mark for row, mark in found if row is not None}, strangers


def _score(mark):
    return "" if mark is None or mark.score is None else f"{mark.score:g}"


def _scaled(mark, maximum):
    """Return the grade out of the platform's own maximum, which may be another number of points."""
    try:
        most = float(maximum)
    except ValueError:
        most = mark.max_score
    return f"{mark.score * most / mark.max_score:.4g}" if mark.max_score else "0"


def _comment(mark):
    if mark.score is None:
        return "not graded yet"
    parts = [
        f"{q.id}: {number(q.points)} of {number(q.max_points)}" for q in mark.result.questions if q.status != "manual"
    ]
    if mark.waits:
        parts.append(f"{number(mark.waits)} points wait for a person")
    if mark.result.late_share:
        parts.append(f"{100 * mark.result.late_share:g} % off for lateness")
    return "; ".join(parts)


def _points_row(header, assignment):
    return [CANVAS_POINTS, *[""] * (len(header) - 2), f"{assignment.max_score:g}"]


def _csv(rows):
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows(
        [cell if cell == CANVAS_POINTS else plain_cell(str(cell)) for cell in row] for row in rows
    )
    return file.getvalue()
