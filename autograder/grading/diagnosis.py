"""Which mistake does a failure look like, and what is the smallest example of it?

A failed check has a transcript: every request it made and every answer it got. A mutant explains
the failure if it gives the same answers to the same requests. Mutants are our own programs, so
they run here, in the trusted process, on the inputs the student's code was given.

The example shown to the student comes from other inputs: small ones, drawn from feedback seeds
that have nothing to do with the hidden seed.
"""

import numpy as np

from ..jail.inside import wire
from .student import LocalLine, Student, StudentFault

FEEDBACK_SEEDS = (11, 12, 13, 14)
UNTELLING = ("NotImplementedError", "NameError", "Timeout", "Crash", "NotPlainData")


class _Different(BaseException):
    """The mutant's answers have left the transcript."""


class _Replay(Student):
    """A student that stops the check as soon as an answer differs from a recorded one."""

    def __init__(self, line, recorded):
        super().__init__(line)
        self._recorded = recorded

    def _ask(self, request, label):
        position = len(self.transcript)
        try:
            return super()._ask(request, label)
        finally:
            if position >= len(self._recorded) or not _same(self._recorded[position][2], self.transcript[position][2]):
                raise _Different


def candidates(check, attempt, seed, assignment):
    """Return the names of the question's mutants that explain a failed attempt, best first."""
    failure = attempt.failure
    if isinstance(failure, StudentFault) and failure.kind in UNTELLING:
        return []
    found = []
    for mutant in assignment.mutants:
        if mutant.cell == check.cell and _explains(check, attempt, seed, assignment, mutant):
            found.append(mutant)
    found.sort(key=lambda m: m.caught_by != check.function)
    names = [m.name for m in found]
    suspect = getattr(failure, "suspect", None)
    if not names and suspect:
        names = [suspect]
    return names


def _explains(check, attempt, seed, assignment, mutant):
    recorded = attempt.student.transcript
    line = LocalLine(assignment.reference_cells(mutant))
    replay = _Replay(line, recorded)
    try:
        again = check.run(replay, seed)
    except _Different:
        return False
    if isinstance(again.failure, _Different):
        return False
    return again.status != "passed" and len(replay.transcript) == len(recorded)


def _same(a, b):
    """Whether two answers are the same up to rounding."""
    if isinstance(a, StudentFault) or isinstance(b, StudentFault):
        return isinstance(a, StudentFault) and isinstance(b, StudentFault) and a.kind == b.kind
    if isinstance(a, wire.Ref) or isinstance(b, wire.Ref):
        return isinstance(a, wire.Ref) and isinstance(b, wire.Ref)
    a, b = _numbers(a), _numbers(b)
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        coarse = a.dtype in (np.float32, np.float16) or b.dtype in (np.float32, np.float16)
        if a.shape != b.shape or "c" in (a.dtype.kind, b.dtype.kind):
            return a.shape == b.shape and np.array_equal(a, b)
        scale = float(np.max(np.abs(b[np.isfinite(b)]), initial=0.0))
        rtol, atol = (1e-4, 1e-5 * scale) if coarse else (1e-7, 1e-10 * scale)
        return np.allclose(a.astype(float), b.astype(float), rtol=rtol, atol=atol, equal_nan=True)
    if type(a) in (list, tuple) and type(b) in (list, tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    if type(a) is dict and type(b) is dict:
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    return type(a) is type(b) and a == b


def _numbers(value):
    if isinstance(value, wire.Tensor):
        return value.array
    if type(value) in (int, float, bool) or isinstance(value, np.generic):
        return np.asarray(value)
    return value


def choose(candidates_by_check):
    """Return {check id: mutant name or None}: where several fit, the one that explains most checks."""
    votes = {}
    for names in candidates_by_check.values():
        for name in names:
            votes[name] = votes.get(name, 0) + 1
    return {
        check: max(names, key=lambda n: (votes[n], -names.index(n))) if names else None
        for check, names in candidates_by_check.items()
    }


# The example ----------------------------------------------------------------------------------------

SHOWN_ENTRIES = 60


def example(check, attempt, make_student):
    """Return the smallest failing example on feedback inputs as a dict of texts, or None.

    Args:
        make_student: () -> a Student on the same process, with an empty transcript.
    """
    if isinstance(attempt.failure, StudentFault) and attempt.failure.kind in UNTELLING:
        return None
    best = None
    for seed in FEEDBACK_SEEDS:
        again = check.run(make_student(), seed, small=True)
        if again.status in ("timeout", "crashed"):
            return None
        if again.status == "failed":
            size = sum(_size(request) for _, request, _ in again.student.transcript)
            if best is None or size < best[0]:
                best = (size, again)
    return None if best is None else _describe(best[1])


def _describe(attempt):
    failure = attempt.failure
    shown = {"message": attempt.message}
    calls = [entry for entry in attempt.student.transcript if entry[1]["op"] == "call"]
    if calls:
        label, request, _ = calls[-1]
        names = [_text(a) for a in request["args"]] + [f"{k}={_text(v)}" for k, v in request["kwargs"].items()]
        shown["call"] = f"{label}(" + ", ".join(names) + ")"
    for key in ("got", "expected"):
        value = getattr(failure, key, None)
        if value is not None:
            shown[key] = _text(value)
    where = getattr(failure, "where", None)
    if where:
        shown["where"] = "index " + str(where)
    return shown


def _text(value):
    """Show a value as a person would write it down; large arrays by their shape."""
    if isinstance(value, wire.Ref):
        return "…"
    if isinstance(value, wire.Tensor):
        return f"tensor({_text(value.array)})"
    if isinstance(value, np.ndarray):
        if value.size > SHOWN_ENTRIES:
            return f"<array of shape {value.shape}>"
        return np.array2string(value, precision=4, separator=", ", suppress_small=True, max_line_width=88)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        inner = ", ".join(_text(v) for v in value[:12]) + (", …" if len(value) > 12 else "")
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {_text(v)}" for k, v in list(value.items())[:12]) + "}"
    return repr(value)[:200]


def _size(value):
    if isinstance(value, wire.Tensor):
        return value.array.size
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, dict):
        return sum(_size(v) for v in value.values())
    if isinstance(value, list | tuple):
        return sum(_size(v) for v in value)
    return 1
