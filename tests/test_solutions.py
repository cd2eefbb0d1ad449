"""source/ to solutions/: run from top to bottom, stable, and known to be fresh or stale."""

import base64
import json
import subprocess

import nbformat
import pytest
from sources import change, sound, sound_course, write

from autograder import build
from autograder.course import Course
from autograder.errors import InputError


@pytest.fixture
def course(tmp_path):
    """A course with the sound notebook and a picture beside it."""
    return sound_course(tmp_path)


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """A course whose assignment draws a figure and reads a file, released and solved. Copy it before writing."""
    course = Course(tmp_path_factory.mktemp("solved"))
    cells = sound()
    cells[6]["source"] = (
        "import matplotlib.pyplot as plt\nplt.plot([1, mean([2, 4])])\nplt.show()\n"
        "print(open('data.txt').read())\nopen('left-behind', 'w').close()\nmean([1, 2, 3])"
    )
    write(course, cells)
    (course.source / "a" / "data.txt").write_text("a line")
    build.release(course, "a")
    build.solve(course, "a")
    return course


@pytest.fixture
def fresh(solved, tmp_path):
    """A copy of the solved course that a test may change."""
    subprocess.run(["cp", "-r", f"{solved.root}/.", str(tmp_path)], check=True)
    return Course(tmp_path)


def test_a_solution_is_solved_and_run(solved):
    """Solutions keep the answers, mark schemes and outputs, and lose the solution markers."""
    nb = nbformat.read(solved.solutions / "a" / "a.ipynb", as_version=4)

    text = json.dumps(nb)
    assert "BEGIN SOLUTION" not in text
    assert "total / np.size(x)" in nb.cells[2].source
    assert "One point for each" in nb.cells[5].source
    figure, printed, value = nb.cells[6].outputs
    assert base64.b64decode(figure.data["image/png"]).startswith(b"\x89PNG")
    assert printed.text == "a line\n"
    assert value.data["text/plain"].endswith("2.0)") or value.data["text/plain"] == "2.0"
    assert [c.execution_count for c in nb.cells if c.cell_type == "code"] == [1, 2, 3, 4]


def test_a_solution_is_stable(solved):
    """No time of day, no version and no path of this machine gets in; files that cells write do not stay."""
    text = (solved.solutions / "a" / "a.ipynb").read_text()

    assert 'execution":' not in text
    assert "language_info" not in text
    assert not list(solved.root.rglob("left-behind"))


def test_solutions_need_not_be_run(course):
    """With execute=False the notebooks are written without outputs."""
    paths = build.solve(course, "a", execute=False)

    nb = nbformat.read(paths[0], as_version=4)
    assert all(c.outputs == [] for c in nb.cells if c.cell_type == "code")
    assert "np.size(x)" in nb.cells[2].source


FAILING = {
    "raises": ("mean(3) + {}", r"`figure`\): it raised TypeError: unsupported operand"),
    "dies": ("import os; os._exit(3)", "the kernel died"),
    "hangs": ("import time; time.sleep(30)", "it did not end within 2 seconds"),
}


@pytest.mark.parametrize(("source", "match"), FAILING.values(), ids=FAILING)
def test_a_solution_that_fails_is_refused(course, monkeypatch, source, match):
    """A failing solution names the cell and the error, and nothing is written."""
    monkeypatch.setattr(build, "SECONDS_PER_CELL", 2)
    write(course, change(6, source=source))

    with pytest.raises(InputError, match=match):
        build.solve(course, "a")

    assert not course.solutions.exists()


def test_huge_solutions_are_refused(course, monkeypatch):
    """A solution that would bloat the repository says so."""
    monkeypatch.setattr(build, "MAX_SOLUTION_BYTES", 100)

    with pytest.raises(InputError, match="its outputs take"):
        build.solve(course, "a", execute=False)


# Freshness


def test_a_fresh_course_is_not_stale(solved):
    """Right after release and solve there is nothing to report."""
    assert build.stale(solved, "a") == []


def test_a_change_of_the_source_shows(fresh):
    """A changed cell makes the release and that cell of the solution stale."""
    path = fresh.source / "a" / "a.ipynb"
    path.write_text(path.read_text().replace("Return the mean.", "Return the average."))

    assert build.stale(fresh, "a") == [
        "release/a/a.ipynb is not what its source gives now",
        "solutions/a/a.ipynb, cell 3 (`mean-answer`) is not the cell of its source",
    ]


def test_missing_and_left_over_files_show(fresh):
    """Files that should be there, and files that should not, are named."""
    (fresh.release / "a" / "data.txt").unlink()
    (fresh.solutions / "a" / "old.ipynb").write_text("{}")
    (fresh.solutions / "a" / "a.ipynb").unlink()

    assert build.stale(fresh, "a") == [
        "release/a/data.txt is missing",
        "solutions/a/a.ipynb is missing",
        "solutions/a/old.ipynb has no source any more",
    ]


def test_cells_that_did_not_run_well_show(fresh):
    """A solution whose cells have no count, or an error, is not a solution."""
    path = fresh.solutions / "a" / "a.ipynb"
    nb = nbformat.read(path, as_version=4)
    nb.cells[1].execution_count = None
    nb.cells[3].outputs = [nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])]
    nbformat.write(nb, path)

    assert build.stale(fresh, "a") == [
        "solutions/a/a.ipynb, cell 2 (`setup`) has not been run",
        "solutions/a/a.ipynb, cell 4 (`mean`) ended in an error",
    ]


def test_another_number_of_cells_shows(fresh):
    """A solution with another number of cells is reported once, not cell by cell."""
    path = fresh.solutions / "a" / "a.ipynb"
    nb = nbformat.read(path, as_version=4)
    nb.cells.pop()
    nbformat.write(nb, path)

    assert build.stale(fresh, "a") == ["solutions/a/a.ipynb has 6 cells, its source 7"]
