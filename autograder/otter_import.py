"""Imports an assignment written for otter-grader's ``otter assign`` into this course.

Every question becomes an answer cell and, for each of its test cases, a grade cell with that case's points; hidden
cases become hidden tests. These run beside the student's code, as otter's do: write hidden checks for what matters
(``docs/write-an-assignment.md``). What has no counterpart here is returned as a list of sentences, never dropped.

Format: otter-grader's documentation, "Creating and Grading Assignments: Python Notebook Format".
"""

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .errors import InputError
from .results import write_atomically

CARRIED_QUESTION = {"name", "points", "manual"}
CARRIED_ASSIGNMENT = {"name", "tests", "init_cell"}
CARRIED_TEST = {"points", "hidden"}
MARKER = re.compile(r"#\s*(BEGIN|END)\s+(QUESTION|PROMPT|SOLUTION|TESTS)\b(.*)", re.IGNORECASE)
CONFIG = re.compile(r"#\s*ASSIGNMENT\s+CONFIG\b", re.IGNORECASE)
TEST_CONFIG = re.compile(
    r'\s*(?:\w+\s*=\s*)?""?"?\s*#\s*BEGIN\s+TEST\s+CONFIG(.*?)(?:""?"?\s*)?#\s*END\s+TEST\s+CONFIG\s*(?:""")?\s*\n?(.*)',
    re.DOTALL | re.IGNORECASE,
)
BLOCK = re.compile(r"(\s*)# BEGIN SOLUTION( NO PROMPT)?\s*")
ASSIGNED = re.compile(r"(\s*\w[\w., ]*=)(?!=).*# SOLUTION\s*")
LINE = re.compile(r"(\s*)(.*?)\s*# SOLUTION( NO PROMPT)?\s*")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


@dataclass
class Question:
    """One question while it is read."""

    name: str
    points: float | dict | None
    manual: bool
    answers: list[str] = field(default_factory=list)  # ids of its answer cells
    cases: list[dict] = field(default_factory=list)


