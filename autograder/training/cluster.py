"""Trains a class on a dask cluster: one task a submission, on workers with the resource ``GPU`` for a GPU.

A worker has the data in its own cache (`python -m course_lib.data`); a task that finds other data there than
the course's is given back as ungraded. Logs and checkpoints stay on the worker and go with the task.
"""

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path

from .. import __version__
from ..assignment import Assignment
from ..course import Course
from ..errors import InfraError
from ..grading.cluster import CLUSTER_TRIES, connected, unpacked, with_files
from . import sets
from .results import TrainingResult
from .stage import train_one


def train_on_cluster(jobs, setting, *, address, certify, progress):
    """Train ``jobs`` on the cluster whose scheduler is at ``address``; yield each TrainingResult as it is done.

    Args:
        setting: a Setting; with device "cuda" a task waits for a worker started with ``--resources "GPU=1"``.
        certify: function(folder, isolation) -> bool that tries the walls of the machine it runs on.
        progress: called as progress(student, words) when a submission is done.
    """
    with connected(address) as client:
        from distributed import as_completed

        files = Course(setting.root).files(setting.assignment)
        name = f"gradus-course-{hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()}"
        course = client.submit(dict, files, key=name)
        train = Assignment.load(Course(setting.root), setting.assignment).settings.train
        needs = {"GPU": 1} if setting.device == "cuda" else None
        sendable, unreadable = with_files(jobs)
        owners = {}
        for job, notebooks in [*sendable, *((job, {}) for job in unreadable)]:
            future = client.submit(
                train_here, course, setting, job, notebooks, sets.load(train).fingerprint, certify, resources=needs,
                key=f"gradus-train-{job.student}-{job.key}", retries=CLUSTER_TRIES, pure=True,
            )  # fmt: skip
            owners[future] = job
        for future in as_completed(owners, loop=client.loop):
            job = owners[future]
            progress(job.student, "done")
            if future.status == "finished":
                yield future.result()
                continue
            reason = f"the cluster gave it up: {future.exception()}"
            yield TrainingResult(assignment=setting.assignment, student=job.student, grader_version=__version__,
                                 isolation=setting.isolation, status="infra_error", max_points=train.points,
                                 metric=train.metric, notes=[reason])  # fmt: skip


def train_here(course, setting, job, files, fingerprint, certify):
    """Train one submission on this dask worker; return its TrainingResult."""
    with tempfile.TemporaryDirectory(prefix="gradus-train-") as folder:
        root = Path(folder, "course")
        for path, content in course.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        holds = certify(root, setting.isolation)
        if setting.isolation != "none" and not holds:
            raise InfraError("a wall does not hold on this worker", remedy="run `gradus doctor` there")
        assignment = Assignment.load(Course(root), setting.assignment)
        data = sets.load(assignment.settings.train)
        if data.fingerprint != fingerprint:
            raise InfraError(f"this worker's data are not the course's: {data.note}",
                             remedy="fetch or import them there: python -m course_lib.data")  # fmt: skip
        here = replace(setting, root=root, out=Path(folder, "out"))
        return train_one(unpacked(job, files, folder), here, assignment, data, holds, lambda student, words: None)
