"""The hidden checks of an assignment as plain assertions in the student's own process.

Used for what Gradus is compared with: the cells of `nbgrader autograde`, the tests of `otter run`, and the
floor, one warm process without any wall. The assertions are the same; only the way to the functions is
shorter: no wire, no other process.

    from same_checks import run
    run("adam", "adam_step", globals())
"""

import functools
import importlib.util
import itertools
from pathlib import Path

import numpy as np

from autograder.seeds import check_generator

CHECKS = Path(__file__).resolve().parent.parent / "autograder" / "checks"


class Direct:
    """Answers as `autograder.grading.student.Student` does, by calling the functions right here."""

    def __init__(self, names):
        self._names = names

    def __getattr__(self, name):
        return lambda *args, **kwargs: _plain(self._names[name](*_inner(args), **_inner(kwargs)))

    def call(self, name, /, *args, **kwargs):
        return Held(self._names[name](*_inner(args), **_inner(kwargs)))

    def get(self, name):
        return _plain(self._names[name])

    def handle(self, name):
        return Held(self._names[name])

    def has(self, name):
        return name in self._names

    def put(self, value):
        return Held(_inner(value))

    def generator(self, seed):
        return Held(np.random.default_rng(seed))


class Held:
    """A Handle's twin: the object itself."""

    def __init__(self, value):
        self._value = value

    def get(self):
        return _plain(self._value)

    def attribute(self, name):
        return _plain(getattr(self._value, name))

    def handle(self, name):
        return Held(getattr(self._value, name))

    def set(self, name, value):
        setattr(self._value, name, _inner(value))

    def keep(self, method, /, *args, **kwargs):
        return Held(getattr(self._value, method)(*_inner(args), **_inner(kwargs)))

    def __call__(self, *args, **kwargs):
        return _plain(self._value(*_inner(args), **_inner(kwargs)))

    def __getitem__(self, key):
        return _plain(self._value[_inner(key)])

    def item(self, key):
        return Held(self._value[_inner(key)])

    def __setitem__(self, key, value):
        self._value[_inner(key)] = _inner(value)

    def __getattr__(self, name):
        return lambda *args, **kwargs: _plain(getattr(self._value, name)(*_inner(args), **_inner(kwargs)))


def _inner(value):
    if isinstance(value, Held):
        return value._value
    if type(value) in (list, tuple):
        return type(value)(_inner(v) for v in value)
    if type(value) is dict:
        return {k: _inner(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return value.copy()  # over the wire every array is a copy
    if type(value).__name__ == "Tensor" and hasattr(value, "array"):
        import tensorflow

        return tensorflow.constant(value.array)
    return value


def _plain(value):
    if type(value) in (list, tuple):
        return type(value)(_plain(v) for v in value)
    if type(value) is dict:
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return value.copy()
    if hasattr(value, "detach"):
        return value.detach().numpy().copy()
    if type(value).__module__.startswith(("tensorflow", "keras")) and hasattr(value, "numpy"):
        return value.numpy()
    return value


@functools.cache
def collected(assignment):
    """Return [(question, test name, function, arguments)] of an assignment, parameters multiplied out."""
    found = []
    for path in sorted((CHECKS / assignment).glob("test_*.py")):
        spec = importlib.util.spec_from_file_location(f"same_{assignment}_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, function in vars(module).items():
            marks = getattr(function, "pytestmark", [])
            cells = [m.args[0] for m in marks if m.name == "cell"]
            if not name.startswith("test_") or not cells:
                continue
            choices = [[dict(zip(_names(m.args[0]), v if "," in str(m.args[0]) or not isinstance(m.args[0], str) else (v,), strict=True))
                        for v in m.args[1]] for m in marks if m.name == "parametrize"]  # fmt: skip
            for number, chosen in enumerate(itertools.product(*choices)):
                arguments = {key: value for part in chosen for key, value in part.items()}
                found.append((cells[0], f"{name}[{number}]", function, arguments))
    return found


def _names(text):
    return [n.strip() for n in text.split(",")] if isinstance(text, str) else list(text)


def run(assignment, question, names, seed=1):
    """Run all checks of one question on the functions in ``names``; raise at the first that fails."""
    for cell, name, function, arguments in collected(assignment):
        if cell == question:
            run_one(function, name, arguments, names, seed)


def run_one(function, name, arguments, names, seed):
    """Run one check, with the fixtures that it asks for."""
    dims_rng = check_generator(seed, name + " dims")
    fixtures = {
        "student": lambda: Direct(names),
        "rng": lambda: check_generator(seed, name),
        "dims": lambda: (
            lambda count, low=2, high=9: tuple(
                int(n) for n in dims_rng.choice(range(low, max(high, low + count) + 1), count, replace=False)
            )
        ),
        "note": lambda: lambda sentence: None,
    }
    wanted = function.__code__.co_varnames[: function.__code__.co_argcount]
    function(**{n: arguments[n] if n in arguments else fixtures[n]() for n in wanted})
