"""Submissions as learning platforms hand them out, and the roster that names their owners."""

import os
import zipfile
from datetime import UTC, datetime

import pytest

from autograder.assignment import Assignment, Late
from autograder.errors import InputError
from autograder.grading.submissions import find
from autograder.roster import Roster

METADATA = """
submission_101:
  :submitters:
  - :name: Ada Lovelace
    :sid: '4001'
    :email: ada@example.org
  :created_at: 2026-11-01 10:00:00.000000000 Z
submission_102:
  :submitters:
  - :name: Emmy Noether
    :sid:
    :email: emmy@example.org
  :created_at: 2026-11-02 12:30:00.000000000 +01:00
"""

PLATFORMS = {
    "canvas": {
        "lovelaceada_1001_5001_tiny.ipynb": "first",
        "lovelaceada_1001_5009_tiny-1.ipynb": "second",
        "noetheremmy_LATE_1002_5002_my work.ipynb": "only",
        "noetheremmy_LATE_1002_5003_essay.pdf": "",
    },
    "moodle": {
        "Ada Lovelace_1001_assignsubmission_file_/tiny.ipynb": "second",
        "Ada Lovelace_1001_assignsubmission_onlinetext_/onlinetext.html": "",
        "Emmy Noether_1002_assignsubmission_file_/deeper/my work.ipynb": "only",
    },
    "moodle without folders": {
        "Ada Lovelace_1001_assignsubmission_file_tiny.ipynb": "second",
        "Emmy Noether_1002_assignsubmission_file_my work.ipynb": "only",
    },
    "gradescope": {
        "export/submission_metadata.yml": METADATA,
        "export/submission_101/tiny.ipynb": "second",
        "export/submission_102/my work.ipynb": "only",
        "export/submission_102/notes.txt": "",
    },
    "classroom": {
        "tiny-ada/.git/HEAD": "",
        "tiny-ada/tiny.ipynb": "second",
        "tiny-ada/.ipynb_checkpoints/tiny-checkpoint.ipynb": "old",
        "tiny-emmy/.git/HEAD": "",
        "tiny-emmy/src/my work.ipynb": "only",
    },
    "nbgrader": {
        "ada_attempt_2026-11-01-10-00-00_tiny.ipynb": "first",
        "ada_attempt_2026-11-02-10-00-00_tiny.ipynb": "second",
        "emmy_attempt_2026-11-01-10-00-00_my work.ipynb": "only",
    },
}
ROSTER = (
    "student,name,canvas,moodle,email\n"
    'ada,"Lovelace, Ada",1001,Participant 1001,ada@example.org\n'
    "emmy,Emmy Noether,1002,Participant 1002,emmy@example.org\n"
    "kurt,Kurt Gödel,1003,Participant 1003,kurt@example.org\n"
)


@pytest.fixture
def assignment(tiny):
    return Assignment.load(tiny, "tiny")


@pytest.fixture
def roster(tmp_path):
    (tmp_path / "roster.csv").write_text(ROSTER, encoding="utf-8-sig")
    return Roster.read(tmp_path / "roster.csv")


