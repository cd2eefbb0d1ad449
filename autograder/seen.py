"""What was written, and the files it was written to: so that a second run with nothing new can leave them alone."""

import hashlib
import os
from pathlib import Path

from .results import write_atomically


def state(files, *facts):
    """Return a hash of ``facts`` (any values with a repr) and of the files as they are; "" if one is not there."""
    try:
        found = [(s.st_ino, s.st_size, s.st_mtime_ns) for s in map(os.stat, files)]
    except OSError:
        return ""
    return hashlib.sha256(repr((found, facts)).encode()).hexdigest()


def remember(path, now):
    """Write the state ``now`` into the file at ``path``."""
    write_atomically(path, now)


def is_remembered(path, now):
    """Return whether the file at ``path`` holds the state ``now``; "" is never remembered."""
    path = Path(path)
    return bool(now) and path.is_file() and path.read_text() == now
