"""nbgrader's own quickstart course, released and graded by both: the scores agree where nbgrader's rule is sound."""

import json
import shutil
import subprocess
from pathlib import Path

import nbformat
import nbgrader as nbgrader_package
import pytest
from conftest import BIN, command_environment

from autograder import build, specimens
from autograder.archives import tree
from autograder.assignment import Assignment
from autograder.course import Course

CONFIG = """c = get_config()
c.CourseDirectory.course_id = "course101"
c.IncludeHeaderFooter.header = "source/header.ipynb"
"""  # what `nbgrader quickstart` writes, apart from comments
AUTO = ("correct_squares", "squares_invalid_input", "correct_sum_of_squares", "sum_of_squares_uses_squares")


def nbgrader(*arguments, cwd):
    line = [str(BIN / "nbgrader"), *arguments]
    done = subprocess.run(line, cwd=cwd, env=command_environment(), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The quickstart course and its release of ps1 by nbgrader and by gradus, as {file name: bytes}."""
    course = Course(tmp_path_factory.mktemp("quickstart") / "course101")
    example = Path(nbgrader_package.__file__).parent / "docs" / "source" / "user_guide" / "source"
    shutil.copytree(example, course.source, ignore=shutil.ignore_patterns("*.html", "autotests.yml", "ps1_autotest"))
    (course.root / "nbgrader_config.py").write_text(CONFIG)
    nbgrader("generate_assignment", "ps1", cwd=course.root)
    theirs = tree(course.release / "ps1")
    build.release(course, "ps1")
    return course, theirs, tree(course.release / "ps1")


@pytest.fixture(scope="module")
def graded(released, gradus):
    """Five submissions of ps1, graded by gradus and by nbgrader; returns both scores."""
    course, _, _ = released
    root, place = course.root, course.root.parent
    assignment = Assignment.load(course, "ps1")
    solved = {nb.name: specimens.solution(assignment, nb.name) for nb in assignment.notebooks}
    for student, change in SUBMISSIONS.items():
        answers = {name: dict(cells) for name, cells in solved.items()}
        answers = {} if change is None else answers
        answers.get("problem1", {}).update(change or {})
        specimens.write(root / "submitted", student, assignment, answers)
    _drop_cell(root / "submitted" / "deleted" / "ps1" / "problem1.ipynb", "correct_squares")
    gradus("grade", "ps1", "--db", f"sqlite:///{place}/ours.db", "--out", place / "out", cwd=root)
    ours = {}
    for student in SUBMISSIONS:
        result = json.loads((place / "out" / student / "result.json").read_text())
        ours[student] = {q["id"]: q for q in result["questions"]}
    return ours, _nbgrader_scores(root)


SUBMISSIONS = {
    "untouched": None,
    "solved": {},
    "wrong": {"squares": "def squares(n):\n    return [i**3 for i in range(n)]"},
    "noisy": {
        "squares": "import sys\n\ndef squares(n):\n    print('careful', file=sys.stderr)\n    if n < 1:\n"
        "        raise ValueError('n must be positive')\n    return [i**2 for i in range(1, n + 1)]"
    },
    "deleted": {"squares": "def squares(n):\n    return []"},
}


def _drop_cell(path, grade_id):
    tree = json.loads(path.read_text())
    marks = [c["metadata"].get("nbgrader", {}).get("grade_id") for c in tree["cells"]]
    del tree["cells"][marks.index(grade_id)]
    path.write_text(json.dumps(tree))


def _nbgrader_scores(root):
    from nbgrader.api import Gradebook

    which = ("--notebook", "problem1", "--CourseDirectory.student_id_exclude=deleted")  # what the tests read
    nbgrader("autograde", "ps1", "--create", "--force", *which, cwd=root)
    scores = {}
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        for student in SUBMISSIONS.keys() - {"deleted"}:
            notebook = book.find_submission_notebook("problem1", "ps1", student)
            scores[student] = {grade.name: grade.auto_score for grade in notebook.grades}
    return scores


def test_release_equals_nbgraders_own(released):
    """Every file is the one that `nbgrader generate_assignment` writes."""
    _, theirs, ours = released
    assert sorted(name for name in theirs if name.endswith(".ipynb")) == ["problem1.ipynb", "problem2.ipynb"]
    for name, data in theirs.items():
        if name.endswith(".ipynb"):
            cells = zip(*(nbformat.reads(text, as_version=4).cells for text in (ours[name], data)), strict=True)
            for one, other in cells:
                assert one.source == other.source
                assert one.metadata.get("nbgrader") == other.metadata.get("nbgrader")
    assert ours == theirs


@pytest.mark.parametrize("student", ["untouched", "solved", "wrong"])
def test_scores_equal_nbgraders(graded, student):
    """Where nbgrader's rule is sound, every grade cell has the same points in both."""
    ours, theirs = graded
    assert {q: ours[student][q]["points"] for q in AUTO} == {q: theirs[student][q] for q in AUTO}


def test_text_on_stderr_costs_nothing(graded):
    """A right program that prints a warning keeps its points; nbgrader takes them all."""
    ours, theirs = graded
    assert sum(ours["noisy"][q]["points"] for q in AUTO) == 3.0
    assert sum(theirs["noisy"][q] for q in AUTO) < 3.0


def test_a_deleted_test_cell_runs_all_the_same(graded):
    """Grade cells come from the instructor, so deleting one does not help."""
    ours, _ = graded
    assert ours["deleted"]["correct_squares"]["points"] == 0
    assert "AssertionError" in ours["deleted"]["correct_squares"]["message"]
