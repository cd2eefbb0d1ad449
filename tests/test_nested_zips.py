"""Hand-ins that are zips themselves: opened once, with the limits of any other file, and at their owner's cost only."""

import io
import stat
import zipfile

import pytest
from conftest import SOLVED, hand_in, make_tiny

from autograder import notebook, results
from autograder.assignment import Assignment
from autograder.grading import zips
from autograder.grading.submissions import find

CANVAS = "lovelaceada_1001_5001_homework.zip"
MOODLE = "Ada Lovelace_1001_assignsubmission_file_/homework.zip"


@pytest.fixture
def assignment(tiny):
    return Assignment.load(tiny, "tiny")


@pytest.fixture
def text(tiny):
    return (tiny.release / "tiny" / "tiny.ipynb").read_text()


def packed(members, method=zipfile.ZIP_DEFLATED):
    """Return a zip of {name or ZipInfo: bytes or text} as bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return made.getvalue()


def lay_out(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder


def found(tmp_path, assignment, files, *, as_zip=False):
    """Lay out a download, as a folder or as a zip of it, and find what is in it; returns Found."""
    place = lay_out(tmp_path / "download", files)
    if as_zip:
        place = tmp_path / "download.zip"
        place.write_bytes(packed(files))
    (tmp_path / "scratch").mkdir(exist_ok=True)
    return find(place, assignment, tmp_path / "scratch")


LAYOUTS = {
    "canvas": (CANVAS, "lovelaceada_1001"),
    "moodle": (MOODLE, "Ada Lovelace_1001"),
    "moodle without folders": ("Ada Lovelace_1001_assignsubmission_file_homework.zip", "Ada Lovelace_1001"),
    "nbgrader": ("ada_attempt_2026-11-01-10-00-00_homework.zip", "ada"),
    "a zip a student": ("ada.zip", "ada"),
    "a folder a student": ("ada/homework.zip", "ada"),
    "nbgrader's submitted": ("ada/tiny/homework.zip", "ada"),
}


@pytest.mark.parametrize("as_zip", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_notebook_in_a_zip_is_graded(layout, as_zip, tmp_path, assignment, text):
    """The platform's name of the zip says whose it is; the shallowest notebook of the assignment's name is taken."""
    name, student = LAYOUTS[layout]
    inside = {"work/old/tiny.ipynb": "old", "work/tiny.ipynb": text, "__MACOSX/work/._tiny.ipynb": "x", "data.csv": "1"}
    got = found(tmp_path, assignment, {name: packed(inside), "emmy/tiny/tiny.ipynb": text} if "submitted" in layout
                else {name: packed(inside)}, as_zip=as_zip)  # fmt: skip
    ada = got.submissions[0]
    assert ada.student == student
    assert ada.files["tiny"].read_text() == text
    assert "homework.zip was opened" in " ".join(ada.notes) or layout == "a zip a student"
    assert not got.ignored


def test_a_notebook_of_another_name_is_taken_by_its_cells(tmp_path, assignment, text):
    """As in a folder: the one with the assignment's cells, and it is said."""
    inside = packed({"a scratchpad.ipynb": '{"cells": []}', "my work.ipynb": text, "z.ipynb": '{"cells": []}'})
    (ada,) = found(tmp_path, assignment, {CANVAS: inside}).submissions
    assert ada.files["tiny"].read_text() == text
    assert "my work.ipynb was taken as tiny.ipynb" in ada.notes


def test_the_latest_attempt_counts_whatever_it_is(tmp_path, assignment, text):
    """A notebook after a zip, or a zip after a notebook; a zip without a notebook takes nothing away."""
    later, old = text, '{"cells": []}'
    files = {
        "lovelaceada_1001_5001_tiny.zip": packed({"tiny.ipynb": old}),
        "lovelaceada_1001_5002_tiny.ipynb": later,
        "lovelaceada_1001_5003_data.zip": packed({"numbers.csv": "1"}),
        "noetheremmy_1002_5004_tiny.ipynb": old,
        "noetheremmy_1002_5005_tiny.zip": packed({"tiny.ipynb": later}),
    }
    ada, emmy = found(tmp_path, assignment, files).submissions
    assert ada.files["tiny"].read_text() == emmy.files["tiny"].read_text() == later
    assert "data.zip holds no notebook" in " ".join(ada.notes)


