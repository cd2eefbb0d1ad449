"""Releases that would show what the source hides are refused, whichever way it would get out."""

import base64
import json

import nbformat
import pytest
from conftest import cell, notebook_text
from hypothesis import given, settings
from hypothesis import strategies as st
from sources import refused, released, sound, sound_course, write

from autograder import leaks, transforms
from autograder.errors import InputError


@pytest.fixture
def course(tmp_path):
    """A course with the sound notebook and a picture beside it."""
    return sound_course(tmp_path)


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
