"""One hostile or unlucky submission: what it does, and what must come of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from conftest import DOUBLE, TRIPLE, hand_in


@dataclass(frozen=True)
class Row:
    """A submission of the tiny assignment.

    Attributes:
        id: the row of the catalogue, with a letter where there are several.
        does: what it does, in a few words.
        double: the source of the answer to ``double``; by default the right one.
        extra: sources of own cells after all others.
        edit: changes the submission's notebook, given as a dict, in place.
        edit_file: changes the submission's file, given its Path.
        points: what each question must get. By default the hostile answer earns nothing and the
            other question keeps its points.
        status: "graded" or "unreadable".
        says: a part of the sentence that the student must read, somewhere in the result.
    """

    id: str
    does: str
    double: str | None = None
    extra: tuple[str, ...] = ()
    edit: Callable | None = None
    edit_file: Callable | None = None
    points: tuple[float, float] = (0.0, 3.0)
    status: str = "graded"
    says: str = ""

    @property
    def answers(self):
        double = DOUBLE if self.double is None else self.double
        return {"double-answer": double, "triple-answer": TRIPLE, "why": "Because."}

    @property
    def student(self):
        return self.id.lower()


def body(text):
    """Return ``double`` with this body."""
    lines = text.strip("\n").splitlines()
    return "def double(x):\n" + "\n".join("    " + line for line in lines)


def hand_in_rows(folder, course, rows):
    """Hand each Row in below ``folder``, in nbgrader's layout; return {row's id: path of its notebook}."""
    paths = {}
    for row in rows:
        path = paths[row.id] = hand_in(folder, row.student, course, row.answers, row.extra)
        if row.edit:
            tree = json.loads(path.read_text())
            row.edit(tree)
            path.write_text(json.dumps(tree))
        if row.edit_file:
            row.edit_file(path)
    return paths


HARMLESS = (2.0, 3.0)  # the answer is right: what it does beside must cost nothing, or it is an accident
