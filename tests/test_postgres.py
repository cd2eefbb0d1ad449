"""The gradebook in PostgreSQL, started by the test: the same marks as in SQLite."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import SOLVED, free_port, hand_in, make_tiny

from autograder.assignment import Assignment
from autograder.exports.marks import marks
from autograder.pipeline import graded_results


def programs():
    """Return the folder of PostgreSQL's programs, the newest."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("there is no PostgreSQL here (apt-get install postgresql)")
    return found[-1].parent


@pytest.fixture(scope="module")
def database():
    """The URL of an empty database of a server of our own, which refuses to run as root."""
    place, port = programs(), free_port()
    user = "postgres" if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # a short path: it holds the server's socket
    if user:
        shutil.chown(folder, user, user)

    def run(*line):
        return subprocess.run(list(map(str, line)), user=user, group=user, extra_groups=[] if user else None, cwd="/",
                              capture_output=True, text=True, check=True)  # fmt: skip

    run(place / "initdb", "-D", folder / "data", "-A", "trust", "-U", "teacher", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    run(place / "pg_ctl", "-D", folder / "data", "-o", options, "-l", folder / "log", "-w", "start")
    run(place / "createdb", "-h", "127.0.0.1", "-p", port, "-U", "teacher", "gradebook")
    yield f"postgresql+psycopg2://teacher@127.0.0.1:{port}/gradebook"
    run(place / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop")
    shutil.rmtree(folder)


def test_a_class_in_postgresql(database, tmp_path, gradus):
    """Graded twice with a person's marks in between: the same as in SQLite, and the marks stay."""
    from nbgrader.api import Gradebook

    course = make_tiny(tmp_path)
    hand_in(course.submitted, "ada", course, SOLVED)
    hand_in(course.submitted, "bob", course, {**SOLVED, "triple-answer": "def triple(x):\n    return 3 + x"})
    gradus("grade", "tiny", "--db", database, "--quiet", cwd=tmp_path)
    gradus("grade", "tiny", "--quiet", cwd=tmp_path)
    assignment, results = Assignment.load(course, "tiny"), graded_results(course, "tiny")
    given = marks(results, assignment, database)
    assert given == marks(results, assignment, f"sqlite:///{tmp_path}/gradebook.db")
    assert [(m.student, m.score, m.waits) for m in given] == [("ada", 5.0, 1.0), ("bob", 2.0, 1.0)]
    with Gradebook(database) as book:
        grade = book.find_grade("why", "tiny", "tiny", "bob")
        grade.manual_score, grade.needs_manual_grade = 1.0, False
        book.db.commit()
    gradus("grade", "tiny", "--db", database, "--seed", 5, "--quiet", cwd=tmp_path)
    assert [m.score for m in marks(graded_results(course, "tiny"), assignment, database)] == [5.0, 3.0]
