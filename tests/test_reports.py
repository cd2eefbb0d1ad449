"""Pages and tables: they say what happened, run nothing, load nothing, and escape everything."""

import csv
import html
import io
import re

import pytest
from made_up import TITLES, faulty, made_up_class, make_course, manual, question, result, unread

from autograder.reports import statistics
from autograder.reports.class_report import class_report
from autograder.reports.feedback import feedback_page
from autograder.reports.pages import TEMPLATES
from autograder.reports.tables import grades_csv, plain_cell
from autograder.results import Result

RIGHT = [True] * len(TITLES["adam_step"])
HALF = [i % 2 == 0 for i in range(len(RIGHT))]
NASTY = "<script>alert(1)</script><img src=x onerror=alert(1)> \x1b]0;owned\x07 \u202egnp.exe ![](http://tracker/x)"


@pytest.fixture(scope="module")
def assignment(tmp_path_factory):
    return make_course(tmp_path_factory.mktemp("reports"))[1]


@pytest.fixture(scope="module")
def nasty(assignment):
    """A result whose every text is hostile."""
    one = question("adam_step", HALF, "no_bias_correction", message=NASTY)
    for check in one.checks:
        check.hint, check.example = (
            NASTY,
            {"call": NASTY, "got": NASTY, "expected": NASTY, "where": NASTY, "message": NASTY},
        )
    one.message = one.reread = NASTY
    return result(NASTY, [one, manual()], notes=[NASTY])


def pages(assignment, found):
    """The feedback page, and the report less the script of ours that it ends with."""
    report = class_report([found], assignment)
    ours = f"<script>{(TEMPLATES / 'sort.js').read_text()}</script>\n</body>"
    assert ours in report
    return feedback_page(found, assignment), report.replace(ours, "")


def test_hostile_text_is_only_text(assignment, nasty):
    """No markup, no control character and no direction mark of a student's reaches a page."""
    for page in pages(assignment, nasty):
        assert "<script" not in page
        assert "<img" not in page
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", page)


def test_pages_load_and_run_nothing(assignment, nasty):
    """A strict policy, no script but the one that sorts, no address of another server outside of text."""
    for page in pages(assignment, nasty):
        assert "default-src 'none'" in html.unescape(page)
        assert "unsafe-inline" not in page
        assert not re.search(r"<(?:script|iframe|object|embed|link|form)\b", page)
        assert not re.search(r"(?:src|href|action)\s*=\s*[\"']?(?:https?:)?//", page)
        assert "@import" not in page


def test_feedback_names_the_mistake_and_shows_the_example(assignment):
    """Hint, example, the title of what failed, and what passed."""
    found = result("ada", [question("adam_step", HALF, "no_bias_correction"), manual()])
    page = feedback_page(found, assignment)
    failed = found.questions[0].checks[1]
    assert failed.title.split("`")[0].split("'")[0].strip() in page.replace("&#39;", "'")
    assert "Partly right" in page
    assert "Got" in page
    assert "Expected" in page


def test_the_seed_is_not_shown(assignment):
    """A student must not be able to draw the hidden inputs."""
    found = result("ada", [question("adam_step", RIGHT)])
    assert str(found.seed) not in feedback_page(found, assignment)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [({"isolation": "none", "certified": False}, "graded without isolation"), ({"certified": False}, "not certified")],
)
def test_missing_walls_are_said(assignment, more, sentence):
    """Both pages carry the sentence."""
    found = result("ada", [question("adam_step", RIGHT)], **more)
    for page in pages(assignment, found):
        assert sentence in page


def test_the_report_counts_the_class(assignment):
    """Students by mistake, what could not be graded, and manual work are there."""
    found = [*made_up_class(), unread("odd"), faulty("ours")]
    page = class_report(found, assignment, demo=True)
    assert "ade-up class" in page
    assert "the file is empty" in page
    assert "ran out of disk space" in page
    assert page.count("<svg") >= 2


def test_the_same_results_give_the_same_page(assignment):
    """No date, no random id: a diff of two reports shows what changed."""
    assert class_report(made_up_class(), assignment) == class_report(made_up_class(), assignment)


def test_an_empty_class_has_a_report(assignment):
    """A class of which nothing could be graded is no error."""
    assert "ran out of disk space" in class_report([faulty("ours")], assignment)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "  ="])
def test_formulas_are_not_run(start):
    """What a spreadsheet would take for a formula is text."""
    assert not plain_cell(start + "HYPERLINK(1)").startswith(tuple("=+-@\t"))


def test_the_table_has_one_row_a_submission(assignment):
    """Numbers stay numbers; what was not graded has no score."""
    found = [*made_up_class(8), faulty("ours")]
    rows = list(csv.DictReader(io.StringIO(grades_csv(found, assignment))))
    assert [row["student"] for row in rows] == [r.student for r in found]
    assert rows[-1]["score"] == ""
    assert all(float(row["max_score"]) >= 0 for row in rows)


def test_only_what_is_far_slower_is_named():
    """An endless loop is; the first submission of a grading process, with half a second more, is not."""
    seconds = {"ada": 0.10, "ben": 0.11, "cleo": 0.10, "dan": 0.12, "first": 0.65, "loop": 20.1}
    results = [Result(assignment="a", student=s, grader_version="1", seed=1, isolation="none", status="graded", seconds=t)
               for s, t in seconds.items()]  # fmt: skip
    middle, slow = statistics.slowest(results)
    assert middle == pytest.approx(0.115)
    assert [r.student for r in slow] == ["loop"]
