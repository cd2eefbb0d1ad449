"""Grades as other systems take them in, read back the way those systems read them."""

import csv
import io
import json
import os
import subprocess
import textwrap
import zipfile
from datetime import datetime
from xml.etree import ElementTree

import pytest
from conftest import BIN, SOLVED, command_environment, hand_in, make_tiny
from made_up import HINTS, REREAD, TITLES, faulty, make_course, manual, question, result

from autograder.course import Course
from autograder.errors import InputError
from autograder.exports import FORMATS, ci, gradescope, lms
from autograder.exports.formats import exported
from autograder.exports.marks import marks
from autograder.reports.gradebook import SubmissionFiles, opened, write_gradebook
from autograder.roster import Roster

STEP = len(TITLES["adam_step"])
NASTY = "=cmd|'/c calc'!A1 <script>alert(1)</script> ::error::x [a](b) \u202eevil"
CANVAS = (
    'Student,ID,SIS User ID,SIS Login ID,Section,Quiz 1 (5),"Adam, step by step (77)",Final Score\n'
    "    Points Possible,,,,,5,10,(read only)\n"
    '"Lovelace, Ada",1001,u1,ada,A,3,,\n'
    '"Noether, Emmy",1002,u2,emmy,A,,,\n'
    '"Student, Test",9,,,A,,,\n'
)
MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\n"
    "Participant 1001,Ada Lovelace,ada@example.org,Submitted for grading,,100.00,Yes,\"Sunday, 1 November\",-,\n"
    "Participant 1002,Emmy Noether,emmy@example.org,No submission,,100.00,Yes,-,-,\n"
)  # fmt: skip


@pytest.fixture
def course(tmp_path):
    return make_course(tmp_path)


def half(student, **more):
    return result(
        student, [question("adam_step", [True] + [False] * (STEP - 1), "no_bias_correction"), manual()], **more
    )


def given(course, *results, db="sqlite:////nowhere/gradebook.db"):
    return marks(results, course[1], db)


def roster(tmp_path, text):
    (tmp_path / "list.csv").write_text(text)
    return Roster.read(tmp_path / "list.csv")


def table(text):
    return list(csv.reader(io.StringIO(text)))


def test_a_persons_marks_count(course, tmp_path):
    """What formgrader wrote is in the mark, and what is still to be read is said."""
    from nbgrader.api import Gradebook

    url = f"sqlite:///{tmp_path}/gradebook.db"
    release = course[0].release / "adam" / "adam.ipynb"
    results = [half("ada"), half("emmy")]
    files = {r.student: SubmissionFiles(r.student, {"adam": release}, datetime(2026, 3, 1)) for r in results}
    write_gradebook(results, course[1], course[0], url, files)
    with Gradebook(url) as book:
        grade = book.find_grade("adam_compare", "adam", "adam", "ada")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        book.db.commit()
    ada, emmy = given(course, *results, db=url)
    assert (ada.score, ada.waits) == (2.5, 0)
    assert (emmy.score, emmy.waits) == (1.0, 2.0)


def test_what_is_said_of_a_question_is_said_alike_everywhere(course, tmp_path):
    """Gradescope and the gradebook show the same lines: points, each check, what is wrong, the hint, what to reread."""
    url = f"sqlite:///{tmp_path}/gradebook.db"
    found = half("ada")
    write_gradebook([found], course[1], course[0], url, {})
    with opened(url) as book:
        comment = book.find_comment("adam_step_answer", "adam", "adam", "ada").auto_comment
    (test,) = json.loads(gradescope.results_json(given(course, found)[0], course[1]))["tests"]
    lines = test["output"].splitlines()
    assert lines == textwrap.dedent(comment).splitlines()
    assert lines[:3] == ["adam_step: 1 of 5", f"ok  {TITLES['adam_step'][0]}", f"not {TITLES['adam_step'][1]}"]
    assert lines[3:5] == [
        "    Every entry of the new weights is wrong.",
        f"    This looks like: {HINTS['no_bias_correction']}",
    ]
    assert lines[-1] == f"Reread: {REREAD['adam_step']}"


def test_lateness_is_taken_off_the_whole(course):
    """Twenty per cent of what was earned, once."""
    assert given(course, half("ada", late_share=0.2))[0].score == pytest.approx(0.8)


