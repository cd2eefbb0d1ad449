"""Which mistake does a failure look like, and what is the smallest example of it?

A failed check has a transcript: every request it made and every answer it got. A mutant explains
the failure if it gives the same answers to the same requests. Mutants are our own programs, so
they run here, in the trusted process, on the inputs the student's code was given.

The example shown to the student comes from other inputs: small ones, drawn from feedback seeds
that have nothing to do with the hidden seed.
"""

import contextlib

import numpy as np

from ..jail.inside import wire
from .student import LocalLine, Student, StudentFault

FEEDBACK_SEEDS = (11, 12, 13, 14)
UNTELLING = ("NotImplementedError", "NameError", "Timeout", "Crash", "NotPlainData")
EXACT, CLOSE, ROUGH = 1.0, 0.9, 0.5


class _Different(BaseException):
    """The mutant's answers have left the transcript."""


class _Replay(Student):
    """A student that stops the check as soon as an answer differs from a recorded one."""

    def __init__(self, line, recorded):
        super().__init__(line)
        self._recorded = recorded
        self.likeness = EXACT

    def ask_the_first(self):
        """Ask the first recorded question, without the check and its oracle: most programs already differ there."""
        for label, request, answer in self._recorded:
            if request["op"] != "make":
                with contextlib.suppress(StudentFault):  # the recorded answer is one too
                    self._ask(request, label)
                return
            self._remake(request, answer)

    def _ask(self, request, label):
        position = len(self.transcript)
        try:
            return super()._ask(request, label)
        finally:
            if position >= len(self._recorded):
                raise _Different
            likeness = _likeness(self._recorded[position][2], self.transcript[position][2])
            if not likeness:
                raise _Different
            self.likeness = min(self.likeness, likeness)


def diagnose(failed, seed, assignment):
    """Return {check id: name of the mutant that its failure looks like, or None}.

    Each failure is first compared with the mutants of its own question, then with those that were found
    for the others: a mistake in one function shows wherever that function is used. Where several fit,
    the one that explains most of the failures is named.

    Args:
        failed: list of (check, attempt) of all checks that failed.
        seed: the seed they ran with.
    """
    found = {check.id: {} for check, _ in failed}
    programs = _Programs(assignment)
    mutants = {m.name: m for m in assignment.mutants}
    for check, attempt in failed:
        for mutant in mutants.values():
            if mutant.cell == check.cell:
                found[check.id][mutant.name] = _explains(check, attempt, seed, programs, mutant)
    anywhere = {name for likeness in found.values() for name in likeness if likeness[name]}
    for check, attempt in failed:
        for name in anywhere - found[check.id].keys():
            found[check.id][name] = _explains(check, attempt, seed, programs, mutants[name])
    return {check.id: _choose(check, attempt, found, mutants) for check, attempt in failed}


def _choose(check, attempt, found, mutants):
    fitting = [name for name, likeness in found[check.id].items() if likeness]
    if not fitting:
        return getattr(attempt.failure, "suspect", None)
    votes = {name: sum(likeness.get(name, 0.0) for likeness in found.values()) for name in fitting}
    return max(fitting, key=lambda name: (votes[name], mutants[name].caught_by == check.function))


class _Programs:
    """Our own programs, each run once for a submission; all failed checks are replayed on it, as on the student's."""

    def __init__(self, assignment):
        self.assignment, self.lines = assignment, {}

    def line(self, mutant=None):
        """Return the LocalLine of a mutant, or of the reference solution."""
        name = mutant and mutant.name
        if name not in self.lines:
            self.lines[name] = LocalLine(self.assignment.reference_cells(mutant))
        return self.lines[name]


def _explains(check, attempt, seed, programs, mutant):
    """Return how alike the mutant's answers are: EXACT, CLOSE, or 0 if they differ or the check passes."""
    failure = attempt.failure
    if isinstance(failure, StudentFault) and failure.kind in UNTELLING:
        return 0
    again, likeness = _replay(check, attempt, seed, programs.line(mutant))
    if again is None or again.status == "passed":
        return 0
    if likeness == ROUGH and _replay(check, attempt, seed, programs.line())[1]:
        return 0  # at this coarseness even the right answers look alike
    return likeness