class _Reader:
    """Reads otter's cells in order and writes ours."""

    def __init__(self, where):
        self.where = where
        self.cells: list[dict] = []
        self.left_out: list[str] = []
        self.question: Any = None  # the Question that is being read
        self.inside: list[str] = []  # PROMPT, SOLUTION, TESTS
        self.title = ""

    def read(self, cell):
        text = "".join(cell.get("source", ""))
        if cell["cell_type"] == "raw":
            self._raw(text)
        elif self.inside[-1:] == ["TESTS"]:
            self._case(cell, text)
        elif self.inside[-1:] == ["PROMPT"]:
            if cell["cell_type"] == "code":
                self._left_out(f"the prompt of {self.question.name}: {_first_line(text)}")
            elif not self.question.manual:
                self._plain(cell, text)
        elif self.question is not None and (
            self.inside[-1:] == ["SOLUTION"] or "# SOLUTION" in text or BLOCK.search(text)
        ):
            self._answer(cell, text)
        else:
            self._plain(cell, text)

    def _raw(self, text):
        first, _, rest = text.strip().partition("\n")
        match = MARKER.match(first.strip())
        if CONFIG.match(first.strip()):
            self._assignment(_settings(rest, self.where))
        elif match is None:
            self._left_out(f"a raw cell: {_first_line(text)}")
        elif match[2].upper() == "QUESTION":
            self._begin(_settings(rest, self.where)) if match[1].upper() == "BEGIN" else self._end()
        elif self.question is None:
            raise InputError(
                f"{first.strip()!r} outside a question", where=self.where, remedy="run `otter assign` on it first"
            )
        elif match[1].upper() == "BEGIN":
            self.inside.append(match[2].upper())
        elif self.inside[-1:] == [match[2].upper()]:
            self.inside.pop()
        else:
            raise InputError(
                f"{first.strip()!r} without its beginning", where=self.where, remedy="mend the source notebook"
            )

    def _assignment(self, settings):
        self.title = str(settings.get("name") or "")
        for key in sorted(settings.keys() - CARRIED_ASSIGNMENT):
            self._left_out(f"assignment setting {key}: {_first_line(str(settings[key]))}")

    def _begin(self, settings):
        if not settings.get("name"):
            raise InputError(
                "a question has no name", where=self.where, remedy="give it one in its BEGIN QUESTION cell"
            )
        if self.question is not None:
            raise InputError(f"question {settings['name']} begins inside {self.question.name}", where=self.where,
                             remedy="end the first one with # END QUESTION")  # fmt: skip
        self.question = Question(str(settings["name"]), settings.get("points"), bool(settings.get("manual")))
        for key in sorted(settings.keys() - CARRIED_QUESTION):
            self._left_out(f"{self.question.name}: setting {key}: {_first_line(str(settings[key]))}")

    def _end(self):
        question, self.question, self.inside = self.question, None, []
        if question is None:
            raise InputError(
                "# END QUESTION without its beginning", where=self.where, remedy="mend the source notebook"
            )
        if not question.answers:
            self._left_out(f"{question.name}: it has no solution cell, so it is plain text now")
            return
        if question.manual:
            for cell in self.cells:
                marks = cell["metadata"].get("nbgrader", {})
                if marks.get("grade_id") == question.answers[-1]:
                    marks.update(grade=True, points=_number(question.points), grade_id=question.name)
            if question.cases:
                self._left_out(f"{question.name}: {len(question.cases)} tests of a question that a person grades")
            return
        if not question.cases:
            self._left_out(f"{question.name}: it has no tests, so it earns no points")
        for number, (case, points) in enumerate(zip(question.cases, _shares(question), strict=True), start=1):
            name = question.name if number == 1 else f"{question.name}-{number}"
            body = case["code"]
            if case["hidden"]:
                body = f"### BEGIN HIDDEN TESTS\n{body}\n### END HIDDEN TESTS"
            self.cells.append(_cell("code", body, _marks(name, grade=True, locked=True, points=points)))

    def _answer(self, cell, text):
        question = self.question
        name = f"{question.name}-answer" + (f"-{len(question.answers) + 1}" if question.answers else "")
        question.answers.append(name)
        if cell["cell_type"] == "code":
            text, dropped = translated(text)
            for line in dropped:
                self._left_out(f"{question.name}: {line}")
        if "### BEGIN SOLUTION" not in text:
            text = f"### BEGIN SOLUTION\n{text}\n### END SOLUTION"
        self.cells.append(_cell(cell["cell_type"], text, _marks(name, solution=True)))

    def _case(self, cell, text):
        if cell["cell_type"] != "code" or not text.strip():
            return
        settings, match = {}, TEST_CONFIG.match(text)
        if match:
            settings, text = _settings(match[1], self.where), match[2]
        elif text.lstrip().startswith("#") and re.search(r"\bhidden\b", text.partition("\n")[0], re.IGNORECASE):
            settings, text = {"hidden": True}, text.partition("\n")[2]
        for key in sorted(settings.keys() - CARRIED_TEST):
            self._left_out(f"{self.question.name}: {key} of a test: {_first_line(str(settings[key]))}")
        code = as_assertions(text, _outputs(cell))
        if code is None:
            self._left_out(f"{self.question.name}: a test that is not Python: {_first_line(text)}")
            return
        self.question.cases.append(
            {"code": code, "hidden": bool(settings.get("hidden")), "points": settings.get("points")}
        )

    def _plain(self, cell, text):
        self.cells.append(_cell(cell["cell_type"], text))

    def _left_out(self, sentence):
        self.left_out.append(sentence)


def translated(text):
    """Return (an answer's code with nbgrader's markers for otter's, lines that have no counterpart)."""
    lines, dropped, inside = [], [], False
    for line in text.split("\n"):
        block, bare = BLOCK.fullmatch(line), line.strip()
        if block:
            inside = True
            lines.append(f"{block[1]}### BEGIN SOLUTION")
        elif bare == "# END SOLUTION":
            inside = False
            lines.append(line.replace("# END SOLUTION", "### END SOLUTION"))
        elif not inside and bare.endswith(("# BEGIN PROMPT", "# END PROMPT", "# SEED", "# IGNORE")):
            dropped.append(bare)
        elif not inside and (solved := LINE.fullmatch(line)):
            indent, assigned = solved[1], ASSIGNED.fullmatch(line)
            lines += [f"{assigned[1]} ..."] if assigned and not solved[3] else []
            lines += [f"{indent}### BEGIN SOLUTION", f"{indent}{solved[2]}", f"{indent}### END SOLUTION"]
        else:
            lines.append(line)
    return "\n".join(lines), dropped


