"""What the commands print and how they end, where no other file looks."""

import csv
import subprocess
import sys

import pytest
from conftest import hand_in, make_tiny

CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section\n"
    '"Lovelace, Ada",1001,u1,ada,A\n'
    '"Noether, Emmy",1002,u2,emmy,A\n'
)  # fmt: skip


@pytest.fixture(scope="module")
def graded(tmp_path_factory, gradus):
    """A download from Canvas, graded with Canvas's list: Ada is on it, Alan is not, Emmy handed in nothing."""
    course = make_tiny(tmp_path_factory.mktemp("cli"))
    notebook = hand_in(course.root / "scratch", "ada", course, {}).read_bytes()
    (course.root / "download").mkdir()
    for name in (
        "lovelaceada_1001_5001_tiny.ipynb",
        "turingalan_1077_5002_tiny.ipynb",
        "lovelaceada_1001_5003_essay.pdf",
    ):
        (course.root / "download" / name).write_bytes(notebook)
    (course.root / "list.csv").write_text(CANVAS)
    done = gradus("grade", "tiny", "download", "--roster", "list.csv", "--isolation", "none", cwd=course.root)
    return course.root, done.stdout.splitlines()


def test_grade_says_who_and_what_was_left_over(graded):
    """Files that are nobody's answer, students whom the list does not name, and those who handed in nothing."""
    _, lines = graded
    assert "not taken: lovelaceada_1001_5003_essay.pdf" in lines
    assert "not in the roster: turingalan_1077" in lines
    assert "handed in nothing: emmy" in lines


def test_export_names_whom_the_list_does_not(graded, gradus):
    """Exit code 1, a line for each stranger, and everybody else's grade in the file."""
    root, _ = graded
    line = ("export", "tiny", "--format", "canvas", "--roster", "list.csv", "--to", "out.csv")
    done = gradus(*line, cwd=root, code=1)
    assert "not in list.csv: turingalan_1077; this grade is not in the file" in done.stderr
    rows = list(csv.reader((root / "out.csv").open()))
    assert [(row[0], row[-1]) for row in rows[2:]] == [("Lovelace, Ada", "0"), ("Noether, Emmy", "")]


def test_a_command_starts_without_what_it_does_not_need():
    """Arrays, models and frameworks are imported by the commands that use them, not by `gradus --help`."""
    heavy = "numpy", "pydantic", "nbformat", "nbgrader", "torch"
    assert loaded("import autograder.cli", heavy) == []


def test_notebooks_are_read_without_a_check_of_addresses():
    """jsonschema can check addresses that no notebook has; what it needs for that takes longer than all else together."""
    code = """import contextlib
from autograder.cli import main
with contextlib.suppress(SystemExit):
    main()
import nbformat
"""
    assert loaded(code, ("nbformat", "lark")) == ["nbformat"]


def loaded(code, names):
    """Return which of these modules are there after ``code`` has run, as `gradus --version` runs it."""
    code = f"{code}\nimport sys\nprint(*[name for name in {names} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1].split()
