"""Where things lie: a course is a folder with ``source/`` in it."""

from dataclasses import dataclass
from pathlib import Path

from .archives import tree
from .errors import InputError


@dataclass(frozen=True)
class Course:
    """The folders of one course. nbgrader's own names, and the hidden checks beside them."""

    root: Path

    @classmethod
    def find(cls, start="."):
        """Return the course at ``start`` or the nearest folder above it that has a ``source/``."""
        start = Path(start).resolve()
        for folder in (start, *start.parents):
            if (folder / "source").is_dir():
                return cls(folder)
        raise InputError(
            "there is no course here: no folder named source",
            where=str(start),
            remedy="go to the course folder, or make one with `gradus new NAME`",
        )

    @property
    def source(self):
        return self.root / "source"

    @property
    def release(self):
        return self.root / "release"

    @property
    def solutions(self):
        return self.root / "solutions"

    @property
    def submitted(self):
        return self.root / "submitted"

    @property
    def graded(self):
        return self.root / "graded"

    def checks(self, assignment):
        """The folder of an assignment's hidden checks; it need not exist."""
        return self.root / "autograder" / "checks" / assignment

    def files(self, assignment):
        """Return {path below the course: bytes} of all that grading an assignment needs: its source, release and checks."""
        found = {}
        for folder in (self.source / assignment, self.release / assignment, self.checks(assignment)):
            found |= tree(folder, folder.relative_to(self.root).as_posix())
        return found

    def assignments(self):
        """Names of the assignments that have a source notebook, sorted."""
        folders = (p for p in self.source.iterdir() if p.is_dir() and not p.name.startswith("."))
        return sorted(p.name for p in folders if any(p.glob("*.ipynb")))

    def require(self, name):
        """Return ``name`` if there is such an assignment; else say which there are."""
        known = self.assignments()
        if name not in known:
            raise InputError(
                f"there is no assignment named {name!r}",
                where=str(self.source),
                remedy="choose one of: " + ", ".join(known) if known else "write one with `gradus new NAME`",
            )
        return name
