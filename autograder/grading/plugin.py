"""The pytest plugin that runs hidden checks against one student at a time.

pytest collects the checks of an assignment once; then, instead of its usual loop, it hands the
collected items to a *serve* function, which runs them for one submission after another.

Fixtures for checks:
    student     the student's functions (`autograder.grading.student.Student`)
    rng         a numpy Generator of this check's own, from the submission's seed
    dims        dims(3) -> three different sizes between 2 and 9 (small ones for the example shown)
    note        note("sentence"): hygiene to mention in the feedback; it costs nothing
Markers:
    cell("question")  the grade cell whose points the check shares; required
    weight(n)         its share of those points against the question's other checks; default 1
"""

import os
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from _pytest.python import get_direct_param_fixture_func
from _pytest.runner import runtestprotocol

from ..compare import Mismatch
from ..errors import GradusError, InfraError, InputError
from ..seeds import check_generator
from .student import Student, StudentFault


@dataclass
class Attempt:
    """One run of one check: what happened, and all that the check saw."""

    status: str  # passed, failed, error, timeout, crashed
    message: str
    failure: Exception | None
    student: Student
    notes: list[str]
    seconds: float


@dataclass
class Context:
    """What the fixtures hand to the check that is running."""

    name: str
    student: Student
    seed: int
    small: bool = False
    notes: list[str] = field(default_factory=list)


class Check:
    """One collected check."""

    def __init__(self, item, plugin):
        self.item, self.plugin = item, plugin
        self.id = f"{Path(item.path).name}::{item.name}"
        self.function = item.function.__name__
        marker = item.get_closest_marker("cell")
        if marker is None or len(marker.args) != 1:
            raise InputError(
                "a hidden check names no question",
                where=self.id,
                remedy='mark it with @pytest.mark.cell("question")',
            )
        self.cell = marker.args[0]
        weight = item.get_closest_marker("weight")
        self.weight = float(weight.args[0]) if weight else 1.0
        self.title = (item.function.__doc__ or item.name).strip().splitlines()[0]
        self.direct = _needs_only_ours(item)
        self.feedback_seeds: list[int] | None = None  # smallest inputs first, once that is known

    def run(self, student, seed, *, small=False):
        """Run the check against ``student`` with inputs from ``seed``; return an Attempt."""
        self.plugin.context = context = Context(self.item.name, student, seed, small)
        self.plugin.failure = None
        start = time.perf_counter()
        if self.direct:
            self._call()
        else:
            runtestprotocol(self.item, log=False, nextitem=None)
        seconds = time.perf_counter() - start
        if isinstance(self.plugin.failure, InfraError):  # not the student's, so not a verdict
            raise self.plugin.failure
        status, message = _verdict(self.plugin.failure)
        return Attempt(status, message, self.plugin.failure, student, context.notes, seconds)

    def _call(self):
        """Call the function as pytest would, without its protocol of setup, call and teardown (half a millisecond)."""
        given = self.item.callspec.params if hasattr(self.item, "callspec") else {}
        values = {name: given[name] if name in given else FIXTURES[name](self.plugin.context) for name in self.direct}
        try:
            self.item.obj(**values)
        except (KeyboardInterrupt, pytest.exit.Exception):
            raise
        except BaseException as failure:  # also pytest.fail and pytest.skip
            self.plugin.failure = failure


def _needs_only_ours(item):
    """Return the names of a plain function's arguments if our fixtures and its own parameters give them all, else ()."""
    info = item._fixtureinfo
    makers = {name: info.name2fixturedefs[name] for name in item.fixturenames}
    marks = {mark.name for mark in item.iter_markers()}
    simple = item.cls is None and marks <= {"cell", "weight", "parametrize"}
    known = all(made[-1].func is get_direct_param_fixture_func or (name in FIXTURES and len(made) == 1)
                for name, made in makers.items())  # fmt: skip
    return info.argnames if simple and known else ()


def _verdict(failure):
    if failure is None:
        return "passed", ""
    if isinstance(failure, Mismatch):
        return "failed", failure.message
    if isinstance(failure, StudentFault):
        status = {"Timeout": "timeout", "Crash": "crashed"}.get(failure.kind, "failed")
        return status, failure.sentence()
    if isinstance(failure, AssertionError):
        return "failed", "the answer does not have the property that this check asks for"
    if isinstance(failure, TypeError | ValueError | IndexError | KeyError | AttributeError):
        return "error", "the answer has another form than the task asks for, so it could not be read"
    return "error", f"the check itself stopped with {type(failure).__name__}; please tell your teacher"


class HiddenChecks:
    """The plugin. ``serve(checks)`` is called once, with the list of collected Checks."""

    def __init__(self, serve):
        self.serve = serve
        self.context: Context
        self.failure = None

    def pytest_configure(self, config):
        config.addinivalue_line("markers", "cell(question): the grade cell whose points this check shares")
        config.addinivalue_line("markers", "weight(n): its share of the question's points")

    def pytest_runtestloop(self, session):
        if not session.testsfailed:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # an oracle's, at an edge that the check means to reach
                    self.serve([Check(item, self) for item in session.items])
            except GradusError as error:  # pytest would print a traceback of its own
                self.error = error
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item, call):
        if call.excinfo is not None and self.failure is None:
            self.failure = call.excinfo.value
        # Our own report: pytest's would render a traceback (28 ms) that nobody reads.
        failed = call.excinfo is not None
        return pytest.TestReport(item.nodeid, item.location, {}, "failed" if failed else "passed", None, call.when)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report):
        if report.failed:
            self.collect_error = f"{report.nodeid}\n{report.longreprtext}"

    collect_error = ""
    error: GradusError | None = None

    @pytest.fixture
    def student(self):
        return FIXTURES["student"](self.context)

    @pytest.fixture
    def rng(self):
        return FIXTURES["rng"](self.context)

    @pytest.fixture
    def dims(self):
        return FIXTURES["dims"](self.context)

    @pytest.fixture
    def note(self):
        return FIXTURES["note"](self.context)


def _dims(context):
    generator = check_generator(context.seed, context.name + " dims")

    def draw(count, low=2, high=9):
        top = min(high, low + count) if context.small else max(high, low + count)
        return tuple(int(n) for n in generator.choice(range(low, top + 1), count, replace=False))

    return draw


FIXTURES = {
    "student": lambda context: context.student,
    "rng": lambda context: check_generator(context.seed, context.name),
    "dims": _dims,
    "note": lambda context: context.notes.append,
}


OTHERS_SETTINGS = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")  # meant for a developer's own runs, not for grading
PYTEST_INI = "[pytest]\naddopts =\n"


def serve_checks(folder, scratch, serve):
    """Collect the hidden checks in ``folder`` and call ``serve(checks)``; raise InputError if they do not import.

    Args:
        folder: folder with ``test_*.py``.
        scratch: an empty folder of ours that pytest may treat as its root.
    """
    ini = Path(scratch) / "pytest.ini"
    ini.write_text(PYTEST_INI)
    plugin = HiddenChecks(serve)
    for name in OTHERS_SETTINGS:
        os.environ.pop(name, None)
    options = ["-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:logging", "--disable-plugin-autoload"]
    options += ["-c", str(ini), "--rootdir", str(scratch), "--import-mode=importlib", "--capture=no"]
    code = pytest.main([*options, str(folder)], plugins=[plugin])
    if plugin.error:
        raise plugin.error
    if plugin.collect_error or code not in (0, 5):
        raise InputError(
            "the hidden checks could not be collected\n" + plugin.collect_error,
            where=str(folder),
            remedy="mend the test file; `python -m pytest --collect-only` shows the same",
        )
