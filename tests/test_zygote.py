"""One zygote for several grading processes: what its students see of each other, and what is left when a grader goes."""

import select
import signal
import socket
import threading
import time

import pytest
from conftest import CHECKS, DOUBLE, SOLVED, hand_in, make_tiny

from autograder.assignment import Assignment
from autograder.errors import InfraError
from autograder.grading.grader import _imports
from autograder.grading.jobs import Setting
from autograder.grading.pool import hire
from autograder.jail.inside import pages
from autograder.jail.inside.zygote import serve
from autograder.jail.sandbox import Zygote
from autograder.pipeline import grade_and_report

LOOK = """
import os, resource
def seen(path):
    try:
        return sorted(os.listdir(path))
    except OSError as error:
        return type(error).__name__
open("left.txt", "w").write("mine")
found = {
    "descriptors": [n for n in range(resource.getrlimit(resource.RLIMIT_NOFILE)[0]) if is_open(n)],
    "process": os.getpid(),
    "files": seen("."),
    "shared memory": seen("/dev/shm"),
    "processes": [n for n in range(2, 400) if exists(n)],
}
"""
HELPERS = """
import os
def is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
def exists(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
"""


@pytest.fixture
def zygote():
    made = Zygote(("numpy",), ("numpy",), 512).start()
    yield made
    made.stop()


def run(process, source):
    reply = process.exchange(1, {"op": "exec", "cell": "a", "source": source}, 10)[1]
    assert reply[0] == "ok", reply


def read(process, name):
    return process.exchange(2, {"op": "read", "target": name}, 10)[1][1]


def test_students_who_live_at_once_see_nothing_of_each_other(zygote):
    """Each is the first and only process that it can see, with its own wire and its own empty folders."""
    first, second = zygote.fork(), zygote.branch(None).fork()
    for process in (first, second):
        run(process, HELPERS)
        run(process, LOOK)
    for process in (first, second):
        found = read(process, "found")
        wires = [n for n in found["descriptors"] if n > 2]
        assert len(wires) == 1
        assert found["process"] == 1
        assert found["processes"] == []
        assert found["files"] == ["left.txt"]
        assert found["shared memory"] == []
        process.kill()


def test_a_student_whose_grader_is_gone_is_ended(zygote):
    """A grading process may be killed while it waits for a function that never ends; nobody is left computing."""
    process = zygote.branch(None).fork()
    run(process, "def forever():\n    while True:\n        pass")
    with pytest.raises(TimeoutError):
        process.exchange(3, {"op": "call", "target": "forever", "args": ()}, 0.2)
    process.line.close()
    process.status.close()
    assert select.select([process.pidfd], [], [], 10)[0], "it is still running"
    assert zygote.alive()
    zygote.fork().kill()


def test_a_branch_goes_and_the_zygote_stays(zygote):
    branch = zygote.branch(None)
    branch.stop()
    assert not branch.alive()
    zygote.fork().kill()


def test_the_zygote_goes_and_its_branches_know(zygote):
    branch = zygote.branch(None)
    zygote.stop()
    ends = time.monotonic() + 10
    while branch.alive() and time.monotonic() < ends:
        time.sleep(0.01)  # what is behind the wall ends a moment after the wall's own process
    assert not branch.alive()


def test_a_module_is_imported_once_for_all(zygote):
    """What a submission imports is imported in the zygote; a name that does not exist is the student's to meet."""
    zygote.also({"fractions", "no_such_module"})
    for _ in range(2):
        process = zygote.fork()
        run(process, "import sys\nfound = ['fractions' in sys.modules, 'no_such_module' in sys.modules]")
        assert read(process, "found") == [True, False]
        process.kill()


def test_where_names_are_off_limits_every_framework_comes_first(tmp_path):
    """What is taken away may be needed by the import of a framework, so that none may be left for later."""
    for settings, missing in (("", True), ("off_limits = ['numpy.convolve']\n", False)):
        course = make_tiny(tmp_path / str(missing), settings="frameworks = ['numpy', 'sklearn']\n" + settings)
        assert ("sklearn" not in _imports(Assignment.load(course, "tiny"))) is missing


def test_who_asked_for_a_module_may_be_gone(zygote):
    """A grading process that is killed while it asks takes nobody with it."""
    for words in (b"", b"\xff\xff"):
        ours, theirs = socket.socketpair()
        ours.sendall(words)
        ours.close()
        zygote._tell(b"I", theirs)
    zygote.fork().kill()


