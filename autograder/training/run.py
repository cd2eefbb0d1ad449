"""The training stage for a class: what is new is trained, every result is kept once, and pages are written."""

import csv
import hashlib
import io
import os
import queue
import threading
from functools import partial
from pathlib import Path

from .. import __version__, notebook
from ..assignment import TRAINING, Assignment
from ..certificate import certified
from ..errors import InputError, SubmissionError
from ..grading.grade import found_submissions
from ..grading.jobs import Job
from ..reports.tables import plain_cell
from ..results import write_atomically
from ..roster import Roster
from . import results, sets
from .cluster import train_on_cluster
from .pages import training_page
from .stage import Setting, train_one

DEVICES = ("auto", "cpu", "cuda")
COLUMNS = "student status points max_points metric value floor target real device seconds notes".split()


def train_class(course, name, path, *, out=None, isolation, device="auto", budget=None, jobs=None, roster=None,
                cluster=None, progress=None):  # fmt: skip
    """Train the submissions of ``name`` at ``path``; return (TrainingResults by student, their folder).

    Args:
        out: folder of the results; ``trained/<name>`` in the course by default.
        device: "cpu", "cuda", or "auto" for a GPU where there is one.
        budget: seconds for one submission; the assignment's own by default.
        jobs: submissions trained side by side on the CPU; by default one a core.
        roster: path of a class list (CSV), as for grading.
        cluster: address of a dask scheduler whose workers train.
        progress: called as progress(student, words) when there is news.
    """
    assignment = Assignment.load(course, name)
    train = assignment.settings.train
    if train is None or not any(TRAINING in nb.by_id() for nb in assignment.notebooks):
        raise InputError(f"{name} has no training stage", remedy="it needs [train] in assignment.toml and a locked "
                         "cell `training` in its notebook")  # fmt: skip
    data = sets.load(train)
    out = Path(out).resolve() if out else course.root / "trained" / name
    device = _device(device, somewhere_else=cluster is not None)
    setting = Setting(course.root, name, out, isolation, device, budget or train.seconds)
    if cluster:
        elsewhere = partial(train_on_cluster, address=cluster, certify=certified)
    else:
        elsewhere = partial(_here, assignment=assignment, data=data, jobs=jobs)
    trained, todo = {}, []
    with found_submissions(path, assignment, Roster.read(roster) if roster else None) as found:
        for submission in found.submissions:
            job = _job(submission, assignment, data, setting)
            before = results.read(out / submission.student / "training.json")
            if before is not None and before.key == job.key:
                trained[job.student] = before
            else:
                todo.append(job)
        for result in elsewhere(todo, setting, progress=progress or (lambda student, words: None)):
            trained[result.student] = result
            _write(result, assignment, out)
    ordered = [trained[s.student] for s in found.submissions]
    write_atomically(out / "training.csv", training_csv(ordered))
    return ordered, out


def _here(todo, setting, *, assignment, data, jobs, progress):
    """Train on this machine: several at once on the CPU, one after another on a GPU."""
    at_once = 1 if setting.device == "cuda" else min(jobs or os.cpu_count() or 1, max(1, len(todo)))
    walls_hold = certified(setting.root, setting.isolation)
    waiting, done = queue.SimpleQueue(), queue.SimpleQueue()
    for job in todo:
        waiting.put(job)

    def work():  # it waits for students' processes, so a thread is enough
        while not waiting.empty():
            try:
                done.put(train_one(waiting.get_nowait(), setting, assignment, data, walls_hold, progress))
            except queue.Empty:
                return
            except BaseException as error:
                done.put(error)

    for _ in range(at_once):
        threading.Thread(target=work, daemon=True).start()  # one that is in the middle does not hold up Ctrl-C
    for _ in todo:
        result = done.get()
        if isinstance(result, BaseException):
            raise result
        yield result


def _device(wanted, somewhere_else):
    if wanted not in DEVICES:
        raise InputError(f"--device {wanted!r} is not known", remedy=f"use one of: {', '.join(DEVICES)}")
    if somewhere_else:
        return wanted.replace("auto", "cpu")
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise InputError("there is no GPU here that torch can use", remedy="train with --device cpu, "
                         "or install a torch build for CUDA (see docs/training.md)")  # fmt: skip
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def _job(submission, assignment, data, setting):
    parts = (__version__, assignment.fingerprint, data.fingerprint, setting.device, setting.seconds, setting.isolation)
    digest = hashlib.sha256(repr(parts).encode())
    for name, path in sorted(submission.files.items()):
        try:
            digest.update(name.encode() + hashlib.sha256(notebook.file_bytes(path)).digest())
        except SubmissionError as error:
            digest.update(str(error).encode())
    return Job(submission.student, submission.files, seed=0, key=digest.hexdigest(), notes=submission.notes)


def _write(result, assignment, out):
    """Write the page, then the result: a result on disk says that its page is there too."""
    folder = out / result.student
    write_atomically(folder / "training.html", training_page(result, assignment))
    if result.status != "infra_error":
        write_atomically(folder / "training.json", result.text())


def training_csv(found):
    """Return the class as CSV text, a row a submission."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for result in found:
        values = {**result.model_dump(), "notes": "; ".join(result.notes)}
        rows.writerow([plain_cell(v) if isinstance(v := values[name], str) else v for name in COLUMNS])
    return text.getvalue()
