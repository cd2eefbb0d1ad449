"""Chooses how grades are written: one function, a format's name in, bytes out."""

import json

from ..assignment import Assignment
from ..errors import InputError
from ..pipeline import graded_results
from ..reports.tables import grades_csv
from ..roster import Roster
from . import FORMATS, ci, gradescope, lms
from .marks import marks

CLASS_TABLES = {"canvas": lms.canvas_csv, "moodle": lms.moodle_csv}
TEXTS = {"junit": ci.junit_xml, "github": ci.github_summary, "github-annotations": ci.github_annotations}


def exported(course, name, wanted, *, results=None, roster=None, db=None):
    """Return (content in bytes, students whom the roster does not name) of the assignment's grades in a format.

    Args:
        wanted: one of FORMATS.
        results: folder of the results; ``graded/<name>`` by default.
        roster: path of the list that the platform exported.
        db: SQLAlchemy URL of the gradebook with the marks given by hand.

    Raises InputError for another format, or where the format needs what is not there.
    """
    if wanted not in FORMATS:
        raise InputError(f"--format {wanted} is not known", remedy=f"use one of: {', '.join(FORMATS)}")
    assignment = Assignment.load(course, name)
    if wanted == "gradescope":
        return gradescope.autograder_zip(course, assignment), []
    given = marks(graded_results(course, name, results), assignment, db or f"sqlite:///{course.root / 'gradebook.db'}")
    if wanted in CLASS_TABLES:
        table, strangers = CLASS_TABLES[wanted](given, assignment, Roster.read(roster) if roster else None)
        return table.encode(), strangers
    if wanted in TEXTS:
        text = TEXTS[wanted](given, assignment)
    elif wanted == "gradescope-results":
        if len(given) != 1:
            raise InputError(f"results.json is for one submission, and there are {len(given)}",
                             remedy="name its folder with --results")  # fmt: skip
        text = gradescope.results_json(given[0], assignment)
    elif wanted == "json":
        rows = [{"student": m.student, "score": m.score, "max_score": m.max_score, "waits": m.waits,
                 "result": m.result.model_dump(by_alias=True)} for m in given]  # fmt: skip
        text = json.dumps({"assignment": name, "marks": rows}, indent=1) + "\n"
    else:
        text = grades_csv(
            [m.result.model_copy(update={"score": m.score, "late_share": 0.0}) for m in given], assignment
        )
    return text.encode(), []
