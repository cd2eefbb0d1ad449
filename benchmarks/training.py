"""Runs the training stage on the model solutions and writes what they reach into docs/results.md.

    python benchmarks/training.py                      every assignment with a training stage
    python benchmarks/training.py lenet_fashion --device cuda
    python benchmarks/training.py lenet_fashion --data mnist --only real

Each is trained as a submission is, behind the same walls, with every seed of its gate; on the real data where the
cache of `course_lib.data` has them (see docs/data.md), and on the stand-in. Runs that are done are kept in
docs/results.json, under the machine's name for its processor; the page is made from that file.
"""

import argparse
import json
import os
import platform
import re
import statistics
import tempfile
from pathlib import Path

from autograder import specimens
from autograder.assignment import Assignment
from autograder.course import Course
from autograder.training import metrics
from autograder.training.console import TrainingNews
from autograder.training.run import train_class

ROOT = Path(__file__).resolve().parent.parent
KEPT, PAGE = ROOT / "docs" / "results.json", ROOT / "docs" / "results.md"
BEGIN, END = "<!-- results:begin (made by `python benchmarks/training.py --page`) -->", "<!-- results:end -->"


def with_training(course):
    """Return the assignments of the course that have a training stage, in teaching order."""
    names = (course.source / "syllabus.txt").read_text().split()
    return [a for name in names if (a := Assignment.load(course, name)).settings.train]


def measure(assignment, device, offline, other=None):
    """Train the solution of ``assignment`` with all seeds of its gate, on its set or on ``other``; return what came of it."""
    if offline:
        os.environ["GRADUS_OFFLINE"] = "1"
    else:
        os.environ.pop("GRADUS_OFFLINE", None)
    with tempfile.TemporaryDirectory() as folder:
        course = copy_of(assignment.name, Path(folder, "course"), other)
        answers = {nb.name: specimens.solution(assignment, nb.name) for nb in assignment.notebooks}
        specimens.write(Path(folder, "class"), "solution", assignment, answers)
        with TrainingNews(assignment.name, quiet=False) as news:
            (result,), _ = train_class(course, assignment.name, Path(folder, "class"), out=Path(folder, "out"),
                                       isolation="namespaces", device=device, progress=news)  # fmt: skip
    if any(run.value is None for run in result.runs):
        raise SystemExit(f"{assignment.name}: {[run.problem for run in result.runs]} {result.notes}")
    values = [run.value for run in result.runs]
    return {
        "assignment": assignment.name, "set": other or assignment.settings.train.data, "real": result.real, "data": result.data, "device": device, "metric": result.metric,
        "seeds": len(values), "mean": statistics.fmean(values), "sd": statistics.stdev(values), "epochs": result.runs[0].epochs,
        "seconds_a_seed": statistics.fmean(run.seconds for run in result.runs), "points": result.points,
        "max_points": result.max_points, "machine": machine(device),
    }  # fmt: skip


def copy_of(name, root, other):
    """Return a course at ``root`` with one assignment, whose training stage uses the set ``other`` if it is not None."""
    for path, content in Course(ROOT).files(name).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    if other:
        settings = root / "autograder" / "checks" / name / "assignment.toml"
        settings.write_text(re.sub(r"^data = .*$", f'data = "{other}"', settings.read_text(), flags=re.MULTILINE))
    return Course(root)


def machine(device):
    """Return what the runs ran on, in words."""
    if device == "cuda":
        import torch

        return torch.cuda.get_device_name()
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"one core of {names[0] if names else platform.processor()}"


def table(kept, course):
    """Return the figures as a Markdown table."""
    rows = ["| assignment | data | metric | published | ours, mean ± sd | gate | epochs | a seed takes | on |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    for assignment in with_training(course):
        train = assignment.settings.train
        for one in kept:
            if one["assignment"] != assignment.name:
                continue
            gate, metric, own = train.gate(one["real"]), one["metric"], one["set"] == train.data
            wanted = f"{metrics.shown(metric, gate.floor)} to {metrics.shown(metric, gate.target)}" if own else ""
            used = f" The first {train.take:,} are trained on." if own and one["real"] and train.take else ""
            published = train.published if own and one["real"] else ""
            spread = f"{100 * one['sd']:.1f}" if metric == "accuracy" else f"{one['sd']:.3f}"
            rows.append(
                f"| `{one['assignment']}` | {one['data'].partition(' (GRADUS')[0]}{used} | {metrics.SHOWN[metric]} | {published} "
                f"| {metrics.shown(metric, one['mean'])} ± {spread} ({one['seeds']} seeds) "
                f"| {wanted} | {one['epochs']} "
                f"| {one['seconds_a_seed']:.0f} s | {one['device']}: {one['machine']} |"
            )
    return "\n".join(rows)


def main():
    """Measure what was asked for, keep it, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--data", help="another set than the assignment's own")
    parser.add_argument("--page", action="store_true", help="write the page from what is kept, measure nothing")
    parser.add_argument("--only", choices=("real", "stand-in"), help="one of the two kinds of data")
    wanted = parser.parse_args()
    course = Course(ROOT)
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else []
    for assignment in with_training(course):
        if wanted.page or (wanted.names and assignment.name not in wanted.names):
            continue
        for offline in (False, True):
            if wanted.only and (wanted.only == "stand-in") != offline:
                continue
            one = measure(assignment, wanted.device, offline, wanted.data)
            if not offline and not one["real"]:
                print(f"{assignment.name}: the real data are not in the cache")
                continue
            same = ("assignment", "set", "real", "device", "machine")
            kept = [k for k in kept if any(k[key] != one[key] for key in same)] + [one]
            KEPT.write_text(json.dumps(kept, indent=1) + "\n")
            print({key: one[key] for key in ("assignment", "real", "mean", "sd", "seconds_a_seed", "points")})
    head, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(f"{head}{BEGIN}\n{table(kept, course)}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
