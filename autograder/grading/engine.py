"""Runs the hidden checks of an assignment against one program and decides points.

The program may be a walled student process or, for our own mutants and references, a `LocalLine`;
the checks cannot tell.
"""

from dataclasses import dataclass, field

from . import diagnosis
from .student import Student


@dataclass
class CheckOutcome:
    """One check's verdict, as it goes into the result file."""

    id: str
    cell: str
    function: str
    title: str
    weight: float
    status: str
    message: str = ""
    diagnosis: str | None = None
    example: dict | None = None
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)


def run_checks(checks, line, seed, assignment, *, diagnose=True):
    """Run every check on the program behind ``line``; return a list of CheckOutcome.

    Args:
        checks: collected Checks of the assignment.
        line: an object with ``ask(request) -> reply``.
        seed: the submission's seed.
        diagnose: look for the mistake and an example where a check fails.
    """
    outcomes, failed = [], []
    for check in checks:
        attempt = check.run(Student(line), seed)
        outcome = CheckOutcome(
            check.id, check.cell, check.function, check.title, check.weight, attempt.status, attempt.message
        )
        outcome.seconds = round(attempt.seconds, 6)
        outcome.notes = [*attempt.notes, *_remarks(attempt.student.remarks)]
        outcomes.append(outcome)
        if attempt.status in ("failed", "error") and diagnose:
            failed.append((check, attempt))
            outcome.example = diagnosis.example(check, attempt, lambda: Student(line), assignment)
            outcome.message = _public_message(attempt, outcome.example)
    named = diagnosis.diagnose(failed, seed, assignment)
    for outcome in outcomes:
        outcome.diagnosis = named.get(outcome.id)
    return outcomes


def _public_message(attempt, example):
    """The sentence shown: the example's own, which came from feedback inputs, else the hidden run's."""
    return example["message"] if example and attempt.status == "failed" else attempt.message


def _remarks(remarks):
    """Turn hygiene remarks into sentences, each once."""
    sentences = []
    for function, remark in remarks:
        if remark.get("changed"):
            sentences.append(f"`{function}` changes an array it was given, in place; return a new one instead")
        kinds = [k for k in remark.get("warnings", []) if k in ("RuntimeWarning", "DeprecationWarning")]
        if "RuntimeWarning" in kinds:
            sentences.append(f"`{function}` made numpy warn (an overflow, a division by zero or an invalid value)")
    return list(dict.fromkeys(sentences))