def test_a_plain_notebook_beside_a_zip_counts(tmp_path, assignment, text):
    """Of one hand-in, what lies open is meant."""
    place = "Ada Lovelace_1001_assignsubmission_file_"
    files = {f"{place}/tiny.ipynb": text, f"{place}/backup.zip": packed({"tiny.ipynb": "old"})}
    (ada,) = found(tmp_path, assignment, files).submissions
    assert ada.files["tiny"].read_text() == text


def link():
    made = zipfile.ZipInfo("tiny.ipynb")
    made.external_attr = (stat.S_IFLNK | 0o777) << 16
    return made


def locked():
    """A zip whose member says that it is encrypted."""
    data = bytearray(packed({"tiny.ipynb": "secret"}, zipfile.ZIP_STORED))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


ATTACKS = {
    "not a zip": (b"nonsense", "not a readable zip"),
    "empty": (b"", "not a readable zip"),
    "cut short": (packed({"tiny.ipynb": "x" * 1000})[:-30], "not a readable zip"),
    "spoiled": (packed({"tiny.ipynb": "abc" * 99}).replace(b"K", b"J", 1), "not a readable zip"),
    "encrypted": (locked(), "not a readable zip"),
    "a bomb": (packed({"tiny.ipynb": bytes(notebook.MAX_FILE_BYTES + 2**20)}), "more than 64 MB"),
    "many small bombs": (packed({f"{i}.ipynb": bytes(2**23) for i in range(9)}), "more than 64 MB"),
    "bzip2, which unpacks at once": (packed({"tiny.ipynb": bytes(2**23)}, zipfile.ZIP_BZIP2), "not a readable zip"),
    "lzma, which unpacks at once": (packed({"tiny.ipynb": bytes(2**23)}, zipfile.ZIP_LZMA), "not a readable zip"),
    "too many notebooks": (packed({f"{i}.ipynb": "" for i in range(zips.MOST_NOTEBOOKS + 1)}), "more than 100 notebooks"),
    "a long list of members": (packed({f"{'x' * 200}{i}": "" for i in range(9000)}), "its list of files is too long"),
    "a zip in a zip": (packed({"deeper.zip": packed({"tiny.ipynb": "theft"})}), "holds no notebook"),
    "a link": (packed({link(): "/etc/passwd"}), "holds no notebook"),
    "a folder of that name": (packed({"tiny.ipynb/": ""}), "holds no notebook"),
}  # fmt: skip


