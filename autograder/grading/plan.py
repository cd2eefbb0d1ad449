"""From a submission to the list of cells that run: the student's answers between the instructor's cells.

Points, locked cells, tags and the order of known cells are the instructor's. From the submission come the
sources of solution and manual cells and the student's own cells; whatever is odd becomes a note.
"""

from dataclasses import dataclass, field

from ..assignment import EXPERIMENT
from ..errors import SubmissionError


@dataclass(frozen=True)
class Step:
    """One cell to run. ``role`` is "setup" (locked), "answer", "own" or "grade" (an instructor's own test)."""

    id: str
    source: str
    role: str


@dataclass
class Plan:
    """What to run for one notebook, and what was found on the way.

    Attributes:
        steps: cells in order.
        answers: {solution cell id: "present", "missing" or "unchanged"}.
        notes: sentences for the student and the teacher.
    """

    steps: list[Step] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def make_plan(source, released, submitted, checked):
    """Merge a submission into the instructor's notebook.

    Args:
        source: the instructor's Notebook.
        released: the release Notebook that students got.
        submitted: the student's Notebook.
        checked: ids of grade cells that have hidden checks; the others' own code is run.
    """
    plan = Plan()
    known = source.by_id()
    stubs = released.by_id()
    _belongs(source, submitted, known)
    chosen = _choose_copies(submitted, known, stubs, plan)
    extras = _own_cells(submitted, known)
    plan.steps += extras.get("", [])
    for cell in source.cells:
        if cell.id:
            _add(cell, chosen.get(cell.id), stubs.get(cell.id), checked, plan)
            plan.steps += extras.get(cell.id, [])
    return plan


def _belongs(source, submitted, known):
    if not any(cell.id in known for cell in submitted.cells if cell.id):
        raise SubmissionError(
            "none of its cells belongs to this assignment",
            where=submitted.name,
            remedy=f"hand in the notebook {source.name}.ipynb that you were given, with your answers in its cells",
        )
    if submitted.language != "python":
        raise SubmissionError(
            f"the notebook is set to the language {submitted.language[:20]!r}",
            where=submitted.name,
            remedy="choose the Python kernel in Jupyter, save, and hand in again",
        )


def _choose_copies(submitted, known, stubs, plan):
    copies = {}
    for cell in submitted.cells:
        if cell.id in known:
            copies.setdefault(cell.id, []).append(cell)
    chosen = {}
    for name, cells in copies.items():
        stub = stubs[name].source.strip() if name in stubs else None
        changed = [c for c in cells if c.source.strip() != stub]
        chosen[name] = (changed or cells)[-1]
        if len(cells) > 1 and known[name].kind in ("answer", "manual"):
            plan.notes.append(f"cell `{name}` is there {len(cells)} times; the last copy that you changed counts")
    return chosen


def _own_cells(submitted, known):
    """Return {id of the known cell before it, or "": steps} for the student's own code cells."""
    extras, before = {}, ""
    for number, cell in enumerate(submitted.cells, start=1):
        if cell.id in known:
            before = cell.id
        elif cell.cell_type == "code" and cell.source.strip() and EXPERIMENT not in cell.tags:
            extras.setdefault(before, []).append(Step(f"own cell {number}", cell.source, "own"))
    return extras


def _add(cell, found, stub, checked, plan):
    if cell.kind == "locked":
        _note_edit(cell, found, stub, plan)
        if cell.cell_type == "code" and EXPERIMENT not in cell.tags:
            plan.steps.append(Step(cell.id, cell.source, "setup"))
    elif cell.kind in ("answer", "manual"):
        _add_answer(cell, found, stub, plan)
    elif cell.kind == "checks":
        _note_edit(cell, found, stub, plan)
        if found is not None and found.points != cell.points:
            plan.notes.append(f"the points of `{cell.id}` were changed; it is worth {cell.points:g}")
        if cell.id not in checked:
            plan.steps.append(Step(cell.id, cell.source, "grade"))


def _note_edit(cell, found, stub, plan):
    if found is not None and stub is not None and found.source.strip() != stub.source.strip():
        plan.notes.append(f"the locked cell `{cell.id}` was edited; the original is used")


def _add_answer(cell, found, stub, plan):
    if found is None:
        plan.answers[cell.id] = "missing"
        plan.notes.append(f"cell `{cell.id}` is missing; do not delete cells, copy it back from the original notebook")
    elif found.cell_type != cell.cell_type and cell.cell_type == "code":
        plan.answers[cell.id] = "missing"
        plan.notes.append(f"cell `{cell.id}` was turned into {found.cell_type}; make it a code cell again")
    else:
        same = stub is not None and found.source.strip() == stub.source.strip()
        plan.answers[cell.id] = "unchanged" if same else "present"
        if cell.cell_type == "code":
            plan.steps.append(Step(cell.id, found.source, "answer"))
