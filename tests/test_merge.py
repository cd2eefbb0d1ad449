"""Results of several folders become one class: nothing is lost, what differs is decided or refused."""

import json
import re
import subprocess

import pytest
from conftest import SOLVED, command_environment, hand_in, make_tiny
from made_up import TITLES, faulty, make_course, manual, question, result

from autograder import __version__, results
from autograder.errors import InputError
from autograder.merge import merge
from autograder.reports.gradebook import scores

RIGHT = {name: [True] * len(titles) for name, titles in TITLES.items()}


@pytest.fixture
def place(tmp_path):
    """A course, and a function that writes a result into a folder of it."""
    course, assignment = make_course(tmp_path)

    def put(folder, student, points=5.0, *, present=False, **more):
        questions = [question(name, passed) for name, passed in RIGHT.items()]
        questions[1].points = points
        checks = assignment.fingerprint if present else "older"
        values = {"checks_sha256": checks, "grader_version": __version__, **more}
        one = result(student, [*questions, manual()], **values)
        path = tmp_path / folder / student / "result.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(one.text())
        return one

    return course, put


def merged(course, *folders, **more):
    return merge(course, "adam", [course.root / folder for folder in folders], **more)


def on_disk(course):
    return {r.student: r for p in course.graded.glob("adam/*/result.json") if (r := results.read(p))}


def test_shards_become_one_class(place):
    """Each student once, with a page; report and table of all."""
    course, put = place
    put("a", "ada"), put("b", "bob"), put("graded/adam", "eve")
    found = merged(course, "a", "b")
    assert (found.taken, sorted(on_disk(course))) == (2, ["ada", "bob", "eve"])
    assert (course.graded / "adam" / "bob" / "feedback.html").is_file()
    assert len((course.graded / "adam" / "grades.csv").read_text().splitlines()) == 4
    assert merged(course, "a", "b").taken == 0


def test_the_same_grade_twice_is_one(place):
    """Other seconds, another machine, another seed: the points decide, and certified walls come first."""
    course, put = place
    put("a", "ada", seconds=9.0, seed=3, certified=False, isolation="none")
    put("b", "ada", seconds=1.0, seed=4)
    assert merged(course, "a", "b").taken == 1
    assert on_disk(course)["ada"].certified


def test_the_present_checks_decide(place):
    """An old grade gives way to one of the present checks, from wherever it comes, and the change is told first."""
    course, put = place
    put("graded/adam", "ada", 5.0), put("a", "ada", 2.0, present=True), put("b", "ada", 4.0)
    told = []

    def announce(changes):
        assert on_disk(course)["ada"].score == 8.0
        told.extend(changes)

    found = merged(course, "a", "b", announce=announce)
    assert on_disk(course)["ada"].score == 5.0
    assert [(c.student, c.before, c.now, c.questions) for c in told] == [("ada", 8.0, 5.0, [("adam_step", 5.0, 2.0)])]
    assert found.changed == told


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"points": 1.0}, {"points": 2.0}),
        ({"points": 1.0, "present": True}, {"points": 2.0, "present": True}),
        ({"submission_sha256": "0" * 64}, {"submission_sha256": "1" * 64}),
        ({"points": 1.0, "present": True, "grader_version": "0.0.1"}, {"points": 2.0}),
        ({"late_share": 0.5}, {}),
    ],
    ids=["older-checks", "present-checks", "other-hand-in", "other-grader", "lateness"],
)
def test_what_cannot_be_decided_is_refused_and_listed(place, one, other):
    """Both are named with their folders, and nothing at all is written."""
    course, put = place
    put("a", "ada", **one), put("b", "ada", **other), put("b", "bob")
    with pytest.raises(
        InputError, match=r"1 student with results that differ:\n  ada: .* in .*/a .* in .*/b"
    ) as caught:
        merged(course, "a", "b")
    assert "bob" not in str(caught.value)
    assert not course.graded.exists()


def test_what_was_not_graded_never_replaces_a_grade(place):
    """A fault of a machine is no grade; where nobody could grade, the student is listed."""
    course, put = place
    put("graded/adam", "ada")
    for student in ("ada", "kurt"):
        path = course.root / "a" / student / "result.json"
        path.parent.mkdir(parents=True)
        path.write_text(faulty(student).text())
    found = merged(course, "a")
    assert on_disk(course)["ada"].score == 8.0
    assert [r.student for r in found.ungraded] == ["kurt"]
    assert "kurt" not in on_disk(course)
    assert "ran out of disk space" in (course.graded / "adam" / "report.html").read_text()


def spoiled(course, put, **changes):
    one = json.loads(put("a", "ada").text())
    path = course.root / "a" / "ada" / "result.json"
    path.write_text(json.dumps(one | changes))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"student": "bob"}, "this is the result of bob for adam"),
        ({"student": "../../bob"}, "this is the result of ../../bob for adam"),
        ({"assignment": "dropout"}, "this is the result of ada for dropout"),
        ({"schema": 99}, "this result cannot be read"),
        ({"questions": [{"id": "gone", "points": 1, "max_points": 1, "status": "passed"}]}, "no longer has"),
    ],
    ids=["other-student", "path", "other-assignment", "schema", "questions"],
)
def test_what_is_no_result_of_this_assignment_is_refused(place, changes, sentence):
    """A result says whose it is and of what; folders and names have to agree."""
    course, put = place
    spoiled(course, put, **changes)
    with pytest.raises(InputError, match=re.escape(sentence)):
        merged(course, "a")
    assert not course.graded.exists()


def test_an_empty_folder_is_said(place):
    """A wrong path is no empty shard."""
    with pytest.raises(InputError, match="there are no results in this folder"):
        merged(place[0], "nowhere")


def test_without_its_notebook_a_grade_stays_out_of_the_gradebook(place):
    """formgrader would show somebody's empty release; the student is named instead."""
    course, put = place
    put("a", "ada")
    assert merged(course, "a").no_notebook == ["ada"]
    assert not (course.root / "autograded").exists()


def test_the_recipe_of_the_docs(tmp_path, gradus, root):
    """Split, grade each part, merge, as docs/scale.md says: all are in the gradebook, and nothing needs grading again."""
    course = make_tiny(tmp_path)
    for student in ("ada", "bob", "Eve B. O'Neil"):
        hand_in(course.submitted, student, course, SOLVED if student != "bob" else {})
    recipe = re.search(r"```sh\n(ls submitted .*?)```", (root / "docs" / "scale.md").read_text(), re.DOTALL)[1]
    script = "set -eu\n" + recipe.replace("adam", "tiny")
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=command_environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 submissions, 3 of them from the folders given" in done.stdout
    assert "not in the gradebook" not in done.stderr
    assert scores(f"sqlite:///{tmp_path / 'gradebook.db'}", "tiny") == {
        "ada": (5.0, 1.0), "bob": (0.0, 0.0), "Eve B. O'Neil": (5.0, 1.0)
    }  # fmt: skip
    assert "0 graded now" in gradus("grade", "tiny", cwd=tmp_path).stdout
