"""The page on the whole course: assignments in the syllabus's order, marks as they count, links that lead somewhere."""

import re
import shutil

import pytest
from made_up import TITLES, faulty, make_course, manual, question, result

from autograder.errors import InputError
from autograder.overview import in_order, report_on_course
from autograder.reports.gradebook import write_gradebook

RIGHT = {name: [True] * len(titles) for name, titles in TITLES.items()}


def answers(**wrong):
    """A result's questions: all right but those named, which fail with a diagnosis."""
    given = RIGHT | {name: [False] * len(RIGHT[name]) for name in wrong}
    return [*(question(name, passed, wrong.get(name)) for name, passed in given.items()), manual()]


@pytest.fixture
def place(tmp_path):
    """A course of three assignments, two of them graded; returns (Course, the Assignment adam)."""
    course, assignment = make_course(tmp_path)
    for name in ("warm_up", "later"):
        for folder in (course.source, course.release):
            shutil.copytree(folder / "adam", folder / name)
    (course.source / "syllabus.txt").write_text("warm_up\nadam\n")
    results = {
        "adam": [
            result("ada", answers()),
            result("bob", answers(adam_step="t_from_zero"), late_share=0.5),
            result("eve", answers(adam_decay="l2_not_decoupled", adam_step="t_from_zero")),
            faulty("kurt"),
        ],
        "warm_up": [result("ada", answers(), assignment="warm_up")],
    }
    for name, found in results.items():
        for one in found:
            path = course.graded / name / one.student / "result.json"
            path.parent.mkdir(parents=True)
            path.write_text(one.text())
    return course, assignment, results["adam"]


def rows(page, table):
    """The cells' texts of each row of a table's body, the row's head first."""
    body = re.search(rf'<table class="{table} .*?<tbody>(.*?)</tbody>', page, re.DOTALL)[1]
    cells = [re.split(r"</t[hd]>", row) for row in body.split("</tr>")[:-1]]
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row[:-1]] for row in cells]


def test_the_syllabus_gives_the_order(place):
    """What it does not name comes last."""
    assert in_order(place[0]) == ["warm_up", "adam", "later"]


def test_each_assignment_has_its_row(place):
    """Graded, mean and median of the points given, the hardest question, the commonest mistake, answers to read."""
    page = report_on_course(place[0]).read_text()
    warm_up, adam, later = rows(page, "course")
    assert warm_up[2:] == ["1", "100 %", "100 %", "adam_init 100 %", "", "1"]
    # ada 8 of 8, bob 3 of 8 less half, eve 1 of 8: the written answer waits
    assert adam[2:] == ["3 1 not", "44 %", "19 %", "adam_step 33 %", "t from zero (2 students)", "3"]
    assert later[2:] == ["nothing is graded yet"]


def test_each_student_has_what_counts(place):
    """Marks less lateness, their sum, a link to each page; what was not handed in or not graded has no number."""
    page = report_on_course(place[0]).read_text()
    assert rows(page, "class") == [
        ["ada", "16", "8", "8"],
        ["bob", "1.5", "–", "1.5"],
        ["eve", "1", "–", "1"],
        ["kurt", "0", "–", "–"],
    ]
    assert 'href="./adam/eve/feedback.html"' in page
    assert 'href="./adam/report.html"' in page
    assert "./later/" not in page


def test_marks_given_by_hand_count(place):
    """A person's mark is in the student's points and in the mean, and is no longer to be read."""
    from nbgrader.api import Gradebook

    course, assignment, results = place
    url = f"sqlite:///{course.root / 'gradebook.db'}"
    write_gradebook(results, assignment, course, url, {})
    with Gradebook(url) as book:
        grade = book.find_grade("adam_compare", "adam", "adam", "eve")
        grade.manual_score, grade.needs_manual_grade = 1.0, False
        book.db.commit()
    page = report_on_course(course).read_text()
    assert rows(page, "class")[2] == ["eve", "2", "–", "2"]
    assert rows(page, "course")[1][-1] == "2"


def test_nothing_graded_is_said(place):
    """Without results there is no page."""
    shutil.rmtree(place[0].graded)
    with pytest.raises(InputError, match="there are no results"):
        report_on_course(place[0])


def test_the_command_writes_it(place, gradus):
    """`gradus report` without an assignment."""
    assert "graded/course.html" in gradus("report", cwd=place[0].root).stdout
    assert (place[0].graded / "course.html").is_file()