def test_a_fork_that_fails_is_said_and_the_zygote_goes_on():
    """No memory, no more namespaces: the grader gets the reason, and may ask again."""
    asked = []

    def fork():
        asked.append(True)
        raise OSError(28, "no space for another namespace")

    control, theirs = socket.socketpair()
    serving = threading.Thread(target=serve, args=(theirs, fork, None, None))
    serving.start()
    one = Zygote(("numpy",), ("numpy",), 512)
    one.control = control
    for _ in range(2):
        with pytest.raises(InfraError, match="no space for another namespace"):
            one.fork()
    control.close()
    serving.join(10)
    assert not serving.is_alive()
    assert len(asked) == 2


def test_larger_pages_hold_what_the_small_ones_held(zygote):
    """More students than it takes to join all pages; each computes the same."""
    sums = set()
    for _ in range(40):
        process = zygote.fork()
        run(process, "import numpy as np\nfound = float(np.random.default_rng(3).normal(size=(200, 200)).sum())")
        sums.add(read(process, "found"))
        process.kill()
    assert len(sums) == 1


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        ("7f0000000000-7f0000400000 rw-p 00000000 00:00 0", (0x7F0000000000, 0x7F0000400000)),
        ("7f0000001000-7f00003ff000 rw-p 00000000 00:00 0", (0x7F0000200000, 0x7F0000200000)),
        ("55d000000000-55d000400000 rw-p 00000000 00:00 0    [heap]", (0x55D000000000, 0x55D000400000)),
        ("7f0000000000-7f0000400000 r--p 00000000 00:00 0", (0, 0)),
        ("7f0000000000-7f0000400000 rw-p 00001000 fd:00 77   /usr/lib/libm.so.6", (0, 0)),
        ("7ffc00000000-7ffc00400000 rw-p 00000000 00:00 0    [stack]", (0, 0)),
    ],
)
def test_only_own_memory_is_joined(line, whole):
    assert pages._own_memory(line) == whole


STARTS_A_THREAD = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"


@pytest.mark.parametrize("more", ["", STARTS_A_THREAD], ids=["forked", "threads in the checks"])
def test_two_grading_processes_grade_as_one_does(tmp_path, more):
    """They are forked from one another, or started one by one where a check has threads: the same results."""
    course = make_tiny(tmp_path, checks_text=more + CHECKS)
    wrong = {**SOLVED, "double-answer": DOUBLE.replace("2 * x", "x * x")}
    for number in range(6):
        hand_in(course.submitted, f"s{number}", course, wrong if number % 2 else SOLVED)
    found = {}
    for jobs in (1, 2):
        graded = grade_and_report(course, "tiny", course.submitted, out=tmp_path / f"by {jobs}", jobs=jobs, seed=1)
        found[jobs] = {
            r.student: (r.score, [c.diagnosis for q in r.questions for c in q.checks]) for r in graded.results
        }
    assert found[1] == found[2]
    assert found[2]["s0"] == (5.0, [None, None])
    assert found[2]["s1"] == (3.0, ["squares", None])


def test_a_grading_process_that_dies_is_noticed_beside_others(tmp_path):
    """Its line closes at once; processes forked after it hold no end of it."""
    course = make_tiny(tmp_path)
    crew = hire(Setting(course.root, "tiny", "namespaces", False, tmp_path / "out"), range(4))
    try:
        for member in crew:
            assert member.news()[0] == "ready"
        for member in reversed(crew[1:]):  # the others were forked while its line was open
            signal.pidfd_send_signal(member.pidfd, signal.SIGKILL)
            assert member.connection.poll(5), "nobody noticed"
            assert member.news()[0] == "died"
    finally:
        for member in crew:
            member.stop()


def test_what_the_instructor_must_mend_is_said_by_each(tmp_path):
    """Checks that cannot be imported stop all grading processes with the reason."""
    course = make_tiny(tmp_path, checks_text="import no_such_module\n" + CHECKS)
    crew = hire(Setting(course.root, "tiny", "namespaces", False, tmp_path / "out"), range(3))
    try:
        for member in crew:
            kind, error = member.news()
            assert kind == "stop"
            assert "no_such_module" in str(error)
    finally:
        for member in crew:
            member.stop()
