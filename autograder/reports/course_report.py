"""The page on the whole course: how each assignment went, and what each student has."""

from dataclasses import dataclass
from urllib.parse import quote

import numpy as np

from . import figures, pages, statistics, words


@dataclass(frozen=True)
class AssignmentRow:
    """What the results of one assignment say.

    Attributes:
        name, title, hours, max_score: of the assignment.
        marks: {student: Mark}; empty where nothing is graded yet.
        hardest: the QuestionStatistics of the question with the lowest mean, or None.
        mistake: the most common Mistake, or None.
    """

    name: str
    title: str
    hours: float
    max_score: float
    marks: dict
    hardest: statistics.QuestionStatistics | None
    mistake: statistics.Mistake | None

    @property
    def shares(self):
        """Shares of the points given so far, from 0 to 1, of those who are graded."""
        given = [(m.score, m.max_score - m.waits) for m in self.marks.values() if m.score is not None]
        return np.array([score / most for score, most in given if most > 0])

    @property
    def mean(self):
        return float(self.shares.mean()) if len(self.shares) else None

    @property
    def median(self):
        return float(np.median(self.shares)) if len(self.shares) else None

    @property
    def to_read(self):
        """How many submissions have answers that a person still has to read."""
        return sum(1 for mark in self.marks.values() if mark.waits)

    @property
    def ungraded(self):
        """How many submissions could not be graded."""
        return sum(1 for mark in self.marks.values() if mark.score is None)


def course_report(rows):
    """Return the page as HTML text; ``rows`` are AssignmentRows in teaching order, at least one with marks."""
    graded = [row for row in rows if row.marks]
    students = sorted({student for row in graded for student in row.marks})
    return pages.render(
        "course_report.html.j2",
        styles=("base.css", "report.css"),
        script="sort.js",
        rows=rows,
        findings=_headline(rows, graded, students),
        spread=_spread([row for row in graded if len(row.shares)]),
        columns=graded,
        students=[(student, _total(student, graded), _cells(student, graded)) for student in students],
        possible=sum(row.max_score for row in graded),
    )


def _headline(rows, graded, students):
    """Return (value, label) pairs for the top of the page."""
    shares = np.concatenate([row.shares for row in graded])
    facts = [
        (f"{len(students):,}", "student" if len(students) == 1 else "students"),
        (str(len(graded)), f"graded, of {words.count(len(rows), 'assignment')}"),
    ]
    if len(shares):
        facts.append((words.percent(float(shares.mean())), "of the points given so far, on average"))
    facts.append((f"{sum(row.to_read for row in graded):,}", "submissions with answers to read"))
    return facts


def _spread(rows):
    """Return (figure, caption), or None where there is nothing to draw."""
    if not rows:
        return None
    means = {row.name: row.mean for row in rows}
    low, high = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    caption = "A line spans from the tenth to the ninetieth percentile of the class, a bar its middle half; the dot is the mean."
    if means[low] < means[high]:
        caption += (
            f" Lowest is `{low}` with {words.percent(means[low])}, highest `{high}` with {words.percent(means[high])}."
        )
    return figures.spread([(row.name, row.shares) for row in rows]), caption


def _total(student, rows):
    scores = [row.marks[student].score for row in rows if student in row.marks]
    return sum(score for score in scores if score is not None)


def _cells(student, rows):
    """Return (link, text, share of the points or None, words) for a student's mark in each assignment."""
    cells: list[tuple[str, str, float | None, str]] = []
    for row in rows:
        mark = row.marks.get(student)
        if mark is None:
            cells.append(("", "–", None, "nothing was handed in"))
            continue
        link = f"./{quote(row.name)}/{quote(student, safe='')}/feedback.html"
        if mark.score is None:
            cells.append((link, "–", None, "not graded yet"))
            continue
        share = mark.score / mark.max_score if mark.max_score else 1.0
        waits = f", {words.points(mark.waits)} wait for a person" if mark.waits else ""
        note = f"of {words.number(mark.max_score)}{waits}"
        cells.append((link, words.number(mark.score), share, note))
    return cells
