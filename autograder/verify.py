"""Provisional: run solution, stub, variants and mutants in this process and print the kill matrix."""

import sys
import tempfile

from .assignment import Assignment
from .course import Course
from .grading.engine import run_checks
from .grading.plugin import serve_checks
from .grading.student import LocalLine


def rehearse(name, seeds=(1,), diagnose=True):
    course = Course.find()
    a = Assignment.load(course, name, need_release=False)
    bad = []

    def score(outcomes):
        total = 0
        for q in a.questions:
            mine = [o for o in outcomes if o.cell == q.id]
            if mine:
                total += q.points * sum(o.weight for o in mine if o.status == "passed") / sum(o.weight for o in mine)
        return total

    def serve(checks):
        auto = sum(q.points for q in a.questions if not q.manual)
        cells = {q.id for q in a.questions}
        for c in checks:
            if c.cell not in cells:
                bad.append(f"{c.id} names unknown cell {c.cell}")
        for seed in seeds:
            out = run_checks(checks, LocalLine(a.reference_cells()), seed, a, diagnose=False)
            s = score(out)
            print(f"seed {seed}: solution {s:g}/{auto:g}  notes {[o.notes for o in out if o.notes]}")
            if s != auto:
                bad.append("solution fails " + str([(o.id, o.message) for o in out if o.status != "passed"]))
            for v in a.variants:
                out = run_checks(checks, LocalLine(a.reference_cells(v)), seed, a, diagnose=False)
                wrong = [(o.id, o.message) for o in out if o.status != "passed"]
                print(f"  variant {v.name}: {'ok' if not wrong else wrong}")
                if wrong:
                    bad.append(f"variant {v.name} rejected: {wrong}")
            killed_by = {c.function: [] for c in checks}
            for m in a.mutants:
                out = run_checks(checks, LocalLine(a.reference_cells(m)), seed, a, diagnose=diagnose)
                failing = [o for o in out if o.status != "passed"]
                for o in failing:
                    killed_by[o.function].append(m.name)
                names = sorted({o.function for o in failing})
                diag = {o.diagnosis for o in failing if o.diagnosis}
                flag = ""
                if not failing:
                    flag = "SURVIVES"
                elif m.caught_by not in names:
                    flag = f"not caught by {m.caught_by}"
                if diagnose and failing and not diag <= {m.name, *m.also} or (diagnose and failing and not diag):
                    flag += f" diagnosis {diag or None}"
                print(f"  mutant {m.name}: killed by {names} {flag}")
                if flag:
                    bad.append(f"mutant {m.name}: {flag}")
                if diagnose and failing:
                    f = next((o for o in failing if o.function == m.caught_by), failing[0])
                    print("      ", f.status, f.message, "|", {k: v for k, v in (f.example or {}).items() if k != "message"})
            for name_, mutants in killed_by.items():
                if not mutants:
                    bad.append(f"check {name_} kills no mutant")

    with tempfile.TemporaryDirectory() as scratch:
        serve_checks(a.checks_folder, scratch, serve)
    print("\n".join(["PROBLEMS:"] + bad) if bad else "OK")
    return not bad


if __name__ == "__main__":
    args = sys.argv[1:]
    seeds = range(1, int(args[1]) + 1) if len(args) > 1 else (1,)
    sys.exit(not rehearse(args[0], seeds, diagnose=len(args) < 3))
