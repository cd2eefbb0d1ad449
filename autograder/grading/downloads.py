"""How learning platforms name what they hand out: Canvas, Moodle, Gradescope, GitHub Classroom, nbgrader.

Each of these packs a class into a folder or zip of its own shape. `recognised` says whose a file is, which
attempt, when it came and whether it was late; what it does not know it leaves alone. Students choose names of files,
of folders within theirs and sometimes of themselves, so a name that could be read two ways is nobody's.
"""

import itertools
import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import yaml

from ..times import utc

CANVAS = re.compile(
    r"(?P<name>[^_]+?)(?P<late>_LATE)?_(?P<user>\d+)_(?P<attempt>\d+)_(?P<file>.+?)(?:-(?P<again>\d+))?"
)
NBGRADER = re.compile(r"(?P<name>.+)_attempt_(?P<when>\d{4}(?:-\d{2}){5})_(?P<file>.+)")
MOODLE = re.compile(r"(?P<name>.+)_(?P<user>\d+)_assignsubmission_file_?(?P<file>.*)")
MOODLE_MARK = "_assignsubmission_"
KINDS = (".ipynb", ".zip")  # what a hand-in may be
GRADESCOPE_LIST = "submission_metadata.yml"
MOST_YAML = 16 * 2**20


@dataclass(frozen=True)
class Handed:
    """One notebook of a download.

    Attributes:
        student: what it is called if no roster knows better.
        names: what the platform says of its owner, the most telling first.
        path: where it lies.
        file: its own name, without the suffix.
        order: of two notebooks of one name, the one with the greater order is the later.
        when: the time of the hand-in (UTC, naive), or None.
        late: what the platform says.
    """

    student: str
    names: tuple[str, ...]
    path: Path
    file: str
    order: tuple
    when: datetime | None = None
    late: bool = False


def recognised(folder, assignment):
    """Return (platform's name, list of Handed) for a folder as a platform packs it, or ("", [])."""
    for platform, read in READERS.items():
        found = read(folder, assignment)
        if found:
            return platform, found
    return "", []


def _canvas(folder, assignment):
    return [
        Handed(f"{m['name']}_{m['user']}", (m["user"], m["name"]), path, m["file"],
               (int(m["attempt"]), int(m["again"] or 0)), late=bool(m["late"]))
        for path, m in _matching(folder, CANVAS)
    ]  # fmt: skip


def _nbgrader_zip(folder, assignment):
    found = []
    for path, m in _matching(folder, NBGRADER, "_attempt_"):
        try:
            when = datetime.strptime(m["when"], "%Y-%m-%d-%H-%M-%S")
        except ValueError:
            continue
        found.append(Handed(m["name"], (m["name"],), path, m["file"], (when,), when))
    return found


def _moodle(folder, assignment):
    found = []
    for entry in _entries(folder):
        match = MOODLE.fullmatch(entry.stem if entry.suffix in KINDS else entry.name)
        if match is None or entry.name.count(MOODLE_MARK) > 1:  # then it could be anybody's
            continue
        for path in _handed_in(entry) if _is_folder(entry) else [entry]:
            name = path.stem if _is_folder(entry) else match["file"]
            student = f"{match['name']}_{match['user']}"
            found.append(Handed(student, (match["user"], match["name"]), path, name, (0,)))
    return found


def _gradescope(folder, assignment):
    path = folder / GRADESCOPE_LIST  # not below: a student's own folder may hold a file of this name
    if not path.is_file() or path.is_symlink() or path.stat().st_size > MOST_YAML:
        return []
    try:
        listed = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return []
    found = []
    for key, entry in listed.items() if type(listed) is dict else ():
        place = folder / os.path.basename(str(key))
        if type(entry) is not dict or not _is_folder(place):
            continue
        people = [p for p in entry.get(":submitters") or [] if type(p) is dict]
        first = people[0] if people else {}
        names = tuple(str(first[k]) for k in (":sid", ":email", ":name") if first.get(k))
        created = entry.get(":created_at")
        when = utc(created) if isinstance(created, datetime) else None
        for path in sorted(place.rglob("*.ipynb")):
            found.append(Handed(names[-1] if names else place.name, names or (place.name,), path, path.stem,
                                (when or datetime.min,), when))  # fmt: skip
    return found


def _classroom(folder, assignment):
    """GitHub Classroom: one clone a student, each named after the assignment and the student."""
    clones = [p for p in _entries(folder) if _is_folder(p) and (p / ".git").exists()]
    shared = _shared_parts([p.name for p in clones])
    found = []
    for clone in clones:
        parts = clone.name.split("-")
        names = tuple("-".join(parts[start:]) for start in range(shared, -1, -1))
        starts = (f"{assignment.name}-", f"{assignment.name.replace('_', '-')}-")
        name = next((clone.name[len(start) :] for start in starts if clone.name.startswith(start)), names[0])
        names = tuple(dict.fromkeys((name, *names)))
        for path in sorted(clone.rglob("*.ipynb")):
            inside = path.relative_to(clone).parts[:-1]
            if not any(part.startswith(".") for part in inside):
                found.append(Handed(name, names, path, path.stem, (-len(inside),)))
    return found


def _shared_parts(names):
    """Return how many parts between dashes all names begin with: those are the platform's, no account can change them."""
    split = [name.split("-") for name in names]
    if len(split) < 2:
        return 0
    same = itertools.takewhile(lambda parts: len(set(parts)) == 1, zip(*split, strict=False))
    return min(len(list(same)), min(map(len, split)) - 1)


READERS = {
    "Gradescope": _gradescope,
    "nbgrader": _nbgrader_zip,
    "Canvas": _canvas,
    "Moodle": _moodle,
    "GitHub Classroom": _classroom,
}


def _matching(folder, pattern, mark=""):
    """Yield (path, match) of the notebooks named by a pattern; one that holds ``mark`` twice could be anybody's."""
    for path in _entries(folder):
        match = pattern.fullmatch(path.stem) if not mark or path.stem.count(mark) == 1 else None
        if path.suffix in KINDS and match and not path.is_dir():
            yield path, match


def _entries(folder):
    return [p for p in sorted(folder.iterdir()) if not p.name.startswith(".")]


def _handed_in(folder):
    return [p for p in sorted(folder.rglob("*")) if p.suffix in KINDS]


def _is_folder(path):
    return path.is_dir() and not path.is_symlink()
