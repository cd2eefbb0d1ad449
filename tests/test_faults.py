"""kill -9 and a full disk: after a restart the class has every result once, as in an undisturbed run."""

import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from conftest import BIN, command_environment
from large_class import COUNT, SEED, kill, results, start, wait_for_results


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


@pytest.mark.parametrize("round_", range(3))
def test_the_grader_is_killed(large_class, round_):
    """Kill the whole grader at some moment; the same command again completes the class."""
    root, calm = large_class
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


WORKER = "autograder.grading.worker"


@pytest.mark.parametrize(
    ("victim", "mark", "which"),
    [("first worker", WORKER, 0), ("forked worker", WORKER, -1), ("zygote", "inside.zygote", 0)],
)
def test_a_part_of_the_grader_is_killed(large_class, victim, mark, which):
    """Kill a worker or a zygote during the run; the run itself completes, and no result differs."""
    root, calm = large_class
    out = f"part {victim}"
    shutil.rmtree(root / out, ignore_errors=True)
    process = start(root, out)
    wait_for_results(root / out, 5, process)
    victims = [pid for pid in descendants(process.pid) if mark in command_of(pid)]
    assert victims
    kill(victims[which])
    assert process.wait() == 0
    assert results(root / out) == calm


def test_student_processes_are_killed(large_class):
    """Kill student processes from outside at random: no result is wrong, and what was not graded then is the next time."""
    root, calm = large_class
    process = start(root, "students")
    chance = random.Random(3)
    while process.poll() is None:
        inside = [pid for pid in descendants(process.pid) if "inside.zygote" in command_of(pid)]
        if len(inside) > 4:
            kill(chance.choice(inside[-2:]))
        time.sleep(0.15)
    for student, result in results(root / "students").items():
        assert result == calm[student] or result["status"] == "infra_error", result
    assert start(root, "students").wait() == 0
    assert results(root / "students") == calm


def test_a_full_disk_is_ours_and_leaves_no_halves(large_class):
    """Out of space: exit 3 with a sentence, whole results only; with space again the class completes."""
    root, calm = large_class
    full = root / "full"
    full.mkdir()
    script = (
        f"mount -t tmpfs -o size=150k none {full} && cd {root} && "
        f"{BIN}/gradus grade tiny --seed {SEED} --out {full} --db sqlite:///{root}/full.db; code=$?; "
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
