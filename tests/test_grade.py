"""Grading through the real command: scores, feedback, and every kind of bad input."""

import csv
import json

import pytest
from conftest import DOUBLE, SOLVED, TRIPLE, hand_in, make_tiny

ENDLESS = "def double(x):\n    while True:\n        pass"


def result(folder, student):
    return json.loads((folder / student / "result.json").read_text())


def points(folder, student):
    return {q["id"]: q["points"] for q in result(folder, student)["questions"]}


@pytest.fixture(scope="module")
def graded(tmp_path_factory, gradus):
    """One class with every oddity, graded once."""
    root = tmp_path_factory.mktemp("class")
    course = make_tiny(root)
    for student, (answers, extra) in CLASS.items():
        path = hand_in(root / "submitted", student, course, answers, extra)
        if student in EDITS:
            EDITS[student](path)
    done = gradus("grade", "tiny", cwd=root)
    return root / "graded" / "tiny", done


def edit_cells(change):
    def edit(path):
        tree = json.loads(path.read_text())
        change(tree)
        path.write_text(json.dumps(tree))

    return edit


def marks(cell):
    return cell["metadata"].get("nbgrader", {})


def cheat(tree):
    for cell in tree["cells"]:
        if marks(cell).get("grade_id") == "double":
            cell["metadata"]["nbgrader"]["points"] = 100
            cell["source"] = "100"
        if marks(cell).get("grade_id") == "setup":
            cell["source"] = "np = None"


def without(grade_id):
    def change(tree):
        tree["cells"] = [c for c in tree["cells"] if marks(c).get("grade_id") != grade_id]

    return edit_cells(change)


def duplicate(tree):
    stub = json.loads(json.dumps(tree["cells"][1]))
    stub["source"] = "def double(x):\n    raise NotImplementedError()"
    tree["cells"].append(stub)
    tree["cells"][-1]["source"] = "def double(x):\n    return 3"


def to_markdown(tree):
    tree["cells"][1]["cell_type"] = "markdown"


CLASS = {
    "solved": (SOLVED, ()),
    "untouched": ({}, ()),
    "half": ({"double-answer": DOUBLE}, ()),
    "mutant": ({**SOLVED, "double-answer": "def double(y):\n    return y * y"}, ()),
    "syntax": ({**SOLVED, "double-answer": "def double(x:\n    return"}, ()),
    "asks": ({**SOLVED, "double-answer": "name = input('name? ')\n" + DOUBLE}, ()),
    "endless-cell": (SOLVED, ("while True:\n    pass",)),
    "endless-call": ({**SOLVED, "double-answer": ENDLESS}, ()),
    "exits": ({**SOLVED, "double-answer": "def double(x):\n    import os\n    os._exit(0)"}, ()),
    "quits": ({**SOLVED, "double-answer": "def double(x):\n    raise SystemExit(0)"}, ()),
    "cheats": ({"triple-answer": TRIPLE}, ()),
    "deleted": (SOLVED, ()),
    "reordered": (SOLVED, ()),
    "duplicated": (SOLVED, ()),
    "markdown": (SOLVED, ()),
    "magics": ({**SOLVED, "double-answer": "%matplotlib inline\n!ls\n" + DOUBLE}, ()),
    "truncated": (SOLVED, ()),
    "empty": (SOLVED, ()),
    "other": (SOLVED, ()),
}
EDITS = {
    "cheats": edit_cells(cheat),
    "deleted": without("double-answer"),
    "reordered": edit_cells(lambda tree: tree["cells"].reverse()),
    "duplicated": edit_cells(duplicate),
    "markdown": edit_cells(to_markdown),
    "truncated": lambda path: path.write_text(path.read_text()[:200]),
    "empty": lambda path: path.write_text(""),
    "other": lambda path: path.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'),
}
ALL, NONE = {"double": 2.0, "triple": 3.0, "why": 0.0}, {"double": 0.0, "triple": 0.0, "why": 0.0}
ONLY_TRIPLE = {"double": 0.0, "triple": 3.0, "why": 0.0}