def test_canvas_gets_its_own_columns_back(course, tmp_path):
    """The assignment's column keeps Canvas's name for it; others' columns are not touched; strangers are returned."""
    text, strangers = lms.canvas_csv(given(course, half("ada"), half("kurt")), course[1], roster(tmp_path, CANVAS))
    assert table(text) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Adam, step by step (77)"],
        ["    Points Possible", "", "", "", "", "10"],
        ["Lovelace, Ada", "1001", "u1", "ada", "A", "1"],
        ["Noether, Emmy", "1002", "u2", "emmy", "A", ""],
    ]
    assert strangers == ["kurt"]


def test_canvas_without_a_list_has_the_columns_it_needs(course):
    """Student, ID, SIS Login ID, Section, then the assignment."""
    text, _ = lms.canvas_csv(given(course, half("ada")), course[1])
    assert table(text)[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Adam, step by step"]
    assert table(text)[2] == ["ada", "", "", "ada", "", "1"]


def test_moodles_worksheet_is_filled_in(course, tmp_path):
    """Grades are scaled to Moodle's maximum; whatever else is in the worksheet comes back as it was."""
    text, strangers = lms.moodle_csv(given(course, half("Ada Lovelace_1001")), course[1], roster(tmp_path, MOODLE))
    header, ada, emmy = table(MOODLE)
    ada[header.index("Grade")] = "10"
    ada[header.index("Feedback comments")] = "adam_step: 1 of 5; 2 points wait for a person"
    assert table(text) == [header, ada, emmy]
    assert not strangers


@pytest.mark.parametrize(("write", "other"), [(lms.canvas_csv, MOODLE), (lms.moodle_csv, CANVAS)])
def test_the_wrong_list_is_said(write, other, course, tmp_path):
    """A list of another platform is refused with what to do."""
    with pytest.raises(InputError, match="columns"):
        write(given(course, half("ada")), course[1], roster(tmp_path, other))


def test_no_spreadsheet_runs_a_name(course):
    """A student's name is text in every table."""
    for write in (lms.canvas_csv, lms.moodle_csv):
        for row in table(write(given(course, half(NASTY)), course[1])[0])[1:]:
            assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row)


def test_what_could_not_be_graded_is_never_a_zero(course):
    """An error of the grader leaves the cell empty, is an error in JUnit, and has no results.json."""
    found = given(course, faulty("ada"))
    assert table(lms.canvas_csv(found, course[1])[0])[2][-1] == ""
    suite = ElementTree.fromstring(ci.junit_xml(found, course[1]))[0]
    assert suite.get("errors") == "1"
    with pytest.raises(InputError, match="could not be graded"):
        gradescope.results_json(found[0], course[1])


def test_junit_counts_what_it_holds(course):
    """Numbers of tests, failures and skipped agree with the cases; times are seconds."""
    root = ElementTree.fromstring(ci.junit_xml(given(course, half("ada"), half(NASTY)), course[1]))
    assert root.tag == "testsuites"
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.get("tests")) == len(cases) == STEP + 1
        assert int(suite.get("failures")) == len(suite.findall("testcase/failure")) == STEP - 1
        assert int(suite.get("skipped")) == len(suite.findall("testcase/skipped")) == 1
        assert all(case.get("name") and case.get("classname") and float(case.get("time")) >= 0 for case in cases)


RESULT_KEYS = {"score", "execution_time", "output", "output_format", "test_output_format", "visibility",
               "stdout_visibility", "tests", "extra_data"}  # fmt: skip
TEST_KEYS = {"name", "name_format", "score", "max_score", "status", "output", "output_format", "visibility"}


def test_gradescopes_results_are_as_specified(course):
    """Only keys of Gradescope's documentation; the written question is left to a person; text is shown as text."""
    found = json.loads(gradescope.results_json(given(course, half(NASTY))[0], course[1]))
    assert found.keys() <= RESULT_KEYS
    assert all(test.keys() <= TEST_KEYS for test in found["tests"])
    assert found["score"] == sum(test["score"] for test in found["tests"]) == 1.0
    assert {test["name"] for test in found["tests"]} == {"adam_step"}
    assert found["visibility"] == "visible"
    assert found["output_format"] == found["tests"][0]["output_format"] == "text"


