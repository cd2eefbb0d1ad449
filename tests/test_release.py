"""source/ to release/: what a release keeps, locks, drops and copies, the same each time."""

import json

import nbformat
import pytest
from conftest import cell, notebook_text
from sources import MEAN, released, sound, sound_course, write

from autograder import build


@pytest.fixture
def course(tmp_path):
    """A course with the sound notebook and a picture beside it."""
    return sound_course(tmp_path)


def test_release_keeps_the_task_and_drops_the_answers(course):
    """Solutions, hidden tests, mark schemes and model answers are gone; everything else stays."""
    nb = released(course)

    sources = {c.metadata.get("nbgrader", {}).get("grade_id"): c.source for c in nb.cells}
    stub = '    """Return the mean."""\n    # YOUR CODE HERE\n    raise NotImplementedError()'
    assert sources["mean-answer"] == f"def mean(x):\n{stub}"
    assert sources["mean"] == "assert mean([1]) == 1"
    assert sources["why"] == "YOUR ANSWER HERE"
    assert sources["task"] == "Explain."
    assert sources["setup"] == "import numpy as np"
    assert nb.cells[-1].metadata.tags == ["experiment"]


def test_release_locks_what_students_must_not_edit(course):
    """Grade and read-only cells can be neither edited nor deleted; answers can be edited."""
    by_id = {c.metadata.nbgrader.grade_id: c.metadata for c in released(course).cells[1:]}

    assert by_id["mean"].editable is False
    assert by_id["mean"].deletable is False
    assert "editable" not in by_id["mean-answer"]
    assert len(by_id["mean-answer"].nbgrader.checksum) == 32


def test_release_has_no_trace_of_a_run(course):
    """Outputs, counts, execution times and widget states do not leave the source."""
    cells = sound()
    cells[1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "42"}]
    cells[1]["execution_count"] = 7
    cells[1]["metadata"]["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00Z"}
    write(course, cells, widgets={"state": 1})

    nb = released(course)

    assert nb.cells[1].outputs == []
    assert nb.cells[1].execution_count is None
    assert "execution" not in nb.cells[1].metadata
    assert "widgets" not in nb.metadata


def test_release_is_the_same_each_time(course):
    """Building twice gives the same bytes, also where cells have no id or share one."""
    path = course.source / "a" / "a.ipynb"
    tree = json.loads(path.read_text())
    del tree["cells"][0]["id"], tree["cells"][1]["id"]
    tree["cells"][4]["id"] = tree["cells"][3]["id"]
    path.write_text(json.dumps(tree))

    first = {p: p.read_bytes() for p in build.release(course, "a")}
    second = {p: p.read_bytes() for p in build.release(course, "a")}

    assert first == second
    nb = nbformat.read(course.release / "a" / "a.ipynb", as_version=4)
    assert [c.id for c in nb.cells[:2]] == ["cell-1", "setup"]
    assert len({c.id for c in nb.cells}) == len(nb.cells)


def test_other_files_go_along_and_old_ones_leave(course):
    """Pictures are copied, checkpoints are not, and what the source no longer has is removed."""
    (course.source / "a" / ".ipynb_checkpoints").mkdir()
    (course.source / "a" / ".ipynb_checkpoints" / "a-checkpoint.ipynb").write_text("{}")
    (course.release / "a" / "old").mkdir(parents=True)
    (course.release / "a" / "old" / "gone.ipynb").write_text("{}")

    paths = build.release(course, "a")

    names = [p.relative_to(course.release / "a").as_posix() for p in paths]
    assert names == ["a.ipynb", "images/dot.png"]
    assert sorted(p.name for p in (course.release / "a").rglob("*")) == ["a.ipynb", "dot.png", "images"]


def test_the_course_settings_are_honoured(course):
    """nbgrader_config.py decides on stubs, markers, headers and ignored files, as with nbgrader."""
    header = [cell("free", "# The university", cell_type="markdown")]
    (course.root / "source" / "header.ipynb").write_text(notebook_text(header))
    (course.root / "nbgrader_config.py").write_text(
        "c = get_config()\n"
        "c.ClearSolutions.code_stub = {'python': 'raise NotImplementedError(\"later\")'}\n"
        "c.ClearSolutions.begin_solution_delimeter = 'ANSWER FROM'\n"
        "c.ClearSolutions.end_solution_delimeter = 'ANSWER TO'\n"
        "c.IncludeHeaderFooter.header = 'source/header.ipynb'\n"
        "c.CourseDirectory.ignore = ['*.png']\n"
    )
    cells = sound()
    cells[2]["source"] = MEAN.replace("BEGIN SOLUTION", "ANSWER FROM").replace("END SOLUTION", "ANSWER TO")
    write(course, cells)

    nb = released(course)

    assert nb.cells[0].source == "# The university"
    assert nb.cells[3].source.endswith('raise NotImplementedError("later")')
    assert not (course.release / "a" / "images").exists()
