"""Every hostile or broken submission, in one class, graded by the real command behind the real walls."""

import json
import os
import re
from html.parser import HTMLParser

import pytest
import rows_files
import rows_lying
import rows_process
import rows_reading
import rows_tampering
from conftest import SOLVED, hand_in, make_tiny
from row import hand_in_rows

ROWS = [row for part in (rows_reading, rows_tampering, rows_lying, rows_process, rows_files) for row in part.ROWS]
CANARY = "CANARY-7f3a91"
ISOLATION = os.environ.get("GRADUS_TEST_ISOLATION", "namespaces")  # docs/security.md
LAST = "zz-honest"  # graded among and after the others; must not notice them


@pytest.fixture(scope="module")
def graded(tmp_path_factory, gradus):
    """The folder of results of the whole class."""
    root = tmp_path_factory.mktemp("hostile")
    course = make_tiny(root, call_seconds=2.5, cell_seconds=5.0, settings="off_limits = ['numpy.convolve']\n")
    (course.release / "tiny" / "data.txt").write_text("as it was")
    checks = root / "autograder" / "checks" / "tiny" / "test_tiny.py"
    checks.write_text(f"# {CANARY}\n" + checks.read_text())
    hand_in_rows(course.submitted, course, ROWS)
    for name in ("aa-honest", LAST):
        hand_in(course.submitted, name, course, SOLVED)
    os.environ["GRADUS_TEST_TOKEN"] = CANARY
    try:
        gradus("grade", "tiny", "--isolation", ISOLATION, cwd=root)
    finally:
        del os.environ["GRADUS_TEST_TOKEN"]
    return root / "graded" / "tiny"


def load(graded, student):
    return json.loads((graded / student / "result.json").read_text())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_it_gets_what_it_earns(graded, row):
    """The status is right, a hostile answer earns nothing, and the other question keeps its points."""
    result = load(graded, row.student)
    assert result["status"] == row.status, result["notes"]
    earned = {q["id"]: q["points"] for q in result["questions"]}
    assert (earned.get("double", 0.0), earned.get("triple", 0.0)) == row.points, json.dumps(result, indent=1)
    assert row.says in json.dumps(result, ensure_ascii=False), json.dumps(result, indent=1)


class ActiveMarkup(HTMLParser):
    """Collects everything in a page that could run or load something."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        if tag in (
            "script",
            "img",
            "iframe",
            "object",
            "embed",
            "link",
            "form",
            "base",
            "video",
            "audio",
            "foreignobject",
        ):
            self.found.append(tag)
        for name, value in attributes:
            if name.startswith("on") or name in ("src", "srcdoc", "action") or "javascript:" in (value or "").lower():
                self.found.append(f"{tag} {name}={value}")


def active_markup(page):
    parser = ActiveMarkup()
    parser.feed(page)
    return parser.found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_its_page_says_nothing_secret_and_runs_nothing(graded, row):
    """No canary, no hidden seed, no markup of its own, no control character in what it is shown."""
    result = load(graded, row.student)
    page = (graded / row.student / "feedback.html").read_text()
    assert CANARY not in page + json.dumps(result)
    assert str(result["seed"]) not in page
    assert active_markup(page) == []
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", page)


@pytest.mark.parametrize("student", ["aa-honest", LAST])
def test_the_honest_are_not_touched(graded, student):
    """Submissions before and after all of them get full points and no notes."""
    result = load(graded, student)
    assert result["score"] == 5.0
    assert result["notes"] == []
    assert result["certified"] is True


def test_hidden_inputs_do_not_come_out(graded):
    """What a program prints, raises or names its classes with never reaches its page."""
    for student in ("r09", "r10", "r10b", "r10c"):
        for check in (c for q in load(graded, student)["questions"] for c in q["checks"]):
            assert not re.search(r"I(m?\d+_\d+)", check["message"]), check["message"]
            assert "0." not in check["message"], check["message"]


def test_nothing_was_left_on_this_machine(graded):
    """No file outside the results, and no process."""
    for path in ("/tmp/owned", "/tmp/hint", "/dev/shm/hint", "/var/tmp/hint", "/tmp/seen"):
        assert not os.path.exists(path), path


SECTIONS = {"R": 13, "T": 12, "L": 11, "N": 12, "P": 15, "Q": 10, "X": 7, "C": 7, "F": 20}
ELSEWHERE = {"L03", "F09"}  # test_tensors.py, tests/test_submissions.py


def test_the_catalogue_is_covered():
    """Every numbered row of every section is here, and ids are unique."""
    ids = [row.id for row in ROWS]
    assert len(ids) == len(set(ids))
    wanted = {f"{letter}{n:02d}" for letter, count in SECTIONS.items() for n in range(1, count + 1)}
    assert wanted - {i[:3] for i in ids} - ELSEWHERE == set()
