"""The tape's warm-up, one-hot vectors, the loss and the dataset. The oracles are numpy, in float64."""

import numpy as np
import pytest

from autograder.compare import Mismatch, Tensor, as_array, assert_close, assert_finite, require, scalar, unpack


def tensor(array, dtype=np.float32):
    return Tensor("tensorflow", np.asarray(array, dtype=dtype))


@pytest.mark.cell("minimise_quadratic")
@pytest.mark.weight(2)
def test_descent_follows_its_closed_form(student, rng):
    """After k steps w is 5 (1 - (1 - 2 lr)^k)."""
    for steps, lr in ((1, 0.15), (int(rng.integers(2, 7)), float(rng.uniform(0.05, 0.4))), (9, 0.8)):
        got = student.minimise_quadratic(steps, lr)
        assert_close(scalar(got, "w"), 5 * (1 - (1 - 2 * lr) ** steps), rtol=1e-4, atol=1e-5, name="w")


@pytest.mark.cell("minimise_quadratic")
def test_descent_starts_at_zero(student):
    """No step leaves w at 0; many steps bring it to 5."""
    assert_close(scalar(student.minimise_quadratic(0, 0.25), "w"), 0.0, atol=1e-6, name="w after no step")
    assert_close(scalar(student.minimise_quadratic(80, 0.2), "w"), 5.0, atol=1e-3, name="w after many steps")


@pytest.mark.cell("one_hot")
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_one_at_each_labels_place(student, rng, dims, dtype):
    """Row n has a 1 at label n and 0 elsewhere, for both integer types."""
    n, depth = dims(2)
    labels = rng.integers(0, depth, n)
    labels[0] = depth - 1
    assert_close(student.one_hot(tensor(labels, dtype), depth), np.eye(depth)[labels], name="the rows")


@pytest.mark.cell("one_hot")
def test_unknown_labels_are_zeros(student, rng):
    """A label outside the classes gives a row of zeros, on either side."""
    depth = int(rng.integers(3, 7))
    labels = np.array([0, -1, depth, 1, depth + 3, -depth])
    wanted = np.zeros((6, depth))
    wanted[0, 0] = wanted[3, 1] = 1
    assert_close(student.one_hot(tensor(labels, np.int32), depth), wanted, name="the rows")


def cross_entropy(logits, labels):
    """Return the mean loss and its gradient, in float64."""
    s = logits.astype(np.float64)
    s = s - s.max(axis=1, keepdims=True)
    log_p = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    rows = np.arange(len(labels))
    gradient = np.exp(log_p)
    gradient[rows, labels] -= 1
    return -log_p[rows, labels].mean(), gradient / len(labels)


def scores(rng, n, c, size=2.0):
    return (size * rng.normal(size=(n, c))).astype(np.float32), rng.integers(0, c, n)


@pytest.mark.cell("softmax_ce_from_logits")
@pytest.mark.weight(2)
@pytest.mark.parametrize("shape", [(1, 2), (7, 4), (3, 11)])
def test_loss_agrees_with_float64(student, rng, shape):
    """The mean loss agrees with a float64 calculation, for any numbers of examples and classes."""
    logits, labels = scores(rng, *shape)
    got = scalar(student.softmax_ce_from_logits(tensor(logits), tensor(labels, np.int32)), "the loss")
    wanted, _ = cross_entropy(logits, labels)
    if shape[0] > 1 and np.isclose(got, wanted * shape[0], rtol=1e-4):
        raise Mismatch("the loss is the sum over the batch; the task asks for the mean", got=got, expected=wanted)
    assert_close(got, wanted, rtol=1e-4, atol=1e-5, name="the loss")


@pytest.mark.cell("softmax_ce_from_logits")
@pytest.mark.weight(2)
def test_large_scores_stay_finite(student, rng):
    """Scores up to 10,000 in size give the right finite loss, right or wrong."""
    for size in (100.0, 1e4):
        logits = (size * rng.choice([-1.0, -0.5, 0.25, 1.0], size=(6, 5))).astype(np.float32)
        logits[1] = size * rng.permutation([-1.0, -0.5, -0.5, -1.0, -1.0])  # a row far below the others
        labels = rng.integers(0, 5, 6)
        got = student.softmax_ce_from_logits(tensor(logits), tensor(labels, np.int32))
        assert_finite(got, name="the loss for large scores")
        assert_close(scalar(got), cross_entropy(logits, labels)[0], rtol=1e-4, name="the loss for large scores")


