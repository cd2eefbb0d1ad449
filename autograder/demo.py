"""A made-up class, graded for real: the quickest way to see what the kit does.

Every submission is generated here from an assignment's own solution, mutants and variants, and from
a few programs that are broken or hostile. No student wrote any of it.
"""

import random
import shutil
from pathlib import Path

from . import build, specimens
from .assignment import Assignment
from .console import ProgressBar, out, print_class
from .course import Course
from .errors import InputError
from .pipeline import fresh_folder, grade_and_report

ASSIGNMENTS = ("logistic_regression", "adam")
LABEL = (
    "This class is made up. Every submission was generated from the assignment itself; no student wrote any of it.\n"
)

BROKEN = {
    "syntax-error": "def half_done(:\n    return 1",
    "asks-for-input": "name = input('your name? ')",
    "endless-loop": "while True:\n    pass",
    "typo": "import numppy as np",
    "prints-a-lot": "for i in range(200_000):\n    print('step', i)",
}
HOSTILE = {
    "leaves-early": "import os\nos._exit(0)",
    "claims-full-marks": 'print(\'{"score": 100, "status": "passed"}\')\nraise SystemExit(0)',
    "looks-for-answers": "import glob\nfound = glob.glob('/gradus/*/mutants.py') + glob.glob('/gradus/*/test_*.py') + glob.glob('/*/*.ipynb')\n"
    "raise RuntimeError(f'{len(found)} files of hidden checks found')",
    "calls-home": "import socket\nsocket.create_connection(('127.0.0.1', 80), timeout=2)",
    "eats-memory": "blocks = []\nwhile True:\n    blocks.append(bytearray(2**26))",
    "forks": "import os\nfor _ in range(500):\n    if os.fork() == 0:\n        import time\n        time.sleep(60)",
    "writes-frames": "import os\nfor fd in range(3, 64):\n    try:\n        os.write(fd, b'\\xff' * 64)\n    except OSError:\n"
    "        pass",
    "script-in-text": "raise ValueError('<script>alert(1)</script>')",
}


def run(course, *, quiet=False, jobs=None, isolation="namespaces"):
    """Build, make the class, grade it, and say where to look. Everything is written below ``demo/``."""
    root = fresh_folder(course.root / "demo")
    place = Course(root)
    names = [n for n in ASSIGNMENTS if n in course.assignments()] or course.assignments()[:1]
    if not names:
        raise InputError("there is no assignment to show", remedy="write one with `gradus new NAME`")
    (root / "READ_ME_FIRST.txt").write_text(LABEL)
    for name in names:
        _copy(course, place, name)
        out.print(f"[bold]{name}[/bold]: release and solutions")
        build.release(place, name)
        build.solve(place, name)
        assignment = Assignment.load(place, name)
        count = make_class(place.submitted, assignment)
        out.print(f"[bold]{name}[/bold]: {count} made-up submissions")
        with ProgressBar(f"grade {name}", quiet) as bar:
            graded = grade_and_report(place, name, place.submitted, jobs=jobs, isolation=isolation,
                                      progress=bar, demo=True)  # fmt: skip
        if not quiet:
            print_class(graded)
    out.print(f"\n{LABEL}Look at:")
    for name in names:
        out.print(f"  demo/graded/{name}/report.html      the class, for the teacher")
        out.print(f"  demo/graded/{name}/*/feedback.html  what each student reads")
        out.print(f"  demo/graded/{name}/grades.csv")
    out.print(
        "  demo/gradebook.db                   nbgrader's gradebook (cd demo && jupyter lab; Nbgrader, Formgrader)"
    )


def _copy(course, place, name):
    shutil.copytree(course.source / name, place.source / name)
    if course.checks(name).is_dir():
        shutil.copytree(course.checks(name), place.checks(name), ignore=shutil.ignore_patterns("__pycache__"))


def make_class(folder, assignment):
    """Write the made-up submissions of ``assignment`` below ``folder``; return how many."""
    answers = specimens.solution(assignment, assignment.notebooks[0].name)
    programs = {"solution": answers, "solution-too": answers, "untouched": {}}
    programs |= {f"variant-{v.name}": specimens.changed(assignment, v) for v in assignment.variants}
    programs |= {f"mutant-{m.name}": specimens.changed(assignment, m) for m in assignment.mutants}
    ids = list(answers)
    for number, share in enumerate((0.3, 0.5, 0.8), start=1):
        programs[f"half-finished-{number}"] = {i: answers[i] for i in ids[: round(share * len(ids))]}
    for name, code in {**BROKEN, **HOSTILE}.items():
        first = next(i for i in ids if "### BEGIN SOLUTION" in answers[i])
        programs[name] = {**answers, first: code}
    order = list(programs)
    random.Random(7).shuffle(order)
    for number, name in enumerate(order, start=1):
        specimens.write(folder, f"demo{number:02d}-{name}", assignment, {assignment.notebooks[0].name: programs[name]})
    return len(order) + _odd_files(folder, assignment, len(order))


def _odd_files(folder, assignment, number):
    """Files that are not notebooks of this assignment at all."""
    name = f"{assignment.notebooks[0].name}.ipynb"
    other = '{"cells": [{"cell_type": "code", "metadata": {}, "source": "1 + 1"}], "nbformat": 4, "nbformat_minor": 5}'
    odd = {"not-json": "my answers are in the attachment", "empty-file": "", "another-notebook": other}
    for offset, (student, text) in enumerate(odd.items(), start=1):
        target = Path(folder, f"demo{number + offset:02d}-{student}", assignment.name)
        target.mkdir(parents=True)
        (target / name).write_text(text)
    return len(odd)
