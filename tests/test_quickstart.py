"""nbgrader's own quickstart course, released and graded by both: the scores agree where nbgrader's rule is sound."""

import json
import subprocess

import pytest
from conftest import BIN, command_environment

from autograder import specimens
from autograder.assignment import Assignment
from autograder.course import Course

AUTO = ("correct_squares", "squares_invalid_input", "correct_sum_of_squares", "sum_of_squares_uses_squares")


def nbgrader(*arguments, cwd):
    line = [str(BIN / "nbgrader"), *arguments]
    done = subprocess.run(line, cwd=cwd, env=command_environment(), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def graded(tmp_path_factory, gradus):
    """The quickstart course, five submissions of ps1, graded by gradus and by nbgrader; returns both scores."""
    place = tmp_path_factory.mktemp("quickstart")
    nbgrader("quickstart", "course101", cwd=place)
    root = place / "course101"
    gradus("release", "ps1", cwd=root)
    assignment = Assignment.load(Course(root), "ps1")
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

    nbgrader("generate_assignment", "ps1", "--force", cwd=root)
    nbgrader("autograde", "ps1", "--create", "--force", cwd=root)
    scores = {}
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        for student in SUBMISSIONS:
            notebook = book.find_submission_notebook("problem1", "ps1", student)
            scores[student] = {grade.name: grade.auto_score for grade in notebook.grades}
    return scores


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
