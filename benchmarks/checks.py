"""How much the hidden checks see, measured: writes docs/checks.md and a page per assignment.

python benchmarks/checks.py [ASSIGNMENT ...]      about half an hour for all, on two cores; a page at a time is fine

For every assignment: which checks catch each mutant; how often the diagnosis names the right mistake when
the mutant is disguised (`disguises.py`); and the share of blind mutants (`blind_mutants.py`) that is caught.
Blind mutants that compute the same as the reference are listed in `equivalent.toml`, each with a reason.
Our own programs run here, so no walls are up.
"""

import json
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEED, SECONDS = 1, 20
DISGUISE_NAMES = ("as written", "renamed", "restructured", "float32")


def measure(name):
    """Return the measurements of one assignment as plain data."""
    from blind_mutants import blind_mutants
    from disguises import DISGUISES

    from autograder.assignment import Assignment
    from autograder.course import Course
    from autograder.grading.engine import run_checks
    from autograder.grading.plugin import serve_checks
    from autograder.grading.student import LocalLine

    assignment = Assignment.load(Course(ROOT), name)
    cells = assignment.reference_cells()
    answers = {q.id: q.answers[-1] for q in assignment.questions if not q.manual}
    found = {"name": name, "title": assignment.title, "mutants": [], "blind": [], "skipped": []}

    def outcomes(question, source, checks, **options):
        place = answers[question]
        line = LocalLine([(cell, source if cell == place else text) for cell, text in cells])
        return [o for o in run_checks(checks, line, SEED, assignment, **options) if o.status != "passed"]

    def serve(checks):
        signal.signal(signal.SIGALRM, _too_long)
        usable = {}
        for question, place in answers.items():
            for how, disguise in DISGUISES.items():
                failed = outcomes(question, disguise(dict(cells)[place]), checks, diagnose=False)
                usable[question, how] = not failed
                if failed:
                    found["skipped"].append(f"{question}, {how}")
        for mutant in assignment.mutants:
            source = mutant.apply(dict(cells)[answers[mutant.cell]])
            row = {"name": mutant.name, "question": mutant.cell, "hint": mutant.hint, "diagnosis": {}}
            for how in DISGUISE_NAMES:
                if how != "as written" and not usable[mutant.cell, how]:
                    continue
                program = DISGUISES[how](source) if how in DISGUISES else source
                failed = _within(lambda p=program, m=mutant: outcomes(m.cell, p, checks))
                if failed:
                    named = {o.diagnosis for o in failed if o.diagnosis}
                    right = bool(named) and named <= {mutant.name, *mutant.also}
                    row["diagnosis"][how] = "right" if right else "another" if named else "none"
                if how == "as written":
                    row["caught_by"] = sorted({o.function for o in failed or ()})
            found["mutants"].append(row)
        for question, place in answers.items():
            own = [c for c in checks if c.cell == question]
            rest = [c for c in checks if c.cell != question]
            for where, what, program in blind_mutants(dict(cells)[place]):
                caught = any(_within(lambda p=program, q=question, c=c: outcomes(q, p, [c], diagnose=False), True)
                             for c in [*own, *rest])  # fmt: skip
                found["blind"].append({"question": question, "where": where, "what": what, "caught": caught})

    with tempfile.TemporaryDirectory() as scratch:
        serve_checks(assignment.checks_folder, scratch, serve)
    return found


def _too_long(number, frame):
    raise TimeoutError


def _within(act, otherwise=None):
    """Return act(), or ``otherwise`` if it takes longer than SECONDS (a loop without end is caught)."""
    signal.alarm(SECONDS)
    try:
        return act()
    except TimeoutError:
        return otherwise
    finally:
        signal.alarm(0)


def summary(found, reasons):
    """Return (mutants, share right per disguise, blind mutants, set aside, caught) of one assignment's data."""
    shares = {}
    for how in DISGUISE_NAMES:
        kinds = Counter(row["diagnosis"].get(how) for row in found["mutants"] if how in row["diagnosis"])
        shares[how] = (kinds["right"], kinds.total())
    left = [b for b in found["blind"] if not b["caught"]]
    aside = [b for b in left if _key(b) in reasons]
    return shares, len(found["blind"]), len(aside), [b for b in left if _key(b) not in reasons]


