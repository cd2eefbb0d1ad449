"""`gradus new`, and the guide "Write your own assignment": followed to the letter."""

import json
import re
from pathlib import Path

import pytest
from conftest import ROOT
from guides import Reader, fences

from autograder import build, scaffold
from autograder.assignment import Assignment
from autograder.course import Course
from autograder.errors import InputError

GUIDE = ROOT / "docs" / "write-an-assignment.md"


def test_new_writes_five_files(tmp_path):
    """An empty folder becomes a course with one assignment."""
    paths = scaffold.new(tmp_path / "course", "gates")

    names = [p.relative_to(tmp_path / "course").as_posix() for p in paths]
    assert names == [
        "autograder/checks/gates/assignment.toml",
        "autograder/checks/gates/mutants.py",
        "autograder/checks/gates/test_gates.py",
        "autograder/checks/gates/variants.py",
        "source/gates/gates.ipynb",
    ]
    assert Course.find(tmp_path / "course").assignments() == ["gates"]
    assert not any("__NAME__" in p.read_text() or "__TITLE__" in p.read_text() for p in paths)


def test_new_adds_to_a_course(tmp_path):
    """A second assignment leaves the first one alone."""
    first = {p: p.read_bytes() for p in scaffold.new(tmp_path, "one")}

    scaffold.new(tmp_path, "two_words")

    assert {p: p.read_bytes() for p in first} == first
    assert Course(tmp_path).assignments() == ["one", "two_words"]
    assert Assignment.load(Course(tmp_path), "two_words", need_release=False).title == "Two words"


def test_new_is_a_complete_assignment(tmp_path):
    """It has an automatic and a manual question, and mutants and variants for the automatic one."""
    scaffold.new(tmp_path, "gates")
    build.release(Course(tmp_path), "gates")

    assignment = Assignment.load(Course(tmp_path), "gates")

    assert [(q.id, q.points, q.manual) for q in assignment.questions] == [
        ("moving_average", 4, False),
        ("choose_window", 2, True),
    ]
    assert len(assignment.mutants) >= 3
    assert all(m.caught_by and m.hint for m in assignment.mutants)
    assert len(assignment.variants) >= 2


@pytest.mark.parametrize("name", ["", "1st", "two words", "a-b", "../up", "a/b", "é", "_a", "a\n"])
def test_names_that_cannot_be_are_refused(tmp_path, name):
    """A name becomes part of file names and of Python's; nothing else is taken."""
    with pytest.raises(InputError, match=r"an assignment cannot be named"):
        scaffold.new(tmp_path, name)

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("folder", ["source/gates", "autograder/checks/gates"])
def test_nothing_is_overwritten(tmp_path, folder):
    """Where there is anything of that name, nothing is written."""
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "mine.txt").write_text("mine")

    with pytest.raises(InputError, match=f"there is already something in {folder}"):
        scaffold.new(tmp_path, "gates")

    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["mine.txt"]


# The guide


def test_the_guide_works_as_written(tmp_path):
    """Every command of the guide ends as it says, and prints what it says, in an empty folder."""
    reader = Reader(tmp_path)
    steps = fences(GUIDE.read_text())

    for step in steps:
        reader.follow(step)

    assert sum("run" in step.options for step in steps) >= 5
    assert len({p.parent.name for p in Path(tmp_path, "graded").rglob("result.json")}) == 2


QUOTED = (
    "it is a {kinds[0]} cell without a grade_id",
    "has the same grade_id",
    "` has no `{end}` after it",
    "without its solution the cell is not valid Python",
    "it raised {error.ename}",
    "survives",
    "is rejected",
    "not up to date: ",
)


@pytest.mark.parametrize("words", QUOTED)
def test_the_guide_quotes_messages_that_exist(words):
    """Each message in the guide's last table is one that the code can say."""
    code = "".join(
        (ROOT / "autograder" / f"{name}.py").read_text() for name in ("build", "leaks", "transforms", "verify")
    )
    table = GUIDE.read_text().partition("## When something is refused")[2]
    fixed = max(re.split(r"{.*?}", words), key=len)

    assert words in code
    assert fixed in table


def test_what_new_makes_verifies_at_once(tmp_path, gradus):
    """gradus new, then gradus verify, and nothing in between."""
    gradus("new", "first_steps", cwd=tmp_path)
    done = gradus("verify", "first_steps", "--json", tmp_path / "v.json", cwd=tmp_path)
    (found,) = json.loads((tmp_path / "v.json").read_text())
    assert found["ok"], done.stderr
    assert found["survivors"] == []
