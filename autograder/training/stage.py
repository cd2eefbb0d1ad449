"""Trains one submission, seed by seed, and scores what it says about data that it has never seen.

A run is epochs in one process, with a checkpoint after each. Then fresh processes get the last checkpoint and
held-out inputs, a part each: what one learns from its part is lost with it, and none has the labels. Among the
held-out inputs are some of the training set, so that a program that knows the answers stands out.
"""

import fcntl
import hashlib
import os
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .. import __version__, notebook
from ..assignment import TRAINING
from ..errors import InfraError, SubmissionError
from ..grading.grader import Grader, cell_notes
from ..grading.plan import make_plan
from ..grading.student import StudentFault
from . import metrics, sets
from .checkpoints import Checkpoint, Saved
from .logs import Log
from .metrics import Unfit
from .results import Run, TrainingResult
from .trainee import Trainee

PARTS = 4  # fresh processes among which held-out inputs are shared out
BATCH = 500
SAMPLE = 500  # training inputs hidden among the held-out ones
PREDICT_SECONDS = 300
TOO_GOOD, SIGMAS = 0.01, 4  # accuracy on unseen data above that on training data, by more than chance


@dataclass(frozen=True)
class Setting:
    """Where the course is, which assignment, where to write, behind which walls, on what, and for how long.

    ``device`` is "cpu" or "cuda"; ``seconds`` is the budget of one submission, for all its seeds together.
    """

    root: Path
    assignment: str
    out: Path
    isolation: str
    device: str
    seconds: float


def train_one(job, setting, assignment, data, certified, progress):
    """Return the TrainingResult of one Job; what is ours to mend is tried twice.

    Args:
        data: an ImageSet or TextSet.
        certified: whether all walls were seen to hold here.
        progress: called as progress(student, words) after each epoch.
    """
    with _turn(setting.device):
        stage = Stage(setting, assignment, data, certified, progress)
        try:
            result = stage.run(job)
            return stage.run(job) if result.status == "infra_error" else result
        finally:
            stage.grader.close()


