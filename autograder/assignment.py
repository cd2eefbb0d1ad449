"""An assignment as the grader knows it: notebooks, questions, settings, mutants, variants.

Everything here comes from the instructor's files: ``source/``, ``release/`` and the folder of
hidden checks. A submission's own copy of points, locked cells and tags is never looked at.
"""

import hashlib
import math
import runpy
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from . import notebook
from .course import Course
from .errors import InputError, SubmissionError
from .mutation import Mutant, Variant
from .times import utc

EXPERIMENT = "experiment"
TRAINING = "training"  # id of the locked cell that `gradus train` needs; grading does not


class Late(BaseModel):
    """`[late]` in `assignment.toml`: what a late hand-in costs.

    A hand-in that comes more than ``grace_minutes`` after ``due`` loses ``percent_per_day`` of its points for each
    day begun, and ``most_percent`` at most.
    """

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    due: datetime
    """When it is due, with the time zone."""
    grace_minutes: float = Field(default=0, ge=0)
    """So much later still counts as in time."""
    percent_per_day: float = Field(default=10, ge=0, le=100)
    """What each day begun takes off the points."""
    most_percent: float = Field(default=100, ge=0, le=100)
    """No more than this is taken off."""

    def share(self, when):
        """Return the share of the points that a hand-in at ``when`` (UTC, naive) loses, from 0 to 1."""
        over = when - utc(self.due)
        if over <= timedelta(minutes=self.grace_minutes):
            return 0.0
        days = math.ceil(over / timedelta(days=1))
        return min(days * self.percent_per_day, self.most_percent) / 100


class Gate(BaseModel):
    """What a training run must reach: ``floor`` earns nothing, ``target`` all; where less is better it is below the floor."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    epochs: int = Field(gt=0)
    """How long a run trains."""
    floor: float
    """The value of the metric that earns nothing."""
    target: float
    """The value that earns all points."""
    unseen: list[int] = Field(default_factory=list)
    """Classes that are kept from training; all that is held out is then of them."""

    def share(self, value):
        """Return the share of the points that a metric's value earns, from 0 to 1."""
        return min(1.0, max(0.0, (value - self.floor) / (self.target - self.floor)))


class Train(BaseModel):
    """`[train]` in `assignment.toml`: the training stage. The gate on ``stand_in`` data is used where the real are missing."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    data: str
    """A set of `course_lib.data`."""
    metric: Literal["accuracy", "cross_entropy", "nats_per_symbol", "pair_auc"] = "accuracy"
    """What is measured on labels that students never see."""
    points: float = Field(default=5, gt=0)
    """What the stage is worth."""
    seeds: list[int] = Field(default=[1, 2, 3], min_length=1)
    """A run for each."""
    seconds: float = Field(default=1200, gt=0)
    """The budget of one submission, for all its seeds together."""
    memory_mb: int = 4096
    """The limit on memory of a run."""
    take: int = Field(default=0, ge=0)
    """How many training examples are used; 0 means all."""
    published: str = ""
    """The figure that others reached, and where it is to be read."""
    real: Gate
    stand_in: Gate

    def gate(self, real):
        """Return the Gate for real data or for the stand-in."""
        return self.real if real else self.stand_in


class Settings(BaseModel):
    """`assignment.toml`. Times are seconds of wall clock, memory is megabytes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    title: str = ""
    """What people read; made from the name if empty."""
    topic: str = ""
    """A few words, for the course's table."""
    frameworks: list[str] = Field(default_factory=lambda: ["numpy"])
    """Packages that students may import; all else is not there."""
    hours: float = 0
    """How long it takes a student."""
    memory_mb: int = 2048
    """The limit on a student's memory."""
    cell_seconds: float = 20
    """The limit for one cell."""
    call_seconds: float = 10
    """The limit for one call of a function by a check."""
    total_seconds: float = 120
    """The limit for one notebook as a whole."""
    off_limits: list[str] = Field(default_factory=list)
    """Functions that students must not use, such as `numpy.convolve`; they are taken away."""
    reread: dict[str, str] = Field(default_factory=dict)
    """For each question, the section to read again, shown where it lost points."""
    late: Late | None = None
    train: Train | None = None


