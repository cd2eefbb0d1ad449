"""nbgrader's gradebook: scores in, a person's marks untouched, formgrader and feedback go on from there."""

import csv
import subprocess
from datetime import datetime

import pytest
from conftest import BIN, command_environment
from made_up import TITLES, faulty, make_course, manual, question, result

from autograder import nbgrader_plugin
from autograder.errors import InfraError, InputError
from autograder.grading.grade import ClassResult, grade_class
from autograder.grading.submissions import Found, Submission
from autograder.reports import gradebook
from autograder.reports.gradebook import GradebookWriter, SubmissionFiles, write_gradebook
from autograder.results import write_atomically

RIGHT = [True] * len(TITLES["adam_step"])
HALF = [i % 2 == 0 for i in range(len(RIGHT))]
WHEN = datetime(2026, 3, 1, 12, 30)


@pytest.fixture
def place(tmp_path):
    """A course, its assignment and the URL of a new gradebook."""
    course, assignment = make_course(tmp_path)
    return course, assignment, f"sqlite:///{tmp_path}/gradebook.db"


def write(place, results, timestamp=WHEN):
    course, assignment, url = place
    release = course.release / "adam" / "adam.ipynb"
    files = {r.student: SubmissionFiles(r.student, {"adam": release}, timestamp) for r in results}
    return write_gradebook(results, assignment, course, url, files)


def half(student):
    return result(student, [question("adam_step", HALF, "no_bias_correction"), manual()])


def grades(url, student):
    from nbgrader.api import Gradebook

    with Gradebook(url) as book:
        notebook = book.find_submission_notebook("adam", "adam", student)
        return {g.name: (g.auto_score, g.manual_score, g.needs_manual_grade) for g in notebook.grades}


def test_scores_go_in(place):
    """Automatic scores are set, the written answer waits for a person."""
    report = write(place, [half("ada")])
    found = grades(place[2], "ada")
    assert report.written == 1
    assert found["adam_step"] == (half("ada").questions[0].points, None, False)
    assert found["adam_compare"] == (None, None, True)


def test_a_newer_hand_in_takes_the_place_of_the_older(place, tmp_path):
    """`submitted/`, which formgrader grades, has the latest attempt of a download, and its time; never an older one."""
    course, assignment, url = place
    there = course.submitted / "ada" / "adam"
    for day, words in ((2, "first"), (4, "second"), (3, "late to arrive")):
        handed = tmp_path / f"{day}.ipynb"
        handed.write_text((course.release / "adam" / "adam.ipynb").read_text().replace("Adam", words))
        files = {"ada": SubmissionFiles("ada", {"adam": handed}, datetime(2026, 3, day))}
        write_gradebook([half("ada")], assignment, course, url, files)
        newest = "first" if day == 2 else "second"
        assert newest in (there / "adam.ipynb").read_text()
        assert (there / "timestamp.txt").read_text().startswith("2026-03-02" if day == 2 else "2026-03-04")


def test_a_regrade_keeps_a_persons_marks(place):
    """Manual score and comment stay; the automatic score follows."""
    from nbgrader.api import Gradebook

    write(place, [half("ada")])
    with Gradebook(place[2]) as book:
        grade = book.find_grade("adam_compare", "adam", "adam", "ada")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        book.find_comment("adam_compare", "adam", "adam", "ada").manual_comment = "Well put."
        book.db.commit()
    write(place, [result("ada", [question("adam_step", RIGHT), manual()])])
    found = grades(place[2], "ada")
    assert found["adam_compare"] == (None, 1.5, False)
    assert found["adam_step"][0] == question("adam_step", RIGHT).points
    with Gradebook(place[2]) as book:
        assert book.find_comment("adam_compare", "adam", "adam", "ada").manual_comment == "Well put."


def test_what_lateness_costs_follows_each_regrade(place):
    """nbgrader's penalty is the lost share of the points that the notebook has now."""
    from nbgrader.api import Gradebook

    for marks, share in ((HALF, 0.2), (RIGHT, 0.2), (RIGHT, 0.0)):
        write(place, [result("ada", [question("adam_step", marks), manual()], late_share=share)])
        with Gradebook(place[2]) as book:
            notebook = book.find_submission_notebook("adam", "adam", "ada")
            assert notebook.score == question("adam_step", marks).points
            assert notebook.late_submission_penalty == pytest.approx(share * notebook.score)


def test_what_was_not_graded_leaves_the_old_score(place):
    """An infra_error is never a zero."""
    write(place, [half("ada")])
    report = write(place, [faulty("ada")])
    assert report.skipped == 1
    assert grades(place[2], "ada")["adam_step"][0] == half("ada").questions[0].points


@pytest.mark.parametrize("timestamp", [WHEN, None])
def test_formgrader_shows_it_as_graded(place, timestamp):
    """File and database agree on the time, so the status is "graded" and the score is there."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    write(place, [half("ada")], timestamp)
    config = Config()
    config.CourseDirectory.root = str(place[0].root)
    config.CourseDirectory.db_url = place[2]
    (found,) = NbGraderAPI(config=config).get_submissions("adam")
    assert found["autograded"]
    assert found["score"] == pytest.approx(half("ada").score)
    assert found["needs_manual_grade"]


def test_nbgraders_own_commands_go_on(place):
    """generate_feedback and export run on what was written."""
    write(place, [half("ada"), half("bob")])
    for line in (["generate_feedback", "adam"], ["export", "--to", "grades.csv"]):
        command = [str(BIN / "nbgrader"), *line]
        done = subprocess.run(
            command, cwd=place[0].root, env=command_environment(), capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
    assert (place[0].root / "feedback" / "ada" / "adam" / "adam.html").is_file()
    rows = list(csv.DictReader((place[0].root / "grades.csv").open()))
    assert {row["student_id"] for row in rows} == {"ada", "bob"}


def test_a_new_gradebook_is_one_of_this_nbgrader(place):
    """It carries the version that nbgrader's own tools look for, so that `nbgrader db upgrade` has nothing to do."""
    from nbgrader.dbutil import _temp_alembic_ini

    write(place, [half("ada")])
    with _temp_alembic_ini(place[2]) as settings:
        line = [str(BIN / "alembic"), "-c", settings, "current"]
        done = subprocess.run(line, env=command_environment(), capture_output=True, text=True, check=True)
    assert done.stdout.endswith(" (head)\n")


