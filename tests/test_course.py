"""The course itself: every assignment verifies, and what is committed is what its source produces."""

import json

import pytest
from conftest import ROOT

from autograder import build
from autograder.course import Course

COURSE = Course(ROOT)
EVERY = {
    "lenet_fashion": 4,
    "training_loop": 4,
    "char_rnn": 3,
}  # their checks train networks; `gradus verify` takes all


@pytest.mark.parametrize("name", COURSE.assignments())
def test_release_and_solutions_are_up_to_date(name):
    """release/ and solutions/ are what `gradus release` and `gradus solve` make of source/."""
    assert build.stale(COURSE, name) == []


@pytest.mark.parametrize("name", COURSE.assignments())
def test_the_assignment_verifies(name, tmp_path, gradus):
    """Solution full, stub zero, variants accepted, mutants caught and named, visible checks pass."""
    every = EVERY.get(name, 1)
    done = gradus("verify", name, "--every", every, "--json", tmp_path / "verify.json", cwd=ROOT)
    (found,) = json.loads((tmp_path / "verify.json").read_text())
    assert found["ok"], done.stderr
    assert found["killed"] == found["mutants"] >= 12
    assert found["accepted"] == found["variants"] >= 5
    assert found["stub_score"] == 0
    assert found["solution_score"] == found["max_score"] > 0


@pytest.mark.parametrize("name", COURSE.assignments())
def test_the_release_says_nothing_of_hidden_checks(name):
    """Students get no word of checks, mutants or solutions."""
    for path in (COURSE.release / name).glob("*.ipynb"):
        text = path.read_text()
        for word in ("BEGIN SOLUTION", "autograder", "mutant", "hidden_tests"):
            assert word not in text, f"{path.name} has {word!r}"


@pytest.mark.parametrize("name", COURSE.assignments())
def test_source_notebooks_are_kept_without_outputs(name):
    """A diff of a source notebook can be reviewed."""
    for path in (COURSE.source / name).glob("*.ipynb"):
        cells = json.loads(path.read_text())["cells"]
        assert all(not c.get("outputs") and c.get("execution_count") is None for c in cells)
