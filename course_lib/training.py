"""The training stage on your own machine: runs a notebook's `Training` for some epochs and keeps its curve.

A notebook with a training stage defines a class `Training` from your functions:

    Training(data, seed, device)   data: {"x": …, "y": …} or {"ids": …, "symbols": …}; device: "cpu" or "cuda"
    training.epoch()               trains one epoch, returns {"loss": float, …}
    training.predict(x)            scores for new inputs
    training.state()               all it needs to go on exactly where it is, as bytes
    training.load(state)           goes on from there
"""

import time


def run(training, epochs):
    """Train for a number of epochs, with a progress bar; return the curve.

    Args:
        training: a `Training`.
        epochs: how often to call its ``epoch()``.

    Returns:
        A list of dicts, one an epoch: "epoch" (from 1), "seconds", and what ``epoch()`` returned.
    """
    from tqdm import tqdm

    curve, bar = [], tqdm(range(1, epochs + 1), unit="epoch", leave=False, disable=None)
    for epoch in bar:
        start = time.perf_counter()
        said = training.epoch()
        curve.append({"epoch": epoch, "seconds": round(time.perf_counter() - start, 3), **said})
        bar.set_postfix({name: f"{value:.4g}" for name, value in said.items()})
    return curve


def scores(training, x, batch=1000):
    """Return ``training.predict`` of all of ``x``, (N, …), asked in batches: an array (N, C)."""
    import numpy as np

    return np.concatenate([training.predict(x[start : start + batch]) for start in range(0, len(x), batch)])