def test_a_bad_address_is_a_sentence(place):
    """A wrong URL names itself and what to do."""
    with pytest.raises(InputError, match="the gradebook cannot be opened"):
        write_gradebook([], place[1], place[0], "sqlite:////no/such/folder/grades.db", {})


def through_writer(place, old, fresh):
    """Write as `gradus grade` does: results that were there before, and new ones."""
    course, assignment, url = place
    release = course.release / "adam" / "adam.ipynb"
    files = {r.student: SubmissionFiles(r.student, {"adam": release}, WHEN) for r in [*old, *fresh]}
    with GradebookWriter(assignment, course, url, files, course.root / "seen") as writer:
        writer.begin(old, [r.student for r in fresh])
        for one in fresh:
            writer.put(one)


def test_what_has_not_changed_is_not_even_opened(place, monkeypatch):
    """A second run with the same results leaves the gradebook closed; another gradebook, or a touched one, is opened."""
    both = [half("ada"), half("bob")]
    through_writer(place, [], both)
    opened = []
    really = gradebook.opened
    monkeypatch.setattr(gradebook, "opened", lambda url: opened.append(url) or really(url))
    through_writer(place, both, [])
    assert opened == []
    through_writer((*place[:2], f"{place[2]}.other"), both, [])
    assert len(opened) == 1
    assert grades(f"{place[2]}.other", "bob")["adam_step"][0] == half("bob").questions[0].points


def test_a_database_that_is_no_file_is_always_opened(place):
    """Its address says nothing of its state, and another address is another gradebook."""
    both, (course, assignment, url) = [half("ada"), half("bob")], place
    first, other = (
        url.replace("sqlite:", "sqlite+pysqlite:").replace("gradebook", name) for name in ("first", "other")
    )
    through_writer((course, assignment, first), [], both)
    through_writer((course, assignment, other), both, [])
    assert grades(other, "bob")["adam_step"][0] == half("bob").questions[0].points


def test_what_was_lost_from_the_gradebook_comes_back(place):
    """A student whom someone removed is written again, though the result is an old one."""
    from nbgrader.api import Gradebook

    both = [half("ada"), half("bob")]
    through_writer(place, [], both)
    with Gradebook(place[2]) as book:
        book.remove_submission("adam", "ada")
    through_writer(place, both, [])
    assert grades(place[2], "ada") == grades(place[2], "bob")


class AtOnce:
    """A writer that has written each Result when `put` returns."""

    def __init__(self, place):
        self.place = place

    def begin(self, old, fresh):
        pass

    def put(self, one):
        write(self.place, [one])


def test_changes_are_announced_before_the_gradebook_has_them(place):
    """Whoever is told of a regrade's changes still finds the old marks in the gradebook."""
    course, assignment, url = place
    before, now = half("ada"), result("ada", [question("adam_step", RIGHT), manual()])
    out, told = course.graded / "adam", []
    write(place, [before])
    write_atomically(out / "ada" / "result.json", before.text())

    def announce(changes):
        told.extend((one.student, one.before, one.now, grades(url, "ada")["adam_step"][0]) for one in changes)

    found = Found([Submission("ada", {"adam": course.release / "adam" / "adam.ipynb"})])
    grade_class(course, assignment, found, out=out, isolation="none", certified=False,
                elsewhere=lambda *_: [now], writer=AtOnce(place), announce=announce)  # fmt: skip
    assert told == [("ada", before.score, now.score, before.questions[0].points)]
    assert grades(url, "ada")["adam_step"][0] == now.questions[0].points


def test_a_fault_of_the_gradebook_ends_the_run(place):
    """It is raised at the latest when the writer is left, and nothing is remembered as written."""
    with pytest.raises(InputError, match="the gradebook cannot be opened"):
        through_writer((*place[:2], "sqlite:////no/such/folder/grades.db"), [], [half("ada")])
    assert not (place[0].root / "seen").exists()


def test_what_nbgraders_autograde_could_not_grade_is_an_error_there(place, monkeypatch):
    """nbgrader shows the grader's fault as its own, and no score is written."""
    from traitlets.config import Config

    failed = ClassResult(place[1], [faulty("ada")], Found([]), place[0].graded / "adam")
    monkeypatch.setattr(nbgrader_plugin, "grade_one", lambda *_, **__: failed)
    config = Config()
    config.CourseDirectory.root = str(place[0].root)
    config.GradeBehindWalls.isolation = "none"
    resources = {"nbgrader": {"assignment": "adam", "student": "ada", "notebook": "adam", "db_url": place[2]}}
    with pytest.raises(InfraError, match=r"ada: the machine ran out of disk space\n.*autograde it again"):
        nbgrader_plugin.GradeBehindWalls(config=config).preprocess(None, resources)
