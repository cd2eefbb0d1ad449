"""A made-up course and a made-up class, for the tests of pages, tables and the gradebook."""

import hashlib
import random
from datetime import datetime

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.assignment import Assignment
from autograder.course import Course
from autograder.results import CheckResult, QuestionResult, Result

TITLES = {
    "adam_init": ["The first and second moment start at zero", "The moments have the shapes of the weights"],
    "adam_step": [
        "Seven steps match the formula of the paper",
        "The first step has length `lr`, whatever the gradient's scale",
        "The bias correction uses the number of the step, from 1",
        "`adam_step` leaves its arguments unchanged",
        "A gradient of zero moves nothing",
    ],
    "adam_decay": ["Decay acts on the weights and not on the moments", "With decay 0 it is plain Adam"],
}
WORTH = {"adam_init": 1.0, "adam_step": 5.0, "adam_decay": 2.0, "adam_compare": 2.0}
HINTS = {
    "no_bias_correction": "the moments are used as they are, without dividing by `1 - beta**t`. Early steps are then "
    "about ten times too small: divide each moment by its own factor before the step.",
    "t_from_zero": "the step counter starts at 0, so that the first correction divides by zero. Count the first step as 1.",
    "eps_inside_root": "`eps` is added under the square root. The paper adds it after the root.",
    "l2_not_decoupled": "the decay is added to the gradient, so the moments see it. Decoupled decay shrinks the "
    "weights themselves.",
}
EXAMPLE = {
    "call": "adam_step([0.5, -1.2, 2. ], [ 0.1, -0.3, 0.02], state, lr=0.01)",
    "expected": "[ 0.49, -1.19,  1.99]",
    "got": "[ 0.4968, -1.1968,  1.9968]",
    "where": "index (0,)",
    "message": "every entry of the new weights is wrong",
}
REREAD = {"adam_step": "section 2, “Why the first steps need a correction”", "adam_decay": "section 4, equation 12"}


def marks(kind, name, points=None):
    """Return nbgrader's metadata, version 3."""
    bits = {
        "answer": (False, True, False, False),
        "checks": (True, False, True, False),
        "manual": (True, True, False, False),
        "task": (False, False, True, True),
        "locked": (False, False, True, False),
    }[kind]
    entry = dict(zip(("grade", "solution", "locked", "task"), bits, strict=True))
    entry |= {"schema_version": 3, "grade_id": name}
    return {"nbgrader": entry | ({} if points is None else {"points": points})}


def cells(*, solved):
    """Return the cells of the made-up notebook, as source (solved) or as release."""
    answer = (
        "### BEGIN SOLUTION\n    return None\n    ### END SOLUTION" if solved else "raise NotImplementedError('{}')"
    )
    made = [
        new_markdown_cell("# Adam\n\nAt the end, our optimizer reaches 96 % in half the steps."),
        new_code_cell("import numpy as np", metadata=marks("locked", "setup")),
    ]
    for name in TITLES:
        body = answer if solved else answer.format(name)
        made.append(new_markdown_cell(f"## {name}\nNow write `{name}`."))
        made.append(new_code_cell(f"def {name}(*args):\n    {body}", metadata=marks("answer", f"{name}_answer")))
        made.append(new_code_cell(f"assert callable({name})", metadata=marks("checks", name, WORTH[name])))
    made.append(new_markdown_cell("Your comparison here.", metadata=marks("manual", "adam_compare", 2.0)))
    return made


def write_notebook(path, made):
    """Write a valid notebook with these cells."""
    book = new_notebook(cells=made)
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for i, cell in enumerate(book.cells):
        cell["id"] = f"c{i}"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)
    return path


def make_course(root):
    """Make a course with one assignment, adam, and return (Course, Assignment)."""
    write_notebook(root / "source" / "adam" / "adam.ipynb", cells(solved=True))
    write_notebook(root / "release" / "adam" / "adam.ipynb", cells(solved=False))
    folder = root / "autograder" / "checks" / "adam"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "assignment.toml").write_text('title = "Adam, step by step"\n')
    course = Course(root)
    return course, Assignment.load(course, "adam")


