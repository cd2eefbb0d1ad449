"""Fixtures: this course, small made-up courses, and the real command line."""

import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def pytest_configure():
    os.environ["GRADUS_OFFLINE"] = "1"  # nothing downloads here


@pytest.fixture(scope="session")
def root():
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def gradus():
    """Run ``gradus`` as a user would; returns the finished process."""

    def run(*arguments, cwd, code=0):
        line = [str(BIN / "gradus"), *map(str, arguments)]
        done = subprocess.run(line, cwd=cwd, env=command_environment(), capture_output=True, text=True, timeout=900)
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stdout + done.stderr
        return done

    return run


def command_environment():
    """The environment of a user with a plain terminal and this venv first on the path."""
    return {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "COLUMNS": "160", "NO_COLOR": "1"}


def cell(kind, source, grade_id="", points=None, tags=(), cell_type="code"):
    """Return a notebook cell of one kind (answer, checks, manual, task, locked, free) as a dict."""
    metadata = {"tags": list(tags)} if tags else {}
    flags = {
        "answer": (False, True, False, False),
        "checks": (True, False, True, False),
        "manual": (True, True, False, False),
        "task": (False, False, True, True),
        "locked": (False, False, True, False),
    }.get(kind)
    if flags:
        grade, solution, locked, task = flags
        marks = {"schema_version": 3, "grade": grade, "solution": solution, "locked": locked, "task": task,
                 "grade_id": grade_id}  # fmt: skip
        metadata["nbgrader"] = marks if points is None else {**marks, "points": points}
    made = {
        "cell_type": cell_type,
        "id": (grade_id or "free").replace("_", "-"),
        "metadata": metadata,
        "source": source,
    }
    return made if cell_type == "markdown" else {**made, "execution_count": None, "outputs": []}


def notebook_text(cells):
    """Return a notebook with these cells as JSON text, each with an id of its own."""
    numbered = [{**c, "id": f"{c['id'][:40]}-{i}"} for i, c in enumerate(cells)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    tree = {"cells": numbered, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(tree)


DOUBLE = '''def double(x):
    """Return twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
'''
TRIPLE = '''def triple(x):
    """Return three times x."""
    ### BEGIN SOLUTION
    return 3 * x
    ### END SOLUTION
'''
CHECKS = '''
import numpy as np
import pytest

from autograder.compare import assert_close


@pytest.mark.cell("double")
def test_doubles(student, rng):
    """double gives twice its input."""
    x = rng.normal(size=(3, 2))
    assert_close(student.double(x), 2 * x)


@pytest.mark.cell("triple")
def test_triples(student, rng):
    """triple gives three times its input."""
    x = rng.normal(size=4)
    assert_close(student.triple(x), 3 * x)
'''
MUTANTS = """
from autograder.mutation import Mutant

MUTANTS = [
    Mutant("squares", "double", (("2 * x", "x * x"),), hint="You square the input.", caught_by="test_doubles"),
    Mutant("adds_three", "triple", (("3 * x", "3 + x"),), hint="You add three.", caught_by="test_triples"),
]
"""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A course with one assignment of two questions and a written one, released. Do not write into it."""
    return make_tiny(tmp_path_factory.mktemp("tiny"))


def make_tiny(root, call_seconds=2.0, cell_seconds=2.0, settings="", checks_text=CHECKS, name="tiny"):
    """Make the tiny course below ``root``, with more lines of assignment.toml; return its Course."""
    from autograder import build
    from autograder.course import Course

    source = root / "source" / name
    checks = root / "autograder" / "checks" / name
    source.mkdir(parents=True)
    checks.mkdir(parents=True)
    cells = [
        cell("locked", "import numpy as np", "setup"),
        cell("answer", DOUBLE, "double-answer"),
        cell("checks", "assert double(2) == 4", "double", 2),
        cell("answer", TRIPLE, "triple-answer"),
        cell("checks", "assert triple(2) == 6", "triple", 3),
        cell("manual", "Because.", "why", 1, cell_type="markdown"),
    ]
    (source / f"{name}.ipynb").write_text(notebook_text(cells))
    (checks / "test_tiny.py").write_text(checks_text)
    (checks / "mutants.py").write_text(MUTANTS)
    (checks / "assignment.toml").write_text(
        f"title = 'Tiny'\ncall_seconds = {call_seconds}\ncell_seconds = {cell_seconds}\ntotal_seconds = 20\nmemory_mb = 512\n"
        + settings
    )
    (root / ".gradus").mkdir()
    (root / ".gradus" / "walls.json").write_bytes(walls_of_this_machine())
    course = Course(root)
    build.release(course, name)
    return course


@functools.cache
def walls_of_this_machine():
    """Return what a course remembers once its walls have been tried: tried here once for all courses (see test_walls)."""
    from autograder.certificate import certified

    with tempfile.TemporaryDirectory() as folder:
        certified(folder, "namespaces")
        return Path(folder, ".gradus", "walls.json").read_bytes()


def hand_in(folder, student, course, answers, extra=(), assignment="tiny"):
    """Write one submission of ``assignment`` in nbgrader's layout and return its notebook's path."""
    from autograder import specimens

    target = folder / student / assignment
    target.mkdir(parents=True)
    release = course.release / assignment / f"{assignment}.ipynb"
    (target / release.name).write_text(specimens.fill_in(release, answers, extra=extra))
    return target / release.name


SOLVED = {"double-answer": DOUBLE, "triple-answer": TRIPLE, "why": "Because of that."}


@pytest.fixture(scope="session")
def kit(root, tmp_path_factory):
    """The student kit of this course, unpacked. Do not write into it."""
    from autograder.bundle import bundle
    from autograder.course import Course

    place = tmp_path_factory.mktemp("kit")
    with zipfile.ZipFile(bundle(Course(root), place)) as archive:
        archive.extractall(place)
    return place / "student-kit"


@pytest.fixture(scope="session")
def large_class(tmp_path_factory):
    """The folder of a class of 200, and its results from a run that nothing disturbed."""
    from large_class import make_class, results, start

    root = tmp_path_factory.mktemp("large")
    make_class(root)
    assert start(root, "calm").wait() == 0
    return root, results(root / "calm")


@contextlib.contextmanager
def jupyter(application, folder, page, *options):
    """Run a Jupyter application (lab, server) in ``folder``, on loopback; yield its address once ``page`` is there.

    Settings are read from ``folder`` alone, and what is written to a home goes there too.
    """
    port = free_port()
    line = [str(BIN / "jupyter"), application, "--no-browser", "--allow-root", f"--port={port}",
            "--IdentityProvider.token=", *options]  # fmt: skip
    environment = {**command_environment(), "JUPYTER_CONFIG_DIR": str(folder), "HOME": str(folder)}
    with open(folder / "server.log", "w") as log:
        server = subprocess.Popen(line, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while not _answers(f"{address}/{page}"):
            assert time.monotonic() < deadline, (folder / "server.log").read_text()
            time.sleep(0.2)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def _answers(url):
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("there is no Chromium here (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        chromium = playwright.chromium.launch(executable_path=path, args=quiet)
        yield chromium
        chromium.close()


def free_port():
    """Return the number of a port on loopback that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
