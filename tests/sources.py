"""A sound source notebook with one cell of each kind, and what tests of the build do with it."""

import json

import nbformat
import pytest
from conftest import cell, notebook_text

from autograder import build
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


def sound_course(root):
    """Make a course below ``root`` with the sound notebook and a picture beside it; return its Course."""
    course = Course(root)
    write(course, sound())
    (course.source / "a" / "images").mkdir()
    (course.source / "a" / "images" / "dot.png").write_bytes(b"\x89PNG\r\n\x00\xff")
    return course


def change(index, **changes):
    """Return the sound cells with one cell's source or nbgrader metadata changed."""
    cells = sound()
    if "source" in changes:
        cells[index]["source"] = changes.pop("source")
    cells[index]["metadata"].setdefault("nbgrader", {}).update(changes) if changes else None
    return cells


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
