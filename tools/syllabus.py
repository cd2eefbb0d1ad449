"""Write the course's table into README.md from the assignments themselves; ``--check`` only compares."""

import sys
from pathlib import Path

from autograder.assignment import Assignment
from autograder.course import Course

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- syllabus:begin (made by `python tools/syllabus.py`) -->", "<!-- syllabus:end -->"


def table():
    """Return the syllabus as a Markdown table, in teaching order."""
    course = Course(ROOT)
    order = (course.source / "syllabus.txt").read_text().split()
    rows = ["| assignment | topic | framework | hours | questions | mutants caught |", "| --- " * 6 + "|"]
    for name in order:
        a = Assignment.load(course, name)
        manual = sum(q.manual for q in a.questions)
        frameworks = ", ".join(f for f in a.settings.frameworks if f not in ("sklearn", "scipy"))
        rows.append(
            f"| [{a.title}](source/{name}/{name}.ipynb) | {a.settings.topic} | {frameworks} | {a.settings.hours:g} "
            f"| {len(a.questions) - manual} and {manual} written | {len(a.mutants)} of {len(a.mutants)} |"
        )
    missing = set(course.assignments()) - set(order)
    if missing:
        sys.exit(f"source/syllabus.txt does not list {', '.join(sorted(missing))}")
    return "\n".join(rows)


def main():
    """Write the table, or with --check exit 1 if README.md does not have it."""
    readme = ROOT / "README.md"
    text = readme.read_text()
    head, rest = text.split(BEGIN)
    new = head + BEGIN + "\n" + table() + "\n" + END + rest.split(END)[1]
    if "--check" in sys.argv:
        sys.exit(new != text and "README.md's syllabus is not up to date; run python tools/syllabus.py")
    readme.write_text(new)


if __name__ == "__main__":
    main()
