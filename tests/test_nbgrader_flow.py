"""A week with nbgrader around this grader: its exchange hands out and collects, gradus grades, its feedback goes back."""

import csv
import getpass
import zipfile

import pytest
from conftest import SOLVED, command_environment, hand_in, make_tiny
from jupyter_core.application import NoStart
from nbgrader.apps import NbGraderApp

from autograder import specimens

CONFIG = """c = get_config()
c.CourseDirectory.course_id = "course"
c.Exchange.root = {exchange!r}
c.Exchange.cache = {cache!r}
c.FileNameCollectorPlugin.named_regexp = r".*_(?P<student_id>\\w+)_attempt_(?P<timestamp>[0-9-]+)_(?P<file_id>\\w+)"
"""
WRONG = {**SOLVED, "double-answer": "def double(x):\n    return x * x"}
ME = getpass.getuser()  # nbgrader's name for whoever submits


@pytest.fixture(scope="module")
def week(tmp_path_factory):
    """The teacher's course folder, a student's folder, and how to run nbgrader in either."""
    place = tmp_path_factory.mktemp("flow")
    course = make_tiny(place / "course")
    (place / "student").mkdir()
    (place / "exchange").mkdir()
    (place / "exchange").chmod(0o777)
    for folder in ("course", "student"):
        text = CONFIG.format(exchange=str(place / "exchange"), cache=str(place / "cache"))
        (place / folder / "nbgrader_config.py").write_text(text)

    def nbgrader(folder, *arguments):
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(place / folder)
            for name, value in {**command_environment(), "HOME": str(place), "JUPYTER_CONFIG_DIR": str(place)}.items():
                patch.setenv(name, value)
            app = NbGraderApp.instance()
            try:
                app.initialize(list(arguments))
                with pytest.raises(NoStart):  # its subcommand is done
                    app.start()
            finally:
                NbGraderApp.clear_instance()

    return course, place / "student", nbgrader


def downloaded(course, student, answers):
    """Put a platform's zip where `nbgrader zip_collect` looks for it."""
    path = hand_in(course.root / "work", student, course, answers)
    archive = course.root / "downloaded" / "tiny" / "archive" / "class.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as made:
        made.write(path, f"notebook_{student}_attempt_2026-03-01-12-30-00_tiny.ipynb")


def test_a_week_with_nbgrader(week, gradus):
    """Release, fetch, submit, collect, zip_collect; grade; feedback made, released, fetched; export; and a second hand-in."""
    course, student, nbgrader = week
    nbgrader("course", "release_assignment", "tiny")
    nbgrader("student", "fetch_assignment", "tiny")
    fetched = student / "tiny" / "tiny.ipynb"
    assert fetched.read_text() == (course.release / "tiny" / "tiny.ipynb").read_text()
    fetched.write_text(specimens.fill_in(fetched, SOLVED))
    nbgrader("student", "submit", "tiny")
    nbgrader("course", "collect", "tiny")
    downloaded(course, "bob", WRONG)
    nbgrader("course", "zip_collect", "tiny")

    gradus("grade", "tiny", "--quiet", cwd=course.root)
    nbgrader("course", "generate_feedback", "tiny")
    only_me = "--CourseDirectory.student_id_exclude=bob"  # what a zip brought has no place in the exchange
    nbgrader("course", "release_feedback", "tiny", only_me)
    nbgrader("student", "fetch_feedback", "tiny")
    nbgrader("course", "export", "--to", "grades.csv")

    rows = {row["student_id"]: row for row in csv.DictReader((course.root / "grades.csv").open())}
    assert {name: float(row["score"]) for name, row in rows.items()} == {ME: 5.0, "bob": 3.0}
    assert rows["bob"]["timestamp"].startswith(
        (course.submitted / "bob" / "tiny" / "timestamp.txt").read_text().strip()
    )
    (feedback,) = student.glob("tiny/feedback/*/tiny.html")
    assert "double: 2 of 2" in feedback.read_text()
    bobs = (course.root / "feedback" / "bob" / "tiny" / "tiny.html").read_text()
    assert "You square the input." in bobs

    fetched.write_text(specimens.fill_in(course.release / "tiny" / "tiny.ipynb", WRONG))
    nbgrader("student", "submit", "tiny")
    nbgrader("course", "collect", "tiny", "--update")
    told = gradus("grade", "tiny", cwd=course.root).stdout
    assert f"changed: {ME} from 5 to 3 (double 2 → 0)" in told
    nbgrader("course", "generate_feedback", "tiny", "--student", ME)
    assert "You square the input." in (course.root / "feedback" / ME / "tiny" / "tiny.html").read_text()
