"""The class as a table for spreadsheets."""

import csv
import io

from .words import one_line

FORMULA_STARTS = ("=", "+", "-", "@")


def grades_csv(results, assignment):
    """Return the grades as CSV text: one row a submission, one column a question.

    A cell that a spreadsheet would take for a formula gets an apostrophe in front; numbers stay numbers.
    """
    questions = [q.id for q in assignment.questions]
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["assignment", "student", "status", "score", "max_score", *map(plain_cell, questions), "notes"])
    for result in results:
        points = {q.id: q.points for q in result.questions if q.status != "manual"}
        rows.writerow(
            [
                plain_cell(result.assignment),
                plain_cell(result.student),
                result.status,
                "" if result.score is None else result.after_lateness(result.score),
                result.max_score,
                *(points.get(question, "") for question in questions),
                plain_cell("; ".join(result.notes)),
            ]
        )
    return file.getvalue()


def plain_cell(text):
    """Return ``text`` on one line and so that no spreadsheet runs it; a lone sign is no formula."""
    text = one_line(text)
    return f"'{text}" if len(text) > 1 and text.startswith(FORMULA_STARTS) else text
