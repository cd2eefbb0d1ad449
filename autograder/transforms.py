"""Notebook to notebook: what a release and a solution are made of.

The steps are nbgrader's own preprocessors, with the settings of the course's ``nbgrader_config.py``. What is ours is
the reading before them: a source notebook that a step would choke on, or quietly mishandle, is refused here, with
the cell and the remedy. Nothing is executed.
"""

import copy
import json
import re
from pathlib import Path

import nbformat
from jsonschema import ValidationError
from nbgrader import preprocessors as steps
from nbgrader import utils
from nbgrader.nbgraderformat import MetadataValidator
from traitlets import TraitError
from traitlets.config import Config, PyFileConfigLoader

from .errors import InputError

CONFIG = "nbgrader_config.py"
# generate_assignment's own order, without the kernel (InstantiateTests) and the database (SaveCells).
RELEASE = (
    steps.LockCells,
    steps.ClearSolutions,
    steps.ClearOutput,
    steps.CheckCellMetadata,
    steps.ComputeChecksums,
    steps.ClearHiddenTests,
    steps.ClearMarkScheme,
    steps.ComputeChecksums,
    steps.CheckCellMetadata,
)
PASSING_METADATA = ("execution", "ExecuteTime", "collapsed", "scrolled", "jupyter_execution")
IN_REGION = {  # kind of region: (test of the cell it may stand in, what to call that cell)
    "solution": (utils.is_solution, "a solution cell"),
    "hidden tests": (utils.is_grade, "a grade cell"),
    "mark scheme": (utils.is_task, "a task cell"),
}


class Recipe:
    """nbgrader's steps with one course's settings.

    Attributes:
        config: the traitlets Config of ``nbgrader_config.py``; empty if the course has none.
        regions: {kind: (begin marker, end marker)} for "solution", "hidden tests" and "mark scheme".
    """

    def __init__(self, root):
        self.root = Path(root)
        self.config = _read_config(self.root / CONFIG)
        self.ends = self._step(steps.IncludeHeaderFooter)
        self.clear = self._step(steps.ClearOutput)
        self.release_steps = [self._step(kind) for kind in RELEASE]
        answers, tests, schemes = (
            next(s for s in self.release_steps if isinstance(s, kind))
            for kind in (steps.ClearSolutions, steps.ClearHiddenTests, steps.ClearMarkScheme)
        )
        self.regions = {
            "solution": (answers.begin_solution_delimeter, answers.end_solution_delimeter),
            "hidden tests": (tests.begin_test_delimeter, tests.end_test_delimeter),
            "mark scheme": (schemes.begin_mark_scheme_delimeter, schemes.end_mark_scheme_delimeter),
        }
        relaxed = {"solution": answers, "hidden tests": tests, "mark scheme": schemes}
        self.enforced = {kind for kind, step in relaxed.items() if step.enforce_metadata}

    def assemble(self, path):
        """Return the notebook at ``path`` with the course's header and footer, checked; raise InputError."""
        where = self.name_of(path)
        nb = read(path, where)
        for end in ("header", "footer"):
            file = getattr(self.ends, end)
            if file and not Path(file).is_file():
                problem = f"IncludeHeaderFooter.{end} names {file}, which does not exist"
                raise InputError(problem, where=CONFIG, remedy="write the path relative to the course folder")
        nb = self._apply(self.ends, nb, where)
        _give_ids(nb)
        check_source(nb, where, self.regions, self.enforced)
        return nb

    def release(self, nb, where):
        """Return what a student gets of an assembled notebook; ``nb`` is not modified."""
        nb = _clean(copy.deepcopy(nb))
        for step in self.release_steps:
            nb = self._apply(step, nb, where)
        return nb

    def solution(self, nb, where):
        """Return an assembled notebook as staff read it: solved, without solution markers; ``nb`` is not modified."""
        nb = self._apply(self.clear, _clean(copy.deepcopy(nb)), where)
        markers = self.regions["solution"]
        for cell in nb.cells:
            lines = cell.source.split("\n")
            cell.source = "\n".join(line for line in lines if not any(marker in line for marker in markers))
        return nb

    def name_of(self, path):
        """Return ``path`` as messages show it: relative to the course."""
        path = Path(path)
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def _step(self, kind):
        try:
            step = kind(config=self.config)
        except TraitError as error:
            raise InputError(str(error), where=CONFIG, remedy=f"mend the setting of {kind.__name__}") from None
        if kind is steps.IncludeHeaderFooter:  # nbgrader changes folder instead, which threads can't share
            step.header = str(self.root / step.header) if step.header else ""
            step.footer = str(self.root / step.footer) if step.footer else ""
        return step

    def _apply(self, step, nb, where):
        try:
            return step(nb, {})[0]
        except Exception as error:
            problem = f"nbgrader's {type(step).__name__} refuses it: {_first_line(error)}"
            raise InputError(problem, where=where, remedy="mend the notebook, or that step's settings") from error


