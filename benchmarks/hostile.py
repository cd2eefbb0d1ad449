"""The hostile set in three graders: forgeries, false zeros, leaks, crashes and hangs, counted by class.

python benchmarks/hostile.py [--rows R01 T02 ...] [--jobs 2] [--page]

Every row of tests/hostile is handed in as a submission of the same small assignment. The checks are the same
comparison in each grader's own form: equal shape, and `numpy.testing.assert_allclose` for the peers. Each peer
grades one submission at a time in a throwaway sandbox (no network, own processes, an ordinary user, 6 GB, 60 s),
so nothing here measures what one submission does to the next. Rows about what the peers do not offer (names
off limits, data files, zips, two students at once, float16) are left out. Writes docs/hostile.json and docs/hostile.md.
"""

import argparse
import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "hostile"), str(ROOT / "benchmarks")]

import peers  # noqa: E402
from conftest import SOLVED, hand_in, make_tiny  # noqa: E402
from row import hand_in_rows  # noqa: E402
from test_hostile import ROWS  # noqa: E402
from test_isolation import as_ordinary_user  # noqa: E402

CANARY = "CANARY-5b21c0"
SECONDS, MEMORY = 60, 6 * 2**30
LEFT_OUT = {"C01", "C01b", "X04", "X04b", "F08b", "F17", "N05"}
SECTIONS = {
    "R": "reading what is hidden", "T": "tampering with the checks", "L": "objects that lie",
    "N": "wrong numbers and accidents", "P": "processes and protocol", "Q": "resources",
    "X": "network and what persists", "C": "not solving the task", "F": "files and notebooks",
}  # fmt: skip
USERS = itertools.count(100_000)  # one for each run, since the limit on processes counts by user
OUTCOMES = ("forged", "false zero", "leaked", "crashed", "hung")
ASSERTIONS = {
    "double": "x = np.random.default_rng(11).normal(size=(3, 2))\ngot = {f}(x.copy())\n"
    "assert np.shape(got) == x.shape\nnp.testing.assert_allclose(got, 2 * x, rtol=1e-5)",
    "triple": "x = np.random.default_rng(12).normal(size=4)\ngot = {f}(x.copy())\n"
    "assert np.shape(got) == x.shape\nnp.testing.assert_allclose(got, 3 * x, rtol=1e-5)",
}
OTTER_TEST = """import numpy as np
from otter.test_files import test_case

OK_FORMAT = False
name = {question!r}
points = {points}
# {canary}


@test_case(points=None, hidden=True)
def test_question(env):
{body}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="*")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--page", action="store_true", help="only write docs/hostile.md again")
    options = parser.parse_args()
    store = ROOT / "docs" / "hostile.json"
    if not options.page:
        rows = [r for r in ROWS if r.id not in LEFT_OUT and (not options.rows or r.id in options.rows)]
        with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
            os.chmod(folder, 0o755)
            found = compare(Path(folder), rows, options.jobs)
        if options.rows:
            print(json.dumps(found, indent=1))
            return
        store.write_text(json.dumps(counted(found), indent=1) + "\n")
    (ROOT / "docs" / "hostile.md").write_text(page(json.loads(store.read_text())))


def compare(folder, rows, jobs):
    """Return {"versions": ..., "rows": {grader: {row id: list of outcomes}}}."""
    os.environ["GRADUS_TEST_TOKEN"] = CANARY
    course = make_tiny(folder / "course", call_seconds=1.5, cell_seconds=1.5)
    paths = {"honest": hand_in(course.submitted, "honest", course, SOLVED)}
    paths |= hand_in_rows(course.submitted, course, rows)
    found = {"gradus": gradus(folder / "course", rows)}
    graders = {"nbgrader autograde": Nbgrader(folder / "nbgrader", course), "otter run": Otter(folder / "otter")}
    for name, grader in graders.items():
        honest = grader.grade("honest", paths["honest"])
        if honest[:2] != (2.0, 3.0):
            sys.exit(f"{name} does not grade the honest submission: {honest}")
        with ThreadPoolExecutor(jobs) as pool:
            outcomes = pool.map(partial(graded, name, grader, paths, honest), rows)
            found[name] = {}
            for row, outcome in zip(rows, outcomes, strict=True):
                found[name][row.id] = outcome
                print(name, row.id, *outcome or ["as it should be"], flush=True)
    versions = {name: version(name) for name in ("nbgrader", "otter-grader", "numpy")}
    return {"versions": versions, "python": sys.version.split()[0], "rows": found}


def counted(found):
    """Return the findings by class, not by row: what is published holds no recipe against another tool."""
    classes = {}
    for name, rows in found["rows"].items():
        for letter in SECTIONS:
            outcomes = [words for row, words in rows.items() if row.startswith(letter)]
            counts = Counter(word for words in outcomes for word in words)
            counts.update({"submissions": len(outcomes), "good": sum(not words for words in outcomes)})
            classes.setdefault(name, {})[letter] = dict(counts)
    return {"versions": found["versions"], "python": found["python"], "classes": classes}


def graded(name, grader, paths, honest, row):
    """Return what went wrong with one row; a crash counts only if an honest submission is then graded as ever."""
    wrong = judge(row, grader.grade(row.id, paths[row.id]), honest[2])
    if "crashed" in wrong and grader.grade(f"after-{row.id}", paths["honest"])[:2] != honest[:2]:
        sys.exit(f"{name} does not grade the honest submission after {row.id}; the sandbox is at fault")
    return wrong


def judge(row, got, shown_to_the_honest):
    """Return what went wrong with one submission, as words of OUTCOMES.

    Args:
        row: the Row, with the points that it must get.
        got: (points of double, points of triple, text shown to the student, "", "crashed" or "hung").
        shown_to_the_honest: the text that an honest submission gets; what is in it is no leak of this row.
    """
    double, triple, shown, ended = got
    wrong = []
    if double > row.points[0] or triple > row.points[1]:
        wrong.append("forged")
    if double < row.points[0] or triple < row.points[1]:
        wrong.append("false zero")
    if CANARY in shown and CANARY not in shown_to_the_honest:
        wrong.append("leaked")
    if ended and row.status == "graded":
        wrong.append(ended)
    return wrong


def gradus(course, rows):
    """Grade the whole class with ``gradus grade`` and judge each row."""
    line = [str(peers.BIN / "gradus"), "grade", "tiny", "--quiet"]
    done = subprocess.run(line, cwd=course, env=peers.environment(), capture_output=True, text=True)
    found = {}
    for row in rows:
        place = course / "graded" / "tiny" / row.student
        try:
            result = json.loads((place / "result.json").read_text())
        except OSError:
            found[row.id] = judge(row, (0.0, 0.0, "", "crashed"), "")
            continue
        points = {q["id"]: q["points"] for q in result["questions"]}
        shown = (place / "feedback.html").read_text() + json.dumps(result)
        ended = "" if result["status"] != "infra_error" else "crashed"
        found[row.id] = judge(row, (points.get("double", 0.0), points.get("triple", 0.0), shown, ended), "")
    if done.returncode != 0:
        print(done.stderr[-2000:])
    return found


def sandboxed(line, place):
    """Run ``line`` with ``place`` as its only writable folder; return (exit code or None if it hung, output)."""
    walls = ["bwrap", "--die-with-parent", "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc"]
    walls += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/dev/shm", "--tmpfs", "/tmp"]
    walls += ["--bind", str(place), str(place), "--chdir", str(place), "--setenv", "HOME", str(place)]
    limits = ["prlimit", f"--as={MEMORY}", "--nproc=400", f"--fsize={2**30}", "--core=0", "--nofile=1024"]
    command = as_ordinary_user([*limits, *walls, *line], next(USERS))
    try:
        done = subprocess.run(
            command, env=peers.environment(), capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


class Nbgrader:
    """Grades one submission in a copy of an nbgrader course."""

    def __init__(self, root, course):
        self.root = root
        tree = json.loads((course.source / "tiny" / "tiny.ipynb").read_text())
        for cell in tree["cells"]:
            question = cell["metadata"].get("nbgrader", {}).get("grade_id")
            if question in ASSERTIONS:
                body = ASSERTIONS[question].format(f=question)
                cell["source"] += f"\n### BEGIN HIDDEN TESTS\n# {CANARY}\n{body}\n### END HIDDEN TESTS"
        source = root / "source" / "tiny"
        source.mkdir(parents=True)
        (source / "tiny.ipynb").write_text(json.dumps(tree))
        (root / "nbgrader_config.py").write_text("c = get_config()\nc.ExecutePreprocessor.timeout = 20\n")
        made = peers.nbgrader(root, "generate_assignment", "tiny", "--create")
        if made.returncode:
            sys.exit(made.stderr)

    def grade(self, name, path):
        place = self.root.with_name(f"nbgrader-{name}")
        shutil.copytree(self.root, place)
        shutil.copytree(
            path.parent, place / "submitted" / "student" / "tiny", symlinks=True, copy_function=copy_special
        )
        open_to_all(place)
        nbgrader = str(peers.BIN / "nbgrader")
        code, _ = sandboxed([nbgrader, "autograde", "tiny"], place)
        if code == 0:
            sandboxed([nbgrader, "generate_feedback", "tiny"], place)
        shown = "".join(p.read_text(errors="replace") for p in place.glob("feedback/**/*.html"))
        points = self._points(place / "gradebook.db")
        ended = "hung" if code is None else "crashed" if code else ""
        shutil.rmtree(place, ignore_errors=True)
        return *points, shown, ended

    @staticmethod
    def _points(book):
        query = "select b.name, g.auto_score from grade g join grade_cells c on g.cell_id = c.id join base_cell b on b.id = c.id"
        try:
            with sqlite3.connect(book) as connection:
                found = dict(connection.execute(query).fetchall())
        except sqlite3.Error:
            found = {}
        return found.get("double") or 0.0, found.get("triple") or 0.0


class Otter:
    """Grades one submission with otter's autograder zip."""

    def __init__(self, root):
        self.root = root
        tests = root / "tests"
        tests.mkdir(parents=True)
        for question, worth in (("double", 2), ("triple", 3)):
            lines = ASSERTIONS[question].format(f=f"env[{question!r}]").splitlines()
            body = "\n".join(f"    {line}" for line in lines)
            text = OTTER_TEST.format(question=question, points=worth, canary=CANARY, body=body)
            (tests / f"{question}.py").write_text(text)
        (root / "otter_config.json").write_text("{}")
        line = [str(peers.BIN / "otter"), "generate", "-t", str(tests), "-o", str(root / "autograder.zip")]
        line += ["--no-requirements", "--no-environment", "-c", str(root / "otter_config.json")]
        subprocess.run(line, cwd=root, env=peers.environment(), check=True, capture_output=True)

    def grade(self, name, path):
        place = self.root.with_name(f"otter-{name}")
        place.mkdir()
        for one in path.parent.iterdir():
            copy_special(one, place / one.name)
        shutil.copy(self.root / "autograder.zip", place)
        open_to_all(place)
        line = [str(peers.BIN / "otter"), "run", "-a", "autograder.zip", "-o", str(place), "--no-logo"]
        notebooks = sorted(p.name for p in place.glob("*.ipynb"))
        code, _ = sandboxed([*line, "--", notebooks[0] if notebooks else path.name], place)
        try:
            results = json.loads((place / "results.json").read_text())
            tests = {t["name"].split()[0]: t for t in results["tests"]}
            points = [float(tests.get(q, {}).get("score") or 0.0) for q in ("double", "triple")]
            shown = json.dumps([t for t in results["tests"] if t.get("visibility", "visible") == "visible"])
        except (OSError, ValueError, KeyError, TypeError):
            points, shown = [0.0, 0.0], ""
        ended = "hung" if code is None else "crashed" if code else ""
        shutil.rmtree(place, ignore_errors=True)
        return *points, shown, ended


