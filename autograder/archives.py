"""Folders as bytes, and zips that are the same each time they are made."""

import io
import zipfile

LEFT_OUT = ("__pycache__", ".ipynb_checkpoints")
WHEN = (2020, 1, 1, 0, 0, 0)


def tree(folder, place=""):
    """Return {path below ``place``: bytes} of all files below a folder, without what Python and Jupyter leave there."""
    start = f"{place}/" if place else ""
    return {
        start + path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part in LEFT_OUT for part in path.relative_to(folder).parts)
    }


def packed(files, programs=()):
    """Return a zip of {path: bytes or text}; ``programs`` are the paths that may be run."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, WHEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if name in programs else 0o644) << 16
            archive.writestr(entry, data)
    return content.getvalue()
