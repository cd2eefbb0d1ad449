"""What each student gets in the end: the machine's points, a person's marks, less what lateness costs."""

from dataclasses import dataclass
from pathlib import Path

from ..reports.gradebook import scores
from ..results import Result


@dataclass(frozen=True)
class Mark:
    """One student's mark for one assignment.

    Attributes:
        student: how the student is called here.
        score: points after lateness, or None if the submission could not be graded.
        max_score: points that can be had.
        waits: points that a person has not given yet.
        result: what the machine found.
    """

    student: str
    score: float | None
    max_score: float
    waits: float
    result: Result


def marks(results, assignment, db_url):
    """Return a Mark for each Result, with the marks given by hand in nbgrader's gradebook, if there is one."""
    path = db_url.removeprefix("sqlite:///") if db_url.startswith("sqlite:///") else None
    by_hand = scores(db_url, assignment.name) if path is None or Path(path).is_file() else {}
    found = []
    for result in results:
        score, waits = result.score, result.manual_open
        if score is not None and result.student in by_hand:
            score, waits = by_hand[result.student]
        if score is not None:
            score = result.after_lateness(score)
        found.append(Mark(result.student, score, assignment.max_score, waits, result))
    return found
