"""Where a training run is, on disk, so that it goes on from there after any end.

One file: a line of JSON, then the bytes that the student's ``state()`` returned. They are never looked into
here; only a student's process ever loads them.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

from ..results import write_atomically


@dataclass(frozen=True)
class Saved:
    """A run after so many whole epochs: seconds used up so far, the curve (a dict an epoch) and the state."""

    seconds: float = 0.0
    curve: list[dict] = field(default_factory=list)
    state: bytes | None = None

    @property
    def epochs(self):
        return len(self.curve)


class Checkpoint:
    """The checkpoint file of one run; ``key`` is a hash of all that the run depends on."""

    def __init__(self, path, key):
        self.path, self.key = Path(path), key

    def read(self):
        """Return what was Saved; a fresh start if there is nothing, or nothing that belongs to this run."""
        try:
            head, _, state = self.path.read_bytes().partition(b"\n")
            said = json.loads(head)
            if said["key"] == self.key and said["bytes"] == len(state):
                return Saved(said["seconds"], said["curve"], state)
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return Saved()

    def write(self, saved):
        """Replace the file; it is the old one or the new one whenever the machine stops."""
        head = {"key": self.key, "bytes": len(saved.state), "seconds": saved.seconds, "curve": saved.curve}
        write_atomically(self.path, json.dumps(head).encode() + b"\n" + saved.state)
