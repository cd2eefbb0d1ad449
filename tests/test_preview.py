"""A regrade is looked at before it happens: whose marks would change, where, and nothing is written."""

import pytest
from conftest import CHECKS, SOLVED, hand_in, make_tiny
from made_up import question, result

from autograder.results import change

STRICTER = (
    CHECKS
    + '''

@pytest.mark.cell("triple")
def test_triples_nothing(student, rng):
    """triple of an empty array is empty."""
    assert student.triple(np.zeros(0)).shape == (0,)


@pytest.mark.cell("double")
@pytest.mark.weight(3)
def test_doubles_a_number(student, rng):
    """double works for a number, too."""
    assert student.double(2.0) == 4.0
'''
)
ONLY_ARRAYS = {**SOLVED, "double-answer": "def double(x):\n    return x + x if x.shape else None"}


@pytest.fixture
def course(tmp_path, gradus):
    """A graded class of two, whose checks have become stricter since, and a hand-in that came since."""
    made = make_tiny(tmp_path)
    hand_in(made.submitted, "ada", made, SOLVED)
    hand_in(made.submitted, "bob", made, ONLY_ARRAYS)
    gradus("grade", "tiny", "--quiet", cwd=tmp_path)
    (made.checks("tiny") / "test_tiny.py").write_text(STRICTER)
    hand_in(made.submitted, "eve", made, {})
    return made


def state(folder):
    """Every file below a folder: its bytes and the time of its last change."""
    return {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.rglob("*")
            if p.is_file() and "__pycache__" not in p.parts}  # fmt: skip


def test_a_preview_says_what_changes_and_writes_nothing(course, gradus):
    """Student, old and new mark, question; every file of the course stays, byte for byte; then grading does as it said."""
    before = state(course.root)
    told = gradus("grade", "tiny", "--preview", cwd=course.root).stdout
    assert state(course.root) == before
    line = "changed: bob from 5 to 3.5 (double 2 → 0.5)"
    assert line in told
    assert "changed: ada" not in told
    assert "1 stay as they are, 1 have no result yet; nothing was written" in told
    assert line in gradus("grade", "tiny", cwd=course.root).stdout
    again = gradus("grade", "tiny", "--preview", cwd=course.root).stdout
    assert "0 submissions changed" in again
    assert "3 stay as they are, 0 have no result yet" in again


def test_points_that_move_between_questions_are_a_change():
    """An equal total may hide two changes."""
    before = result("ada", [question("adam_init", [True, True]), question("adam_decay", [False, False])])
    now = result("ada", [question("adam_init", [False, False]), question("adam_decay", [True, False])])
    assert before.score == now.score == 1.0
    assert change(before, now).questions == [("adam_init", 1.0, 0.0), ("adam_decay", 0.0, 1.0)]
    assert change(before, before) is None


def test_lateness_changes_the_mark_alone():
    """A late policy that comes later moves the mark, and no question."""
    before = result("ada", [question("adam_init", [True, True])])
    late = before.model_copy(update={"late_share": 0.25})
    found = change(before, late)
    assert (found.before, found.now, found.questions) == (1.0, 0.75, [])
