"""source/ to release/ and solutions/: the same as nbgrader's own, deterministic, and refused where it would leak."""

import base64
import json
import subprocess

import nbformat
import pytest
from conftest import BIN, cell, command_environment, notebook_text
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder import build, leaks, transforms
from autograder.course import Course
from autograder.errors import InputError

MEAN = '''def mean(x):
    """Return the mean."""
    ### BEGIN SOLUTION
    total = np.sum(np.asarray(x))
    return total / np.size(x)
    ### END SOLUTION'''
HIDDEN = "assert mean([1]) == 1\n### BEGIN HIDDEN TESTS\nassert mean([5, 9]) == 7\n### END HIDDEN TESTS"
SCHEME = "Explain.\n### BEGIN MARK SCHEME\nOne point for each of two reasons.\n### END MARK SCHEME"


def sound():
    """The cells of a sound source notebook, one of each kind."""
    return [
        cell("free", "# A title", cell_type="markdown"),
        cell("locked", "import numpy as np", "setup"),
        cell("answer", MEAN, "mean-answer"),
        cell("checks", HIDDEN, "mean", 2),
        cell("manual", "The model answer, in one sentence.", "why", 3, cell_type="markdown"),
        cell("task", SCHEME, "task", 1, cell_type="markdown"),
        cell("locked", "mean([1, 2, 3])", "figure", tags=["experiment"]),
    ]


@pytest.fixture
def course(tmp_path):
    """A course with the sound notebook and a picture beside it."""
    course = Course(tmp_path)
    write(course, sound())
    (course.source / "a" / "images").mkdir()
    (course.source / "a" / "images" / "dot.png").write_bytes(b"\x89PNG\r\n\x00\xff")
    return course


def write(course, cells, **metadata):
    """Write ``cells`` as the source notebook of assignment ``a``."""
    tree = json.loads(notebook_text(cells))
    tree["metadata"].update(metadata)
    path = course.source / "a" / "a.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tree))


def released(course):
    """Release assignment ``a`` and return its notebook."""
    build.release(course, "a")
    return nbformat.read(course.release / "a" / "a.ipynb", as_version=4)


def refused(course, match):
    """Require that a release is refused with this message, and that nothing is written."""
    with pytest.raises(InputError, match=match) as caught:
        build.release(course, "a")
    assert not course.release.exists()
    assert caught.value.where
    assert caught.value.remedy
    return caught.value


# What a release is


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


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory):
    """nbgrader's own example course, with nbgrader's own release of it."""
    folder = tmp_path_factory.mktemp("quickstart")
    for where, line in ((folder, "quickstart course101"), (folder / "course101", "generate_assignment ps1")):
        command = [str(BIN / "nbgrader"), *line.split()]
        subprocess.run(command, cwd=where, env=command_environment(), check=True, capture_output=True, timeout=300)
    return Course(folder / "course101")


def test_release_equals_nbgraders_own(quickstart):
    """For nbgrader's quickstart course, every file is the one that `nbgrader generate_assignment` writes."""
    own = {p.name: p.read_bytes() for p in (quickstart.release / "ps1").iterdir()}
    notebooks = {name: nbformat.reads(data, as_version=4) for name, data in own.items() if name.endswith(".ipynb")}

    paths = build.release(quickstart, "ps1")

    assert sorted(notebooks) == ["problem1.ipynb", "problem2.ipynb"]
    for name, expected in notebooks.items():
        got = nbformat.read(quickstart.release / "ps1" / name, as_version=4)
        for ours, theirs in zip(got.cells, expected.cells, strict=True):
            assert ours.source == theirs.source
            assert ours.metadata.get("nbgrader") == theirs.metadata.get("nbgrader")
    assert {p.name: p.read_bytes() for p in paths} == own


# What is refused before anything is built


