"""Finding what was handed in: layouts, names, zips that mean harm."""

import stat
import zipfile
from datetime import datetime

import pytest

from autograder.assignment import Assignment
from autograder.errors import InputError
from autograder.grading.submissions import find, safe_name, shown


@pytest.fixture
def assignment(tiny):
    return Assignment.load(tiny, "tiny")


@pytest.fixture
def text(tiny):
    return (tiny.release / "tiny" / "tiny.ipynb").read_text()


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def students(path, assignment, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return {s.student: s for s in find(path, assignment, scratch).submissions}


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("submitted/ada/tiny/tiny.ipynb", "ada"),
        ("folder/ada/tiny.ipynb", "ada"),
        ("flat/ada.ipynb", "ada"),
        ("flat/ada_tiny.ipynb", "ada"),
        ("flat/tiny_ada.ipynb", "ada"),
    ],
)
def test_every_layout_is_found(tmp_path, assignment, text, name, student):
    """nbgrader's layout, a folder a student, a notebook a student."""
    put(tmp_path / name, text)
    folder = (tmp_path / name).relative_to(tmp_path).parts[0]
    found = students(tmp_path / folder, assignment, tmp_path)
    assert list(found) == [student]
    assert found[student].files["tiny"] == tmp_path / name


def test_one_notebook_is_a_class_of_one(tmp_path, assignment, text):
    """As in CI: the folder names the student."""
    put(tmp_path / "ada" / "tiny.ipynb", text)
    assert list(students(tmp_path / "ada" / "tiny.ipynb", assignment, tmp_path)) == ["ada"]


def test_a_renamed_notebook_is_taken_and_said(tmp_path, assignment, text):
    """The cells say what it is; the name is a note."""
    put(tmp_path / "s" / "ada" / "tiny" / "homework (final).ipynb", text)
    put(tmp_path / "s" / "ada" / "tiny" / "other.ipynb", '{"cells": []}')
    (found,) = students(tmp_path / "s", assignment, tmp_path).values()
    assert found.files["tiny"].name == "homework (final).ipynb"
    assert found.notes == ("homework (final).ipynb was taken as tiny.ipynb", "not looked at: other.ipynb")


def test_nbgraders_timestamp_is_read(tmp_path, assignment, text):
    """timestamp.txt gives the time in UTC."""
    put(tmp_path / "s" / "ada" / "tiny" / "tiny.ipynb", text)
    put(tmp_path / "s" / "ada" / "tiny" / "timestamp.txt", "2026-03-01 12:30:00.5 UTC\n")
    (found,) = students(tmp_path / "s", assignment, tmp_path).values()
    assert found.timestamp == datetime(2026, 3, 1, 12, 30, 0, 500_000)


def test_a_zip_that_means_harm_stays_in_its_place(tmp_path, assignment, text):
    """Traversal, absolute paths and links in a zip are names, nothing more."""
    archive = tmp_path / "class.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("ada.ipynb", text)
        made.writestr("../../../../tmp/gradus-escaped.ipynb", text)
        made.writestr("/etc/gradus-escaped.ipynb", text)
        link = zipfile.ZipInfo("link.ipynb")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(link, "/etc/passwd")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = find(archive, assignment, scratch).submissions
    assert all(path.is_relative_to(scratch) for s in found for path in s.files.values())
    assert all(path.is_file() and not path.is_symlink() for s in found for path in s.files.values())
    assert "ada" in {s.student for s in found}
    assert "link" not in {s.student for s in found}


def test_a_zip_bomb_is_read_only_up_to_the_limit(tmp_path, assignment):
    """A member is cut at the size that a notebook may have."""
    from autograder import notebook

    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("ada.ipynb", bytes(notebook.MAX_FILE_BYTES + 2**22))
    (found,) = students(archive, assignment, tmp_path).values()
    assert found.files["tiny"].stat().st_size == notebook.MAX_FILE_BYTES + 1


def test_not_a_zip_is_said(tmp_path, assignment):
    """A broken download is the instructor's to repeat."""
    put(tmp_path / "class.zip", "nonsense")
    with pytest.raises(InputError, match="not a readable zip"):
        find(tmp_path / "class.zip", assignment, tmp_path)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("-rf", "-rf"),
        ("a/b\\c", "a_b_c"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("\u202egnp\u202c", "gnp"),
        ("a\x1b[31mb\nc", "a[31mbc"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("\U0001f600 smile", "\U0001f600 smile"),
        ("x" * 300, "x" * 80),
        ("=cmd()", "=cmd()"),
        ("CON:", "CON_"),
    ],
)
def test_names_become_safe_folders(name, safe):
    """Direction marks and controls go, letters of all scripts stay."""
    assert safe_name(name) == safe


def test_names_that_a_file_system_confuses_are_told_apart(tmp_path, assignment, text):
    """Two students whose names differ in case only keep their own results."""
    put(tmp_path / "s" / "ada.ipynb", text)
    put(tmp_path / "s" / "Ada.ipynb", text)
    found = students(tmp_path / "s", assignment, tmp_path)
    assert len({name.casefold() for name in found}) == 2


def test_shown_text_has_no_controls():
    """What is printed cannot move a terminal's cursor."""
    assert shown("\x1b]0;owned\x07ok\u2066") == "]0;ownedok"