def question(name, passed, diagnosis=None, message="every entry of the new weights is wrong"):
    """Return a QuestionResult; ``passed`` says for each check whether it passed."""
    checks = []
    for i, (title, good) in enumerate(zip(TITLES[name], passed, strict=True)):
        check = CheckResult(id=f"test_adam.py::test_{name}_{i}", title=title, status="passed" if good else "failed")
        if not good:
            check.message, check.diagnosis = message, diagnosis
            check.hint = f"This looks like: {HINTS[diagnosis]}" if diagnosis else ""
            check.example = dict(EXAMPLE)
        check.seconds = 0.002
        checks.append(check)
    points = WORTH[name] * sum(passed) / len(passed)
    status = "passed" if all(passed) else "partial" if any(passed) else "failed"
    reread = "" if status == "passed" else REREAD.get(name, "")
    return QuestionResult(
        id=name, notebook="adam", points=points, max_points=WORTH[name], status=status, checks=checks, reread=reread
    )


def manual():
    return QuestionResult(id="adam_compare", notebook="adam", points=0.0, max_points=2.0, status="manual")


def result(student, questions, **more):
    """Return a graded Result with these questions."""
    values = {
        "assignment": "adam", "student": student, "submission_sha256": hashlib.sha256(student.encode()).hexdigest(),
        "grader_version": "0.1.0", "isolation": "namespaces", "certified": True, "status": "graded",
        "score": sum(q.points for q in questions), "max_score": 10.0, "seconds": 0.04, "questions": questions,
        "seed": 918273645, "environment": {"Python": "3.11.9", "numpy": "2.2.1"},
    }  # fmt: skip
    return Result(**(values | more))


def unread(student, reason="the file is empty"):
    return result(student, [], status="unreadable", score=0.0, notes=[reason])


def faulty(student, reason="the machine ran out of disk space"):
    return result(student, [], status="infra_error", score=None, notes=[reason])


def made_up_class(size=40, seed=5):
    """Return Results with a realistic spread: most do well, some share mistakes, two cannot be graded."""
    draw, results = random.Random(seed), []
    for n in range(size - 2):
        skill = draw.betavariate(4, 2)
        step = [True] * 5
        wrong = None
        if draw.random() > skill:
            wrong = draw.choice(["no_bias_correction"] * 4 + ["t_from_zero"] * 2 + ["eps_inside_root", None])
            step = [False, wrong is None, False, draw.random() < 0.9, draw.random() < 0.8]
        decay = [draw.random() < skill, draw.random() < 0.3 + 0.7 * skill]
        questions = [
            question("adam_init", [True, draw.random() < 0.97]),
            question("adam_step", step, wrong),
            question("adam_decay", decay, "l2_not_decoupled" if not decay[0] and draw.random() < 0.8 else None),
            manual(),
        ]
        if n % 13 == 5:
            questions[2] = QuestionResult(
                id="adam_decay", notebook="adam", points=0, max_points=2, status="unchanged",
                message="This cell is as it was handed out.",
            )  # fmt: skip
        if n == 7:
            questions[1].status, questions[1].points = "timeout", 0.0
            for check in questions[1].checks:
                check.status, check.message, check.diagnosis, check.hint, check.example = (
                    "timeout", "it took longer than 10 seconds", None, "", None,
                )  # fmt: skip
        notes = ["cell `scratch` raised NameError; grading went on"] if n % 9 == 0 else []
        seconds = 30.2 if n == 7 else draw.uniform(0.03, 0.09)
        results.append(result(f"s{n + 1:03d}", questions, notes=notes, seconds=seconds))
    return [
        *results,
        unread(f"s{size - 1:03d}", "this is not a notebook: not valid JSON at line 3"),
        faulty(f"s{size:03d}"),
    ]


WHEN = datetime(2026, 3, 2, 14, 5, 9)