def change(index, **changes):
    """Return the sound cells with one cell's source or nbgrader metadata changed."""
    cells = sound()
    if "source" in changes:
        cells[index]["source"] = changes.pop("source")
    cells[index]["metadata"].setdefault("nbgrader", {}).update(changes) if changes else None
    return cells


BROKEN = {
    "no end": (change(2, source="def f():\n    ### BEGIN SOLUTION\n    pass"), "BEGIN SOLUTION` has no `END SOLUTION"),
    "no begin": (change(2, source="def f():\n    pass\n    ### END SOLUTION"), "line 3 has `END SOLUTION` without"),
    "nested": (change(2, source="### BEGIN SOLUTION\n### BEGIN SOLUTION"), "line 2 has a second `BEGIN SOLUTION`"),
    "hidden tests": (change(3, source="### BEGIN HIDDEN TESTS"), "BEGIN HIDDEN TESTS` has no `END HIDDEN TESTS"),
    "wrong cell": (change(1, source=MEAN), r"cell 2 \(`setup`\).*is not a solution cell"),
    "tests elsewhere": (change(1, source=HIDDEN), "is not a grade cell"),
    "scheme elsewhere": (change(4, source=SCHEME), "is not a task cell"),
    "no grade_id": (change(2, grade_id=""), "cell 3: it is a solution cell without a grade_id"),
    "same grade_id": (change(3, grade_id="setup"), "cell 2 has the same grade_id, 'setup'"),
    "old schema": (change(2, schema_version=2), "schema version 2, not 3"),
    "no schema": ([cell("free", "x") | {"metadata": {"nbgrader": {"grade": True}}}], "schema version 0"),
    "not a table": ([cell("free", "x") | {"metadata": {"nbgrader": "yes"}}], "metadata is not a table"),
    "bad id": (change(2, grade_id="a b"), "not valid: 'a b' does not match"),
    "own key": (change(2, hint="x"), "'hint' was unexpected"),
    "negative points": (change(3, points=-1), "-1 is less than the minimum"),
    "markdown tests": (change(4, solution=False), "Markdown grade cell 'why' is not marked as a solution"),
    "autotest": (change(3, source="### AUTOTEST mean([1])"), "AUTOTEST needs a running kernel"),
    "cut statement": (
        change(2, source="def mean(x):\n### BEGIN SOLUTION\n    return 1\n### END SOLUTION"),
        "without its solution the cell is not valid Python",
    ),
}


@pytest.mark.parametrize(("cells", "match"), BROKEN.values(), ids=BROKEN)
def test_a_broken_source_is_refused(course, cells, match):
    """Each fault of a source notebook is named, with its cell; nothing is written."""
    write(course, cells)

    error = refused(course, match)

    assert str(error).startswith("source/a/a.ipynb, cell ")


FILES = {
    "not JSON": (b'{\n"cells": [,', "not valid JSON at line 2"),
    "not text": (b'{"\x80": 1}', "not text in UTF-8"),
    "a list": (b"[]", "not a notebook of format 4"),
    "format 3": (b'{"nbformat": 3, "worksheets": []}', "nbformat is 3"),
    "no cells": (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "not a valid notebook"),
    "odd cell": (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [7]}', "not a valid notebook"),
}


