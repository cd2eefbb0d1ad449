"""Grades a class and writes all that follows from it: pages, tables, gradebook."""

import shutil
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from . import __version__, results, seen
from .assignment import Assignment
from .certificate import certified
from .errors import InputError
from .grading.grade import found_submissions, grade_class
from .grading.submissions import Found, one_student
from .reports.gradebook import GradebookWriter, SubmissionFiles, write_gradebook
from .roster import Roster

PAGES = ("report.html", "grades.csv")


def grade_and_report(course, name, path, *, out=None, jobs=None, seed=None, isolation="namespaces", db=None,
                     progress=None, demo=False, cluster=None, roster=None,
                     announce=None, preview=False):  # fmt: skip
    """Grade the submissions of ``name`` at ``path`` and write everything; return the ClassResult.

    Args:
        out: folder of the results; ``graded/<name>`` in the course by default.
        db: SQLAlchemy URL of nbgrader's gradebook; ``gradebook.db`` in the course by default.
        demo: label the class report as made up.
        roster: path of a class list (CSV) that says how each student is called.
        announce: called with the list of Changes that a regrade makes, before the gradebook gets them.
        preview: write nothing; the ClassResult says what would change.
        cluster: address of a dask scheduler; each of its workers tries its own walls before it grades.
    """
    assignment = Assignment.load(course, name)
    out = Path(out).resolve() if out else course.graded / name
    roster = Roster.read(roster) if roster else None
    if cluster:
        elsewhere, walls_hold = partial(_on_cluster, cluster), isolation != "none"
    else:
        elsewhere, walls_hold = None, certified(course.root, isolation)
    grade = partial(grade_class, course, assignment, isolation=isolation, certified=walls_hold, seed=seed, jobs=jobs,
                    progress=progress, elsewhere=elsewhere, announce=announce)  # fmt: skip
    with found_submissions(path, assignment, roster) as found:
        if preview:
            with _copied(out) as aside:
                return grade(found, out=aside)
        with _writer(course, assignment, found, out, db) as writer:
            graded = grade(found, out=out, writer=writer)
    shown = [(r.student, r.key, r.status, r.seconds) for r in graded.results]
    pages_state = partial(seen.state, [out / page for page in PAGES], __version__, demo, shown)
    if not seen.is_remembered(out / ".pages", pages_state()):
        write_pages(assignment, graded.results, out, demo)
        seen.remember(out / ".pages", pages_state())
    return graded


@contextmanager
def _copied(out):
    """Yield a temporary folder with a copy of the results in ``out``."""
    with tempfile.TemporaryDirectory(prefix="gradus-") as aside:
        for path in out.glob("*/result.json"):
            target = Path(aside, path.parent.name)
            target.mkdir()
            shutil.copyfile(path, target / path.name)
        yield Path(aside)


def grade_one(course, name, student, *, isolation, db):
    """Grade one student of nbgrader's ``submitted/``, and write the class's pages again; return the ClassResult.

    Args:
        db: SQLAlchemy URL of nbgrader's gradebook.
    """
    assignment = Assignment.load(course, name)
    out = course.graded / name
    found = Found([one_student(student, course.submitted / student / name, assignment)])
    graded = grade_class(course, assignment, found, out=out, isolation=isolation,
                         certified=certified(course.root, isolation), jobs=1)  # fmt: skip
    write_gradebook(graded.results, assignment, course, db, _files(found))
    if not graded.ungraded:
        report_again(course, name, out)
    return graded


def _on_cluster(address, jobs, setting, seconds):
    from .grading.cluster import grade_on_cluster

    return grade_on_cluster(jobs, setting, seconds, address, certified)


def report_again(course, name, out=None):
    """Write report.html and grades.csv from the results on disk; return their paths."""
    assignment = Assignment.load(course, name)
    out = Path(out).resolve() if out else course.graded / name
    return write_pages(assignment, graded_results(course, name, out), out, demo=False)


def graded_results(course, name, out=None):
    """Return the Results on disk, by student; raise InputError if there are none."""
    out = Path(out).resolve() if out else course.graded / name
    found = results_in(out)
    if not found:
        raise InputError("there are no results", where=str(out), remedy=f"run `gradus grade {name}` first")
    return found


def results_in(folder):
    """Return the Results in the folder of an assignment's results, by student."""
    return [r for p in sorted(folder.glob("*/result.json")) if (r := results.read(p)) is not None]


def write_pages(assignment, found, out, demo):
    """Write report.html and grades.csv of the Results ``found``; return their paths."""
    from .reports.class_report import class_report
    from .reports.tables import grades_csv

    report, table = (out / page for page in PAGES)
    results.write_atomically(report, class_report(found, assignment, demo=demo))
    results.write_atomically(table, grades_csv(found, assignment))
    return [report, table]


def _writer(course, assignment, found, out, db):
    url = db or f"sqlite:///{course.root / 'gradebook.db'}"
    return GradebookWriter(assignment, course, url, _files(found), out / ".gradebook")


def _files(found):
    return {s.student: SubmissionFiles(s.student, dict(s.files), s.timestamp) for s in found.submissions}


def fresh_folder(path):
    """Return ``path`` as an empty folder."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path