def lay_out(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def zipped(folder, archive):
    with zipfile.ZipFile(archive, "w") as made:
        for path in sorted(folder.rglob("*")):
            made.write(path, path.relative_to(folder))
    return archive


@pytest.mark.parametrize(
    ("platform", "as_zip"),
    [(name, False) for name in PLATFORMS] + [(name, True) for name in PLATFORMS if name != "classroom"],
)
def test_a_download_is_sorted_to_its_owners(platform, as_zip, tmp_path, assignment, roster):
    """Folder or zip: the latest attempt of each student, under the roster's name; what is left over is listed."""
    place = lay_out(tmp_path / "download", PLATFORMS[platform])
    if as_zip:
        place = zipped(place, tmp_path / "download.zip")
    (tmp_path / "scratch").mkdir()
    found = find(place, assignment, tmp_path / "scratch", roster)
    assert [s.student for s in found.submissions] == ["ada", "emmy"]
    assert [s.files["tiny"].read_text() for s in found.submissions] == ["second", "only"]
    assert found.absent == ("kurt",)
    assert not found.strangers
    others = [os.path.basename(name) for name in PLATFORMS[platform] if not name.endswith((".ipynb", ".yml", "HEAD"))]
    assert {os.path.basename(name) for name in found.ignored} >= set(others)
    assert any("my work.ipynb was taken as tiny.ipynb" in note for note in found.submissions[1].notes)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_without_a_roster_names_come_from_the_platform(platform, tmp_path, assignment):
    """Nobody is lost, and no two students become one."""
    found = find(lay_out(tmp_path / "download", PLATFORMS[platform]), assignment, tmp_path)
    assert len({s.student for s in found.submissions}) == 2


def test_who_is_not_in_the_roster_is_graded_and_listed(tmp_path, assignment, roster):
    """A stranger keeps the platform's name."""
    place = lay_out(tmp_path / "download", {"turingalan_77_1_tiny.ipynb": "x", **PLATFORMS["canvas"]})
    found = find(place, assignment, tmp_path, roster)
    assert found.strangers == ("turingalan_77",)
    assert "turingalan_77" in [s.student for s in found.submissions]


def test_what_a_platform_says_of_lateness_and_attempts_is_noted(tmp_path, assignment):
    """Canvas marks lateness in the file's name; earlier attempts are counted."""
    ada, emmy = find(lay_out(tmp_path / "d", PLATFORMS["canvas"]), assignment, tmp_path).submissions
    assert "2 attempts were handed in; the latest was graded" in ada.notes
    assert emmy.late
    assert "Canvas says that it was late" in emmy.notes


def test_times_are_utc(tmp_path, assignment):
    """Gradescope's zones are understood."""
    ada, emmy = find(lay_out(tmp_path / "d", PLATFORMS["gradescope"]), assignment, tmp_path).submissions
    assert ada.timestamp == datetime(2026, 11, 1, 10)
    assert emmy.timestamp == datetime(2026, 11, 2, 11, 30)


def test_names_of_a_roster(roster):
    """A name in either order, with or without accents' coding, by number, by the start of an address."""
    for name in ("ada", "Ada Lovelace", "lovelaceada", "LOVELACE, ADA", "1001", "ada@example.org"):
        assert roster.student_of(name) == "ada"
    assert roster.student_of("Kurt Go\u0308del") == "kurt"
    for name in ("nobody", "x_ada", "x_1001", "lovelaceada_1001"):
        assert roster.student_of(name) is None
    assert roster.row_of_graded("lovelaceada_1001")["student"] == "ada"
    assert roster.row_of_graded("x_1001_1009") is None
    assert roster.student_of("nobody", "kurt") == "kurt"


def test_a_name_of_two_people_tells_nothing(tmp_path):
    """Two students of one name are told apart by number, or not at all."""
    (tmp_path / "r.csv").write_text("id,name\n1,Jane Doe\n2,Jane Doe\n")
    roster = Roster.read(tmp_path / "r.csv")
    assert roster.student_of("Jane Doe") is None
    assert roster.student_of("2", "Jane Doe") == "2"


def test_canvas_own_list_is_a_roster(tmp_path):
    """The row of possible points and the test student are nobody."""
    (tmp_path / "r.csv").write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,tiny (77)\n    Points Possible,,,,,5\n"
        '"Lovelace, Ada",1001,u1,ada,A,\n"Student, Test",9,,,A,\n'
    )
    roster = Roster.read(tmp_path / "r.csv")
    assert [row["SIS Login ID"] for row in roster.rows] == ["ada"]
    assert roster.row_of_graded("lovelaceada_1001")["SIS Login ID"] == "ada"


