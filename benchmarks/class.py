"""How long a class takes: Gradus, nbgrader and otter on the same submissions and the same assertions.

python benchmarks/class.py compare [adam triplet_loss softmax_tf] [--count 200] [--peers 20] [--otter 5] [--repeats 3]
python benchmarks/class.py scale [--largest 10000]
python benchmarks/class.py cluster
python benchmarks/class.py parts

Half of the submissions are right (solution and variants), half have one mistake each (mutants). The peers
grade a part of the class, which is said in the table, because all of it would take hours. Times are wall
clock of the whole command, from start to the last file; memory is the largest sum over all its processes.
Results go to docs/performance.json; `python benchmarks/class.py page` makes docs/performance.md from them.
"""

import argparse
import itertools
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import peers
import psutil
from same_checks import collected, run_one

from autograder import specimens
from autograder.assignment import Assignment
from autograder.course import Course

ROOT = Path(__file__).resolve().parent.parent
FIGURES = ROOT / "docs" / "performance.json"
CLASSES = {"adam": ("numpy", 1.0), "triplet_loss": ("torch", 1.0), "softmax_tf": ("TensorFlow", 0.25)}


def make_class(folder, assignment, count):
    """Write ``count`` submissions below ``folder``; return {student: path of the notebook}."""
    solved = [specimens.solution(assignment, assignment.name)]
    right = solved + [specimens.changed(assignment, v) for v in assignment.variants]
    wrong = [specimens.changed(assignment, m) for m in assignment.mutants]
    mixed = itertools.chain.from_iterable(zip(itertools.cycle(right), itertools.cycle(wrong), strict=False))
    found = {}
    for number, answers in zip(range(count), mixed, strict=False):
        student = f"student{number:05d}"
        place = specimens.write(folder, student, assignment, {assignment.name: answers})
        found[student] = place / f"{assignment.name}.ipynb"
    return found


