"""An assignment written for otter, brought in, released and graded."""

import json

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell, writes

from autograder.otter_import import as_assertions, translated

CONFIG = "# ASSIGNMENT CONFIG\nname: Old homework\ngenerate: true\nfiles:\n  - data.csv\n"
SUM = "def add(a, b):\n    # BEGIN SOLUTION\n    return a + b\n    # END SOLUTION"
SCALED = "factor = 3 # SOLUTION\ndef scaled(x):\n    y = factor * x # SOLUTION\n    return y # SOLUTION NO PROMPT"


def value(text):
    return [new_output("execute_result", data={"text/plain": text}, execution_count=1)]


@pytest.fixture
def notebook(tmp_path):
    """Two graded questions (OK format with hidden cases; exception format), and a written one."""
    cells = [
        new_raw_cell(CONFIG),
        new_markdown_cell("# Old homework"),
        new_code_cell("import math"),
        new_raw_cell("# BEGIN QUESTION\nname: q1\npoints: 4"),
        new_markdown_cell("Add two numbers."),
        new_raw_cell("# BEGIN SOLUTION"),
        new_code_cell(SUM),
        new_raw_cell("# END SOLUTION"),
        new_raw_cell("# BEGIN TESTS"),
        new_code_cell("add(1, 2)", outputs=value("3")),
        new_code_cell("# HIDDEN\nadd(-1, 1)", outputs=value("0")),
        new_code_cell('""" # BEGIN TEST CONFIG\npoints: 2\nhidden: true\nfailure_message: Look again\n""" # END TEST CONFIG\n'
                      "for i in range(2):\n    print(add(i, i))",
                      outputs=[new_output("stream", text="0\n2\n")]),
        new_raw_cell("# END TESTS"),
        new_raw_cell("# END QUESTION"),
        new_raw_cell("# BEGIN QUESTION\nname: q2\npoints: 1\nall_or_nothing: true"),
        new_raw_cell("# BEGIN SOLUTION"),
        new_code_cell(SCALED),
        new_raw_cell("# END SOLUTION"),
        new_raw_cell("# BEGIN TESTS"),
        new_code_cell("def test_scaled(scaled, env):\n    assert scaled(2) == 6\n    assert env['factor'] == 3"),
        new_raw_cell("# END TESTS"),
        new_raw_cell("# END QUESTION"),
        new_raw_cell("# BEGIN QUESTION\nname: why\nmanual: true\npoints: 2"),
        new_raw_cell("# BEGIN SOLUTION"),
        new_markdown_cell("Because."),
        new_raw_cell("# END SOLUTION"),
        new_raw_cell("# END QUESTION"),
    ]  # fmt: skip
    path = tmp_path / "hw.ipynb"
    path.write_text(writes(new_notebook(cells=cells)))
    return path


def by_name(path):
    cells = json.loads(path.read_text())["cells"]
    return {c["metadata"]["nbgrader"]["grade_id"]: c for c in cells if "nbgrader" in c["metadata"]}


def test_it_is_brought_in_and_graded(notebook, tmp_path, gradus):
    """Points, hidden flags and written questions as they were; the solution gets all, the stub nothing."""
    course = tmp_path / "course"
    (course / "source").mkdir(parents=True)
    done = gradus("import-otter", "hw", notebook, "--course", course, cwd=tmp_path)
    for words in ("setting generate", "files:", "all_or_nothing", "failure_message"):
        assert words in done.stdout
    source = by_name(course / "source" / "hw" / "hw.ipynb")
    points = {name: c["metadata"]["nbgrader"].get("points") for name, c in source.items()}
    assert points == {"q1-answer": None, "q1": 1, "q1-2": 1, "q1-3": 2, "q2-answer": None, "q2": 1, "why": 2}
    gradus("release", "hw", cwd=course)
    release = by_name(course / "release" / "hw" / "hw.ipynb")
    assert "return a + b" not in json.dumps(release)
    assert "add(-1, 1)" not in json.dumps(release)
    assert "factor = ..." in "".join(release["q2-answer"]["source"])
    for student, folder in (("right", "source"), ("stub", "release")):
        target = course / "submitted" / student / "hw"
        target.mkdir(parents=True)
        (target / "hw.ipynb").write_bytes((course / folder / "hw" / "hw.ipynb").read_bytes())
    gradus("grade", "hw", "--quiet", cwd=course)
    scores = {
        s: json.loads((course / "graded" / "hw" / s / "result.json").read_text())["score"] for s in ("right", "stub")
    }
    assert scores == {"right": 5.0, "stub": 0.0}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x = 5 # SOLUTION", "x = ...\n### BEGIN SOLUTION\nx = 5\n### END SOLUTION"),
        ("    return x # SOLUTION", "    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"),
        ("y = 1 # SOLUTION NO PROMPT", "### BEGIN SOLUTION\ny = 1\n### END SOLUTION"),
        ("if x == 2: # SOLUTION", "### BEGIN SOLUTION\nif x == 2:\n### END SOLUTION"),
        ("# BEGIN SOLUTION NO PROMPT\nz = 1\n# END SOLUTION", "### BEGIN SOLUTION\nz = 1\n### END SOLUTION"),
        ("kept = 1", "kept = 1"),
    ],
)
def test_every_form_of_solution(text, wanted):
    """Otter's markers for lines and blocks become nbgrader's."""
    assert translated(text) == (wanted, [])


@pytest.mark.parametrize(
    ("text", "value", "printed", "right", "wrong"),
    [
        ("x + 1", "3", None, {"x": 2}, {"x": 3}),
        ("y = x * 2\ny", "4", None, {"x": 2}, {"x": 3}),
        ("print(x)", None, "2\n", {"x": 2}, {"x": 3}),
        ("assert x == 2", None, None, {"x": 2}, {"x": 3}),
        ("def test_it(x):\n    assert x == 2", None, None, {"x": 2}, {"x": 3}),
        ("def test_it(env):\n    assert env['x'] == 2\ntest_it(env)", None, None, {"x": 2}, {"x": 3}),
    ],
)
def test_every_form_of_test(text, value, printed, right, wrong):
    """As plain statements, which pass for the right program and raise for the wrong one."""
    code = as_assertions(text, {"value": value, "printed": printed})
    exec(code, dict(right))
    with pytest.raises(AssertionError):
        exec(code, dict(wrong))


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["# BEGIN QUESTION\nname: q"], "has no end"),
        (["# BEGIN QUESTION\npoints: 1"], "has no name"),
        (["# BEGIN TESTS"], "outside a question"),
        (["# BEGIN QUESTION\nname: [1"], "not YAML"),
        (["# BEGIN QUESTION\nname: a", "# END TESTS"], "without its beginning"),
    ],
)
def test_a_broken_source_is_said(cells, words, tmp_path, gradus):
    """With the cell's own words, and nothing is written."""
    path = tmp_path / "hw.ipynb"
    path.write_text(writes(new_notebook(cells=[new_raw_cell(text) for text in cells])))
    done = gradus("import-otter", "hw", path, cwd=tmp_path, code=2)
    assert words in done.stderr
    assert not (tmp_path / "source").exists()