@pytest.mark.parametrize("text", ["", "a,a\n1,2\n"], ids=["empty", "twice"])
def test_what_is_no_roster_is_said(text, tmp_path):
    """A header is needed, with different names."""
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(InputError, match="header"):
        Roster.read(tmp_path / "r.csv")


@pytest.mark.parametrize(
    ("minutes", "share"),
    [(-1, 0.0), (0, 0.0), (30, 0.0), (31, 0.1), (24 * 60, 0.1), (24 * 60 + 1, 0.2), (30 * 24 * 60, 0.5)],
)
def test_lateness_is_counted_in_days_begun(minutes, share):
    """Half an hour of grace, then ten per cent a day, half at most."""
    due = datetime(2026, 11, 1, 23, 59, tzinfo=UTC)
    policy = Late(due=due, grace_minutes=30, percent_per_day=10, most_percent=50)
    when = datetime.fromtimestamp(due.timestamp() + 60 * minutes, UTC).replace(tzinfo=None)
    assert policy.share(when) == pytest.approx(share)


THIEVES = {
    "moodle, a list of her own": {
        "Eve_1009_assignsubmission_file_/tiny.ipynb": "eve",
        "Eve_1009_assignsubmission_file_/submission_metadata.yml": METADATA,
        "Eve_1009_assignsubmission_file_/submission_101/tiny.ipynb": "theft",
        "Emmy Noether_1002_assignsubmission_file_/tiny.ipynb": "only",
    },
    "moodle, folders that go deep": {
        "a/Eve_1009_assignsubmission_file_/Ada Lovelace_1001_assignsubmission_file_/x/y/tiny.ipynb": "theft",
        "a/Emmy Noether_1002_assignsubmission_file_/tiny.ipynb": "only",
    },
    "moodle, a telling file name": {
        "Eve_1009_assignsubmission_file_Ada Lovelace_1001_assignsubmission_file_tiny.ipynb": "theft",
        "Emmy Noether_1002_assignsubmission_file_tiny.ipynb": "only",
    },
    "moodle, a name with a name in it": {
        "x_ada_1009_assignsubmission_file_/tiny.ipynb": "theft",
        "Emmy Noether_1002_assignsubmission_file_/tiny.ipynb": "only",
    },
    "nbgrader, a telling file name": {
        "eve_attempt_2026-11-01-10-00-00_ada_attempt_2026-11-02-10-00-00_tiny.ipynb": "theft",
        "emmy_attempt_2026-11-01-10-00-00_tiny.ipynb": "only",
    },
    "canvas, a telling file name": {
        "eve_1009_5003_lovelaceada_1001_5009_tiny.ipynb": "theft",
        "noetheremmy_1002_5002_tiny.ipynb": "only",
    },
    "classroom, a telling account": {
        "homework-x-ada/.git/HEAD": "",
        "homework-x-ada/tiny.ipynb": "theft",
        "homework-emmy/.git/HEAD": "",
        "homework-emmy/tiny.ipynb": "only",
    },
}


@pytest.mark.parametrize(
    ("theft", "as_zip"),
    [(name, False) for name in THIEVES] + [(name, True) for name in THIEVES if not name.startswith("classroom")],
)
def test_nobody_hands_in_for_another(theft, as_zip, tmp_path, assignment, roster):
    """Whatever a student calls files, folders and accounts, it is never graded as somebody else's."""
    place = lay_out(tmp_path / "download", THIEVES[theft])
    if as_zip:
        place = zipped(place, tmp_path / "download.zip")
    (tmp_path / "scratch").mkdir()
    found = find(place, assignment, tmp_path / "scratch", roster)
    owners = {s.student: {p.read_text() for p in s.files.values()} for s in found.submissions}
    assert owners.get("emmy") == {"only"}
    assert "ada" in found.absent
    assert not any("theft" in texts for student, texts in owners.items() if student.startswith("ada"))
