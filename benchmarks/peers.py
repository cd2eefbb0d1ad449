"""The same assignment, submissions and assertions in the forms of nbgrader and otter-grader.

Training and figure cells (tag ``experiment``) are left out for them too, since Gradus does not run them.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from autograder.assignment import EXPERIMENT

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
HIDDEN = "### BEGIN HIDDEN TESTS\nfrom same_checks import run\nrun({assignment!r}, {question!r}, globals())\n### END HIDDEN TESTS"
OTTER_TEST = """
from otter.test_files import test_case
from same_checks import run

OK_FORMAT = False
name = {question!r}
points = {points}


@test_case(points=None, hidden=False)
def test_question(env):
    run({assignment!r}, {question!r}, env)
"""
NBGRADER = """
c = get_config()
c.CourseDirectory.root = {root!r}
c.CourseDirectory.db_url = {db!r}
c.ExecutePreprocessor.timeout = 300
"""


def _without_experiments(tree):
    """Drop figures and training, and put the instructor's helper cells first, as hidden checks may use them."""
    cells = [c for c in tree["cells"] if EXPERIMENT not in c["metadata"].get("tags", [])]
    tree["cells"] = sorted(cells, key=lambda c: not _is_helper(c))
    return tree


def _is_helper(cell):
    marks = cell["metadata"].get("nbgrader", {})
    return cell["cell_type"] == "code" and marks.get("locked", False) and not marks["grade"] and not marks["solution"]


def nbgrader_course(root, course, assignment, submissions):
    """Make an nbgrader course at ``root`` with ``submissions`` {student: path of a notebook} handed in."""
    name = assignment.name
    source = json.loads((course.source / name / f"{name}.ipynb").read_text())
    for cell in _without_experiments(source)["cells"]:
        marks = cell["metadata"].get("nbgrader", {})
        if marks.get("grade") and cell["cell_type"] == "code":
            text = "".join(cell["source"])
            cell["source"] = text + "\n" + HIDDEN.format(assignment=name, question=marks["grade_id"])
    place = root / "source" / name
    place.mkdir(parents=True)
    (place / f"{name}.ipynb").write_text(json.dumps(source))
    (root / "nbgrader_config.py").write_text(NBGRADER.format(root=str(root), db=f"sqlite:///{root / 'gradebook.db'}"))
    nbgrader(root, "generate_assignment", name, "--create")
    for student, path in submissions.items():
        target = root / "submitted" / student / name
        target.mkdir(parents=True)
        (target / f"{name}.ipynb").write_text(json.dumps(_without_experiments(json.loads(path.read_text()))))


def nbgrader(root, *arguments):
    """Run one nbgrader command in the course at ``root``; raise if it fails."""
    return subprocess.run(
        [str(BIN / "nbgrader"), *arguments], cwd=root, env=environment(), capture_output=True, text=True
    )


def otter_zip(root, assignment):
    """Make otter's autograder zip below ``root`` and return its path."""
    tests = root / "tests"
    tests.mkdir(parents=True)
    for question in assignment.questions:
        if not question.manual:
            text = OTTER_TEST.format(question=question.id, points=question.points, assignment=assignment.name)
            (tests / f"{question.id}.py").write_text(text)
    (root / "otter_config.json").write_text("{}")
    target = root / "autograder.zip"
    line = [
        str(BIN / "otter"),
        "generate",
        "-t",
        str(tests),
        "-o",
        str(target),
        "--no-requirements",
        "--no-environment",
    ]
    subprocess.run(
        [*line, "-c", str(root / "otter_config.json")], cwd=root, env=environment(), check=True, capture_output=True
    )
    return target


def otter_run(root, archive, path, student):
    """Grade one notebook with ``otter run`` and return its results as data."""
    place = root / "runs" / student
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    notebook = place / path.name
    notebook.write_text(json.dumps(_without_experiments(json.loads(path.read_text()))))
    line = [str(BIN / "otter"), "run", "-a", str(archive), "-o", str(place), "--no-logo", str(notebook)]
    subprocess.run(line, cwd=place, env=environment(), capture_output=True, text=True, check=True)
    return json.loads((place / "results.json").read_text())


def environment():
    """Return the environment of a peer: this Python first, our assertions importable, one thread a library."""
    import os

    return {
        **os.environ,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "PYTHONPATH": f"{HERE}:{HERE.parent}",
        "OMP_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
