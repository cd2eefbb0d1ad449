"""A class of 200 for what may go wrong while it is graded: kills, a full disk, workers that come and go."""

import json
import os
import signal
import subprocess
import time

from conftest import BIN, DOUBLE, SOLVED, command_environment, hand_in, make_tiny

COUNT = 200
SEED = 5
ANSWERS = [SOLVED, {**SOLVED, "double-answer": "def double(x):\n    return x * x"}, {"double-answer": DOUBLE}, {}]
VOLATILE = ("seconds", "environment")


def make_class(root):
    """Make a course below ``root`` with COUNT submissions, one of them not a notebook."""
    course = make_tiny(root)
    for number in range(COUNT - 1):
        hand_in(course.submitted, f"s{number:03d}", course, ANSWERS[number % len(ANSWERS)])
    broken = course.submitted / "broken" / "tiny" / "tiny.ipynb"
    broken.parent.mkdir(parents=True)
    broken.write_text("not a notebook")


def start(root, out):
    """Start grading into ``out`` in a process group of its own."""
    line = [str(BIN / "gradus"), "grade", "tiny", "--seed", str(SEED), "--out", str(root / out),
            "--db", f"sqlite:///{root / out}.db"]  # fmt: skip
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(line, cwd=root, env=command_environment(), start_new_session=True, **quiet)


def results(folder):
    """Return {student: result without times}."""
    found = {}
    for path in sorted(folder.glob("*/result.json")):
        result = json.loads(path.read_text())
        for key in VOLATILE:
            result.pop(key)
        for question in result["questions"]:
            for check in question["checks"]:
                check.pop("seconds")
        found[path.parent.name] = result
    return found


def wait_for_results(folder, count, process):
    """Wait until ``count`` results are in ``folder`` or ``process`` has ended."""
    deadline = time.monotonic() + 60
    while len(list(folder.glob("*/result.json"))) < count and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)


def kill(pid):
    """kill -9; nothing if the process is gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