@pytest.mark.parametrize(
    ("student", "expected"),
    [
        ("solved", ALL),
        ("untouched", NONE),
        ("half", {"double": 2.0, "triple": 0.0, "why": 0.0}),
        ("mutant", ONLY_TRIPLE),
        ("syntax", ONLY_TRIPLE),
        ("asks", ONLY_TRIPLE),
        ("endless-cell", ALL),
        ("endless-call", ONLY_TRIPLE),
        ("exits", ONLY_TRIPLE),
        ("quits", ONLY_TRIPLE),
        ("cheats", ONLY_TRIPLE),
        ("deleted", ONLY_TRIPLE),
        ("reordered", ALL),
        ("duplicated", ONLY_TRIPLE),
        ("markdown", ONLY_TRIPLE),
        ("magics", ALL),
    ],
)
def test_each_question_gets_the_points_it_earns(graded, student, expected):
    """What is wrong with one question costs that question alone."""
    folder, _ = graded
    assert points(folder, student) == expected


@pytest.mark.parametrize(
    ("student", "sentence"),
    [
        ("syntax", "cell `double-answer` raised SyntaxError in line 1"),
        ("asks", "cell `double-answer` raised EOFError"),
        ("endless-cell", "did not end within 2 s"),
        ("cheats", "the points of `double` were changed; it is worth 2"),
        ("cheats", "the locked cell `setup` was edited; the original is used"),
        ("deleted", "cell `double-answer` is missing"),
        ("duplicated", "cell `double-answer` is there 2 times"),
        ("markdown", "cell `double-answer` was turned into markdown"),
        ("truncated", "not valid JSON at line"),
        ("empty", "the file is empty"),
        ("other", "none of its cells belongs to this assignment"),
    ],
)
def test_what_was_odd_is_said(graded, student, sentence):
    """Every oddity ends in a sentence in the student's own result."""
    folder, _ = graded
    assert any(sentence in note for note in result(folder, student)["notes"]), result(folder, student)["notes"]


@pytest.mark.parametrize(
    ("student", "question", "status", "sentence"),
    [
        ("endless-call", "double", "timeout", "did not come back within 2 s"),
        ("exits", "double", "crashed", "ended the whole Python process (exit code 0)"),
        ("quits", "double", "failed", "raised SystemExit"),
        ("mutant", "double", "failed", "wrong"),
    ],
)
def test_a_check_says_why_it_failed(graded, student, question, status, sentence):
    """Time, crash and exception are told apart."""
    folder, _ = graded
    found = next(q for q in result(folder, student)["questions"] if q["id"] == question)
    assert found["status"] == status
    assert any(sentence in check["message"] for check in found["checks"]), found["checks"]


@pytest.mark.parametrize("student", ["truncated", "empty", "other"])
def test_files_that_are_not_the_assignment_are_unreadable_not_lost(graded, student):
    """They have a result and a page of their own, with the remedy."""
    folder, _ = graded
    assert result(folder, student)["status"] == "unreadable"
    assert "hand in again" in (folder / student / "feedback.html").read_text() or student == "other"


def test_the_mistake_is_named_with_an_example(graded):
    """A renamed mutant is recognised, and the example shows input, got and expected."""
    folder, _ = graded
    check = next(q for q in result(folder, "mutant")["questions"] if q["id"] == "double")["checks"][0]
    assert check["diagnosis"] == "squares"
    assert check["hint"] == "You square the input."
    assert {"call", "got", "expected"} <= check["example"].keys()
    assert "You square the input." in (folder / "mutant" / "feedback.html").read_text()


def test_untouched_and_missing_have_their_own_status(graded):
    """An untouched cell is not a failed attempt."""
    folder, _ = graded
    assert {q["status"] for q in result(folder, "untouched")["questions"]} == {"unchanged"}
    status = {q["id"]: q["status"] for q in result(folder, "deleted")["questions"]}
    assert status["double"] == "missing"


def test_the_class_has_its_files(graded):
    """Report, CSV with one row a student, and the gradebook are written."""
    folder, done = graded
    rows = list(csv.DictReader((folder / "grades.csv").open()))
    assert {row["student"] for row in rows} == set(CLASS)
    assert (folder / "report.html").is_file()
    assert (folder.parent.parent / "gradebook.db").is_file()
    assert "19 submissions" in done.stdout


def test_grading_again_does_nothing_new(graded, gradus):
    """Results are keyed by what they depend on."""
    folder, _ = graded
    written = [folder / "solved" / "result.json", folder / "report.html", folder / "grades.csv"]
    before = [path.stat().st_mtime_ns for path in written]
    done = gradus("grade", "tiny", cwd=folder.parent.parent)
    assert "0 graded now" in done.stdout
    assert [path.stat().st_mtime_ns for path in written] == before


