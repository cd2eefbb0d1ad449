"""Other walls than root's namespaces: containers where namespaces are missing, and a grader without root."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from conftest import BIN, SOLVED, command_environment, hand_in, make_tiny

from autograder import doctor
from autograder.errors import InfraError
from autograder.jail import choice, container
from autograder.jail.choice import IsolationMissing

HANGS = "def double(x):\n    while True:\n        pass"
CRASHES = "import os\ndef double(x):\n    os.kill(os.getpid(), 11)\n    os._exit(3)"
READS = "def double(x):\n    return open('/etc/passwd').read() + open('/etc/shadow').read()"
PRINTS = "def double(x):\n    print('x' * 100_000)\n    import sys; sys.stdin.read()\n    return 2 * x"
ANSWERS = {
    "right": SOLVED,
    "wrong": {**SOLVED, "double-answer": "def double(x):\n    return x * x"},
    "empty": {},
    "hangs": {**SOLVED, "double-answer": HANGS},
    "crashes": {**SOLVED, "double-answer": CRASHES},
    "reads": {**SOLVED, "double-answer": READS},
    "prints": {**SOLVED, "double-answer": PRINTS},
}


@pytest.fixture(scope="module")
def engine():
    """The container engine; a machine where none can start a container has no containers to test."""
    try:
        container.Containers(("numpy",), ("numpy",), 512).launch().ready()
    except (InfraError, TypeError) as error:
        pytest.skip(f"no container engine works on this machine: {choice.engine()}: {error}")
    return choice.engine()


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The tiny course with a class of every kind, readable by everyone."""
    root = tmp_path_factory.mktemp("isolation")
    made = make_tiny(root, call_seconds=1.0)
    for student, answers in ANSWERS.items():
        hand_in(root / "submitted", student, made, answers)
    return root


def graded(course, out):
    """Return {student: (status, {question: (points, message of each check)})} and what isolation each result names."""
    found, walls = {}, set()
    for path in sorted((course / out).glob("*/result.json")):
        result = json.loads(path.read_text())
        walls.add((result["isolation"], result["certified"]))
        found[path.parent.name] = (
            result["status"],
            {q["id"]: (q["points"], [c["status"] for c in q["checks"]]) for q in result["questions"]},
        )
    return found, walls


def test_containers_deny_what_namespaces_deny(engine):
    """Every probe of the doctor is denied in a container."""
    assert {f.name: f.detail for f in doctor.examine("container") if not f.held} == {}


def test_a_class_in_containers_gets_the_same_marks(engine, course, gradus):
    """Same class, same seed: every status and every point is what namespaces give, and the results are certified."""
    for isolation in ("namespaces", "container"):
        line = ("--isolation", isolation, "--out", course / isolation, "--db", f"sqlite:///{course / isolation}.db")
        gradus("grade", "tiny", "--seed", "3", *line, cwd=course)
    expected, _ = graded(course, "namespaces")
    got, walls = graded(course, "container")
    assert got == expected
    assert {s: q["double"][0] for s, (_, q) in got.items()} == {s: 2.0 * (s in ("right", "prints")) for s in ANSWERS}
    assert walls == {("container", True)}


def test_no_container_is_left_behind(engine):
    """Containers go with their processes."""
    names = subprocess.run([engine, "ps", "--all", "--format", "{{.Names}}"], capture_output=True, text=True)
    assert "gradus-" not in names.stdout


def test_an_engine_that_fails_is_our_fault(engine, monkeypatch):
    """A container that cannot be made is an infra_error with the engine's own words."""
    monkeypatch.setattr(container, "image", lambda: "localhost/no-such-image:1")
    with pytest.raises(InfraError, match=r"a container could not be started.*image"):
        container.Containers(("numpy",), ("numpy",), 512).fork()


def failing_bubblewrap(folder, monkeypatch):
    """Put a bwrap first on the path that fails as on a machine without user namespaces."""
    fake = folder / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_without_namespaces_a_container_is_used(tmp_path, monkeypatch):
    """Where bubblewrap cannot make namespaces, containers are chosen if an engine works."""
    failing_bubblewrap(tmp_path, monkeypatch)
    monkeypatch.setattr(choice, "engine", lambda: "podman")
    assert choice.settle("namespaces") == "container"


def test_without_namespaces_and_engines_grading_stops(tmp_path, monkeypatch):
    """With neither, the sentence says what bubblewrap said, what to install, and the flag to grade without walls."""
    failing_bubblewrap(tmp_path, monkeypatch)
    monkeypatch.setattr(choice, "engine", lambda: None)
    with pytest.raises(IsolationMissing, match=r"(?s)No permissions to create new namespace.*podman.*--isolation none"):
        choice.settle("namespaces")


def as_ordinary_user(line, user=54321):
    """Return a command line that runs ``line`` without root, in a view where this Python can be read by everyone.

    Where the tests run as root, Python may lie in root's home; a private mount opens the way to it.
    """
    if os.getuid():
        return line
    closed = [
        str(p) for p in [BIN.resolve(), *Path(os.path.realpath(BIN / "python")).parents] if p.parent == Path("/root")
    ]
    opened = "".join(
        f"mount --bind {path} /mnt && mount -t tmpfs -o mode=755 none /root && mkdir {path} && mount --move /mnt {path} && "
        for path in closed
    )
    drop = f"exec setpriv --reuid {user} --regid {user} --clear-groups --no-new-privs --bounding-set=-all"
    return ["unshare", "--mount", "sh", "-c", f'{opened}{drop} "$@"', "sh", *line]


def test_an_ordinary_user_grades_behind_the_same_walls(course, gradus, tmp_path_factory):
    """Without root every wall holds as well, and the class gets the same marks, certified."""
    place = tmp_path_factory.mktemp("ordinary")
    for folder in (*course.parents, place, course):
        if folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(0o777)
    subprocess.run(["chmod", "-R", "a+rwX", str(course)], check=True)
    env = {**command_environment(), "HOME": str(place)}
    for arguments in (
        ["doctor", "--json", str(place / "walls.json")],
        ["grade", "tiny", "--seed", "3", "--out", str(place / "graded"), "--db", f"sqlite:///{place}/book.db"],
    ):
        line = as_ordinary_user([str(BIN / "gradus"), *arguments])
        done = subprocess.run(line, cwd=course, env=env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
    walls = json.loads((place / "walls.json").read_text())
    assert walls["user"] == "ordinary user"
    assert [w["name"] for w in walls["walls"] if not w["held"]] == []
    gradus("grade", "tiny", "--seed", "3", "--out", course / "root", "--db", f"sqlite:///{course}/root.db", cwd=course)
    expected, _ = graded(course, "root")
    assert graded(place, "graded") == (expected, {("namespaces", True)})
