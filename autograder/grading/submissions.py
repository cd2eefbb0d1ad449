"""Finds what was handed in: nbgrader's ``submitted/``, a folder of notebooks or folders, a zip, one notebook.

A zip or folder may also be a download of a learning platform; `downloads` knows their shapes. What a student handed in
may be a zip, too; `zips` opens it.
"""

import tempfile
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from .. import notebook, times
from ..errors import InputError, SubmissionError
from . import downloads
from .names import safe_name, shown
from .zips import MOST_LISTED, unpack_class, unpack_student

MOST_ZIPS = 5  # of one student
BESIDE = ("timestamp.txt", downloads.GRADESCOPE_LIST)  # files that say something about the notebooks


@dataclass(frozen=True)
class Submission:
    """What one student handed in.

    Attributes:
        student: a name that is safe as a folder's name.
        files: {notebook name of the assignment: path}.
        timestamp: when, from nbgrader's timestamp.txt (UTC, naive), or None.
        notes: what was odd about the files.
        names: what a platform says of its owner, for the roster.
        late: the platform marked it so.
        packed: zips that were taken for the hand-in, whether they could be read or not.
    """

    student: str
    files: dict[str, Path]
    timestamp: datetime | None = None
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    late: bool = False
    packed: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Found:
    """All that was handed in.

    Attributes:
        submissions: sorted by student.
        ignored: names of files that were not taken for anyone's answer.
        strangers: students who are not in the roster.
        absent: students of the roster who handed in nothing.
    """

    submissions: list[Submission]
    ignored: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


def find(path, assignment, scratch, roster=None):
    """Return what was Found at ``path``; raise InputError if there is no submission.

    Args:
        path: see the module's first line.
        assignment: the Assignment, for the names of its notebooks.
        scratch: a folder where zips may be unpacked.
        roster: the class's Roster, which says how each student is called here.
    """
    path = Path(path)
    folder, skipped = path, []
    if path.is_file() and path.suffix == ".zip":
        folder = Path(scratch, "unpacked")
        skipped = unpack_class(path, folder, BESIDE)
        found = _from_folder(folder, assignment, scratch)
    elif path.is_file():
        found = [_single(path, assignment)]
    elif path.is_dir():
        found = _from_folder(path, assignment, scratch)
    else:
        raise InputError("there is nothing at this path", where=str(path), remedy="give a folder, a zip or a notebook")
    if not found:
        raise InputError(
            f"no submissions of {assignment.name} were found",
            where=str(path),
            remedy=f"expected STUDENT/{assignment.name}/*.ipynb (nbgrader), STUDENT/*.ipynb, or one notebook a student",
        )
    ignored = tuple(sorted(map(shown, {*skipped, *_not_taken(folder, found, assignment)})))
    if roster is None:
        return Found(_distinct(sorted(found, key=lambda s: s.student)), ignored)
    found, strangers = _renamed(found, roster)
    known = {s.student for s in found}
    absent = tuple(sorted(row[roster.own] for row in roster.rows if safe_name(row[roster.own]) not in known))
    return Found(_distinct(sorted(found, key=lambda s: s.student)), ignored, strangers, absent)


def _renamed(found, roster):
    """Return the submissions under the roster's names, and those whose owners it does not know."""
    renamed, strangers = [], []
    for submission in found:
        student = roster.student_of(*submission.names, submission.student)
        if student is None:
            strangers.append(submission.student)
        renamed.append(replace(submission, student=safe_name(student or submission.student)))
    return renamed, tuple(sorted(strangers))


def _not_taken(folder, found, assignment):
    """Return the names of files below a folder that nobody's submission holds; nbgrader's folders may have others."""
    taken = {path for s in found for path in (*s.files.values(), *s.packed)}
    own = [p for p in taken if p.is_relative_to(folder)]
    if not folder.is_dir() or all(p.parent.name == assignment.name and p.parents[2] == folder for p in own):
        return []
    left = [p for p in folder.rglob("*") if (p.is_file() or p.is_symlink()) and p not in taken and p.name not in BESIDE]
    names = [str(p.relative_to(folder)) for p in left if not any(part.startswith(".") for part in p.parts)]
    return names[:MOST_LISTED]


def _from_folder(folder, assignment, scratch):
    children = [p for p in sorted(folder.iterdir()) if not p.name.startswith(".")]
    nested = [p / assignment.name for p in children if (p / assignment.name).is_dir()]
    if nested:
        return [one_student(p.parent.name, p, assignment, scratch) for p in nested]
    platform, handed = downloads.recognised(folder, assignment)
    if handed:
        return _from_platform(platform, handed, assignment, scratch)
    flat = [p for p in children if p.suffix == ".ipynb"]
    found = [_single(p, assignment) for p in flat]
    for place in [] if flat else [p for p in children if p.is_dir()]:
        own = one_student(place.name, place, assignment, scratch)
        found += [own] if own.files or own.packed or any(place.glob("*.ipynb")) else []
    if flat or not found:
        zipped = [_single_zip(p, assignment, scratch) for p in children if p.suffix == ".zip"]
        found += [own for own in zipped if own.packed]
    if not found and len(children) == 1 and children[0].is_dir() and not children[0].is_symlink():
        return _from_folder(children[0], assignment, scratch)  # a folder around the folders
    return found


def _from_platform(platform, handed, assignment, scratch):
    """Give each student the latest attempt at each notebook."""
    found: dict[str, list[downloads.Handed]] = {}
    for one in handed:
        found.setdefault(one.student, []).append(one)
    return [_latest(platform, student, attempts, assignment, scratch) for student, attempts in found.items()]