@pytest.mark.parametrize(("data", "match"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_notebook_is_refused(course, data, match):
    """A file that is not a notebook of format 4 is refused with its name."""
    (course.source / "a" / "a.ipynb").write_bytes(data)

    refused(course, match)


def test_an_unreadable_file_is_refused(course):
    """A folder where the notebook should be is an instructor's error, not a traceback."""
    (course.source / "a" / "b.ipynb").mkdir()

    refused(course, "cannot be read")


def test_a_link_out_of_the_assignment_is_refused(course):
    """A link to a file elsewhere (hidden checks, perhaps) is not followed into the release."""
    (course.root / "secret.txt").write_text("x")
    (course.source / "a" / "data.txt").symlink_to(course.root / "secret.txt")

    refused(course, "link to .*secret.txt, outside of the assignment")


CONFIGS = {
    "raises": ("1 / 0", "raised ZeroDivisionError"),
    "bad value": ("c = get_config()\nc.LockCells.lock_all_cells = 'perhaps'", "lock_all_cells"),
    "no header": ("c = get_config()\nc.IncludeHeaderFooter.header = 'nowhere.ipynb'", "header names .*nowhere.ipynb"),
}


@pytest.mark.parametrize(("text", "match"), CONFIGS.values(), ids=CONFIGS)
def test_a_broken_configuration_is_refused(course, text, match):
    """A fault of nbgrader_config.py is reported as one of that file."""
    (course.root / "nbgrader_config.py").write_text(text)

    assert refused(course, match).where == "nbgrader_config.py"


def test_what_an_nbgrader_step_refuses_is_reported(course):
    """An error inside one of nbgrader's steps names the step."""
    write(course, sound(), kernelspec={"display_name": "x", "name": "x", "language": "cobol"})

    refused(course, "nbgrader's ClearSolutions refuses it: language 'cobol'")


def test_an_unknown_assignment_is_refused(course):
    """Asking for an assignment that is not there lists those that are."""
    with pytest.raises(InputError, match=r"no assignment named 'b'(.|\n)*choose one of: a"):
        build.release(course, "b")


# What would leak


def with_cell(source, **options):
    return [*sound(), cell("locked", source, "extra", **options)]


COPY = "def reference(x):\n    total = np.sum(np.asarray(x))\n    return total / np.size(x)"
TEXT = base64.b64encode(b"total = np.sum( np.asarray(x) )").decode()
LEAKS = {
    "copied": (with_cell(COPY), r"`extra`\): it repeats 2 of 2 lines hidden in cell 3 \(`mean-answer`\)"),
    "model answer": (
        with_cell("The model answer, in one sentence.", cell_type="markdown"),
        r"repeats 1 of 1 lines hidden in cell 5 \(`why`\)",
    ),
    "hidden test": (with_cell("assert mean([5, 9]) == 7"), r"repeats 1 of 1 lines .* cell 4 \(`mean`\)"),
    "lower case": (with_cell("### begin solution\nx = 1"), "`### begin solution` would be in the release"),
    "otter": (with_cell("x = 1  # SOLUTION"), "`# SOLUTION` would be in the release"),
    "staff import": (with_cell("from autograder.compare import assert_close"), "mentions the staff side"),
    "staff path": (with_cell("see autograder/checks/a", cell_type="markdown"), "mentions the staff side"),
    "mutants": (with_cell("MUTANTS = []"), "mentions the staff side"),
    "cell metadata": (
        [*sound(), cell("free", "x") | {"metadata": {"old": {"source": "total = np.sum(np.asarray(x))\\n"}}}],
        r"cell 8, metadata: a line hidden in cell 3 \(`mean-answer`\) would be in the release",
    ),
    "attachment text": (
        [
            *sound(),
            cell("free", "![](attachment:a.txt)", cell_type="markdown")
            | {"attachments": {"a.txt": {"text/plain": TEXT}}},
        ],
        "cell 8, attachment a.txt: a line hidden in",
    ),
    "orphan attachment": (
        [
            *sound(),
            cell("manual", "![](attachment:proof.png)", "drawn", 1, cell_type="markdown")
            | {"attachments": {"proof.png": {"image/png": "iVBORw0K"}}},
        ],
        r"`drawn`\): the attachment proof.png stays in the file",
    ),
}


@pytest.mark.parametrize(("cells", "match"), LEAKS.values(), ids=LEAKS)
def test_a_leak_is_refused(course, cells, match):
    """Whatever carries a solution out of the source is named, with its cell; nothing is written."""
    write(course, cells)

    refused(course, match)


def test_a_leak_in_notebook_metadata_is_refused(course):
    """The metadata of the notebook itself is searched too."""
    write(course, sound(), backup="return total / np.size(x)")

    refused(course, "notebook metadata: a line hidden in")


def test_a_leak_in_another_file_is_refused(course):
    """A Python file beside the notebook must not hold the solution either."""
    (course.source / "a" / "images" / "helper.py").write_text(COPY)

    refused(course, r"source/a/images/helper.py: it repeats 2 of 2 lines")


def test_a_repetition_that_is_meant_can_be_tagged(course):
    """The tag `shown` lets a later cell repeat an earlier solution."""
    write(course, with_cell(COPY, tags=["shown"]))

    assert released(course).cells[-1].source == COPY


def test_lines_that_say_little_may_repeat(course):
    """One shared line of a longer solution, or a short one, is not a leak."""
    write(course, with_cell("total = np.sum(np.asarray(x))\nprint(total)"))

    assert released(course)


def test_prose_about_solutions_is_no_marker(course):
    """Ordinary words are not mistaken for markers."""
    write(course, with_cell("## Solution\nIn the end solutions differ.\nWe begin solution 2.", cell_type="markdown"))

    assert released(course)


def test_a_disabled_step_cannot_leak(course):
    """If the configuration switches a step off, the release is refused instead of leaking."""
    for step, match in (("ClearSolutions", "BEGIN SOLUTION` would be"), ("ClearHiddenTests", "BEGIN HIDDEN TESTS`")):
        (course.root / "nbgrader_config.py").write_text(f"c = get_config()\nc.{step}.enabled = False\n")
        refused(course, match)


def leaky(edit):
    """Check a release that a broken step could have made: the sound one after ``edit``."""
    source = nbformat.from_dict(json.loads(notebook_text(sound())))
    recipe = transforms.Recipe("/nowhere")
    result = recipe.release(source, "a")
    edit(result.cells)
    leaks.check(source, result, "a", recipe.regions)


BROKEN_STEPS = {
    "a line survives": (lambda c: c[2].update(source="total  = np.sum(np.asarray(x))"), r"`total=np.sum"),
    "an output survives": (lambda c: c[1].update(execution_count=1), "outputs would be in the release"),
    "a cell is lost": (lambda c: c.pop(0), "cell 1 does not have the kind"),
    "the last cell is lost": (lambda c: c.pop(), "cell 7 does not have the kind"),
    "points change": (lambda c: c[3].metadata.nbgrader.update(points=9), "cell 4 does not have the kind"),
}


@pytest.mark.parametrize(("edit", "match"), BROKEN_STEPS.values(), ids=BROKEN_STEPS)
def test_the_leak_check_trusts_no_step(edit, match):
    """The check reads the result itself, so a step that fails silently is caught."""
    with pytest.raises(InputError, match=match):
        leaky(edit)


WORDS = st.lists(st.sampled_from("alpha beta gamma delta epsilon zeta".split()), min_size=3, max_size=6).map("_".join)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), WORDS), min_size=1, max_size=12))
def test_no_hidden_line_survives(lines):
    """Whatever stands between markers is gone, whatever stands outside stays, in the order it had."""
    source, shown = [], []
    for number, (hidden, word) in enumerate(lines):
        line = f"{word}_{number} = {number}"
        source += ["### BEGIN SOLUTION", line, "### END SOLUTION"] if hidden else [line]
        shown += [] if hidden else [line]
    source = "\n".join(["### BEGIN SOLUTION", "### END SOLUTION", *source])
    nb = nbformat.from_dict(json.loads(notebook_text([cell("answer", source, "q")])))
    recipe = transforms.Recipe("/nowhere")

    result = recipe.release(nb, "a")

    kept = [line for line in result.cells[0].source.split("\n") if " = " in line]
    assert kept == shown
    leaks.check(nb, result, "a", recipe.regions)


# Solutions


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
