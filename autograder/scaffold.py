"""`gradus new`: a small assignment that already verifies, to start one's own from."""

import re
from importlib import resources
from pathlib import Path

from .course import Course
from .errors import InputError
from .results import write_atomically

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def new(course_root: Path, name: str) -> list[Path]:
    """Write a small, complete assignment into the course at ``course_root``; return the paths of its files.

    It has one question that is checked by program and one that a person reads, three hidden checks, five mutants and
    three variants. A folder without ``source/`` becomes a course.

    Args:
        course_root: the course's folder; made if it does not exist.
        name: the assignment's name: letters, digits and underscores, a letter first.

    Raises:
        InputError: the name is not of that form, or a file of that assignment is there already. Nothing is written.
    """
    if not NAME.fullmatch(name):
        problem = f"an assignment cannot be named {name!r}"
        remedy = "use letters, digits and _, a letter first: moving_average"
        raise InputError(problem, where="gradus new", remedy=remedy)
    course = Course(Path(course_root).resolve())
    files = _files(course, name)
    for folder in (course.source / name, course.checks(name)):
        if folder.is_dir() and any(folder.iterdir()):
            problem = f"there is already something in {folder.relative_to(course.root)}"
            raise InputError(problem, where=str(course.root), remedy="choose another name, or remove that folder")
    for path, text in files.items():
        write_atomically(path, text)
    return sorted(files)


def _files(course, name):
    """Return {path: text} of a new assignment."""
    checks = course.checks(name)
    places = {
        "notebook.ipynb": course.source / name / f"{name}.ipynb",
        "assignment.toml": checks / "assignment.toml",
        "checks.py": checks / f"test_{name}.py",
        "mutants.py": checks / "mutants.py",
        "variants.py": checks / "variants.py",
    }
    folder = resources.files(__package__) / "templates" / "new"
    title = name.replace("_", " ").strip()
    title = title[:1].upper() + title[1:]
    texts = {place: (folder / file).read_text(encoding="utf-8") for file, place in places.items()}
    return {place: text.replace("__TITLE__", title).replace("__NAME__", name) for place, text in texts.items()}
