"""What a student's process may say, and what is made of what it may not."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from autograder.assignment import Settings
from autograder.errors import InfraError
from autograder.grading.plan import Step
from autograder.grading.process import Notebook, _checked
from autograder.grading.student import Student, StudentFault, _checked_fault
from autograder.jail.sandbox import Zygote

ODD = [None, 3, [], {}, np.zeros(3), b"x", ("a",), 1e9, "x" * 10**5]


@pytest.mark.parametrize("odd", ODD, ids=lambda v: type(v).__name__)
@pytest.mark.parametrize("key", ["type", "cell", "line", "message"])
def test_a_fault_with_odd_fields_is_still_a_fault(key, odd):
    """Whatever a process puts into a fault, it is a failed check with a sentence."""
    fault = {"type": "ValueError", "cell": "a", "line": 1, "message": ""}
    _, reply = _checked((1, ("error", {**fault, key: odd})))
    assert StudentFault("f", *_checked_fault(reply[1])).sentence()


@pytest.mark.parametrize("claim", ["Timeout", "Crash"])
def test_only_the_grader_says_timeout_or_crash(claim):
    """A process that claims to have timed out has raised an exception."""
    _, reply = _checked((1, ("error", {"type": claim, "message": "hidden input 0.123"})))
    fault = StudentFault("f", *_checked_fault(reply[1]))
    assert fault.kind == "Exception"
    assert "0.123" not in fault.sentence()


@pytest.mark.parametrize(
    "frame", [None, 1, (1,), (1, 2), (1, ("ok", 2)), ("1", ("ok", 2, {})), (1, ("pass", 1, {})), (1, ["ok", 1, {}])]
)
def test_what_is_not_a_reply_is_refused(frame):
    """A frame of another form ends the process."""
    with pytest.raises(ValueError, match="not a reply"):
        _checked(frame)


def test_hidden_texts_are_not_repeated():
    """An error's own text, and types the student names, never reach a sentence."""

    class Line:
        def ask(self, request):
            return ("error", {"type": "NotPlainData", "cell": None, "line": None,
                              "message": "a value of type I0_1234 is not plain data"})  # fmt: skip

    with pytest.raises(StudentFault) as caught:
        Student(Line()).double(1.0)
    assert "1234" not in str(caught.value)


def family(pid):
    """Return the ids of all processes below one; the last are the zygote's and, below it, the student's."""
    below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(p) for p in below] + [q for p in below for q in family(int(p))]


CALL = {"op": "call", "target": "double", "args": (2.5,)}


@pytest.fixture
def program():
    zygote = Zygote(("numpy",), ("numpy",), 512).start()
    steps = [Step("answer", "def double(x):\n    return 2 * x", "answer")]
    made = Notebook(zygote, steps, Settings(title="t", topic="t"), {})
    made.run_cells()
    yield made
    made.close()
    zygote.stop()


@pytest.mark.parametrize("whole", [False, True], ids=["one student", "the zygote and all"])
def test_what_is_killed_from_outside_is_not_the_students_crash(program, whole):
    """SIGKILL of the student's process, or of everything behind the wall at once, is ours: InfraError."""
    line = program.zygote.process.pid
    everyone = family(line)
    os.kill(line if whole else everyone[-1], signal.SIGKILL)
    time.sleep(0.1)
    with pytest.raises(InfraError):
        program.ask(CALL)


def test_a_zygote_that_is_killed_is_not_the_students_crash(program):
    """The process that reports the end is killed before the student's: still ours."""
    zygote, process = family(program.zygote.process.pid)[-2:]
    os.kill(zygote, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
    time.sleep(0.1)
    with pytest.raises(InfraError):
        program.ask(CALL)


def test_a_function_that_ends_the_process_costs_its_own_points_only(program):
    """Called again and again it is soon refused, and the other functions go on answering."""
    program.steps.append(Step("leaver", "import os\ndef leave():\n    os._exit(3)", "answer"))
    program.close()
    for _ in range(20):
        assert program.ask({**CALL, "target": "leave", "args": ()})[1]["type"] == "Crash"
    assert program.ask(CALL)[:2] == ("ok", 5.0)
    assert program.starts <= 5


def test_what_is_put_stays_as_it_was_when_it_was_put(program):
    """Objects are made with the next question, but with the values that they had; none of it is a journey of its own."""
    student = Student(program)
    asked = program.number
    array = np.ones(3)
    kept, seeded = student.put(array), student.generator(7)
    array[:] = 5
    assert program.number == asked
    assert student.double(kept).tolist() == [2, 2, 2]
    assert student.double(2.5) == 5.0
    assert kept.get().tolist() == [1, 1, 1]
    assert seeded.random() == np.random.default_rng(7).random()
    assert program.number == asked + 4


def test_what_was_put_is_there_in_a_process_started_for_the_question(program):
    """A crash before the next question does not lose it."""
    student = Student(program)
    kept = student.put(4.0)
    program.close()
    assert student.double(kept) == 8.0