def _replay(check, attempt, seed, line):
    """Run the check on our own program; return (attempt, likeness of its answers), or (None, 0) if they differ."""
    recorded = attempt.student.transcript
    try:
        _Replay(line, recorded).ask_the_first()
        replay = _Replay(line, recorded)
        again = check.run(replay, seed)
    except _Different:
        return None, 0
    if isinstance(again.failure, _Different) or len(replay.transcript) != len(recorded):
        return None, 0
    return again, replay.likeness


def _likeness(a, b):
    """Return how alike two answers are.

    EXACT: to the last digits. CLOSE: up to the rounding of their dtypes. ROUGH: up to float32's rounding, though
    they are float64, as when a program computes in both. 0: different.
    """
    for kind in (StudentFault, wire.Ref):
        if isinstance(a, kind) or isinstance(b, kind):
            return EXACT if type(a) is type(b) and getattr(a, "kind", 0) == getattr(b, "kind", 0) else 0
    a, b = _numbers(a), _numbers(b)
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return _array_likeness(a, b)
    if type(a) in (list, tuple) and type(b) in (list, tuple):
        return min((_likeness(x, y) for x, y in zip(a, b, strict=True)), default=EXACT) if len(a) == len(b) else 0
    if type(a) is dict and type(b) is dict:
        return min((_likeness(a[k], b[k]) for k in a), default=EXACT) if a.keys() == b.keys() else 0
    return EXACT if type(a) is type(b) and a == b else 0


def _array_likeness(a, b):
    if a.shape != b.shape:
        return 0
    if "c" in (a.dtype.kind, b.dtype.kind):
        return EXACT if np.array_equal(a, b) else 0
    coarse = a.dtype in (np.float32, np.float16) or b.dtype in (np.float32, np.float16)
    scale = float(np.max(np.abs(b[np.isfinite(b)]), initial=0.0))
    a, b = a.astype(float), b.astype(float)
    if np.allclose(a, b, rtol=1e-9, atol=0.0, equal_nan=True):
        return EXACT
    if not coarse and np.allclose(a, b, rtol=1e-7, atol=1e-10 * scale, equal_nan=True):
        return CLOSE
    alike = np.allclose(a, b, rtol=1e-4, atol=1e-5 * scale, equal_nan=True)
    return 0 if not alike else CLOSE if coarse else ROUGH


def _numbers(value):
    if isinstance(value, wire.Tensor):
        return value.array
    if type(value) in (int, float, bool) or isinstance(value, np.generic):
        return np.asarray(value)
    return value


# The example ----------------------------------------------------------------------------------------

SHOWN_ENTRIES = 60


def example(check, attempt, make_student, assignment):
    """Return a small failing example on feedback inputs as a dict of texts, or None.

    Args:
        make_student: () -> a Student on the same process, with an empty transcript.
    """
    if isinstance(attempt.failure, StudentFault) and attempt.failure.kind in UNTELLING:
        return None
    for seed in _smallest_first(check, assignment):
        again = check.run(make_student(), seed, small=True)
        if again.status in ("timeout", "crashed"):
            return None
        if again.status == "failed":
            return _describe(again)
    return None


def _smallest_first(check, assignment):
    """Return the feedback seeds, sorted once by the size of what our own solution is given with them."""
    if check.feedback_seeds is None:
        line = LocalLine(assignment.reference_cells())
        runs = {seed: check.run(Student(line), seed, small=True) for seed in FEEDBACK_SEEDS}
        check.feedback_seeds = sorted(runs, key=lambda seed: sum(_size(r) for _, r, _ in runs[seed].student.transcript))
    return check.feedback_seeds


def _describe(attempt):
    failure = attempt.failure
    shown = {"message": attempt.message}
    calls = [entry for entry in attempt.student.transcript if entry[1]["op"] == "call"]
    if calls:
        label, request, _ = calls[-1]
        names = [_text(a) for a in request["args"]] + [f"{k}={_text(v)}" for k, v in request.get("kwargs", {}).items()]
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
