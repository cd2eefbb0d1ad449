"""How well a trained program does, from what it said about inputs whose answers only the grader has.

A metric takes what the program returned for the held-out inputs, an array, and their labels, and returns a
number. `Unfit` says, for the student, why an answer cannot be scored.
"""

import numpy as np

MOST_PAIRS = 200_000
SHOWN = {"accuracy": "accuracy", "cross_entropy": "cross-entropy (nats)", "nats_per_symbol": "nats a symbol",
         "pair_auc": "area under the ROC curve of pairs"}  # fmt: skip


class Unfit(Exception):
    """The predictions cannot be scored; the text says why."""


def numbers(values, rows, columns=None):
    """Return predictions as float64 (rows, columns); raise Unfit if they are anything else."""
    wanted = f"({rows}, {columns or 'E'})"
    if type(values) is not np.ndarray or values.dtype.kind not in "fiu":
        raise Unfit(f"`predict` must return an array of numbers of shape {wanted}, not {_name(values)}")
    if values.ndim != 2 or len(values) != rows or columns not in (None, values.shape[1]):
        raise Unfit(f"`predict` must return shape {wanted} for {rows} inputs, not {values.shape}")
    values = values.astype(float)
    if not np.isfinite(values).all():
        raise Unfit("`predict` returned NaN or infinity")
    return values


def _name(values):
    return f"{values.dtype} numbers" if type(values) is np.ndarray else f"a {type(values).__name__}"


def log_softmax(scores):
    """Return log softmax over the last axis of (…, C)."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def accuracy(scores, labels):
    """Return the share of rows of ``scores`` (N, C) whose largest entry is the label's (N,)."""
    return float((scores.argmax(axis=1) == labels).mean())


def cross_entropy(scores, labels):
    """Return the mean of −log softmax(scores)[label], in nats."""
    return float(-log_softmax(scores)[np.arange(len(labels)), labels].mean())


def pair_auc(embeddings, labels):
    """Return how often two of the same class are closer than two of different classes, for (N, E) and (N,).

    All pairs are compared, or the first ``MOST_PAIRS`` of a fixed shuffle.
    """
    from sklearn.metrics import roc_auc_score

    first, second = np.triu_indices(len(labels), k=1)
    if len(first) > MOST_PAIRS:
        kept = np.random.default_rng(0).permutation(len(first))[:MOST_PAIRS]
        first, second = first[kept], second[kept]
    distances = ((embeddings[first] - embeddings[second]) ** 2).sum(axis=1)
    return float(roc_auc_score(labels[first] == labels[second], -distances))


METRICS = {"accuracy": accuracy, "cross_entropy": cross_entropy, "pair_auc": pair_auc}


def shown(metric, value):
    """Return a metric's value as it is written for people."""
    if value is None:
        return "–"
    return f"{100 * value:.1f} %" if metric == "accuracy" else f"{value:.3f}"