def timed(line, cwd, env=None):
    """Run a command; return (seconds, megabytes at its peak over all its processes)."""
    start = time.perf_counter()
    process = subprocess.Popen(line, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak = [0]

    def watch():
        while process.poll() is None:
            peak[0] = max(peak[0], _memory(process.pid))
            time.sleep(0.2)

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, errors = process.communicate()
    seconds = time.perf_counter() - start
    watcher.join()
    if process.returncode not in (0, 1):
        sys.exit(f"{line} ended with {process.returncode}: {errors.decode()[-800:]}")
    return seconds, peak[0]


def _memory(pid):
    """Return the megabytes that a process and all below it have for themselves (shared pages count once)."""
    total = 0
    try:
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            total += process.memory_full_info().pss
    except psutil.Error:
        pass
    return total // 2**20


def gradus(course, name, folder, scratch, *more):
    """Grade a class with the command that teachers use; return (seconds, megabytes)."""
    out = Path(tempfile.mkdtemp(dir=scratch))
    line = [str(peers.BIN / "gradus"), "grade", name, str(folder), "--quiet", "--out", str(out / "graded"),
            "--db", f"sqlite:///{out / 'gradebook.db'}", *more]  # fmt: skip
    return timed(line, course.root)


def floor(assignment, submissions):
    """Return seconds a submission in one warm process: the same cells, the same assertions, no walls."""
    line = [sys.executable, __file__, "floor", assignment.name, *map(str, submissions)]
    done = subprocess.run(line, env=peers.environment(), capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def floor_here(name, paths):
    """Print the median seconds of a submission in this process."""
    assignment = Assignment.load(Course(ROOT), name)
    handed_in = []
    for path in paths:
        tree = json.loads(Path(path).read_text())
        answers = {c["metadata"]["nbgrader"]["grade_id"]: "".join(c["source"]) for c in tree["cells"]
                   if c["metadata"].get("nbgrader", {}).get("solution") and c["cell_type"] == "code"}  # fmt: skip
        handed_in.append([(cell, answers.get(cell, source)) for cell, source in assignment.reference_cells()])
    seconds = []
    for cells in [handed_in[0], *handed_in]:
        start = time.perf_counter()
        names = {"__name__": "__main__"}
        for cell, source in cells:
            exec(compile(source, cell, "exec"), names)
        for _, test, function, arguments in collected(name):
            try:
                run_one(function, test, arguments, names, 1)
            except Exception:
                continue
        seconds.append(time.perf_counter() - start)
    print(statistics.mean(seconds[1:]))


def compare(options):
    """Gradus, nbgrader and otter on one class per framework."""
    course, rows = Course(ROOT), []
    for name in options.rest or CLASSES:
        framework, share = CLASSES[name]
        assignment = Assignment.load(course, name)
        count = max(1, round(options.count * share))
        with tempfile.TemporaryDirectory(prefix="gradus-bench-") as scratch:
            scratch = Path(scratch)
            submissions = make_class(scratch / "submitted", assignment, count)
            row = {"assignment": name, "framework": framework, "count": count, "two cores": []}
            for jobs in (1, 2):
                row[f"gradus {jobs}"] = {"runs": [], "memory": 0}
            for jobs in (1, 2) * options.repeats:  # in turns, since a machine's speed drifts
                seconds, memory = gradus(course, name, scratch / "submitted", scratch, "--jobs", str(jobs))
                row[f"gradus {jobs}"]["runs"].append(seconds)
                row[f"gradus {jobs}"]["memory"] = max(memory, row[f"gradus {jobs}"]["memory"])
                row["two cores"].append(two_cores())
            part = list(submissions.items())
            row["floor"] = floor(assignment, [p for _, p in part[: min(count, 60)]])
            one = scratch / "one"
            make_class(one, assignment, 1)
            row["cold"] = [gradus(course, name, one, scratch)[0] for _ in range(options.repeats)]
            row["nbgrader"] = nbgrader(course, assignment, dict(part[: options.peers]), scratch)
            row["otter"] = otter(assignment, dict(part[: options.otter]), scratch)
            rows.append(row)
            print(json.dumps(row), flush=True)
    return {"compare": rows}


def two_cores():
    """Return how many times faster two processes do two pure loops than one process does: this machine's own limit."""

    def loop(core):
        os.sched_setaffinity(0, {core})
        start = time.perf_counter()
        sum(i * i for i in range(3_000_000))
        return time.perf_counter() - start

    def at_once(cores):
        pipes = []
        for core in cores:
            reading, writing = os.pipe()
            if os.fork() == 0:
                os.write(writing, str(loop(core)).encode())
                os._exit(0)
            pipes.append(reading)
        return [float(os.read(pipe, 40)) for pipe in pipes]

    cores = sorted(os.sched_getaffinity(0))[:2]
    return sum(1 / seconds for seconds in at_once(cores)) / statistics.mean(1 / at_once([c])[0] for c in cores)


def cluster(options):
    """A class on a dask cluster of one and of two workers on this machine."""
    from distributed import LocalCluster

    course, name, rows = Course(ROOT), "adam", []
    with tempfile.TemporaryDirectory(prefix="gradus-bench-") as scratch:
        scratch = Path(scratch)
        make_class(scratch / "submitted", Assignment.load(course, name), options.count)
        for workers in (1, 2):
            runs = []
            for _ in range(options.repeats):
                with LocalCluster(
                    n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
                ) as made:
                    address = made.scheduler_address
                    runs.append(gradus(course, name, scratch / "submitted", scratch, "--cluster", address)[0])
            rows.append({"workers": workers, "count": options.count, "runs": runs})
            print(json.dumps(rows[-1]), flush=True)
    return {"cluster": rows}


def nbgrader(course, assignment, submissions, scratch):
    """Return nbgrader's seconds for its autograde and its feedback step, and for a single submission."""
    root = scratch / "nbgrader"
    peers.nbgrader_course(root, course, assignment, submissions)
    line = [str(peers.BIN / "nbgrader")]
    autograde, memory = timed([*line, "autograde", assignment.name], root, peers.environment())
    feedback, _ = timed([*line, "generate_feedback", assignment.name], root, peers.environment())
    first = next(iter(submissions))
    one, _ = timed([*line, "autograde", assignment.name, "--student", first, "--force"], root, peers.environment())
    return {"count": len(submissions), "autograde": autograde, "feedback": feedback, "memory": memory, "cold": one}


def otter(assignment, submissions, scratch):
    """Return otter's seconds for each submission, one ``otter run`` after another."""
    root = scratch / "otter"
    archive = peers.otter_zip(root, assignment)
    seconds = []
    for student, path in submissions.items():
        start = time.perf_counter()
        peers.otter_run(root, archive, path, student)
        seconds.append(time.perf_counter() - start)
    return {"count": len(submissions), "runs": seconds}


def scale(options):
    """10 to ``largest`` submissions: time and memory; then a regrade, unchanged and with one check changed."""
    course, name, rows = Course(ROOT), "adam", []
    assignment = Assignment.load(course, name)
    count = 10
    while count <= options.largest:
        with tempfile.TemporaryDirectory(prefix="gradus-bench-") as scratch:
            scratch = Path(scratch)
            place = Course(scratch / "course")
            for part in (f"source/{name}", f"release/{name}", f"autograder/checks/{name}"):
                shutil.copytree(ROOT / part, place.root / part)
            make_class(place.submitted, assignment, count)
            line = [str(peers.BIN / "gradus"), "grade", name, "--quiet"]
            first, memory = timed(line, place.root)
            again, _ = timed(line, place.root)
            row = {"count": count, "first": first, "memory": memory, "again": again}
            if count == 1000:
                check = next((place.checks(name)).glob("test_*.py"))
                check.write_text(check.read_text() + "\n# mended\n")
                row["check changed"], _ = timed(line, place.root)
            rows.append(row)
            print(json.dumps(row), flush=True)
        count *= 10
    return {"scale": rows}


def parts(options):
    """Where the time of one submission goes, measured inside one grading process with all walls up."""
    return {"parts": [measure_parts(name, framework) for name, (framework, _) in CLASSES.items()]}


def measure_parts(name, framework, count=40):
    """Return milliseconds per submission for each part of the work."""
    from autograder.grading import diagnosis
    from autograder.grading.grader import Grader
    from autograder.grading.jobs import Job
    from autograder.grading.plugin import Check
    from autograder.jail.sandbox import StudentProcess, Zygote
    from autograder.reports.feedback import feedback_page

    spent: dict[str, float] = dict.fromkeys(("fork", "wire and student", "checks", "diagnosis", "page", "all"), 0.0)

    def clocked(owner, attribute, label):
        inner = getattr(owner, attribute)

        def outer(*args, **kwargs):
            start = time.perf_counter()
            try:
                return inner(*args, **kwargs)
            finally:
                spent[label] += time.perf_counter() - start

        setattr(owner, attribute, outer)

    clocked(Zygote, "fork", "fork")
    clocked(StudentProcess, "exchange", "wire and student")
    clocked(StudentProcess, "kill", "fork")
    clocked(Check, "run", "checks")
    clocked(diagnosis, "diagnose", "diagnosis")
    clocked(diagnosis, "example", "diagnosis")
    assignment, cores = Assignment.load(Course(ROOT), name), os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory(prefix="gradus-bench-") as scratch:
        submissions = make_class(Path(scratch), assignment, count)

        def serve(grader):
            os.sched_setaffinity(0, {grader.cpu})  # as in `grading.worker`
            for number, (student, path) in enumerate(2 * list(submissions.items())):
                if number == count:  # once to warm up: the larger pages of the zygote are made between the first forks
                    spent.update(dict.fromkeys(spent, 0.0))
                start = time.perf_counter()
                result = grader.grade(Job(student, {name: path}, 1))
                page = time.perf_counter()
                feedback_page(result, assignment)
                spent["page"] += time.perf_counter() - page
                spent["all"] += time.perf_counter() - start

        Grader(assignment, cpu=min(cores)).session(serve)
        os.sched_setaffinity(0, cores)
    each = {label: 1000 * seconds / count for label, seconds in spent.items()}
    return {"assignment": name, "framework": framework, "count": count, "milliseconds": each}


def main():
    """Run one measurement and merge it into docs/performance.json, or make the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("compare", "scale", "cluster", "parts", "page", "floor"))
    parser.add_argument("rest", nargs="*")
    for option, default in (("--count", 200), ("--peers", 20), ("--otter", 5), ("--repeats", 3), ("--largest", 10000)):
        parser.add_argument(option, type=int, default=default)
    options = parser.parse_args()
    if options.what == "floor":
        floor_here(options.rest[0], options.rest[1:])
        return
    found = json.loads(FIGURES.read_text()) if FIGURES.is_file() else {}
    if options.what == "page":
        from performance_page import write

        write(found, ROOT / "docs")
        return
    machine = {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }
    found.update({"compare": compare, "scale": scale, "cluster": cluster, "parts": parts}[options.what](options))
    found["machine"] = machine
    FIGURES.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
