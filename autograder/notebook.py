"""A notebook as data: cells with a role, read without ever running them.

`read` takes whatever bytes a student handed in and either returns a Notebook or raises a
SubmissionError that says what is wrong with the file. Outputs are dropped on reading: they
are the student's claim, not evidence.
"""

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from .errors import SubmissionError

MAX_FILE_BYTES = 64 * 2**20
MAX_CELLS = 5_000
MAX_SOURCE = 2**20  # characters of one cell
KINDS = ("answer", "checks", "manual", "task", "locked", "free")


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        id: nbgrader's grade_id, or "" where there is none.
        kind: answer (solution), checks (grade), manual (both), task, locked, or free (plain).
        cell_type: "code", "markdown" or "raw".
        points: points of a checks, manual or task cell, else 0.
        tags: Jupyter's cell tags.
    """

    id: str
    kind: str
    cell_type: str
    source: str
    points: float = 0.0
    tags: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Notebook:
    name: str
    cells: tuple[Cell, ...]
    language: str = "python"

    def by_id(self):
        """Return {grade_id: cell} (the last one where an id occurs twice)."""
        return {cell.id: cell for cell in self.cells if cell.id}


def read(path):
    """Return the Notebook in the file at ``path``; raise SubmissionError if there is none in it."""
    path = Path(path)
    return parse(file_bytes(path), path.name)


def file_bytes(path):
    """Read a regular file, not a link, not a pipe, and not more than MAX_FILE_BYTES of it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        problem = f"the file cannot be opened ({os.strerror(error.errno or 0)})"
        raise SubmissionError(problem, where=path.name, remedy="hand in a plain notebook file, not a link") from None
    with os.fdopen(descriptor, "rb") as file:
        info = os.fstat(file.fileno())
        if not stat.S_ISREG(info.st_mode):
            raise SubmissionError("this is not a regular file", where=path.name, remedy="hand in a notebook file")
        if info.st_size > MAX_FILE_BYTES:
            raise SubmissionError(
                f"the file has {info.st_size / 2**20:.0f} MB; at most {MAX_FILE_BYTES // 2**20} MB are read",
                where=path.name,
                remedy="clear all outputs in Jupyter (Edit menu), save, and hand in again",
            )
        return file.read(MAX_FILE_BYTES + 1)


def parse(data, name):
    """Return the Notebook in ``data`` (bytes); ``name`` is the file's name, for messages."""
    remedy = "open it in Jupyter, save it as a notebook (.ipynb), and hand in again"

    def refuse(problem):
        return SubmissionError(problem, where=name, remedy=remedy)

    if not data.strip():
        raise refuse("the file is empty")
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        tree = json.loads(text)
    except UnicodeDecodeError:
        raise refuse("the file is not text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise refuse(f"this is not a notebook: not valid JSON at line {error.lineno}") from None
    except (RecursionError, ValueError):
        raise refuse("this is not a notebook: its JSON cannot be read") from None
    if not isinstance(tree, dict):
        raise refuse("this is JSON, but not a notebook")
    cells = tree.get("cells")
    if cells is None and isinstance(tree.get("worksheets"), list):  # notebook format 3 and older
        cells = [c for sheet in tree["worksheets"] if isinstance(sheet, dict) for c in _list(sheet.get("cells"))]
    if not isinstance(cells, list):
        raise refuse("the notebook has no list of cells")
    if len(cells) > MAX_CELLS:
        raise refuse(f"the notebook has {len(cells)} cells; at most {MAX_CELLS} are read")
    metadata = _dict(tree.get("metadata"))
    return Notebook(Path(name).stem, tuple(_cell(c) for c in cells if isinstance(c, dict)), _language(metadata))


def _cell(raw):
    source = raw.get("source", raw.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    if not isinstance(source, str):
        source = ""
    source = source[:MAX_SOURCE].encode("utf-8", "replace").decode("utf-8")
    cell_type = raw.get("cell_type")
    cell_type = cell_type if cell_type in ("code", "markdown", "raw") else "raw"
    metadata = _dict(raw.get("metadata"))
    tags = frozenset(t for t in _list(metadata.get("tags")) if isinstance(t, str))
    marks = _dict(metadata.get("nbgrader"))
    grade_id = marks.get("grade_id")
    kind = _kind(marks)
    if not isinstance(grade_id, str) or kind == "free":
        grade_id = ""
    points = marks.get("points", 0)
    points = float(points) if isinstance(points, int | float) and not isinstance(points, bool) else 0.0
    return Cell(grade_id[:200], kind, cell_type, source, points, tags)


def _kind(marks):
    grade, solution = marks.get("grade") is True, marks.get("solution") is True
    if marks.get("task") is True:
        return "task"
    if grade and solution:
        return "manual"
    if grade:
        return "checks"
    if solution:
        return "answer"
    return "locked" if marks.get("locked") is True else "free"


def _language(metadata):
    for key in ("kernelspec", "language_info"):
        info = metadata.get(key)
        if isinstance(info, dict):
            name = info.get("language") or (info.get("name") if key == "language_info" else None)
            if isinstance(name, str):
                return name.lower()
    return "python"


def _list(value):
    return value if isinstance(value, list) else []


def _dict(value):
    return value if isinstance(value, dict) else {}