def marks_of(cell):
    """Return a cell's nbgrader metadata, {} if it has none."""
    marks = cell["metadata"].get("nbgrader")
    return marks if isinstance(marks, dict) else {}


def label(index, cell):
    """Return a cell's name in messages, e.g. "cell 7 (`adam_step`)"; ``index`` counts from 0."""
    grade_id = marks_of(cell).get("grade_id")
    return f"cell {index + 1} (`{grade_id}`)" if grade_id else f"cell {index + 1}"


def read(path, where):
    """Return the NotebookNode in the file at ``path``, in format 4, each cell with an id; raise InputError."""
    remedy = "open it in Jupyter, mend it and save it as a notebook"
    try:
        raw = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"it cannot be read ({error.strerror})", where=where, remedy="check the file") from None
    except UnicodeDecodeError:
        raise InputError("it is not text in UTF-8", where=where, remedy=remedy) from None
    except json.JSONDecodeError as error:
        problem = f"it is not a notebook: not valid JSON at line {error.lineno}"
        raise InputError(problem, where=where, remedy=remedy) from None
    version = raw.get("nbformat") if isinstance(raw, dict) else None
    if version != 4:
        problem = f"it is not a notebook of format 4 (nbformat is {version!r})"
        raise InputError(problem, where=where, remedy="convert it with `jupyter nbconvert --to notebook --inplace`")
    try:
        nb = nbformat.from_dict(raw)
        _give_ids(nb)
        nbformat.validate(nb)
        return nbformat.reads(json.dumps(nb), as_version=4)
    except (ValidationError, AttributeError, KeyError, TypeError) as error:
        raise InputError(f"it is not a valid notebook: {_first_line(error)}", where=where, remedy=remedy) from None


def write(nb):
    """Return the bytes of a notebook file. The same notebook always gives the same bytes."""
    return nbformat.writes(nb, version=4).rstrip("\n").encode() + b"\n"


def check_source(nb, where, regions, enforced=frozenset(IN_REGION)):
    """Raise InputError for a source notebook that cannot become a release.

    Args:
        nb: the notebook, header and footer included.
        where: its name in messages.
        regions: {kind: (begin marker, end marker)}.
        enforced: kinds of region that must stand in a cell of their kind.
    """
    seen = {}
    for index, cell in enumerate(nb.cells):
        here = f"{where}, {label(index, cell)}"
        check_metadata(cell, here)
        _check_regions(cell, here, regions, enforced)
        if utils.is_grade(cell) and re.search(r"^\s*#+\s*(HASHED )?AUTOTEST\b", cell.source, re.MULTILINE):
            problem = "AUTOTEST needs a running kernel; `gradus release` runs no code"
            remedy = "write the tests out with `nbgrader generate_assignment --source_with_tests`"
            raise InputError(problem, where=here, remedy=remedy)
        grade_id = marks_of(cell).get("grade_id")
        if grade_id in seen and grade_id:
            problem = f"cell {seen[grade_id] + 1} has the same grade_id, {grade_id!r}"
            raise InputError(problem, where=here, remedy="give each cell a grade_id of its own")
        seen[grade_id] = index


