"""A submission's `Training` object, in a walled process of its own.

The grader drives: it asks for one epoch after the other, for the state, for predictions. Each answer is plain
data, and no answer is waited for longer than what is left of the time.
"""

import math

import numpy as np

from ..grading.process import Notebook
from ..grading.student import Student, StudentFault
from ..jail.sandbox import REPLY_BYTES
from . import metrics
from .metrics import Unfit

MOST_SCALARS = 20


class Trainee:
    """Use it in a ``with`` statement; the process ends with it.

    Args:
        zygote: where processes come from.
        plan: the Plan of the submission's notebook.
        settings: the assignment's Settings, with the time that this process has as ``total_seconds``.
        files: {name: bytes} of the assignment's data files.
    """

    def __init__(self, zygote, plan, settings, files):
        self.notebook = Notebook(zygote, plan.steps, settings, files)
        self.student = Student(self.notebook)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.notebook.close()

    def begin(self, train, seed, device, state=None):
        """Make the `Training`, and let it go on from ``state`` if there is one."""
        self.notebook.run_cells()
        self.training = self.student.call("Training", train, seed=seed, device=device)
        if state is not None:
            self.training.keep("load", state)
        self._forget()

    def epoch(self):
        """Train one epoch; return the numbers it said, {name: float}. Raises StudentFault or Unfit."""
        said = self.training.epoch()
        self._forget()
        if type(said) is not dict or not all(type(k) is str and type(v) in (int, float) for k, v in said.items()):
            raise Unfit("`epoch` must return a dict of names and plain numbers, such as {'loss': 0.5}")
        if not all(math.isfinite(v) for v in said.values()):
            raise Unfit("`epoch` returned NaN or infinity: the training went astray")
        return {name[:40]: float(value) for name, value in list(said.items())[:MOST_SCALARS]}

    def state(self):
        """Return the bytes with which a new process goes on."""
        try:
            state = self.training.state()
        except StudentFault as fault:
            if fault.kind == "NotPlainData":
                raise Unfit(f"`state` must return bytes, at most {REPLY_BYTES // 2**20} MB of them") from None
            raise
        self._forget()
        if type(state) is not bytes:
            raise Unfit(f"`state` must return bytes, not a {type(state).__name__}")
        return state

    def predict(self, inputs, columns=None):
        """Return scores (N, columns) for ``inputs`` (N, …) as float64."""
        values = self.training.predict(inputs)
        self._forget()
        return metrics.numbers(values, len(inputs), columns)

    def read_on(self, ids, symbols):
        """Return the mean loss, in nats, of foretelling each next symbol of the texts ``ids`` (B, T).

        One column crosses at a time, so that a program cannot look ahead.
        """
        self.training.keep("begin", len(ids))
        total = 0.0
        for now, after in zip(ids.T[:-1], ids.T[1:], strict=True):
            total += metrics.cross_entropy(self.predict(np.ascontiguousarray(now), symbols), after)
        return total / (ids.shape[1] - 1)

    def _forget(self):
        """Drop what a check would need for a diagnosis: here it is whole data sets."""
        self.student.transcript.clear()