def copy_special(source, target):
    """Copy a file, or make the link or pipe that it is."""
    source, target = Path(source), Path(target)
    if source.is_symlink():
        target.symlink_to(os.readlink(source))
    elif source.is_fifo():
        os.mkfifo(target)
    else:
        shutil.copy(source, target)
    return target


def open_to_all(place):
    """Let an ordinary user write below ``place``."""
    for path in (place, *place.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o777)


def page(found):
    """Return docs/hostile.md: for each grader, how many rows of each class went wrong, and how."""
    classes, graders = found["classes"], list(found["classes"])
    count = sum(one["submissions"] for one in classes["gradus"].values())
    lines = [
        "# The hostile set in three graders",
        "",
        f"{count} submissions that attack, break or are unlucky ([tests/hostile](../tests/hostile)), graded by `gradus grade`, "
        f"by `nbgrader autograde` {found['versions']['nbgrader']} and by `otter run` {found['versions']['otter-grader']}. "
        "Each asks for the same comparison, in the grader's own form. The peers ran as their documentation has them run by "
        "hand; both can be put into containers by whoever runs them, which helps with some of what is counted here and not "
        "with the rest, since checks and answers still share a process. `python benchmarks/hostile.py` makes this page.",
        "",
        "*Forged*: points that the answer did not earn. *False zero*: points lost that were earned. *Leaked*: a planted secret "
        "in what the student sees, beyond what every student sees. *Crashed*: no grade at all, for a submission that can be "
        f"graded. *Hung*: not done after {SECONDS} s, and ended from outside. One submission can count in several columns.",
        "",
        "| grader | submissions | " + " | ".join(OUTCOMES) + " | as it should be |",
        "| --- | " + "--- | " * (len(OUTCOMES) + 2),
    ]
    for name in graders:
        cells = " | ".join(str(sum(one.get(word, 0) for one in classes[name].values())) for word in (*OUTCOMES, "good"))
        lines.append(f"| {name} | {count} | {cells} |")
    lines += ["", "By class: submissions that came out as they should, of all in the class.", ""]
    lines += ["| class | submissions | " + " | ".join(graders) + " |", "| --- | --- | " + "--- | " * len(graders)]
    for letter, title in SECTIONS.items():
        cells = " | ".join(str(classes[name][letter]["good"]) for name in graders)
        lines.append(f"| {title} | {classes['gradus'][letter]['submissions']} | {cells} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