def check_metadata(cell, here):
    """Raise InputError unless the cell has no nbgrader metadata, or valid metadata of schema version 3."""
    marks = cell.metadata.get("nbgrader")
    if marks is None:
        return
    if not isinstance(marks, dict):
        raise InputError("its nbgrader metadata is not a table", where=here, remedy="remove the key or fill it in")
    version = marks.get("schema_version", 0)
    if version != MetadataValidator.schema_version:
        problem = f"its nbgrader metadata has schema version {version!r}, not {MetadataValidator.schema_version}"
        raise InputError(problem, where=here, remedy="run `nbgrader update` on the notebook")
    kinds = [kind for kind in ("solution", "grade", "task", "locked") if marks.get(kind) is True]
    if kinds and not marks.get("grade_id"):
        problem = f"it is a {kinds[0]} cell without a grade_id"
        raise InputError(problem, where=here, remedy="give it an ID in Jupyter's nbgrader panel (Create Assignment)")
    try:
        MetadataValidator().validate_cell(cell)
    except ValidationError as error:
        problem = f"its nbgrader metadata is not valid: {_first_line(error)}"
        raise InputError(problem, where=here, remedy="set the cell's kind, ID and points again in Jupyter") from None


def inside(source, begin, end):
    """Return the regions of a cell, each a list of its lines; raise ValueError if the markers do not pair up."""
    found: list[list[str]] = []
    region: list[str] | None = None
    for number, line in enumerate(source.split("\n"), 1):
        if begin in line:
            if region is not None:
                raise ValueError(f"line {number} has a second `{begin}` before `{end}`")
            region = []
        elif end in line:
            if region is None:
                raise ValueError(f"line {number} has `{end}` without `{begin}`")
            found.append(region)
            region = None
        elif region is not None:
            region.append(line)
    if region is not None:
        raise ValueError(f"`{begin}` has no `{end}` after it")
    return found


def _check_regions(cell, here, regions, enforced):
    for kind, (begin, end) in regions.items():
        try:
            found = inside(cell.source, begin, end)
        except ValueError as error:
            raise InputError(str(error), where=here, remedy="let each region begin and end once") from None
        may_hold, name = IN_REGION[kind]
        if found and kind in enforced and not may_hold(cell):
            remedy = f"make it {name} in Jupyter's nbgrader panel, or take the markers out"
            raise InputError(f"it has a `{begin}` region but is not {name}", where=here, remedy=remedy)


def _give_ids(nb):
    """Give each cell an id that is the same next time: its own, else its grade_id, else its position."""
    if nb.get("nbformat_minor", 0) < 5:
        for cell in nb.cells:
            cell.pop("id", None)
        return
    taken = set()
    for index, cell in enumerate(nb.cells):
        name = cell.get("id") or marks_of(cell).get("grade_id") or f"cell-{index + 1}"
        name = re.sub(r"[^a-zA-Z0-9_-]", "-", str(name))[:56]
        unique, copies = name, 1
        while unique in taken:
            copies += 1
            unique = f"{name}-{copies}"
        taken.add(unique)
        cell["id"] = unique


def _clean(nb):
    """Take out what Jupyter notes in passing: execution times, fold states, the state of widgets."""
    nb.metadata.pop("widgets", None)
    for cell in nb.cells:
        for key in PASSING_METADATA:
            cell.metadata.pop(key, None)
    return nb


def _read_config(path):
    if not path.is_file():
        return Config()
    try:
        return PyFileConfigLoader(path.name, path=str(path.parent)).load_config()
    except Exception as error:  # the file is the instructor's Python
        problem = f"it raised {type(error).__name__}: {_first_line(error)}"
        raise InputError(problem, where=path.name, remedy="mend the line, or move the file away") from None


def _first_line(error):
    text = getattr(error, "message", "") or str(error) or type(error).__name__
    return text.strip().splitlines()[0][:300]
