"""Zips, opened with care: a class's, and one that a student handed in, which may lie in the class's; no deeper.

Names in them are never used as paths; links and folders are passed over; sizes are capped on reading, for a header
may say anything. Students choose every byte of theirs.
"""

import io
import stat
import zipfile
import zlib

from .. import notebook
from ..errors import InputError, SubmissionError
from .names import safe_name

MAX_MEMBERS = 20_000
MAX_DEPTH = 12  # folders
MAX_PART = 200  # of a name in a zip: a platform puts a student's and a file's name into one
MOST_LISTED = 500
MOST_NOTEBOOKS = 100  # in a student's zip
MOST_AT_ONCE = 2**21  # bytes; the list of a student's zip is read in one go
CHUNK = 2**20
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack a whole chunk at once, however much it is
UNREADABLE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError)


def unpack_class(path, target, beside):
    """Copy notebooks, students' zips and files named in ``beside`` out of a zip; return the names of what was left.

    Raises InputError where the zip cannot be read.
    """
    left = []
    target.mkdir()
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise InputError(f"the zip has {len(members)} entries; at most {MAX_MEMBERS} are read", where=str(path))
            for member in members:
                if not _unpack_member(archive, member, target, beside) and not member.filename.endswith("/"):
                    left.append(member.filename)
    except UNREADABLE as error:
        raise InputError(f"not a readable zip ({error})", where=str(path), remedy="download it again") from None
    return left[:MOST_LISTED]


def _unpack_member(archive, member, target, beside):
    """Write one member below ``target``; return whether it was one that counts."""
    parts = _parts(member)
    if not parts or not (parts[-1] in beside or parts[-1].endswith((".ipynb", ".zip"))):
        return False
    if len(parts) > MAX_DEPTH + 1:  # and none is left out on the way: the first folder says whose it is
        return False
    folder = target.joinpath(*(safe_name(p, MAX_PART) for p in parts[:-1]))
    folder.mkdir(parents=True, exist_ok=True)
    stem, dot, suffix = parts[-1].rpartition(".")
    path = folder / (parts[-1] if parts[-1] in beside else safe_name(stem, MAX_PART) + dot + suffix)
    if path.exists():
        return False
    path.write_bytes(_content(archive, member, notebook.MAX_FILE_BYTES))
    return True


def unpack_student(path, target):
    """Copy the notebooks of a student's zip into the folder ``target``; of one name, the one that lies least deep.

    Raises SubmissionError where the zip is a link, too large or cannot be read.
    """

    def refuse(problem):
        return SubmissionError(problem, where=path.name, remedy="hand in the notebook itself (.ipynb)")

    room = notebook.MAX_FILE_BYTES
    try:
        with zipfile.ZipFile(_Listed(notebook.file_bytes(path))) as archive:
            found = [(parts, m) for m in archive.infolist() if (parts := _parts(m)) and _is_notebook(parts)]
            if len(found) > MOST_NOTEBOOKS:
                raise refuse(f"the zip holds more than {MOST_NOTEBOOKS} notebooks")
            for parts, member in sorted(found, key=lambda one: len(one[0])):
                place = target / (safe_name(parts[-1].removesuffix(".ipynb"), MAX_PART) + ".ipynb")
                if place.exists():
                    continue
                data = _content(archive, member, room)
                room -= len(data)
                if room < 0:
                    raise refuse(f"the zip holds more than {notebook.MAX_FILE_BYTES // 2**20} MB of notebooks")
                place.write_bytes(data)
    except UNREADABLE as error:
        raise refuse(f"not a readable zip ({error})") from None


class _Listed(io.BytesIO):
    """A zip's bytes, of which at most MOST_AT_ONCE are read at once: so many entries a list may have, and no more."""

    def read(self, size=-1):
        if size is not None and size > MOST_AT_ONCE:
            raise SubmissionError(
                "the zip: its list of files is too long", remedy="hand in the notebook itself (.ipynb)"
            )
        return super().read(size)


def _is_notebook(parts):
    return parts[-1].endswith(".ipynb") and not any(part.startswith((".", "__MACOSX")) for part in parts)


def _parts(member):
    """Return the parts of a member's name, or [] where it is a folder, a link or a device."""
    kind = stat.S_IFMT(member.external_attr >> 16)
    if member.filename.endswith("/") or kind not in (0, stat.S_IFREG):
        return []
    return [p for p in member.filename.replace("\\", "/").split("/") if p not in ("", ".", "..")]


def _content(archive, member, most):
    """Return the bytes of a member, at most one more than ``most``."""
    if member.compress_type not in METHODS:
        raise zipfile.BadZipFile(f"{member.filename!r} is packed in a way that is not read here")
    data = bytearray()
    with archive.open(member) as file:
        while len(data) <= most and (chunk := file.read(min(CHUNK, most + 1 - len(data)))):
            data += chunk
    return bytes(data)
