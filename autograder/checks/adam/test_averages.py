"""Mini-batches and moving averages."""

import numpy as np
import pytest

from autograder.compare import Mismatch, as_array, assert_close, require


def index_arrays(got):
    """Return the batches as a list of 1-D integer arrays, or say what they are instead."""
    if type(got) not in (list, tuple):
        raise Mismatch("minibatches should return a list of index arrays", got=got)
    batches = [as_array(batch, "a batch") for batch in got]
    for batch in batches:
        require(batch.ndim == 1, "a batch should be one row of indices", got=batch)
        require(
            batch.size == 0 or np.array_equal(batch, np.round(batch)), "a batch should hold whole numbers", got=batch
        )
        require(batch.size == 0 or batch.dtype.kind in "iu", "a batch should hold integers, to be used as indices",
                got=batch, suspect="float_indices")  # fmt: skip
    return batches


@pytest.mark.cell("minibatches")
@pytest.mark.weight(2)
@pytest.mark.parametrize("case", ["divides", "rest", "one", "larger"])
def test_batches_hold_every_index_once(student, rng, case):
    """The batches are a partition of 0 ... n-1, for any n and batch size."""
    batch = int(rng.integers(2, 8))
    n = {"divides": 4 * batch, "rest": 3 * batch + int(rng.integers(1, batch)), "one": 1, "larger": batch - 1}[case]
    batches = index_arrays(student.minibatches(n, batch, student.generator(int(rng.integers(10**6)))))
    every = np.sort(np.concatenate(batches)) if batches else np.zeros(0)
    if len(every) < n:
        raise Mismatch("some examples are in no batch", got=every, expected=np.arange(n))
    assert_close(every, np.arange(n), name="the sorted indices of all batches")


@pytest.mark.cell("minibatches")
def test_batches_have_the_asked_length(student, rng):
    """All batches but the last have the asked length, and none is empty."""
    for batch in (1, int(rng.integers(3, 7))):
        n = 5 * batch + batch // 2
        batches = index_arrays(student.minibatches(n, batch, student.generator(7)))
        lengths = [len(b) for b in batches]
        rest = [n % batch] if n % batch else []
        require(lengths == [batch] * (n // batch) + rest, "the batches have other lengths than the task asks for",
                got=lengths, expected=[batch] * (n // batch) + rest)  # fmt: skip


@pytest.mark.cell("minibatches")
def test_order_comes_from_rng_alone(student, rng):
    """Two epochs differ, one seed repeats, and another seed gives another order."""
    n, seed = int(rng.integers(60, 90)), int(rng.integers(10**6))  # two orders agree by chance once in 60!
    generator = student.generator(seed)
    first = np.concatenate(index_arrays(student.minibatches(n, 8, generator)))
    second = np.concatenate(index_arrays(student.minibatches(n, 8, generator)))
    again = np.concatenate(index_arrays(student.minibatches(n, 8, student.generator(seed))))
    other = np.concatenate(index_arrays(student.minibatches(n, 8, student.generator(seed + 1))))
    require(not np.array_equal(first, np.arange(n)), "the examples are in their old order; shuffle them")
    require(not np.array_equal(first, second), "every epoch has the same order; draw a new one from rng in each call")
    require(np.array_equal(first, again), "one seed gave two orders; rng must be the only source of randomness",
            suspect="global_randomness")  # fmt: skip
    require(not np.array_equal(first, other), "two seeds gave one order; use the rng that is passed in")


@pytest.mark.cell("minibatches")
def test_every_place_gets_every_example(student, rng):
    """The shuffle is uniform: each example comes first equally often (5 sigma, false alarm below 1e-5)."""
    n, draws = 5, 60
    generator = student.generator(int(rng.integers(10**6)))
    first = [index_arrays(student.minibatches(n, 2, generator))[0][0] for _ in range(draws)]
    counts = np.bincount(np.asarray(first, dtype=int), minlength=n)
    limit = 5 * np.sqrt(draws / n * (1 - 1 / n))
    require(
        np.all(np.abs(counts - draws / n) < limit), "some examples come first far more often than others", got=counts
    )


def reference_ewma(xs, beta, correct):
    """The same average as one sum: value i has weight (1 - beta) beta^(t - i) at time t. No student takes this route."""
    t = np.arange(len(xs))
    v = np.tril((1 - beta) * beta ** np.abs(t[:, None] - t)) @ np.asarray(xs, dtype=float)
    return v / (1 - beta ** np.arange(1, len(xs) + 1)) if correct else v


@pytest.mark.cell("ewma")
@pytest.mark.weight(2)
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.98])
def test_average_follows_its_formula(student, rng, beta):
    """The average after each value, for short and long sequences."""
    for length in (1, 2, int(rng.integers(5, 40))):
        xs = rng.normal(3.0, 2.0, size=length)
        assert_close(student.ewma(xs, beta), reference_ewma(xs, beta, False), rtol=1e-6, name="the average")


@pytest.mark.cell("ewma")
@pytest.mark.weight(2)
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.98])
def test_corrected_average_follows_its_formula(student, rng, beta):
    """The corrected average, computed from the uncorrected recursion."""
    for length in (1, 2, int(rng.integers(5, 40))):
        xs = rng.normal(3.0, 2.0, size=length)
        got = student.ewma(xs, beta, correct=True)
        assert_close(got, reference_ewma(xs, beta, True), rtol=1e-6, name="the corrected average")