def test_a_page_that_was_changed_or_removed_comes_back(graded, gradus):
    """Grading again mends the class's pages."""
    folder, _ = graded
    table = (folder / "grades.csv").read_text()
    (folder / "grades.csv").write_text("edited")
    (folder / "report.html").unlink()
    gradus("grade", "tiny", cwd=folder.parent.parent)
    assert (folder / "grades.csv").read_text() == table
    assert "tiny" in (folder / "report.html").read_text()


def test_a_changed_submission_is_graded_again_and_said(tmp_path, gradus):
    """Only what changed is graded, and the new mark is listed with the old one."""
    course = make_tiny(tmp_path)
    hand_in(tmp_path / "submitted", "ada", course, SOLVED)
    path = hand_in(tmp_path / "submitted", "bob", course, {})
    gradus("grade", "tiny", cwd=tmp_path)
    tree = json.loads(path.read_text())
    tree["cells"][1]["source"] = DOUBLE
    path.write_text(json.dumps(tree))
    done = gradus("grade", "tiny", cwd=tmp_path)
    assert "1 graded now" in done.stdout
    assert "changed: bob from 0 to 2" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["grade", "nothing"], 2, "there is no assignment named 'nothing'"),
        (["grade", "tiny", "nowhere"], 2, "there is nothing at this path"),
        (["grade", "tiny", "empty"], 2, "no submissions of tiny were found"),
        (["grade", "tiny", "release/tiny/tiny.ipynb", "--isolation", "magic"], 2, "is not known"),
        (
            ["grade", "tiny", "release/tiny", "--out", "o", "--db", "sqlite:///d.db", "--fail-under", "50"],
            1,
            "the mean is",
        ),
        (["verify", "nothing"], 2, "choose one of: tiny"),
        (["report", "tiny"], 2, "run `gradus grade tiny` first"),
    ],
)
def test_wrong_commands_end_in_a_sentence(tmp_path, gradus, arguments, code, sentence):
    """Exit codes are the promised ones, and the sentence says what to do."""
    make_tiny(tmp_path)
    (tmp_path / "empty").mkdir()
    done = gradus(*arguments, cwd=tmp_path, code=code)
    assert sentence in done.stdout + done.stderr


def test_outside_a_course_the_command_says_so(tmp_path, gradus):
    """No traceback where there is no course."""
    done = gradus("grade", "tiny", cwd=tmp_path, code=2)
    assert "there is no course here" in done.stderr


def test_without_walls_every_page_says_so(tmp_path, gradus):
    """--isolation none works and is marked on the page, in the result and in the report."""
    course = make_tiny(tmp_path)
    hand_in(tmp_path / "submitted", "ada", course, SOLVED)
    gradus("grade", "tiny", "--isolation", "none", cwd=tmp_path)
    folder = tmp_path / "graded" / "tiny"
    assert result(folder, "ada")["isolation"] == "none"
    assert result(folder, "ada")["certified"] is False
    assert result(folder, "ada")["score"] == 5.0
    for page in (folder / "ada" / "feedback.html", folder / "report.html"):
        assert "without isolation" in page.read_text()


def test_what_to_reread_is_said_only_where_it_helps(graded):
    """A question with full points sends nobody back to the text."""
    folder, _ = graded
    assert "Reread" not in (folder / "solved" / "feedback.html").read_text()


def test_a_slip_in_the_settings_stops_at_once(tmp_path, gradus):
    """A name off limits that is not there is the instructor's to mend: exit 2, with the name, and nobody is graded."""
    course = make_tiny(tmp_path, settings="off_limits = ['numpy.no_such_thing']\n")
    for student in ("ada", "bob"):
        hand_in(course.submitted, student, course, SOLVED)
    done = gradus("grade", "tiny", "--quiet", cwd=tmp_path, code=2)
    assert "numpy.no_such_thing" in done.stderr
    assert not list((tmp_path / "graded").glob("*/*/result.json"))


def test_a_developers_pytest_settings_do_not_grade(tmp_path, gradus, monkeypatch):
    """PYTEST_ADDOPTS of whoever runs the command is about their own tests."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    course = make_tiny(tmp_path)
    hand_in(course.submitted, "ada", course, SOLVED)
    gradus("grade", "tiny", "--quiet", cwd=tmp_path)
    assert json.loads((tmp_path / "graded" / "tiny" / "ada" / "result.json").read_text())["score"] == 5.0
