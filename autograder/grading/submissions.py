"""Finds what was handed in: nbgrader's ``submitted/``, a folder of notebooks or folders, a zip, one notebook."""

import stat
import unicodedata
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .. import notebook
from ..errors import InputError, SubmissionError

MAX_MEMBERS = 20_000
MAX_NAME = 80


@dataclass(frozen=True)
class Submission:
    """What one student handed in.

    Attributes:
        student: a name that is safe as a folder's name.
        files: {notebook name of the assignment: path}.
        timestamp: when, from nbgrader's timestamp.txt (UTC, naive), or None.
        notes: what was odd about the files.
    """

    student: str
    files: dict[str, Path]
    timestamp: datetime | None = None
    notes: tuple[str, ...] = ()


def find(path, assignment, scratch):
    """Return the submissions at ``path``, sorted by student; raise InputError if there are none.

    Args:
        path: see the module's first line.
        assignment: the Assignment, for the names of its notebooks.
        scratch: a folder where notebooks from a zip may be unpacked.
    """
    path = Path(path)
    if path.is_file() and path.suffix == ".zip":
        found = _from_folder(_unpack(path, Path(scratch)), assignment)
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
    return _distinct(sorted(found, key=lambda s: s.student))


def _from_folder(folder, assignment):
    children = [p for p in sorted(folder.iterdir()) if not p.name.startswith(".")]
    nested = [p / assignment.name for p in children if (p / assignment.name).is_dir()]
    if nested:
        return [_from_files(p.parent.name, p, assignment) for p in nested]
    flat = [p for p in children if p.suffix == ".ipynb"]
    if flat:
        return [_single(p, assignment) for p in flat]
    return [_from_files(p.name, p, assignment) for p in children if p.is_dir() and any(p.glob("*.ipynb"))]


def _single(path, assignment):
    name = path.stem
    for nb in assignment.notebooks:
        if name == nb.name:
            return Submission(safe_name(path.absolute().parent.name), {nb.name: path})
    for mark in (assignment.name, *(nb.name for nb in assignment.notebooks)):
        name = name.replace(f"_{mark}", "").replace(f"{mark}_", "")
    return Submission(safe_name(name), {assignment.notebooks[0].name: path})


def _from_files(student, folder, assignment):
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
    return stamp.astimezone(UTC).replace(tzinfo=None) if stamp.tzinfo else stamp


def _unpack(path, scratch):
    """Copy the notebooks out of a zip. Names in it are never used as paths, and sizes are capped on reading."""
    target = scratch / "unpacked"
    target.mkdir()
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise InputError(f"the zip has {len(members)} entries; at most {MAX_MEMBERS} are read", where=str(path))
            for member in members:
                _unpack_member(archive, member, target)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise InputError(f"not a readable zip ({error})", where=str(path), remedy="download it again") from None
    return target


def _unpack_member(archive, member, target):
    parts = [p for p in member.filename.replace("\\", "/").split("/") if p not in ("", ".", "..")]
    kind = stat.S_IFMT(member.external_attr >> 16)
    if member.is_dir() or not parts or not parts[-1].endswith(".ipynb") or kind not in (0, stat.S_IFREG):
        return
    folder = target.joinpath(*(safe_name(p) for p in parts[:-1][-3:]))
    folder.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as file:
        data = file.read(notebook.MAX_FILE_BYTES + 1)
    (folder / (safe_name(parts[-1][:-6]) + ".ipynb")).write_bytes(data)


def shown(text):
    """Return ``text`` without control characters and direction marks, at most 80 characters."""
    kept = (c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    return "".join(kept).strip()[:MAX_NAME]


def safe_name(text):
    """Return a student's name that is safe as one folder's name on any system."""
    name = "".join("_" if c in '/\\:*?"<>|' else c for c in shown(text)).strip(" .")
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
