"""How long the class report and the course's page take to make, to open in Chromium and to sort, for a made-up class.

python benchmarks/report.py [--students 1000] [--assignment adam]

Every student is made up: each answer is right or one of the assignment's known wrong programs, by chance.
"""

import argparse
import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from autograder.assignment import Assignment
from autograder.course import Course
from autograder.overview import course_row, in_order
from autograder.reports.class_report import class_report
from autograder.reports.course_report import course_report
from autograder.results import CheckResult, QuestionResult, Result

REPEATS = 7
CHECKS = 8  # of each question: about what our assignments have
LOADED = """() => {
    const [entry] = performance.getEntriesByType("navigation");
    const [painted] = performance.getEntriesByName("first-contentful-paint");
    return [painted.startTime, entry.loadEventEnd];
}"""
SORTED = """() => {
    const start = performance.now();
    document.querySelector(".class thead th:nth-child(2) button").click();
    document.body.offsetHeight;  // the new order is laid out
    return performance.now() - start;
}"""


def made_up_results(assignment, count):
    """Return ``count`` Results of students who do not exist."""
    draw, found = random.Random(0), []
    for number in range(count):
        skill = draw.betavariate(4, 2)
        questions = [made_up_answer(assignment, question, skill, draw) for question in assignment.questions]
        found.append(Result(assignment=assignment.name, student=f"student{number:05d}", status="graded", certified=True,
                            score=sum(q.points for q in questions), max_score=assignment.max_score,
                            seconds=draw.uniform(0.05, 0.2), questions=questions))  # fmt: skip
    return found


def made_up_answer(assignment, question, skill, draw):
    """Return a QuestionResult: right with probability ``skill``, else one of the question's mutants."""
    if question.manual:
        return QuestionResult(id=question.id, points=0, max_points=question.points, status="manual")
    wrong = None if draw.random() < skill else draw.choice([m for m in assignment.mutants if m.cell == question.id])
    checks = [CheckResult(id=f"{question.id} {i}", title=f"Check {i} of {question.id}", status="passed")
              for i in range(CHECKS)]  # fmt: skip
    failed = draw.sample(checks, draw.randint(1, CHECKS)) if wrong else []
    for check in failed:
        check.status, check.message, check.diagnosis, check.hint = "failed", "it differs", wrong.name, wrong.hint
    points = question.points * (1 - len(failed) / CHECKS)
    status = "passed" if not failed else "partial" if points else "failed"
    return QuestionResult(id=question.id, points=points, max_points=question.points, status=status, checks=checks)


def opened(page):
    """Return milliseconds to the first paint, to the end of loading, and to a sorted table, each the median."""
    figures = []
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(REPEATS):
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            tab = context.new_page()
            tab.goto(page.as_uri(), wait_until="load")
            tab.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
            figures.append((*tab.evaluate(LOADED), tab.evaluate(SORTED)))
            context.close()
        browser.close()
    return [statistics.median(column) for column in zip(*figures, strict=True)]


def main():
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=1000)
    parser.add_argument("--assignment", default="adam")
    arguments = parser.parse_args()
    course = Course.find(Path(__file__).parent)
    made_up = {name: Assignment.load(course, name, need_release=False) for name in in_order(course)}
    made_up = {name: (a, made_up_results(a, arguments.students)) for name, a in made_up.items()}
    assignment, results = made_up[arguments.assignment]
    measure(arguments.assignment, lambda: class_report(results, assignment))
    measure("the course", lambda: course_report([course_row(a, found) for a, found in made_up.values()]))


def measure(name, make):
    """Print how long a page takes to make, to open and to sort."""
    start = time.perf_counter()
    text = make()
    made = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "report.html")
        page.write_text(text)
        painted, loaded, sort = opened(page)
    print(f"{name}: {len(text) / 1e6:.2f} MB made in {made:.2f} s; Chromium, median of {REPEATS}: "
          f"first paint {painted:.0f} ms, loaded {loaded:.0f} ms, sorted {sort:.0f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
