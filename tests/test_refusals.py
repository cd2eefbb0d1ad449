"""Sources that are not built: each fault is named with its place, and nothing is written."""

import pytest
from conftest import cell
from sources import HIDDEN, MEAN, SCHEME, change, refused, sound, sound_course, write

from autograder import build
from autograder.errors import InputError


@pytest.fixture
def course(tmp_path):
    """A course with the sound notebook and a picture beside it."""
    return sound_course(tmp_path)


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
