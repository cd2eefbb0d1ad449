"""The pages as people meet them: with a screen reader, on a phone, on paper."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from made_up import TITLES, made_up_class, make_course, manual, question, result

from autograder.overview import course_row
from autograder.reports.class_report import class_report
from autograder.reports.course_report import course_report
from autograder.reports.feedback import feedback_page
from autograder.reports.pages import render
from autograder.similarity import shared_pairs
from autograder.training.pages import training_page
from autograder.training.results import Run, TrainingResult

CODE = "def adam(x):\n" + "".join(f"    x = x * {i} + x / {i + 1} - (x if x > {i} else -x) * {i}\n" for i in range(12))
WIDTHS = {"phone": 360, "tablet": 768, "desk": 1280}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A right, a wrong and a mixed feedback page, and reports of a class and of one student."""
    assignment = make_course(tmp_path_factory.mktemp("looks"))[1]
    every = {name: [True] * len(titles) for name, titles in TITLES.items()}
    right = [question(name, passed) for name, passed in every.items()]
    wrong = [question(name, [False] * len(passed), "t_from_zero") for name, passed in every.items()]
    late = result("ada", [*right[:1], *wrong[1:], manual()], late_share=0.2)
    return {
        "right": feedback_page(result("ada", [*right, manual()]), assignment),
        "wrong": feedback_page(result("ada", [*wrong, manual()], isolation="none"), assignment),
        "mixed": feedback_page(late, assignment),
        "class": class_report(made_up_class(60), assignment),
        "one student": class_report([late], assignment),
        "course": course_report([course_row(assignment, made_up_class(30)), course_row(assignment, [])]),
        "similar": render("similar.html.j2", styles=("base.css", "similar.css"), title="Adam", compared=9,
                          pairs=shared_pairs({"ada": CODE, "emmy": CODE.replace("x", "y"), "kurt": "x = 1\n"}, [])),
        "training": training_page(trained(), assignment),
    }  # fmt: skip


def trained():
    """A result of the training stage with a good run and one that ended early."""
    curve = [{"epoch": epoch, "seconds": 2.0, "loss": 1 / epoch} for epoch in (1, 2, 3)]
    runs = [
        Run(seed=1, value=0.96, epochs=3, seconds=6, curve=curve),
        Run(seed=2, epochs=1, seconds=9, curve=curve[:1], problem="the budget of 9 s was over before epoch 2 ended"),
    ]
    return TrainingResult(assignment="adam", student="ada", status="trained", points=2, max_points=5, metric="accuracy",
                          value=0.9, floor=0.8, target=0.95, published="95.3 %", data="digits", runs=runs,
                          notes=["the locked cell `training` was edited; the original is used"])  # fmt: skip


def test_lateness_is_said_where_the_score_is(pages):
    """The share, and what is left."""
    assert "which takes 20 % of all points: 0.8 points of these count" in pages["mixed"]


PAGES = ("right", "wrong", "mixed", "class", "one student", "course", "similar", "training")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(name, scheme, pages, browser):
    """No violation of axe-core's rules (WCAG 2 A and AA, best practices), in either colour scheme."""
    tab = browser.new_page(color_scheme=scheme)
    tab.set_content(pages[name])
    found = Axe().run(tab)
    tab.close()
    assert found.violations_count == 0, found.generate_report()


def order(tab, column, table=".class"):
    return tab.evaluate(
        f"[...document.querySelectorAll('{table} tbody tr')].map(r => r.cells[{column}]?.textContent ?? '')"
    )


def test_tables_sort_by_keyboard(pages, browser):
    """Enter on a column's head sorts, again turns it round; what has no number stays at the end; aria-sort says it."""
    tab = browser.new_page()
    tab.set_content(pages["class"])
    before = order(tab, 1)
    tab.get_by_role("columnheader", name="Score").get_by_role("button").focus()
    for direction, turn in (("ascending", 1), ("descending", -1)):
        tab.keyboard.press("Enter")
        found = order(tab, 1)
        assert tab.locator(".class [aria-sort]").get_attribute("aria-sort") == direction
        assert found == sorted(before, key=lambda text: (text == "–", turn * float(text.replace("–", "0"))))
    tab.get_by_role("columnheader", name="Student").get_by_role("button").click()
    assert order(tab, 0) == sorted(order(tab, 0))
    tab.close()


def test_checks_stay_with_their_question(pages, browser):
    """In the table of checks a question leads its own checks, whichever way it is sorted."""
    tab = browser.new_page()
    tab.set_content(pages["class"])
    groups = "[...document.querySelectorAll('.checks tbody')].map(b => [...b.rows].map(r => r.cells[0].textContent))"
    before = tab.evaluate(groups)
    tab.locator(".checks").get_by_role("columnheader", name="Ease").get_by_role("button").click()
    after = tab.evaluate(groups)
    tab.close()
    assert after != before
    assert sorted(map(sorted, after)) == sorted(map(sorted, before))
    assert {rows[0] for rows in after} == {rows[0] for rows in before}


def test_without_script_there_is_nothing_to_press(pages, browser):
    """Where scripts are off the tables are all there, and no button does nothing."""
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.set_content(pages["class"])
    assert tab.get_by_role("button").count() == 0
    assert tab.locator(".class tbody tr").count() == 60
    context.close()


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_nothing_sticks_out(name, width, pages, browser):
    """At no width does the page scroll sideways; wide tables and examples scroll inside themselves."""
    tab = browser.new_page(viewport={"width": width, "height": 800})
    tab.set_content(pages[name])
    too_wide = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    tab.close()
    assert too_wide <= 0


@pytest.mark.parametrize("name", PAGES)
def test_on_paper_everything_is_there(name, pages, browser):
    """Printed, what was folded is open: every sentence of the page is on it."""
    tab = browser.new_page()
    tab.set_content(pages[name])
    tab.emulate_media(media="print")
    hidden = tab.evaluate(
        """() => [...document.querySelectorAll('details > :not(summary)')]
                 .filter(e => e.textContent.trim() && !e.checkVisibility({contentVisibilityAuto: true})).length"""
    )
    tab.close()
    assert hidden == 0
