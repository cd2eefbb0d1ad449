"""formgrader in Chromium: its Autograde button runs this grader, a person grades, the total is right."""

import re
import subprocess

import pytest
from conftest import BIN, SOLVED, command_environment, hand_in, jupyter, make_tiny

CONFIG = """c = get_config()
c.CourseDirectory.course_id = "course"
c.CourseDirectory.root = {root!r}
c.Autograde.autograde_preprocessors = ["autograder.nbgrader_plugin.GradeBehindWalls"]
"""
WAIT_MS = 120_000
LISTENING = "formgrader.grades?.loaded && formgrader.comments?.loaded"  # until then the page drops what is typed


@pytest.fixture(scope="module")
def place(tmp_path_factory, gradus):
    """A course of which formgrader knows the assignment, and a submission that nobody has graded."""
    course = make_tiny(tmp_path_factory.mktemp("formgrader"))
    hand_in(course.submitted, "bob", course, SOLVED)
    gradus("grade", "tiny", "--quiet", cwd=course.root)
    hand_in(course.submitted, "ada", course, {**SOLVED, "triple-answer": "def triple(x):\n    return 3 + x"})
    (course.root / "nbgrader_config.py").write_text(CONFIG.format(root=str(course.root)))
    return course.root


@pytest.fixture(scope="module")
def address(place):
    """formgrader's own server on loopback."""
    extension = "--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"
    with jupyter("server", place, "formgrader", extension) as url:
        yield url


def row(tab, student):
    return tab.locator("tr", has=tab.locator(".student-id", has_text=re.compile(f"^{student}$")))


def autograde(tab, student):
    """Press the student's Autograde button, wait until it is done, and come back to the list."""
    row(tab, student).locator(".autograde a").click()
    tab.wait_for_selector("#success-modal", state="visible")
    tab.goto(tab.url)


def test_a_teachers_hour(place, address, browser):
    """Autograde by the button, read the written answer, give points and a comment, see the total; a regrade keeps them."""
    tab = browser.new_page()
    tab.set_default_timeout(WAIT_MS)
    tab.goto(f"{address}/formgrader/manage_submissions/tiny")
    assert row(tab, "bob").locator(".status").inner_text() == "needs manual grading"
    assert row(tab, "ada").locator(".status").inner_text() == "needs autograding"

    autograde(tab, "ada")
    assert row(tab, "ada").locator(".status").inner_text() == "needs manual grading"
    assert row(tab, "ada").locator(".score").inner_text() == "2 / 6"
    assert (place / "graded" / "tiny" / "ada" / "feedback.html").is_file()

    tab.goto(f"{address}/formgrader/manage_students/ada/tiny")
    tab.get_by_role("link", name="tiny", exact=True).last.click()
    tab.wait_for_url("**/formgrader/submissions/**")
    tab.wait_for_function(LISTENING)
    scores = tab.locator("input.score")
    scores.last.fill("0.5")
    with tab.expect_response("**/api/grade/*"):
        scores.last.press("Tab")
    comment = tab.locator("textarea.comment").last
    comment.fill("Say why, in a sentence.")
    with tab.expect_response("**/api/comment/*"):
        comment.press("Tab")

    tab.goto(f"{address}/formgrader/manage_submissions/tiny")
    assert row(tab, "ada").locator(".score").inner_text() == "2.5 / 6"
    assert row(tab, "ada").locator(".status").inner_text() == "graded"

    autograde(tab, "ada")
    assert row(tab, "ada").locator(".score").inner_text() == "2.5 / 6"
    tab.close()


def test_nbgraders_command_runs_it_too(place):
    """`nbgrader autograde` with the same setting: no kernel, the same score."""
    line = [str(BIN / "nbgrader"), "autograde", "tiny", "--student", "ada", "--force"]
    done = subprocess.run(line, cwd=place, env=command_environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert '"score": 2.0' in (place / "graded" / "tiny" / "ada" / "result.json").read_text()