def as_assertions(text, wanted):
    """Return a test case as plain statements that raise where it fails, or None if it is not Python.

    Args:
        text: OK format (statements whose output is ``wanted``) or the exception format (one function that raises).
        wanted: the output kept in the source notebook, {"value": text or None, "printed": text or None}.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    if functions and len(tree.body) <= 2 and tree.body[0] is functions[0]:
        names = [a.arg for a in functions[0].args.args]
        values = ", ".join("globals()" if name == "env" else name for name in names)
        functions[0].decorator_list = []
        return f"{ast.unparse(functions[0])}\n{functions[0].name}({values})"
    if not tree.body:
        return None
    if wanted["value"] is not None and isinstance(tree.body[-1], ast.Expr):
        before = ast.unparse(ast.Module(tree.body[:-1], []))
        value = ast.unparse(tree.body[-1])
        check = f'got = {value}\nassert repr(got) == {wanted["value"]!r}, f"expected {{{wanted["value"]!r}}}, not {{got!r}}"'
        return f"{before}\n{check}".lstrip("\n")
    if wanted["printed"] is not None:
        body = "\n".join(f"    {line}" for line in ast.unparse(tree).split("\n"))
        return (
            f"import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as printed:\n{body}\n"
            f"assert printed.getvalue().strip() == {wanted['printed'].strip()!r}, printed.getvalue()"
        )
    return ast.unparse(tree)


def _outputs(cell):
    value = printed = None
    for output in cell.get("outputs", []):
        if output.get("output_type") == "stream":
            printed = (printed or "") + "".join(output.get("text", ""))
        elif "text/plain" in output.get("data", {}):
            value = "".join(output["data"]["text/plain"])
    return {"value": value, "printed": printed}


def _shares(question):
    """Return the points of each case: its own, or its part of what the question's own leave over; otter's rule."""
    given = [case["points"] for case in question.cases]
    if type(question.points) is dict:
        each = _number(question.points.get("each"))
        return [each if p is None else float(p) for p in given]
    open_cases = given.count(None)
    total = 1.0 if question.points is None and open_cases else _number(question.points)
    left = max(0.0, total - sum(float(p) for p in given if p is not None)) if open_cases else 0.0
    return [round(left / open_cases, 6) if p is None else float(p) for p in given]


def _number(value):
    return 1.0 if value is None else float(value)


def _settings(text, where):
    try:
        found = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise InputError(
            f"a setting is not YAML: {str(error).splitlines()[0]}", where=where, remedy="mend it"
        ) from None
    if type(found) is not dict:
        raise InputError(f"settings should be names and values, not {found!r}", where=where, remedy="mend them")
    return found


def _marks(name, *, grade=False, solution=False, locked=False, points=None):
    marks = {
        "grade_id": name,
        "grade": grade,
        "solution": solution,
        "locked": locked,
        "task": False,
        "schema_version": 3,
    }
    return {"nbgrader": marks if points is None else {**marks, "points": points}}


def _cell(kind, text, metadata=None):
    made = {"cell_type": kind, "metadata": metadata or {}, "source": text.strip("\n")}
    return made | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _first_line(text):
    return text.strip().split("\n")[0][:100]


def import_otter(course, name, path):
    """Write otter's source notebook at ``path`` as assignment ``name``; return (its path, what was left out)."""
    import nbformat

    target = course.source / name / f"{name}.ipynb"
    if target.exists():
        raise InputError("there is already such an assignment", where=str(target), remedy="choose another name")
    try:
        tree = nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        raise InputError(
            f"not a readable notebook ({type(error).__name__})", where=str(path), remedy="give otter's source notebook"
        ) from None
    reader = _Reader(str(path))
    for cell in tree.cells:
        reader.read(cell)
    if reader.question is not None:
        raise InputError(f"question {reader.question.name} has no end", where=str(path), remedy="add # END QUESTION")
    for number, cell in enumerate(reader.cells):
        cell["id"] = f"cell-{number}"
    made = nbformat.from_dict(
        {"cells": reader.cells, "metadata": {"kernelspec": KERNEL}, "nbformat": 4, "nbformat_minor": 5}
    )
    nbformat.validate(made)
    write_atomically(target, nbformat.writes(made) + "\n")
    settings = Path(course.checks(name)) / "assignment.toml"
    if reader.title and not settings.exists():
        write_atomically(settings, f"title = {_toml(reader.title)}\n")
    return target, reader.left_out


def _toml(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