def _key(blind):
    return f"{blind['question']}: {blind['what']} in `{blind['where']}`"


def page(found, reasons):
    """Return the Markdown page of one assignment."""
    shares, total, aside, left = summary(found, reasons)
    lines = [f"# What the checks of {found['title']} see", "", "Made by `python benchmarks/checks.py`; do not edit.", "",
             "| mutant | question | caught by | what the student reads |", "| --- | --- | --- | --- |"]  # fmt: skip
    for row in found["mutants"]:
        checks = "<br>".join(f"`{c}`" for c in row["caught_by"])
        lines.append(
            f"| `{row['name']}` | `{row['question']}` | {checks} | {row['hint'].replace('|', chr(92) + '|')} |"
        )
    lines += [
        "",
        "## The diagnosis under disguise",
        "",
        "| written | wrong programs | the right mistake named |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {how} | {n} | {right} |" for how, (right, n) in shares.items()]
    missed = [
        f"`{r['name']}` ({how}: {kind})"
        for r in found["mutants"]
        for how, kind in r["diagnosis"].items()
        if kind != "right"
    ]
    if missed:
        lines += ["", "Not named, or as another one: " + ", ".join(missed) + "."]
    if found["skipped"]:
        lines += [
            "",
            "A disguise that would change the reference itself was left out: " + "; ".join(found["skipped"]) + ".",
        ]
    lines += [
        "",
        "## Blind mutants",
        "",
        f"{total} made, {aside} of them equivalent, {len(left)} of the others not caught.",
    ]
    lines += [
        f"- equivalent: {_key(b)}. {reasons[_key(b)]}" for b in found["blind"] if not b["caught"] and _key(b) in reasons
    ]
    lines += [f"- not caught: {_key(b)}" for b in left]
    return "\n".join(lines) + "\n"


def overview(everything, reasons):
    """Return the Markdown page over all assignments."""
    lines = ["# What the hidden checks see", "",
             "Made by `python benchmarks/checks.py`, seed 1; do not edit. *Named* is the share of wrong programs for which",
             "the feedback names the mistake that was made, as written by us and in three disguises: local variables renamed;",
             "expressions taken apart, products turned round and functions wrapped; arithmetic in float32. *Blind* mutants are",
             "made by operators on the syntax tree of the reference answers; those that compute the same are set aside by",
             "hand, with a reason each (`benchmarks/equivalent.toml`).", "",
             "| assignment | mutants | " + " | ".join(f"named {how}" for how in DISGUISE_NAMES) + " | blind | equivalent | caught |",
             "| --- " * (len(DISGUISE_NAMES) + 5) + "|"]  # fmt: skip
    for found in everything:
        shares, total, aside, left = summary(found, reasons.get(found["name"], {}))
        named = " | ".join(f"{right} of {n}" for right, n in shares.values())
        real = total - aside
        share = f"{real - len(left)} of {real} ({(real - len(left)) / real:.1%})"
        lines.append(
            f"| [{found['name']}](checks/{found['name']}.md) | {len(found['mutants'])} | {named} | {total} | {aside} | {share} |"
        )
    return "\n".join(lines) + "\n"


def main(names):
    """Measure ``names`` (all assignments by default), two at a time, and write the pages."""
    every = (ROOT / "source" / "syllabus.txt").read_text().split()
    reasons = tomllib.loads((ROOT / "benchmarks" / "equivalent.toml").read_text())
    folder, kept = ROOT / "docs" / "checks", ROOT / ".gradus" / "checks"
    folder.mkdir(exist_ok=True)
    kept.mkdir(parents=True, exist_ok=True)

    def one(name):
        done = subprocess.run([sys.executable, __file__, "--one", name], capture_output=True, text=True, check=True)
        (kept / f"{name}.json").write_text(done.stdout.splitlines()[-1] + "\n")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, names or every))
    everything = [
        json.loads((kept / f"{name}.json").read_text()) for name in every if (kept / f"{name}.json").is_file()
    ]
    for found in everything:
        (folder / f"{found['name']}.md").write_text(page(found, reasons.get(found["name"], {})))
    (ROOT / "docs" / "checks.md").write_text(overview(everything, reasons))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(sys.argv[2])))
    else:
        main(sys.argv[1:])
