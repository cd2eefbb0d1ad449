"""The student kit and what students do with it: install, look over, hand in."""

import io
import json
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from conftest import SOLVED, hand_in

from autograder import bundle
from autograder.assignment import Assignment
from autograder.course import Course
from autograder.grading.submissions import find
from autograder.notebook import MAX_FILE_BYTES
from course_lib import submit


@pytest.fixture
def notebook(tiny, tmp_path):
    """A solved notebook of the small course, with the kit's manifest beside it."""
    kit = bundle.bundle(tiny, tmp_path / "kit")
    with zipfile.ZipFile(kit) as archive:
        archive.extractall(tmp_path)
    path = tmp_path / "student-kit" / "tiny" / "tiny.ipynb"
    solved = hand_in(tmp_path / "solved", "ada", tiny, SOLVED)
    path.write_bytes(solved.read_bytes())
    return path


def edit(path, change):
    tree = json.loads(path.read_text())
    change(tree)
    path.write_text(json.dumps(tree))


def by_name(tree, name):
    return next(c for c in tree["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == name)


def texts(kit):
    """Yield (name, text) of all files in the kit, those in the wheel included."""
    for path in kit.rglob("*"):
        if path.suffix == ".whl":
            with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as wheel:
                yield from ((name, wheel.read(name).decode()) for name in wheel.namelist())
        elif path.is_file():
            yield path.name, path.read_text()


def test_the_kit_holds_what_students_need(kit, root):
    """Every release, the wheel, pinned requirements, the guide."""
    for name in Course(root).assignments():
        assert (kit / name / f"{name}.ipynb").read_bytes() == (root / "release" / name / f"{name}.ipynb").read_bytes()
    assert list(kit.glob("course_lib-*.whl"))
    pinned = (kit / "requirements.txt").read_text()
    assert all("==" in line for line in pinned.splitlines())
    assert {"numpy", "torch", "jupyterlab"} <= {line.partition("==")[0] for line in pinned.splitlines()}
    assert "pip install -r requirements.txt course_lib-" in (kit / "README.md").read_text()


STEP = ("optimizer.zero_grad()", "loss.backward()", "optimizer.step()")  # in every program that trains


def windows(text):
    """Return every run of three lines that say something, without indents: enough to be nobody's common phrase."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and line.strip() not in STEP]
    return {"\n".join(lines[i : i + 3]) for i in range(len(lines) - 2)}


def test_the_kit_tells_nothing_of_the_grader(kit, root):
    """Nothing of a hidden check, a mutant, a variant or a solution, and not the staff package's name."""
    secrets = set()
    for path in (root / "autograder" / "checks").rglob("*.py"):
        secrets |= windows(path.read_text())
    for path in (root / "source").rglob("*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            for part in "".join(cell["source"]).split("### BEGIN SOLUTION")[1:]:
                secrets |= windows(part.split("### END SOLUTION")[0])
    for path in (root / "course_lib").glob("*.py"):
        secrets -= windows(path.read_text())  # what students have; an assignment on the same thing puts it off limits
    assert len(secrets) > 3000
    for name, text in texts(kit):
        cells = json.loads(text)["cells"] if name.endswith(".ipynb") else []
        for part in ["".join(cell["source"]) for cell in cells] or [text]:
            assert not windows(part) & secrets, name
        for word in ("autograder", "mutant", "hidden check", "BEGIN SOLUTION", "BEGIN HIDDEN"):
            assert word.lower() not in text.lower(), (name, word)


def test_the_library_works_without_the_staff_package(kit, tmp_path):
    """In a fresh environment the wheel installs, and looks a notebook over; there is no autograder."""
    venv.create(tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    folder = shutil.copytree(kit, tmp_path / "kit")
    wheel = next(folder.glob("*.whl"))
    pip = [sys.executable, "-m", "pip", "--python", python]
    subprocess.run([*pip, "install", "-q", "--no-index", "--no-deps", wheel], check=True, cwd=tmp_path)
    subprocess.run([python, "-c", "import course_lib"], check=True, cwd=tmp_path)
    assert subprocess.run([python, "-c", "import autograder"], cwd=tmp_path, capture_output=True).returncode == 1
    line = [python, "-m", "course_lib.submit", "adam.ipynb", "--no-run"]
    done = subprocess.run(line, cwd=folder / "adam", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "is as it was handed out" in done.stdout
    assert (folder / "adam" / "handin" / "adam.ipynb").is_file()


def test_a_right_notebook_is_run_and_copied(notebook, capsys):
    """Nothing to say but where the copy is; the grader finds it."""
    copy = submit.submit(notebook)
    said = capsys.readouterr().out
    assert "It runs, and the visible checks hold." in said
    assert said.endswith(f"hand in {copy}\n")
    assert not submit.look_over(copy)[0].refused
    assert json.loads(copy.read_text()) == json.loads(notebook.read_text())


def test_the_copy_is_a_submission(notebook, tiny, tmp_path):
    """What `submit` writes is what `grade` reads."""
    copy = submit.submit(notebook, execute=False)
    found = find(copy, Assignment.load(tiny, "tiny"), tmp_path)
    assert found.submissions[0].files == {"tiny": copy}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t["cells"].remove(by_name(t, "double-answer")), "`double-answer` is missing"),
        (lambda t: by_name(t, "double-answer").update(source="def double(x:"), "is not Python in line 1"),
        (lambda t: t["cells"].append(by_name(t, "double-answer")), "there 2 times"),
        (lambda t: by_name(t, "double").update(source="pass"), "`double` was changed"),
        (lambda t: by_name(t, "double-answer").update(source="def double(x):\n    raise NotImplementedError"), "still raises"),
    ],
    ids="missing not-python twice locked-changed not-implemented".split(),
)  # fmt: skip
def test_what_would_cost_points_is_said(change, words, notebook, capsys):
    """Each with the cell's name; the copy is written all the same."""
    edit(notebook, change)
    assert submit.submit(notebook, execute=False) is not None
    assert words in capsys.readouterr().out


def test_an_untouched_answer_is_said(notebook, tiny, capsys):
    """The release itself: every answer is as it was handed out."""
    notebook.write_bytes((tiny.release / "tiny" / "tiny.ipynb").read_bytes())
    submit.submit(notebook, execute=False)
    assert "`double-answer` is as it was handed out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"nbformat": 3, "worksheets": []}', "format 4"),
        (b'{"nbformat": 4, "cells": 7}', "format 4"),
        (None, "no such file"),
    ],
    ids="empty deep version3 cells-a-number no-file".split(),
)
def test_what_the_grader_refuses_is_refused_here(content, words, notebook, capsys):
    """No copy is written, and the sentence says what to do."""
    notebook.unlink()
    if content is not None:
        notebook.write_bytes(content)
    assert submit.submit(notebook) is None
    assert words in capsys.readouterr().out


def test_what_is_too_large_for_the_grader_is_too_large_here():
    """One limit, written in two packages that may not import each other."""
    assert submit.MAX_BYTES == MAX_FILE_BYTES


def test_a_notebook_that_stops_is_said(notebook, capsys):
    """The first error is shown, as a fresh kernel sees it."""
    edit(notebook, lambda t: t["cells"].insert(0, {"cell_type": "code", "id": "x", "metadata": {}, "outputs": [],
                                                   "execution_count": None, "source": "1 / 0"}))  # fmt: skip
    submit.submit(notebook)
    assert "It stops: ZeroDivisionError" in capsys.readouterr().out


def test_the_command_says_by_its_exit_code_whether_the_file_is_refused(notebook):
    """For scripts."""
    notebook.write_text("nonsense")
    line = [sys.executable, "-m", "course_lib.submit", str(notebook)]
    assert subprocess.run(line, capture_output=True, cwd=Path(notebook).parent).returncode == 1