def _latest(platform, student, attempts, assignment, scratch):
    attempts.sort(key=lambda one: one.order)
    latest = attempts[-1]
    attempts, zipped = _unpacked(attempts, assignment, scratch)
    source = {path: own for own in zipped for path in own.files.values()}
    files, taken = {}, []
    notes = [note for own in zipped if not own.files for note in own.notes]
    for nb in assignment.notebooks:
        named = [one for one in attempts if one.file.replace("-", "_").replace(" ", "_") == nb.name]
        own = named or (attempts if len(assignment.notebooks) == 1 else [])
        if not own:
            continue
        files[nb.name] = own[-1].path
        notes += source[own[-1].path].notes if own[-1].path in source else ()
        taken += own
        if len(own) > 1:
            notes.append(f"{len(own)} attempts were handed in; the latest was graded")
        if not named:
            notes.append(f"{shown(own[-1].file)}.ipynb was taken as {nb.name}.ipynb")
    left = [f"{shown(one.file)}.ipynb" for one in attempts if one not in taken]
    if left:
        notes.append("not looked at: " + ", ".join(left[:5]))
    if any(one.late for one in taken):
        notes.append(f"{platform} says that it was late")
    late = any(one.late for one in taken)
    packed = tuple(path for own in zipped for path in own.packed)
    return Submission(safe_name(student), files, latest.when, tuple(notes), latest.names, late, packed)


def _unpacked(attempts, assignment, scratch):
    """Open the latest zips among a student's attempts, which are in order.

    Returns (attempts with the notebooks in them instead; a Submission for each zip). A notebook that lies open beside a
    zip comes after those in it.
    """
    zipped = [one for one in attempts if one.path.suffix == ".zip"]
    found = [replace(one, order=(*one.order, 1)) for one in attempts if one not in zipped]
    opened = [_from_zip(one.student, one.path, assignment, scratch) for one in zipped[-MOST_ZIPS:]]
    for one, own in zip(zipped[-MOST_ZIPS:], opened, strict=True):
        found += [replace(one, path=p, file=name, order=(*one.order, 0)) for name, p in own.files.items()]
    return sorted(found, key=lambda one: one.order), opened


def _from_zip(student, path, assignment, scratch):
    """Return the Submission of a hand-in that is a zip; where it has no files, a note says why.

    A zip that can be read and holds no notebook is not taken for a hand-in: ``packed`` is empty.
    """
    target = Path(tempfile.mkdtemp(dir=scratch))
    name = shown(path.name)
    try:
        unpack_student(path, target)
    except SubmissionError as error:
        return Submission(safe_name(student), {}, notes=(f"{name}: {error.problem}",), packed=(path,))
    own = one_student(student, target, assignment)
    if not own.files:
        return replace(own, notes=(f"{name} holds no notebook of this assignment",))
    return replace(own, notes=(f"{name} was opened", *own.notes), packed=(path,))


def _single(path, assignment):
    name = path.stem
    for nb in assignment.notebooks:
        if name == nb.name:
            return Submission(safe_name(path.absolute().parent.name), {nb.name: path})
    for mark in (assignment.name, *(nb.name for nb in assignment.notebooks)):
        name = name.replace(f"_{mark}", "").replace(f"{mark}_", "")
    return Submission(safe_name(name), {assignment.notebooks[0].name: path})


def _single_zip(path, assignment, scratch):
    """A zip whose name says whose it is, as `_single` has it for notebooks."""
    name = _single(path.with_suffix(".ipynb"), assignment).student
    return _from_zip(name, path, assignment, scratch)


def one_student(student, folder, assignment, scratch=None):
    """One student's folder: notebooks by name; a lone notebook of another name is taken, and said.

    Where there is none, and ``scratch`` is a folder to unpack in, zips are opened.
    """
    zipped = sorted(folder.glob("*.zip"))[:MOST_ZIPS] if scratch and not any(folder.glob("*.ipynb")) else []
    opened = [_from_zip(student, path, assignment, scratch) for path in zipped]
    if opened:
        own = max(opened, key=lambda one: (bool(one.files), bool(one.packed)))  # the first of the best
        return replace(own, timestamp=times.read(folder / "timestamp.txt"))
    present = {p.stem: p for p in sorted(folder.iterdir()) if p.suffix == ".ipynb"}
    files = {nb.name: present.pop(nb.name) for nb in assignment.notebooks if nb.name in present}
    notes = []
    for nb in assignment.notebooks:
        if nb.name not in files and present:
            name = max(present, key=lambda n: _overlap(present[n], nb))
            if len(present) == 1 or _overlap(present[name], nb) > 0:
                files[nb.name] = present.pop(name)
                notes.append(f"{shown(name)}.ipynb was taken as {nb.name}.ipynb")
    if present:
        notes.append("not looked at: " + ", ".join(f"{shown(n)}.ipynb" for n in list(present)[:5]))
    return Submission(safe_name(student), files, times.read(folder / "timestamp.txt"), tuple(notes))


def _overlap(path, nb):
    try:
        return len(notebook.read(path).by_id().keys() & nb.by_id().keys())
    except SubmissionError:
        return 0


def _distinct(submissions):
    """Give a number to names that are the same to a file system that ignores case."""
    seen, result = {}, []
    for submission in submissions:
        key = unicodedata.normalize("NFKC", submission.student).casefold()
        seen[key] = count = seen.get(key, 0) + 1
        if count > 1:
            note = f"another submission has the name {submission.student}"
            submission = Submission(
                f"{submission.student} ({count})", submission.files, submission.timestamp, (*submission.notes, note)
            )
        result.append(submission)
    return result
