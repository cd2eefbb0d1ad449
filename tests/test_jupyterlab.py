"""A student's evening in JupyterLab, in Chromium: open, run, see checks fail, fill in, see them pass, hand in."""

import json
import shutil

import pytest
from conftest import jupyter
from playwright.sync_api import Error

NAME = "logistic_regression"
WAIT_MS = 120_000
CALM_MS, CALMS = 120, 3
SUBMIT = f'from course_lib.submit import submit\nprint("copy:", submit("{NAME}.ipynb", execute=False))'


@pytest.fixture(scope="module")
def folder(kit, tmp_path_factory):
    """A student's copy of the kit."""
    return shutil.copytree(kit, tmp_path_factory.mktemp("evening") / "kit")


@pytest.fixture(scope="module")
def address(folder):
    """JupyterLab in the kit's folder."""
    with jupyter("lab", folder, "api") as url:
        yield url


class Lab:
    """The notebook as hands on a keyboard use it; one cell is selected at any time."""

    def __init__(self, browser, url):
        self.page = browser.new_page(viewport={"width": 1120, "height": 1000})
        self.page.set_default_timeout(WAIT_MS)
        self.page.goto(url)
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.page.wait_for_function(
            "document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'"
        )
        for name in ("No", "Select"):  # questions about news and kernels
            try:
                self.page.get_by_role("button", name=name, exact=True).click(timeout=1500)
            except Error:
                continue
        self.page.locator(".jp-Notebook .jp-Cell").first.click()
        self.press("Escape", "ArrowUp", "ArrowUp")

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def run(self):
        """Run the selected cell; return what is under it."""
        self.press("Control+Enter")
        calm = 0
        while calm < CALMS:
            busy = self.page.evaluate(
                "[...document.querySelectorAll('.jp-InputPrompt')].some(e => e.textContent.includes('*'))"
            )
            calm = 0 if busy else calm + 1
            self.page.wait_for_timeout(CALM_MS)
        return self.page.evaluate("document.querySelector('.jp-Cell.jp-mod-active .jp-OutputArea')?.innerText ?? ''")

    def replace(self, text):
        """Put ``text`` into the selected cell in place of what is there."""
        self.press("Enter", "Control+a")
        self.page.keyboard.insert_text(text)
        self.press("Escape")


def solutions(root):
    cells = json.loads((root / "source" / NAME / f"{NAME}.ipynb").read_text())["cells"]
    found = {}
    for cell in cells:
        marks = cell["metadata"].get("nbgrader", {})
        if marks.get("solution") and cell["cell_type"] == "code":
            lines = "".join(cell["source"]).split("\n")
            found[marks["grade_id"]] = "\n".join(line for line in lines if "### " not in line)
    return found


def test_an_evening(root, folder, address, browser, gradus, tmp_path):
    """Every check first fails with a sentence and then passes; the copy that is handed in gets all of the machine's points."""
    answers = solutions(root)
    cells = json.loads((folder / NAME / f"{NAME}.ipynb").read_text())["cells"]
    lab = Lab(browser, f"{address}/doc/tree/{NAME}/{NAME}.ipynb")
    seen = 0
    for cell in cells:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if cell["cell_type"] == "code":
            if name in answers:
                lab.run()
                lab.press("ArrowDown")
                failed = lab.run()
                assert "NotImplementedError" in failed, f"{name}: {failed}"
                lab.press("ArrowUp")
                lab.replace(answers[name])
            shown = lab.run()
            assert "Error" not in shown, f"{name}: {shown}"
            if cell["metadata"].get("nbgrader", {}).get("grade"):
                assert "hold. The grader will try other inputs and sizes." in shown
                seen += 1
        lab.press("ArrowDown")
    assert seen == len(answers)
    lab.press("Control+s")
    lab.page.wait_for_function("!document.querySelector('.jp-mod-dirty')")
    lab.page.locator(".jp-Notebook .jp-Cell").last.click()
    lab.press("Escape", "b")
    lab.page.wait_for_timeout(500)
    lab.replace(SUBMIT)
    said = lab.run()
    assert "`sure-written` is as it was handed out" in said
    assert "hand in" in said
    lab.page.close()
    copy = folder / NAME / "handin" / f"{NAME}.ipynb"
    line = ["grade", NAME, copy, "--out", tmp_path / "graded", "--db", f"sqlite:///{tmp_path}/g.db", "--quiet"]
    gradus(*line, cwd=root)
    (result,) = (tmp_path / "graded").glob("*/result.json")
    found = json.loads(result.read_text())
    assert found["score"] == sum(q["max_points"] for q in found["questions"] if q["status"] != "unchanged")
