"""Makes docs/performance.md and its figure from docs/performance.json; called by `python benchmarks/class.py page`."""

import statistics

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

HEAD = """# How long grading takes

Made by `python benchmarks/class.py page` from `docs/performance.json`; do not edit the numbers. Measured on {machine},
with `python benchmarks/class.py compare`, `scale` and `parts`, each everything in one run on one machine.

Half of the submissions of a class are right (the solution and its variants), the others have one mistake each. All
tools get the same notebooks without figure and training cells, and run the same assertions: nbgrader in the hidden
tests of its grade cells, otter in test files, both with `benchmarks/same_checks.py`. Times are wall clock of the whole
command, from its start to its last file; Gradus' include the feedback pages, the class report, the CSV and nbgrader's
gradebook, and the diagnosis of every mistake. The peers graded a part of each class, as the table says.
"""


def write(found, folder):
    """Write performance.md and pictures/performance.png below ``folder``."""
    m = found["machine"]
    machine = f"{m['cores']} cores ({m['machine']}), Python {m['python']}, {m['date']}"
    sections = [HEAD.format(machine=machine)]
    if "compare" in found:
        sections.append(_compare(found["compare"]))
        _figure(found["compare"], folder / "pictures" / "performance.png")
    if "parts" in found:
        sections.append(_parts(found["parts"]))
    if "scale" in found:
        sections.append(_scale(found["scale"]))
    if "cluster" in found:
        sections.append(_cluster(found["cluster"]))
    notes = folder / "performance-notes.md"
    if notes.is_file():
        sections.append(notes.read_text())
    (folder / "performance.md").write_text("\n".join(sections))


def rates(row):
    """Return milliseconds a submission of each tool in one row of the comparison."""
    count, peer = row["count"], row["nbgrader"]
    return {
        "gradus, 1 job": 1000 * statistics.median(row["gradus 1"]["runs"]) / count,
        "gradus, 2 jobs": 1000 * statistics.median(row["gradus 2"]["runs"]) / count,
        "floor": 1000 * row["floor"],
        "nbgrader autograde": 1000 * peer["autograde"] / peer["count"],
        "nbgrader feedback": 1000 * peer["feedback"] / peer["count"],
        "otter run": 1000 * statistics.median(row["otter"]["runs"]),
    }


def _compare(rows):
    lines = ["## A class", "", "![Milliseconds a submission](pictures/performance.png)", "",
             "| class | gradus, 2 jobs | gradus, 1 job | floor | nbgrader autograde | its feedback | otter run | nbgrader / gradus | otter / gradus |",
             "| --- " * 9 + "|"]  # fmt: skip
    for row in rows:
        r = rates(row)
        best = r["gradus, 2 jobs"]
        ours = ", ".join(f"{s:.1f}" for s in row["gradus 2"]["runs"])
        lines.append(
            f"| {row['count']} {row['framework']} (`{row['assignment']}`) | {best:.0f} ms (runs: {ours} s) | {r['gradus, 1 job']:.0f} ms "
            f"| {r['floor']:.0f} ms | {r['nbgrader autograde']:.0f} ms (of {row['nbgrader']['count']}) | {r['nbgrader feedback']:.0f} ms "
            f"| {r['otter run']:.0f} ms (of {row['otter']['count']}) | {r['nbgrader autograde'] / best:.0f} | {r['otter run'] / best:.0f} |"
        )
    lines += ["", "Milliseconds are per submission. The floor is one warm process that runs the same cells and assertions without any wall.", "",
              "| class | one submission from a cold start | nbgrader for one | two jobs against one | two pure loops against one | memory, gradus 2 jobs | memory, nbgrader |",
              "| --- " * 7 + "|"]  # fmt: skip
    for row in rows:
        r = rates(row)
        lines.append(
            f"| {row['framework']} | {statistics.median(row['cold']):.1f} s | {row['nbgrader']['cold']:.1f} s "
            f"| {r['gradus, 1 job'] / r['gradus, 2 jobs']:.2f} times | {statistics.median(row['two cores']):.2f} times | {row['gradus 2']['memory']} MB | {row['nbgrader']['memory']} MB |"
        )
    return "\n".join(lines) + "\n"


def _parts(rows):
    lines = ["## Where the time of one submission goes", "",
             "Inside one grading process, all walls up, warm; milliseconds a submission. *Student* is the time until the student's",
             "process has answered, so cells and calls with the wire; *checks* is the rest of what the checks take (oracles, comparisons).", "",
             "| class | fork, walls and end | student | checks | diagnosis | page | rest | all |", "| --- " * 8 + "|"]  # fmt: skip
    for row in rows:
        t = row["milliseconds"]
        checks = max(0.0, t["checks"] - t["wire and student"])
        known = t["fork"] + t["wire and student"] + checks + t["diagnosis"] + t["page"]
        lines.append(
            f"| {row['framework']} | {t['fork']:.1f} | {t['wire and student']:.1f} | {checks:.1f} | {t['diagnosis']:.1f} | {t['page']:.1f} "
            f"| {max(0.0, t['all'] - known):.1f} | {t['all']:.1f} |"
        )
    return "\n".join(lines) + "\n"


def _scale(rows):
    lines = ["## From ten to ten thousand", "", "`adam`, two jobs, whole command. *Again* is the same command with nothing changed.", "",
             "| submissions | first | each | memory | again | each | one check changed |", "| --- " * 7 + "|"]  # fmt: skip
    for row in rows:
        n, changed = row["count"], row.get("check changed")
        lines.append(
            f"| {n} | {row['first']:.1f} s | {1000 * row['first'] / n:.0f} ms | {row['memory']} MB | {row['again']:.1f} s "
            f"| {1000 * row['again'] / n:.1f} ms | {f'{changed:.1f} s' if changed else ''} |"
        )
    return "\n".join(lines) + "\n"


def _cluster(rows):
    lines = ["## On a cluster", "", "`adam` on dask workers of this same machine: what the way over a cluster costs.", "",
             "| workers | submissions | runs | each |", "| --- " * 4 + "|"]  # fmt: skip
    for row in rows:
        runs = ", ".join(f"{s:.1f}" for s in row["runs"])
        each = 1000 * statistics.median(row["runs"]) / row["count"]
        lines.append(f"| {row['workers']} | {row['count']} | {runs} s | {each:.0f} ms |")
    return "\n".join(lines) + "\n"


def _figure(rows, path):
    names = ["floor", "gradus, 2 jobs", "gradus, 1 job", "nbgrader autograde", "otter run"]
    colours = ["#7f8c8d", "#1b4f72", "#5d8aa8", "#d35400", "#7d3c98"]
    _, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
    for k, (name, colour) in enumerate(zip(names, colours, strict=True)):
        values = [rates(row)[name] for row in rows]
        bars = ax.bar([i + 0.16 * (k - 2) for i in range(len(rows))], values, 0.15, label=name, color=colour)
        ax.bar_label(bars, [f"{v:.0f}" for v in values], fontsize=7)
    ax.set(
        yscale="log",
        ylabel="milliseconds a submission (log)",
        title="A class in seconds: the same submissions, the same assertions",
    )
    ax.set_xticks(range(len(rows)), [f"{row['framework']} ({row['assignment']})" for row in rows])
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, ncols=5, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.1))
    plt.savefig(path, dpi=120)
