"""Gradescope: ``results.json`` for one submission, and a zip that Gradescope runs for each hand-in.

The zip holds this kit, one assignment with its hidden checks, and two scripts. Gradescope builds an image with
``setup.sh`` once and calls ``run_autograder`` in a fresh container for each submission.
"""

import json
from pathlib import Path

from .. import __version__
from ..archives import packed, tree
from ..errors import InputError
from ..reports.words import clean, isolation_warning, question_lines, sentence

PACKAGES = ("autograder", "course_lib")
CHECKS = "kit/autograder/checks/"  # those of the one assignment are in kit/course
SETUP = """#!/usr/bin/env bash
# Made by `gradus export`: runs once, when Gradescope builds the image.
set -euo pipefail
cd "$(dirname "$0")"
apt-get update
apt-get install -y --no-install-recommends python3 python3-venv bubblewrap libseccomp2
python3 -m venv /autograder/venv
/autograder/venv/bin/pip install --no-cache-dir -r kit/requirements.txt
/autograder/venv/bin/pip install --no-cache-dir --no-deps ./kit
"""
RUN = """#!/usr/bin/env bash
# Made by `gradus export`: runs for each submission. Gradescope's container keeps students apart; inside it
# there are walls as well if the machine allows them, and the student's page says so where there are none.
set -uo pipefail
root="${GRADESCOPE_ROOT:-/autograder}"
gradus="${GRADUS:-/autograder/venv/bin/gradus}"
course="$root/source/kit/course"
work="$(mktemp -d)"
if "$gradus" doctor >"$work/doctor.txt" 2>&1; then isolation=namespaces; else isolation=none; fi
mkdir "$work/submission"
cp -r "$root/submission" "$work/submission/student"
"$gradus" grade ASSIGNMENT "$work/submission" --course "$course" --out "$work/graded" --isolation "$isolation" \\
    --db "sqlite:///$work/gradebook.db" --jobs 1 --quiet >"$work/grade.txt" 2>&1
status=$?
mkdir -p "$root/results"
if ! "$gradus" export ASSIGNMENT --format gradescope-results --course "$course" --results "$work/graded" \\
    --to "$root/results/results.json" 2>>"$work/grade.txt"; then
    printf '{"score": 0, "output": "The grader could not run (exit code %d). This is not your fault; please tell your teacher."}' \\
        "$status" >"$root/results/results.json"
    cat "$work/grade.txt"
fi
"""


def results_json(mark, assignment):
    """Return Gradescope's ``results.json`` for one Mark; each question is a test, and a written one waits for a person.

    Format: Gradescope's autograder documentation, "Output format" (score, tests, visibility, output_format).
    """
    result = mark.result
    if mark.score is None:
        raise InputError("this submission could not be graded, so it has no results", where=mark.student,
                         remedy="grade it again; an error of the grader is never a zero")  # fmt: skip
    warnings = [text for text in (isolation_warning(result),) if text]
    tests = [
        {
            "name": question.id,
            "name_format": "text",
            "score": question.points,
            "max_score": question.max_points,
            "status": "passed" if question.status == "passed" else "failed",
            "output": "\n".join(question_lines(question)),
            "output_format": "text",
            "visibility": "visible",
        }
        for question in result.questions
        if question.status != "manual"
    ]
    found = {
        "score": mark.score,
        "execution_time": round(result.seconds),
        "output": clean("\n".join(map(sentence, [*warnings, *result.notes]))),
        "output_format": "text",
        "test_output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {"gradus": __version__, "waits_for_a_person": mark.waits, "certified": result.certified},
    }
    return json.dumps(found, indent=1) + "\n"


def autograder_zip(course, assignment):
    """Return the zip's bytes. It holds hidden checks: it is for Gradescope and staff alone."""
    package = Path(__file__).parents[1]
    files = {"kit/requirements.txt": _requirements(assignment, package.parent / "requirements.lock")}
    for name in PACKAGES:
        files |= tree(package.parent / name, f"kit/{name}")
    files = {path: data for path, data in files.items() if not path.startswith(CHECKS)}
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        files[f"kit/{name}"] = (package.parent / name).read_bytes()
    files |= {"setup.sh": SETUP, "run_autograder": RUN.replace("ASSIGNMENT", assignment.name)}
    files |= {f"kit/course/{path}": data for path, data in course.files(assignment.name).items()}
    return packed(files, programs=("setup.sh", "run_autograder"))


def _requirements(assignment, lock):
    """Return the pinned requirements, without TensorFlow where nothing uses it (torch is an oracle everywhere)."""
    dropped = () if "tensorflow" in assignment.settings.frameworks else ("tensorflow", "tensorflow-cpu", "keras")
    if not lock.is_file():
        raise InputError("the list of pinned packages is not here", where=str(lock),
                         remedy="export from a clone of the kit")  # fmt: skip
    lines = lock.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if line.partition("==")[0].strip() not in dropped)
