"""Small runs (model, optimizer, scheduler, generator), built in the student's process for the checks."""

import numpy as np
import pytest
import torch
import torch._dynamo  # the first optimizer would load it, for seconds, in the middle of a check
from torch import nn

D, H, C = 3, 6, 4


def twin(p=0.0):
    """Return the network of the notebook's `tiny_net`."""
    return nn.Sequential(nn.Linear(D, H, bias=False), nn.BatchNorm1d(H), nn.ReLU(), nn.Dropout(p), nn.Linear(H, C))


KEYS = list(twin().state_dict())


class Run:
    """Model, optimizer, scheduler and generator in the student's process.

    Args:
        state: weights and buffers to start from, {name: tensor}.
        seed: of the generator and of torch's global one.
        kind: "adam" (with a rate that is halved every 2 epochs) or "momentum" (with a cosine).
    """

    def __init__(self, student, state, seed, kind="adam", p=0.0, lr=0.05):
        self.student, torch_there = student, student.handle("torch")
        torch_there.keep("manual_seed", seed)
        self.model = student.call("tiny_net", D, H, C, p)
        self.model.keep("load_state_dict", state)
        optim = torch_there.handle("optim")
        schedulers, weights = optim.handle("lr_scheduler"), self.model.keep("parameters")
        if kind == "adam":
            self.optimizer = optim.keep("Adam", weights, lr=lr)
            self.scheduler = schedulers.keep("StepLR", self.optimizer, 2, 0.5)
        else:
            self.optimizer = optim.keep("SGD", weights, lr=lr, momentum=0.9)
            self.scheduler = schedulers.keep("CosineAnnealingLR", self.optimizer, 7)
        self.generator = torch_there.keep("Generator")
        self.generator.keep("manual_seed", seed)

    def train(self, x, y, epochs):
        self.model.keep("train")
        for _ in range(epochs):
            self.student.train_epoch(self.model, self.optimizer, x, y, self.generator)
            self.scheduler.step()

    def save(self, path, epoch=3, best=0.5):
        parts = self.model, self.optimizer, self.scheduler, epoch, best, self.generator
        self.student.call("save_checkpoint", path, *parts)

    def load(self, path):
        return self.student.load_checkpoint(path, self.model, self.optimizer, self.scheduler, self.generator)

    def weights(self):
        """Return {name: array} of weights and buffers."""
        state = self.model.keep("state_dict")
        return {name: state[name].array for name in KEYS}


class Lab:
    """Draws problems and builds runs; ``identical`` compares plain data to the last bit."""

    D, H, C, KEYS, twin = D, H, C, KEYS, staticmethod(twin)

    def __init__(self, student, rng):
        self.student, self.rng = student, rng

    def state(self):
        """Return weights and running averages for `twin`, {name: tensor}."""
        state = dict(twin().state_dict())
        for name, value in state.items():
            if value.dtype == torch.float32:
                state[name] = torch.tensor(self.rng.normal(0.0, 0.6, value.shape), dtype=torch.float32)
                if name.endswith("var"):
                    state[name] = state[name].abs() + 0.5
        return state

    def examples(self, n):
        """Return x (n, D) and y (n,)."""
        x = torch.tensor(self.rng.normal(size=(n, D)), dtype=torch.float32)
        return x, torch.tensor(self.rng.integers(0, C, n))

    def run(self, seed, state=None, **settings):
        return Run(self.student, self.state() if state is None else state, seed, **settings)

    def folder(self):
        """Return a Handle on the Path of a new, empty folder there."""
        return self.student.call("Path", self.student.call("TemporaryDirectory").handle("name"))

    @staticmethod
    def identical(a, b):
        a, b = (getattr(v, "array", v) for v in (a, b))
        if isinstance(a, np.ndarray):
            return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
        if type(a) is dict:
            return type(b) is dict and a.keys() == b.keys() and all(Lab.identical(a[k], b[k]) for k in a)
        if type(a) in (list, tuple):
            return type(b) in (list, tuple) and len(a) == len(b) and all(map(Lab.identical, a, b))
        return a == b


@pytest.fixture
def lab(student, rng):
    return Lab(student, rng)
