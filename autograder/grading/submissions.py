"""Finds what was handed in: nbgrader's ``submitted/``, a folder of notebooks or folders, a zip, one notebook.

A zip or folder may also be a download of a learning platform; `downloads` knows their shapes.
"""

import stat
import unicodedata
import zipfile
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from .. import notebook
from ..errors import InputError, SubmissionError
from ..times import utc
from . import downloads

MAX_MEMBERS = 20_000
MAX_NAME = 80
MAX_DEPTH = 12  # folders
MAX_PART = 200  # of a name in a zip: a platform puts a student's and a file's name into one
MOST_LISTED = 500
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
    """

    student: str
    files: dict[str, Path]
    timestamp: datetime | None = None
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    late: bool = False


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
        scratch: a folder where notebooks from a zip may be unpacked.
        roster: the class's Roster, which says how each student is called here.
    """
    path = Path(path)
    folder, skipped = path, []
    if path.is_file() and path.suffix == ".zip":
        folder, skipped = _unpack(path, Path(scratch))
        found = _from_folder(folder, assignment)
    elif path.is_file():
        found = [_single(path, assignment)]
    elif path.is_dir():
        found = _from_folder(path, assignment)
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
    taken = {path for s in found for path in s.files.values()}
    if not folder.is_dir() or all(p.parent.name == assignment.name and p.parents[2] == folder for p in taken):
        return []
    left = [p for p in folder.rglob("*") if (p.is_file() or p.is_symlink()) and p not in taken and p.name not in BESIDE]
    names = [str(p.relative_to(folder)) for p in left if not any(part.startswith(".") for part in p.parts)]
    return names[:MOST_LISTED]


def _from_folder(folder, assignment):
    children = [p for p in sorted(folder.iterdir()) if not p.name.startswith(".")]
    nested = [p / assignment.name for p in children if (p / assignment.name).is_dir()]
    if nested:
        return [one_student(p.parent.name, p, assignment) for p in nested]
    platform, handed = downloads.recognised(folder, assignment)
    if handed:
        return _from_platform(platform, handed, assignment)
    flat = [p for p in children if p.suffix == ".ipynb"]
    if flat:
        return [_single(p, assignment) for p in flat]
    found = [one_student(p.name, p, assignment) for p in children if p.is_dir() and any(p.glob("*.ipynb"))]
    if not found and len(children) == 1 and children[0].is_dir() and not children[0].is_symlink():
        return _from_folder(children[0], assignment)  # a folder around the folders
    return found


def _from_platform(platform, handed, assignment):
    """Give each student the latest attempt at each notebook."""
    found: dict[str, list[downloads.Handed]] = {}
    for one in handed:
        found.setdefault(one.student, []).append(one)
    return [_latest(platform, student, attempts, assignment) for student, attempts in found.items()]


def _latest(platform, student, attempts, assignment):
    attempts.sort(key=lambda one: one.order)
    files, notes, taken = {}, [], []
    for nb in assignment.notebooks:
        named = [one for one in attempts if one.file.replace("-", "_").replace(" ", "_") == nb.name]
        own = named or (attempts if len(assignment.notebooks) == 1 else [])
        if not own:
            continue
        files[nb.name] = own[-1].path
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
    latest = max(attempts, key=lambda one: one.order)
    return Submission(
        safe_name(student), files, latest.when, tuple(notes), latest.names, any(one.late for one in taken)
    )


def _single(path, assignment):
    name = path.stem
    for nb in assignment.notebooks:
        if name == nb.name:
            return Submission(safe_name(path.absolute().parent.name), {nb.name: path})
    for mark in (assignment.name, *(nb.name for nb in assignment.notebooks)):
        name = name.replace(f"_{mark}", "").replace(f"{mark}_", "")
    return Submission(safe_name(name), {assignment.notebooks[0].name: path})


def one_student(student, folder, assignment):
    """One student's folder: notebooks by name; a lone notebook of another name is taken, and said."""
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
    return Submission(safe_name(student), files, _timestamp(folder / "timestamp.txt"), tuple(notes))


def _overlap(path, nb):
    try:
        return len(notebook.read(path).by_id().keys() & nb.by_id().keys())
    except SubmissionError:
        return 0


def _timestamp(path):
    try:
        text = path.read_text()[:64].strip()
        stamp = datetime.fromisoformat(text.replace(" UTC", "+00:00").replace(" ", "T", 1))
    except (OSError, ValueError):
        return None
    return utc(stamp)


def _unpack(path, scratch):
    """Copy the notebooks out of a zip; return the folder and the names that were left.

    Names in it are never used as paths, and sizes are capped on reading.
    """
    target, left = scratch / "unpacked", []
    target.mkdir()
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise InputError(f"the zip has {len(members)} entries; at most {MAX_MEMBERS} are read", where=str(path))
            for member in members:
                if not _unpack_member(archive, member, target) and not member.is_dir():
                    left.append(member.filename)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise InputError(f"not a readable zip ({error})", where=str(path), remedy="download it again") from None
    return target, left[:MOST_LISTED]


def _unpack_member(archive, member, target):
    """Write one member below ``target``; return whether it was one that counts."""
    parts = [p for p in member.filename.replace("\\", "/").split("/") if p not in ("", ".", "..")]
    kind = stat.S_IFMT(member.external_attr >> 16)
    beside = bool(parts) and parts[-1] in BESIDE
    if member.is_dir() or not parts or kind not in (0, stat.S_IFREG) or not (beside or parts[-1].endswith(".ipynb")):
        return False
    if len(parts) > MAX_DEPTH + 1:  # and none is left out on the way: the first folder says whose it is
        return False
    folder = target.joinpath(*(safe_name(p, MAX_PART) for p in parts[:-1]))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (parts[-1] if beside else safe_name(parts[-1][:-6], MAX_PART) + ".ipynb")
    if path.exists():
        return False
    with archive.open(member) as file:
        data = file.read(notebook.MAX_FILE_BYTES + 1)
    path.write_bytes(data)
    return True


def shown(text, most=MAX_NAME):
    """Return ``text`` without control characters and direction marks, at most ``most`` characters."""
    kept = (c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    return "".join(kept).strip()[:most]


def safe_name(text, most=MAX_NAME):
    """Return a student's name that is safe as one folder's name on any system."""
    name = "".join("_" if c in '/\\:*?"<>|' else c for c in shown(text, most)).strip(" .")
    return name or "unnamed"


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
