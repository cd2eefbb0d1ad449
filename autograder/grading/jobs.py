"""What a grading process is given: where it works, and one submission after another; and how it is started.

The command itself needs no more of grading than this: it imports neither numpy nor pytest.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
BOOT = "import gc; gc.disable(); from autograder.grading.worker import main; main({})"


@dataclass(frozen=True)
class Setting:
    """What a worker needs to know: where the course is, which assignment, how to wall in, where to write.

    With ``out`` None nothing is written: each result comes back as a pair with its feedback page.
    """

    root: Path
    assignment: str
    isolation: str
    certified: bool
    out: Path | None


@dataclass(frozen=True)
class Job:
    """One submission to grade.

    Attributes:
        student: whose it is.
        files: {notebook name: path} of what was handed in.
        seed: of its hidden inputs.
        key: hash of everything its result depends on.
        notes: sentences about how it was found (extra files, doubtful names, lateness).
        late_share: share of the points that is lost for lateness.
        only: names of checks or of their questions; no others run. All run if it is None.
    """

    student: str
    files: dict[str, Path]
    seed: int
    key: str = ""
    notes: tuple[str, ...] = ()
    late_share: float = 0.0
    only: frozenset[str] | None = None


def start(*descriptors):
    """Start a process that serves the sockets of these descriptors; return its Popen."""
    line = [sys.executable, "-P", "-c", BOOT.format(", ".join(map(str, descriptors)))]
    return subprocess.Popen(line, pass_fds=descriptors, stdin=subprocess.DEVNULL, env=ENVIRONMENT)