@dataclass(frozen=True)
class Question:
    """One graded cell.

    Attributes:
        id: its grade_id.
        notebook: name of the notebook it is in.
        points: what it is worth.
        manual: graded by a person.
        answers: ids of the solution cells it grades: those above a grade cell, back to the previous one;
            the cell itself for a manually graded answer; none for a task.
    """

    id: str
    notebook: str
    points: float
    manual: bool
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Assignment:
    name: str
    settings: Settings
    notebooks: tuple[notebook.Notebook, ...]
    released: dict[str, notebook.Notebook]
    checks_folder: Path
    release_folder: Path

    @classmethod
    def load(cls, course: Course, name, *, need_release=True):
        """Read assignment ``name`` of ``course``; raise InputError if it is not complete."""
        course.require(name)
        folder = course.checks(name)
        notebooks, released = [], {}
        for path in sorted((course.source / name).glob("*.ipynb")):
            notebooks.append(_read_source(path))
            release = course.release / name / path.name
            if release.is_file():
                released[path.stem] = _read_source(release)
            elif need_release:
                raise InputError("the release is missing", where=str(release), remedy=f"run `gradus release {name}`")
        return cls(
            name, _settings(folder / "assignment.toml"), tuple(notebooks), released, folder, course.release / name
        )

    @cached_property
    def questions(self):
        """All questions, in the order of the notebooks."""
        return tuple(q for nb in self.notebooks for q in _questions(nb))

    @property
    def max_score(self):
        return sum(q.points for q in self.questions)

    def notebook(self, name):
        return next(nb for nb in self.notebooks if nb.name == name)

    @property
    def title(self):
        return self.settings.title or self.name.replace("_", " ").capitalize()

    def has_checks(self):
        return any(self.checks_folder.glob("test_*.py"))

    @cached_property
    def mutants(self) -> tuple[Mutant, ...]:
        return _listed(self.checks_folder / "mutants.py", "MUTANTS", Mutant, self)

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        return _listed(self.checks_folder / "variants.py", "VARIANTS", Variant, self)

    def reference_cells(self, edit=None):
        """Return the instructor's runnable cells as (id, source), with one answer changed by ``edit``.

        Only for assignments with hidden checks, which have one notebook.
        """
        cells = []
        edited = self.answer_to(edit.cell) if edit else None
        for cell in self.notebooks[0].cells:
            if cell.cell_type != "code" or cell.kind in ("checks", "manual") or EXPERIMENT in cell.tags:
                continue
            source = cell.source
            if edit and cell.id == edited:
                source = edit.apply(source)
            cells.append((cell.id, source))
        return cells

    def answer_to(self, question):
        """Return the id of the solution cell that answers ``question``."""
        for q in self.questions:
            if q.id == question and q.answers:
                return q.answers[-1]
        raise InputError(
            f"no solution cell belongs to a question named {question!r}",
            where=self.name,
            remedy="questions: " + ", ".join(q.id for q in self.questions),
        )

    @cached_property
    def fingerprint(self):
        """A hash of all that can move a grade on the instructor's side."""
        digest = hashlib.sha256()
        for nb in (*self.notebooks, *(self.released[k] for k in sorted(self.released))):
            for cell in nb.cells:
                digest.update(repr((cell.id, cell.kind, cell.points, sorted(cell.tags), cell.source)).encode())
        for path in sorted(self.checks_folder.glob("*")):
            if path.is_file() and path.name != "variants.py":
                digest.update(path.name.encode() + path.read_bytes())
        return digest.hexdigest()


def _read_source(path):
    try:
        return notebook.read(path)
    except SubmissionError as error:
        raise InputError(error.problem, where=str(path), remedy=error.remedy) from None


def _questions(nb):
    answers, questions, seen = [], [], set()
    closed = False  # a graded cell has used the answers; the next solution cell starts anew
    for cell in nb.cells:
        if cell.id and cell.id in seen:
            raise InputError(
                f"two cells have the grade_id {cell.id!r}", where=nb.name, remedy="give each cell its own grade_id"
            )
        seen.add(cell.id)
        if cell.kind == "answer":
            answers, closed = ([cell.id] if closed else [*answers, cell.id]), False
        elif cell.kind in ("checks", "manual", "task"):
            own = {"checks": tuple(answers), "manual": (cell.id,), "task": ()}[cell.kind]
            questions.append(Question(cell.id, nb.name, cell.points, cell.kind != "checks", own))
            closed = closed or cell.kind == "checks"
    return questions


def _settings(path):
    if not path.is_file():
        return Settings()
    try:
        return Settings(**tomllib.loads(path.read_text()))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not valid TOML: {error}", where=str(path), remedy="mend the line it names") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{key} = {first['input']!r}: {first['msg']}",
            where=str(path),
            remedy="keys: " + ", ".join(Settings.model_fields),
        ) from None


def _listed(path, variable, kind, assignment):
    if not path.is_file():
        return ()
    try:
        entries = tuple(runpy.run_path(str(path)).get(variable, ()))
    except Exception as error:
        problem = f"the file stops with {type(error).__name__}: {error}"
        raise InputError(problem, where=str(path), remedy="mend the file") from None
    names = [e.name for e in entries]
    for entry in entries:
        if names.count(entry.name) > 1:
            raise InputError(f"{entry.name!r} occurs twice", where=str(path), remedy="names must be unique")
        assignment.answer_to(entry.cell)
    return entries