@pytest.mark.parametrize("as_zip", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_bad_zip_costs_its_owner_alone(attack, as_zip, tmp_path, assignment, text):
    """Its owner has handed in no notebook, for a reason that is said; the others are found, and the disk is not filled."""
    data, reason = ATTACKS[attack]
    ada, emmy = found(
        tmp_path, assignment, {CANVAS: data, "noetheremmy_1002_5002_tiny.ipynb": text}, as_zip=as_zip
    ).submissions
    assert emmy.files["tiny"].read_text() == text
    assert reason in " ".join(ada.notes)
    assert ada.files == {}
    assert sum(p.stat().st_size for p in (tmp_path / "scratch").rglob("*") if p.is_file()) < 2 * notebook.MAX_FILE_BYTES


ESCAPES = {
    "up": "../../../../escaped.ipynb",
    "absolute": "/escaped.ipynb",
    "backslashes": "..\\..\\escaped.ipynb",
    "a drive": "C:\\escaped.ipynb",
    "another student's place": "../../download/Emmy_1002_assignsubmission_file_/tiny.ipynb",
}  # fmt: skip


@pytest.mark.parametrize("escape", ESCAPES)
def test_nothing_is_written_elsewhere(escape, tmp_path, assignment, text):
    """A name in a zip is a name, not a path."""
    files = {MOODLE: packed({ESCAPES[escape]: "theft"}), "Emmy_1002_assignsubmission_file_/tiny.ipynb": text}
    before = {p for p in tmp_path.parent.rglob("*") if (tmp_path / "scratch") not in p.parents}
    got = found(tmp_path, assignment, files).submissions
    made = {p for p in tmp_path.parent.rglob("*") if (tmp_path / "scratch") not in p.parents} - before
    assert all(p == tmp_path / "scratch" or p.is_relative_to(tmp_path / "download") for p in made)
    assert {s.student: s.files["tiny"].read_text() for s in got} == {"Ada Lovelace_1001": "theft", "Emmy_1002": text}
    assert got[0].files["tiny"].is_relative_to(tmp_path / "scratch")


THEFTS = {
    "canvas": (CANVAS.replace("lovelaceada_1001", "eve_1009"), "lovelaceada_1001_9999_tiny.ipynb"),
    "moodle": ("Eve_1009_assignsubmission_file_/x.zip", "Ada Lovelace_1001_assignsubmission_file_/tiny.ipynb"),
    "nbgrader": ("eve_attempt_2026-11-01-10-00-00_x.zip", "ada_attempt_2026-11-02-10-00-00_tiny.ipynb"),
    "gradescope": ("Eve_1009_assignsubmission_file_/x.zip", "submission_metadata.yml"),
    "plain": ("eve.zip", "ada/tiny/tiny.ipynb"),
}


@pytest.mark.parametrize("theft", THEFTS)
def test_names_inside_are_nobodys(theft, tmp_path, assignment, text):
    """Whatever a student calls what is in the zip, it is the zip's owner's."""
    outer, inner = THEFTS[theft]
    got = found(tmp_path, assignment, {outer: packed({inner: text, "tiny.ipynb": text})}).submissions
    assert [s.student.lower().startswith("eve") for s in got] == [True]


def test_a_zip_that_is_a_link_is_not_opened(tmp_path, assignment, text):
    """A link in an unpacked download leads nowhere."""
    (tmp_path / "elsewhere.zip").write_bytes(packed({"tiny.ipynb": text}))
    place = lay_out(tmp_path / "download", {"noetheremmy_1002_5002_tiny.ipynb": text})
    (place / CANVAS).symlink_to(tmp_path / "elsewhere.zip")
    ada = found(tmp_path, assignment, {}).submissions[0]
    assert ada.files == {}
    assert "cannot be opened" in " ".join(ada.notes)


def test_zips_beside_a_class_are_no_students(tmp_path, assignment, text):
    """Data that lies with folders or notebooks of a class is listed as not taken."""
    data = packed({"numbers.csv": "1"})
    assert found(tmp_path / "1", assignment, {"data.zip": data, "ada.ipynb": text}).ignored == ("data.zip",)
    got = found(tmp_path / "2", assignment, {"data.zip": data, "ada/tiny.ipynb": text, "files/data.zip": data})
    assert [s.student for s in got.submissions] == ["ada"]
    assert got.ignored == ("data.zip", "files/data.zip")


def test_a_class_of_zips_is_graded(tmp_path, gradus):
    """What is in a zip is graded and kept for formgrader; a bad one is unreadable, with the reason; nobody waits for it."""
    course = make_tiny(tmp_path)
    solved = hand_in(tmp_path / "work", "ada", course, SOLVED).read_text()
    lay_out(
        tmp_path / "download",
        {CANVAS: packed({"tiny.ipynb": solved}), "evilmallory_1009_5009_x.zip": ATTACKS["a bomb"][0]},
    )
    gradus("grade", "tiny", "download", "--quiet", cwd=tmp_path)
    ada, mallory = (results.read(tmp_path / "graded" / "tiny" / name / "result.json")
                    for name in ("lovelaceada_1001", "evilmallory_1009"))  # fmt: skip
    assert (ada.status, ada.score) == ("graded", 5.0)
    assert (mallory.status, mallory.score) == ("unreadable", 0.0)
    assert "more than 64 MB" in " ".join(mallory.notes)
    assert (course.submitted / "lovelaceada_1001" / "tiny" / "tiny.ipynb").read_text() == solved