def test_githubs_summary_holds_no_markup_of_a_student(course):
    """Names and notes are escaped: no HTML, no links, no tables torn apart."""
    text = ci.github_summary(given(course, half(NASTY), half("ada|x")), course[1])
    assert "<script" not in text
    assert "](b)" not in text
    assert "\u202e" not in text
    assert all(line.replace("\\|", "").count("|") == 4 for line in text.splitlines() if line.startswith("|"))


def test_githubs_annotations_are_one_command_a_line(course):
    """A message cannot start a command of its own, and not more are printed than GitHub shows."""
    wrong = question("adam_step", [False] * STEP, message="a\n::set-output name=x::y%0A")
    lines = ci.github_annotations(given(course, *[result(f"s{i}", [wrong]) for i in range(30)]), course[1]).splitlines()
    assert len(lines) == 10
    assert all(line.startswith("::error title=adam_step%3A 0 of 5 points::") for line in lines)
    assert all("%250A" in line for line in lines)


@pytest.fixture(scope="module")
def graded(tmp_path_factory, gradus):
    course = make_tiny(tmp_path_factory.mktemp("graded"))
    hand_in(course.submitted, "ada", course, {"double": "def double(x):\n    return x"})
    gradus("grade", "tiny", "--quiet", cwd=course.root)
    return course.root


STARTS = {"csv": "assignment,student", "json": "{", "canvas": "Student,ID", "moodle": "username,", "junit": "<?xml",
          "github": "## ", "github-annotations": "::error ", "gradescope-results": "{", "gradescope": "PK"}  # fmt: skip


@pytest.mark.parametrize("wanted", FORMATS)
def test_every_format_is_written(wanted, graded):
    """From the results and the gradebook of a class that was graded."""
    content, strangers = exported(Course(graded), "tiny", wanted)
    assert content.startswith(STARTS[wanted].encode())
    assert strangers == []


def test_the_command_writes_to_the_terminal_or_a_file(graded, gradus):
    """The same bytes."""
    shown = gradus("export", "tiny", "--format", "canvas", cwd=graded).stdout
    gradus("export", "tiny", "--format", "canvas", "--to", "out.csv", cwd=graded)
    assert shown.startswith(STARTS["canvas"])
    assert (graded / "out.csv").read_text() == shown


def test_the_command_names_what_it_does_not_know(tmp_path, gradus):
    """An unknown format is refused with the known ones, and a missing class with the command that makes it."""
    course = make_tiny(tmp_path / "course")
    assert "canvas" in gradus("export", "tiny", "--format", "excel", cwd=course.root, code=2).stderr
    assert "gradus grade tiny" in gradus("export", "tiny", cwd=course.root, code=2).stderr


def test_the_zip_for_gradescope_grades(tmp_path, gradus):
    """The zip's own script, in a folder laid out as Gradescope's, writes results.json; a broken kit is not a student's zero."""
    course = make_tiny(tmp_path / "course")
    gradus("export", "tiny", "--format", "gradescope", "--to", "autograder.zip", cwd=course.root)
    place = tmp_path / "autograder"
    with zipfile.ZipFile(course.root / "autograder.zip") as archive:
        archive.extractall(place / "source")
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    assert modes["run_autograder"] == modes["setup.sh"] == 0o755
    checks = {name for name in modes if "autograder/checks/" in name}
    assert checks == {
        f"kit/course/autograder/checks/tiny/{name}" for name in ("assignment.toml", "mutants.py", "test_tiny.py")
    }
    assert {"kit/autograder/cli.py", "kit/course_lib/submit.py", "kit/pyproject.toml"} <= set(modes)
    subprocess.run(["bash", "-n", place / "source" / "setup.sh"], check=True)
    hand_in(tmp_path / "handed", "x", course, SOLVED)
    (place / "submission").mkdir()
    os.rename(tmp_path / "handed" / "x" / "tiny" / "tiny.ipynb", place / "submission" / "tiny.ipynb")
    environment = {**command_environment(), "GRADESCOPE_ROOT": str(place), "GRADUS": str(BIN / "gradus")}
    subprocess.run(["bash", place / "source" / "run_autograder"], env=environment, check=True, capture_output=True)
    found = json.loads((place / "results" / "results.json").read_text())
    assert found["score"] == 5.0
    (place / "source" / "kit" / "course" / "source" / "tiny" / "tiny.ipynb").unlink()
    subprocess.run(["bash", place / "source" / "run_autograder"], env=environment, check=True, capture_output=True)
    assert "not your fault" in json.loads((place / "results" / "results.json").read_text())["output"]