@pytest.mark.cell("softmax_ce_from_logits")
@pytest.mark.weight(2)
def test_gradient_of_the_loss(student, rng, dims):
    """The tape finds the gradient (p - onehot) / N."""
    logits, labels = scores(rng, *dims(2))
    loss = student.handle("softmax_ce_from_logits")
    got = student.slope(loss, tensor(logits), tensor(labels, np.int32))
    if got is None:
        raise Mismatch("no gradient reaches the logits; stay in TensorFlow all the way", suspect="numpy_inside")
    assert_close(got, cross_entropy(logits, labels)[1], rtol=1e-4, atol=1e-6, name="the gradient")


@pytest.mark.cell("softmax_ce_from_logits")
def test_loss_inside_a_graph(student, rng, dims):
    """Inside tf.function the loss is the same."""
    logits, labels = scores(rng, *dims(2))
    graph = student.call("as_graph", student.handle("softmax_ce_from_logits"))
    got = graph(tensor(logits), tensor(labels, np.int32))
    assert_close(
        scalar(got, "the loss"), cross_entropy(logits, labels)[0], rtol=1e-4, name="the loss inside tf.function"
    )


def epochs(student, n, batch, seed, count=2):
    """Return ``count`` epochs of a dataset in which y is 0 ... n-1 and x is made from y; each a list of batches."""
    y = np.arange(n)
    x = np.stack([2.0 * y, 7.0 - y], axis=1).astype(np.float32)
    dataset = student.call("make_dataset", x, y, batch, seed)
    found = []
    for _ in range(count):
        batches = student.collect(dataset, 5 * n)
        require(type(batches) is list and len(batches) > 0, "the dataset holds no batches")
        found.append([tuple(as_array(part, "a batch") for part in unpack(pair, 2, "a batch")) for pair in batches])
    return found


@pytest.mark.cell("make_dataset")
@pytest.mark.weight(2)
@pytest.mark.parametrize("case", ["rest", "divides", "one batch"])
def test_every_example_once_an_epoch(student, rng, case):
    """An epoch holds every example exactly once, with its own label, in batches of the asked length."""
    batch = int(rng.integers(3, 7))
    n = {"rest": 4 * batch + 2, "divides": 3 * batch, "one batch": batch - 1}[case]
    for epoch in epochs(student, n, batch, int(rng.integers(1000))):
        y = np.concatenate([b for _, b in epoch])
        if len(y) > n:
            raise Mismatch("an epoch holds some examples more than once", got=len(y), expected=n)
        assert_close(np.sort(y), np.arange(n), name="the sorted labels of an epoch")
        x = np.concatenate([a for a, _ in epoch])
        assert_close(x, np.stack([2.0 * y, 7.0 - y], axis=1), name="x beside its labels")
        lengths = [len(b) for _, b in epoch]
        rest = [n % batch] if n % batch else []
        require(lengths == [batch] * (n // batch) + rest, "the batches have other lengths than the task asks for",
                got=lengths)  # fmt: skip


@pytest.mark.cell("make_dataset")
@pytest.mark.weight(2)
def test_order_of_the_epochs(student, rng):
    """Orders are random over all examples, differ between epochs and seeds, and repeat with the seed."""
    n, seed = 90, int(rng.integers(1000))  # two of these orders agree by chance once in 90!
    orders = [np.concatenate([b for _, b in e]) for e in epochs(student, n, 16, seed)]
    require(not np.array_equal(orders[0], np.arange(n)), "the examples are in their old order; shuffle them")
    require(not np.array_equal(orders[0], orders[1]), "every epoch has the same order")
    again = [np.concatenate([b for _, b in e]) for e in epochs(student, n, 16, seed)]
    require(np.array_equal(orders[0], again[0]), "one seed gave two orders", suspect="seed_ignored")
    other = [np.concatenate([b for _, b in e]) for e in epochs(student, n, 16, seed + 1, count=1)]
    require(not np.array_equal(orders[0], other[0]), "two seeds gave one order")
    if all(np.mean(np.diff(o) == 1) > 0.5 for o in orders):
        raise Mismatch("the batches are shuffled, but the examples in a batch always stay together", got=orders[0])
    first = np.concatenate([orders[0][:16], orders[1][:16]])
    require(first.max() >= n // 2, "the first batches hold only the first examples; shuffle over all of them",
            got=first)  # fmt: skip  # by chance once in 4 billion
