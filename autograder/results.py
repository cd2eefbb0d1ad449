"""The result of grading one submission, as it stands in ``result.json``.

Every part of the kit that shows or exports grades starts from these models; nothing else is kept.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

SCHEMA = 1

QuestionStatus = Literal["passed", "partial", "failed", "missing", "unchanged", "timeout", "crashed", "manual"]
CheckStatus = Literal["passed", "failed", "error", "timeout", "crashed", "not_run"]


class CheckResult(BaseModel):
    """One hidden check. ``message`` and ``example`` are fit for the student; ``diagnosis`` names a mutant."""

    id: str
    title: str = ""
    weight: float = 1.0
    status: CheckStatus
    message: str = ""
    diagnosis: str | None = None
    hint: str = ""
    example: dict[str, str] | None = None
    seconds: float = 0.0


class QuestionResult(BaseModel):
    """One graded cell. Manual questions have points only once a person has given them."""

    id: str
    notebook: str = ""
    points: float
    max_points: float
    status: QuestionStatus
    message: str = ""
    reread: str = ""
    checks: list[CheckResult] = Field(default_factory=list)


class Result(BaseModel):
    """One submission.

    ``score`` and ``max_score`` include manual questions in ``max_score`` only; ``status`` is "graded",
    "unreadable" (the student's file, scores 0) or "infra_error" (ours, no score at all). ``checks_sha256`` is the
    assignment's fingerprint: of all that can move a grade on the instructor's side. ``late_share`` of all
    points is lost for lateness; ``score`` is before that, `after_lateness` is what counts.
    """

    schema_version: int = Field(default=SCHEMA, alias="schema")
    assignment: str
    student: str
    submission_sha256: str = ""
    grader_version: str = ""
    checks_sha256: str = ""
    key: str = ""
    seed: int = 0
    isolation: str = "namespaces"
    certified: bool = False
    status: Literal["graded", "unreadable", "infra_error"]
    score: float | None = None
    max_score: float = 0.0
    late_share: float = 0.0
    seconds: float = 0.0
    questions: list[QuestionResult] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    environment: dict[str, str] = Field(default_factory=dict)

    model_config = {"populate_by_name": True}

    def text(self):
        """Return the result as JSON text, as it is written to disk."""
        return self.model_dump_json(by_alias=True, indent=1) + "\n"

    def after_lateness(self, score):
        """Return what of ``score`` is left after the late policy."""
        return round(score * (1 - self.late_share), 6)

    @property
    def manual_open(self):
        """Points that wait for a person."""
        return sum(q.max_points for q in self.questions if q.status == "manual")


@dataclass(frozen=True)
class Change:
    """What a newer result changes for one student, in points; None stands for no result.

    Attributes:
        student: who.
        before, now: the score, after lateness.
        questions: (id, before, now) of each question whose points changed.
    """

    student: str
    before: float | None
    now: float | None
    questions: list[tuple[str, float | None, float | None]]


def change(before, now):
    """Return the Change from one Result to another of the same student, or None if every point stays."""
    was, is_now = (None if r.score is None else r.after_lateness(r.score) for r in (before, now))
    old, new = ({q.id: q.points for q in r.questions} for r in (before, now))
    questions = [(q, old.get(q), new.get(q)) for q in {**old, **new} if old.get(q) != new.get(q)]
    return Change(now.student, was, is_now, questions) if questions or was != is_now else None


def write_result(result, page, out):
    """Write the page, then the result: a result on disk says that its page is there too."""
    if result.status != "infra_error":
        folder = out / result.student
        write_atomically(folder / "feedback.html", page)
        write_atomically(folder / "result.json", result.text())


def write_atomically(path, text):
    """Write ``text`` (str or bytes) so that ``path`` never holds half of it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with open(partial, "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def read(path):
    """Return the Result in the file at ``path``, or None if there is none or it is of another schema."""
    try:
        result = Result.model_validate_json(Path(path).read_bytes())
    except (OSError, ValueError):
        return None
    return result if result.schema_version == SCHEMA else None