@contextmanager
def _turn(device):
    """Wait until nothing else that this user trains on this machine uses the GPU."""
    if device != "cuda":
        yield
        return
    with open(Path(tempfile.gettempdir(), f"gradus-gpu-{os.getuid()}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Stage:
    """Trains submissions of one assignment, one after another; the arguments are those of `train_one`."""

    def __init__(self, setting, assignment, data, certified, progress):
        self.setting, self.data, self.progress = setting, data, progress
        self.train = assignment.settings.train
        self.gate = self.train.gate(data.real)
        settings = assignment.settings.model_copy(update={"memory_mb": self.train.memory_mb})
        self.assignment = replace(assignment, settings=settings)
        self.grader = Grader(self.assignment, setting.isolation, certified, gpu=setting.device == "cuda")

    def run(self, job):
        """Return the TrainingResult of one Job. Never raises for what the submission contains."""
        result = TrainingResult(
            assignment=self.assignment.name, student=job.student, key=job.key, grader_version=__version__,
            isolation=self.grader.isolation, certified=self.grader.certified, status="trained",
            max_points=self.train.points, metric=self.train.metric, floor=self.gate.floor, target=self.gate.target,
            published=self.train.published, data=self.data.note, real=self.data.real, device=self.setting.device,
            notes=list(job.notes),
        )  # fmt: skip
        start = time.perf_counter()
        try:
            plan = self._plan(job, result)
            for seed in self.train.seeds:
                result.runs.append(self._run(plan, seed, job, result))
        except SubmissionError as error:
            result.status, result.points = "unreadable", 0.0
            result.notes.insert(0, f"{error.problem}. {error.remedy[:1].upper()}{error.remedy[1:]}.")
        except InfraError as error:
            result.status, result.runs = "infra_error", []
            result.notes.insert(0, error.problem)
            self.grader.close()
        else:
            values = [self.gate.floor if run.value is None else run.value for run in result.runs]
            result.value = float(np.mean(values)) if any(run.value is not None for run in result.runs) else None
            result.points = round(result.max_points * self.gate.share(float(np.mean(values))), 2)
        result.seconds = round(time.perf_counter() - start, 1)
        return result

    def _plan(self, job, result):
        source = next(nb for nb in self.assignment.notebooks if TRAINING in nb.by_id())
        if source.name not in job.files:
            raise SubmissionError(f"the notebook {source.name}.ipynb is not there", remedy="hand it in")
        data = notebook.file_bytes(job.files[source.name])
        result.submission_sha256 = hashlib.sha256(data).hexdigest()
        plan = make_plan(source, self.assignment.released[source.name], notebook.parse(data, source.name),
                         {q.id for q in self.assignment.questions})  # fmt: skip
        result.notes += plan.notes
        return plan

    def _run(self, plan, seed, job, result):
        folder = self.setting.out / job.student / f"seed-{seed}"
        checkpoint = Checkpoint(folder / "checkpoint", f"{job.key} {seed} {self.setting.device}")
        saved = checkpoint.read()
        run = Run(seed=seed, resumed_at=saved.epochs)
        if not saved.epochs and (known := self._known(plan, seed, result)):
            run.problem = f"before any training it already reaches {known}, so its weights came with the notebook"
            return run
        with Log(folder / "log", saved.epochs) as log:
            saved = self._epochs(plan, seed, saved, checkpoint, log, run, result)
            run.epochs, run.seconds, run.curve = saved.epochs, round(saved.seconds, 1), saved.curve
            if saved.state is not None:
                try:
                    run.value = self._score(plan, seed, saved.state, result)
                    log.scalar(self.train.metric, run.value, saved.epochs)
                except (StudentFault, Unfit) as fault:
                    run.problem = run.problem or str(fault)
        return run

    def _epochs(self, plan, seed, saved, checkpoint, log, run, result):
        """Train until the last epoch, the end of the budget or a fault; return the last Saved."""
        seconds = self.setting.seconds / len(self.train.seeds)
        try:
            with self._trainee(plan, seconds - saved.seconds) as trainee:
                began = time.monotonic()
                if saved.epochs < self.gate.epochs:
                    trainee.begin(self.data.train, seed, self.setting.device, saved.state)
                    if not result.runs:
                        result.notes += cell_notes(trainee.notebook, plan)
                for epoch in range(saved.epochs + 1, self.gate.epochs + 1):
                    said, state = trainee.epoch(), trainee.state()
                    now = time.monotonic()
                    entry = {**said, "epoch": epoch, "seconds": round(now - began, 3)}
                    saved = Saved(saved.seconds + now - began, [*saved.curve, entry], state)
                    checkpoint.write(saved)
                    log.epoch(entry)
                    self.progress(result.student, _words(seed, epoch, said))
                    began = now
        except StudentFault as fault:
            run.problem = str(fault)
            if fault.kind == "Timeout":
                run.problem = f"the budget of {seconds:.0f} s was over before epoch {saved.epochs + 1} ended"
        except Unfit as fault:
            run.problem = str(fault)
        return saved

    def _trainee(self, plan, seconds):
        limits = {"call_seconds": max(seconds, 0.001), "total_seconds": max(seconds, 0.001)}
        settings = self.assignment.settings.model_copy(update=limits)
        return Trainee(self.grader.warm(), plan, settings, self.grader.data)

    def _known(self, plan, seed, result):
        """Return what a program reaches before it has been trained, if that earns points already; else ""."""
        try:
            value = self._score(plan, seed, None, result, some=True)
        except (StudentFault, Unfit):
            return ""
        return metrics.shown(self.train.metric, value) if self.gate.share(value) > 0 else ""

    def _score(self, plan, seed, state, result, some=False):
        """Return the metric of the program with this state; of its first part only, for ``some``."""
        if isinstance(self.data, sets.TextSet):
            stretch = self.data.inputs[:, :20] if some else self.data.inputs
            with self._trainee(plan, PREDICT_SECONDS) as trainee:
                trainee.begin(self.data.train, seed, self.setting.device, state)
                return trainee.read_on(stretch, len(self.data.train["symbols"]))
        x, y, known = self._mixed(seed)
        columns = None if self.train.metric == "pair_auc" else self.data.classes
        parts = [self._predictions(plan, seed, state, part, columns)
                 for part in np.array_split(x, PARTS)[: 1 if some else PARTS]]  # fmt: skip
        scores = np.concatenate(parts)
        y, known = y[: len(scores)], known[: len(scores)]
        measure = metrics.METRICS[self.train.metric]
        value = measure(scores[~known], y[~known])
        if self.train.metric == "accuracy" and not some and _too_good(scores.argmax(axis=1) == y, known):
            result.notes.append(f"with seed {seed} it is right more often on data that it has not seen than on its "
                                "training data; a person should look at that")  # fmt: skip
        return value

    def _mixed(self, seed):
        """Return inputs, labels and which of them are the training set's, in an order that tells nothing."""
        rng = np.random.default_rng([seed, len(self.data.inputs)])
        train, count = self.data.train, min(SAMPLE, len(self.data.train["x"]))
        count = 0 if self.train.metric == "pair_auc" else count
        sample = rng.choice(len(train["x"]), count, replace=False)
        x = np.concatenate([self.data.inputs, train["x"][sample]])
        y = np.concatenate([self.data.labels, train["y"][sample]])
        order = rng.permutation(len(x))
        return x[order], y[order], (order >= len(self.data.inputs))

    def _predictions(self, plan, seed, state, x, columns):
        with self._trainee(plan, PREDICT_SECONDS) as trainee:
            trainee.begin(self.data.train, seed, self.setting.device, state)
            batches = [trainee.predict(x[at : at + BATCH], columns) for at in range(0, len(x), BATCH)]
        if len({batch.shape[1] for batch in batches}) > 1:
            raise Unfit("`predict` must return as many columns for every batch")
        return np.concatenate(batches)


def _too_good(right, known):
    """Return whether the share of right answers is higher where they are not ``known``, by far more than chance."""
    new, old, share = right[~known], right[known], right.mean()
    spread = np.sqrt(share * (1 - share) * (1 / len(new) + 1 / len(old)))
    return new.mean() - old.mean() > TOO_GOOD + SIGMAS * spread


def _words(seed, epoch, said):
    numbers = ", ".join(f"{name} {value:.4g}" for name, value in said.items())
    return f"seed {seed}, epoch {epoch}: {numbers}"