@pytest.mark.cell("ewma")
def test_corrected_average_of_a_constant_is_the_constant(student, rng):
    """From the first value on, also for a large beta."""
    c = float(rng.uniform(2, 5))
    got = student.ewma(np.full(12, c), 0.99, correct=True)
    assert_close(got, np.full(12, c), rtol=1e-6, name="the corrected average of a constant")


@pytest.mark.cell("ewma")
def test_average_of_whole_numbers_has_fractions(student, rng):
    """Integer input gives float output, and stays as it was."""
    xs = rng.integers(1, 9, size=7)
    assert_close(student.ewma(xs, 0.5), reference_ewma(xs, 0.5, False), rtol=1e-6, name="the average of whole numbers")
    assert_close(
        student.ewma(xs.tolist(), 0.5), reference_ewma(xs, 0.5, False), rtol=1e-6, name="the average of a list"
    )


@pytest.mark.cell("train_epoch")
@pytest.mark.weight(2)
def test_an_epoch_uses_each_example_once_with_its_label(student, rng):
    """Batches of the asked length, X and y paired, every example once, another order in the next epoch."""
    n = int(rng.integers(11, 17))
    X = rng.permutation(1000)[:n].astype(float)[:, None]
    spy = student.call("Spy")
    params, states = student.put({"w": np.zeros(1)}), student.put({"w": {}})
    generator = student.generator(int(rng.integers(10**6)))
    for _ in range(2):
        student.train_epoch(params, states, X, 3 * X[:, 0], spy.handle("gradients"), spy.handle("step"), 4, generator)
    seen = spy.attribute("batches")
    lengths = [len(as_array(labels)) for _, labels in seen]
    require(sum(lengths[: len(lengths) // 2]) == n, "an epoch does not use every example once", got=lengths)
    require(
        max(lengths) == 4 and len(seen) == 2 * -(-n // 4),
        "the batches have another length than batch_size",
        got=lengths,
    )
    firsts = [
        np.concatenate([as_array(x)[:, 0] for x, _ in half])
        for half in (seen[: len(seen) // 2], seen[len(seen) // 2 :])
    ]
    labels = np.concatenate([as_array(y) for _, y in seen])
    assert_close(
        labels, 3 * np.concatenate(firsts), name="the labels that came with the examples", suspect="pairs_broken"
    )
    for first in firsts:
        assert_close(np.sort(first), np.sort(X[:, 0]), name="the examples of an epoch")
    require(not np.array_equal(*firsts), "both epochs had the same order")


@pytest.mark.cell("train_epoch")
@pytest.mark.weight(2)
def test_an_epoch_steps_every_tensor_with_its_own_state(student, rng):
    """Each step starts from the current parameters and each tensor's own state; params holds the new arrays."""
    n, shapes = int(rng.integers(9, 14)), {"a": (2, 3), "b": (4,), "c": ()}
    X, y = rng.normal(size=(n, 2)), rng.normal(size=n)
    start = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    spy = student.call("Spy")
    params, states = student.put(dict(start)), student.put({name: {} for name in shapes})
    student.train_epoch(params, states, X, y, spy.handle("gradients"), spy.handle("step"), 4, student.generator(3))
    want, counts = dict(start), 0
    for batch_X, batch_y in spy.attribute("batches"):
        counts += 1
        pull = float(np.mean(as_array(batch_y)) + np.mean(as_array(batch_X)))
        want = {name: w - 0.1 * (w - pull) - 0.01 * counts for name, w in want.items()}
    got, steps = params.get(), states.get()
    for name in shapes:
        require(type(got) is dict and name in got, f"params has lost its entry {name!r}")
        require(steps[name].get("steps") == counts, "the steps were not taken with each tensor's own state", got=steps)
        assert_close(got[name], want[name], rtol=1e-6, name=f"params[{name!r}] after the epoch")
