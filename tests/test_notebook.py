"""Reading notebooks: thousands of damaged ones, and each ends in a Notebook or a sentence."""

import copy
import json
import random

import pytest
from conftest import ROOT, cell, notebook_text

from autograder import notebook
from autograder.errors import SubmissionError
from autograder.grading.plan import make_plan

SOURCES = sorted((ROOT / "source").glob("*/*.ipynb"))
ODD = [None, True, -1, 1e308, "", "x", "\u202e", [], [[]], {}, {"a": {}}, "x" * 10_000, ["a", 1], 10**30]


def damage_bytes(data, chance):
    """Flip, cut, repeat or insert bytes."""
    data = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        at, kind = chance.randrange(len(data)), chance.randrange(4)
        if kind == 0:
            data[at] = chance.randrange(256)
        elif kind == 1:
            del data[at : at + chance.randrange(1, 200)]
        elif kind == 2:
            data[at:at] = data[at : at + chance.randrange(1, 200)]
        else:
            data[at:at] = bytes(chance.randrange(256) for _ in range(4))
        if not data:
            return b""
    return bytes(data)


def damage_tree(tree, chance):
    """Put odd values at random places of the JSON tree."""
    for _ in range(chance.randrange(1, 8)):
        node = tree
        while isinstance(node, dict | list) and node:
            key = chance.choice(list(node)) if isinstance(node, dict) else chance.randrange(len(node))
            if chance.random() < 0.25 or not isinstance(node[key], dict | list):
                if chance.random() < 0.3 and isinstance(node, list):
                    del node[key]
                else:
                    node[key] = copy.deepcopy(chance.choice(ODD))
                break
            node = node[key]
    return tree


def survives(data, original):
    """Read and plan; anything but a SubmissionError is a fault of ours."""
    try:
        found = notebook.parse(data, "damaged.ipynb")
        make_plan(original, original, found, set())
    except SubmissionError as error:
        assert error.problem
        assert error.remedy


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_damaged_notebooks_end_in_a_plan_or_a_sentence(path):
    """A thousand damaged copies of each real notebook, by bytes and by structure."""
    data, chance = path.read_bytes(), random.Random(path.stem)
    original = notebook.parse(data, path.name)
    for _ in range(500):
        survives(damage_bytes(data, chance), original)
        survives(json.dumps(damage_tree(json.loads(data), chance)).encode(), original)


def test_kinds_follow_nbgraders_schema():
    """The four flags decide the kind; points and tags are read."""
    cells = [
        cell("answer", "a = 1", "a"),
        cell("checks", "assert a", "b", 2.5),
        cell("manual", "text", "c", 1, cell_type="markdown"),
        cell("task", "do", "d", 4, cell_type="markdown"),
        cell("locked", "import os", "e", tags=["experiment"]),
        cell("free", "print()"),
    ]
    found = notebook.parse(notebook_text(cells).encode(), "a.ipynb")
    assert [c.kind for c in found.cells] == ["answer", "checks", "manual", "task", "locked", "free"]
    assert [c.points for c in found.cells] == [0, 2.5, 1, 4, 0, 0]
    assert found.cells[4].tags == {"experiment"}
    assert found.cells[5].id == ""


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "the file is empty"),
        (b"  \n", "the file is empty"),
        (b"{", "not valid JSON at line 1"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"[]", "not a notebook"),
        (b"{}", "no list of cells"),
        (b'{"cells": 3}', "no list of cells"),
        (b'{"cells": [' + b"{}," * 6000 + b"{}]}", "has 6001 cells"),
        (b"[" * 200_000, "cannot be read"),
    ],
)
def test_what_is_not_a_notebook_is_said(data, sentence):
    """Each kind of broken file has its own sentence and the remedy."""
    with pytest.raises(SubmissionError, match=sentence) as caught:
        notebook.parse(data, "a.ipynb")
    assert caught.value.remedy


def test_text_outside_unicode_is_replaced():
    """A lone surrogate in a cell cannot break an encoder later."""
    found = notebook.parse(b'{"cells": [{"cell_type": "code", "source": "x = \'\\ud800\'"}]}', "a.ipynb")
    assert found.cells[0].source.encode()
