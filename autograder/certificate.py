"""Whether every wall was seen to hold on this machine; the walls are tried once, and the answer is kept."""

import json
import os
import platform
import time
from pathlib import Path

from . import __version__
from .results import write_atomically


def certified(course_root, isolation):
    """Return whether every wall holds on this machine; remembered until the machine or the grader changes."""
    if isolation == "none":
        return False
    path = Path(course_root) / ".gradus" / "walls.json"
    here = [__version__, platform.platform(), os.getuid(), _boot(), isolation]
    try:
        remembered = json.loads(path.read_text())
        if remembered["here"] == here:
            return remembered["certified"] is True
    except (OSError, ValueError, KeyError, TypeError):
        pass
    from .doctor import examine  # slow to import, and mostly not needed

    answer = all(finding.held for finding in examine(isolation))
    write_atomically(path, json.dumps({"here": here, "certified": answer, "at": time.time()}))
    return answer


def _boot():
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
