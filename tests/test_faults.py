"""kill -9 and a full disk: after a restart the class has every result once, as in an undisturbed run."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import BIN, DOUBLE, SOLVED, command_environment, hand_in, make_tiny

COUNT = 200
VOLATILE = ("seconds", "environment")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A class of COUNT submissions, and its results from an undisturbed run."""
    root = tmp_path_factory.mktemp("faults")
    course = make_tiny(root)
    for number in range(COUNT):
        wrong = {**SOLVED, "double-answer": "def double(x):\n    return x * x"}
        answers = [SOLVED, wrong, {"double-answer": DOUBLE}, {}][number % 4]
        hand_in(root / "submitted", f"s{number:03d}", course, answers)
    start(root, "calm").wait()
    return root, results(root / "calm")


def start(root, out):
    """Start grading into ``out`` in a process group of its own."""
    line = [
        str(BIN / "gradus"),
        "grade",
        "tiny",
        "--seed",
        "5",
        "--out",
        str(root / out),
        "--db",
        f"sqlite:///{root / out}.db",
    ]
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


def descendants(pid):
    """Return the process ids of everything that ``pid`` has started."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, pending = [], [pid]
    while pending:
        below = children.get(pending.pop(), [])
        found += below
        pending += below
    return found


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def wait_for_results(folder, count, process):
    deadline = time.monotonic() + 60
    while len(list(folder.glob("*/result.json"))) < count and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.mark.parametrize("round_", range(3))
def test_the_grader_is_killed(place, round_):
    """Kill the whole grader at some moment; the same command again completes the class."""
    root, calm = place
    out = f"killed{round_}"
    first = start(root, out)
    wait_for_results(root / out, random.Random(round_).randrange(1, COUNT - 5), first)
    kill(first.pid)
    first.wait()
    partial = results(root / out)
    assert all(calm[s] == r for s, r in partial.items())
    assert start(root, out).wait() == 0
    assert results(root / out) == calm
    assert not list((root / out).rglob("*.partial"))


@pytest.mark.parametrize(("victim", "mark"), [("worker", "autograder.grading.worker"), ("zygote", "inside.zygote")])
def test_a_part_of_the_grader_is_killed(place, victim, mark):
    """Kill a worker or a zygote during the run; the run itself completes, and no result differs."""
    root, calm = place
    out = f"part-{victim}"
    shutil.rmtree(root / out, ignore_errors=True)
    process = start(root, out)
    wait_for_results(root / out, 5, process)
    victims = [pid for pid in descendants(process.pid) if mark in command_of(pid)]
    assert victims
    kill(victims[0])
    assert process.wait() == 0
    assert results(root / out) == calm


def test_student_processes_are_killed(place):
    """Kill student processes from outside at random; a dead process is never a wrong result for another student."""
    root, calm = place
    process = start(root, "students")
    chance = random.Random(3)
    while process.poll() is None:
        inside = [pid for pid in descendants(process.pid) if "inside.zygote" in command_of(pid)]
        if len(inside) > 4:
            kill(chance.choice(inside[-2:]))
        time.sleep(0.15)
    shutil.rmtree(root / "students", ignore_errors=True)
    assert start(root, "students").wait() == 0
    assert results(root / "students") == calm


def test_a_full_disk_is_ours_and_leaves_no_halves(place):
    """Out of space: exit 3 with a sentence, whole results only; with space again the class completes."""
    root, calm = place
    full = root / "full"
    full.mkdir()
    script = (
        f"mount -t tmpfs -o size=150k none {full} && cd {root} && "
        f"{BIN}/gradus grade tiny --seed 5 --out {full} --db sqlite:///{root}/full.db; code=$?; "
        f"cp -r {full} {root}/kept; exit $code"
    )
    line = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script]
    done = subprocess.run(line, env=command_environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr
    kept = results(root / "kept")
    assert 0 < len(kept) < COUNT
    assert all(calm[student] == result for student, result in kept.items())
    shutil.copytree(root / "kept", root / "again")
    assert start(root, "again").wait() == 0
    assert results(root / "again") == calm
