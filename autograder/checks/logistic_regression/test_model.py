"""Sigmoid, predictions, loss and gradient of logistic regression."""

import numpy as np
import pytest
import torch
from scipy.special import expit, log_expit

from autograder.compare import Mismatch, as_array, assert_close, numeric_gradient, require, scalar, unpack


def problem(rng, dims, scale=1.0):
    """Return X (N, D), y (N,), w (D,), b with N and D different and both labels present where N allows it."""
    n, d = dims(2, low=2, high=9)
    X = rng.normal(size=(n, d))
    y = rng.permutation(np.arange(n) % 2)
    return X, y, scale * rng.normal(size=d), float(scale * rng.normal())


@pytest.mark.cell("sigmoid")
@pytest.mark.weight(2)
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_sigmoid_of_arrays(student, rng, dims, axes):
    """Right values for arrays with one, two and three axes."""
    z = rng.normal(0, 3, size=dims(axes, low=1, high=6))
    assert_close(student.sigmoid(z), expit(z), rtol=1e-6, name="sigmoid(z)")


@pytest.mark.cell("sigmoid")
def test_sigmoid_of_numbers_and_whole_numbers(student, rng):
    """A Python number gives a number, and integers give floats."""
    x = float(rng.normal())
    assert_close(scalar(student.sigmoid(x), "sigmoid of a number"), expit(x), rtol=1e-6, name="sigmoid of a number")
    assert_close(student.sigmoid(2), expit(2.0), rtol=1e-6, name="sigmoid of an int")
    z = rng.integers(-5, 6, size=(3, 4))
    assert_close(student.sigmoid(z), expit(z), rtol=1e-6, name="sigmoid of an integer array")


@pytest.mark.cell("sigmoid")
def test_sigmoid_far_out(student, rng):
    """Exactly 1 and 0 at scores of plus and minus 1000, without NaN."""
    z = np.array([1000.0, -1000.0, 710.0, 0.0])
    assert_close(student.sigmoid(z), [1.0, 0.0, 1.0, 0.5], atol=1e-12, name="sigmoid far out")
    assert_close(student.sigmoid(-1000), 0.0, atol=1e-12, name="sigmoid of the int -1000")


@pytest.mark.cell("sigmoid")
def test_sigmoid_keeps_its_digits_on_the_left(student, rng):
    """Three correct digits down to a score of -80."""
    z = np.sort(rng.uniform(-80, 0, size=9))
    got = student.sigmoid(z)
    assert_close(
        as_array(got) / expit(z), np.ones(9), rtol=1e-3, name="sigmoid(z) on the far left, relative to the right value"
    )


@pytest.mark.cell("sigmoid")
def test_sigmoid_leaves_its_input_alone(student, rng):
    """The scores are the caller's and stay as they were."""
    z = rng.normal(size=(3, 2))
    kept = student.put(z)
    student.sigmoid(kept)
    assert_close(kept.get(), z, name="the caller's scores")


@pytest.mark.cell("predict_proba")
@pytest.mark.weight(2)
def test_probabilities_of_a_batch(student, rng, dims):
    """One probability for each row, for any N and D, one row included."""
    X, _, w, b = problem(rng, dims)
    for rows in (X, X[:1]):
        assert_close(student.predict_proba(rows, w, b), expit(rows @ w + b), rtol=1e-6, name="the probabilities")


@pytest.mark.cell("predict_proba")
@pytest.mark.weight(2)
def test_labels_follow_the_threshold(student, rng, dims):
    """1 where the probability is at least the threshold."""
    X, _, w, b = problem(rng, dims)
    scores = rng.permutation([-3.0, -0.8, -0.3, 0.3, 0.8, 3.0])  # on both sides of every threshold below
    X = rng.normal(size=(6, len(w)))
    X += np.outer(scores - X @ w - b, w) / (w @ w)
    p = expit(X @ w + b)
    for threshold in (0.5, 0.4, 0.6, 0.2, 0.8):
        want = (p >= threshold).astype(float)
        got = as_array(student.predict_label(X, w, b, threshold=threshold), "the labels")
        assert_close(got.astype(float), want, name="the labels")
    got = as_array(student.predict_label(X, w, b), "the labels")
    assert_close(got.astype(float), (p >= 0.5).astype(float), name="the labels without a threshold given")


@pytest.mark.cell("predict_proba")
def test_exactly_the_threshold_is_class_1(student, rng, dims):
    """A probability of exactly 0.5 gives 1."""
    n, d = dims(2)
    got = as_array(student.predict_label(rng.normal(size=(n, d)), np.zeros(d), 0.0), "the labels")
    assert_close(got.astype(float), np.ones(n), name="the labels at a probability of exactly 0.5")


def exact_loss(X, y, w, b, l2=0.0):
    """The loss through scipy's log_expit, a route of its own."""
    z = X @ w + b
    return -np.mean(np.where(y == 1, log_expit(z), log_expit(-z))) + 0.5 * l2 * float(w @ w)


@pytest.mark.cell("bce_loss")
@pytest.mark.weight(2)
@pytest.mark.parametrize("l2", [0.0, 0.7])
def test_loss_follows_its_formula(student, rng, dims, l2):
    """Mean cross-entropy plus the penalty, also for a single example."""
    X, y, w, b = problem(rng, dims)
    for rows in (slice(None), slice(0, 1)):
        got = scalar(student.bce_loss(X[rows], y[rows], w, b, l2), "the loss")
        assert_close(got, exact_loss(X[rows], y[rows], w, b, l2), rtol=1e-6, name="the loss")


@pytest.mark.cell("bce_loss")
def test_loss_is_a_mean(student, rng, dims):
    """Every example twice gives the same loss; the penalty is 0 when it is left out."""
    X, y, w, b = problem(rng, dims)
    once, twice = student.bce_loss(X, y, w, b), student.bce_loss(np.vstack([X, X]), np.concatenate([y, y]), w, b)
    assert_close(scalar(twice, "the loss"), scalar(once, "the loss"), rtol=1e-6, name="the loss of the doubled data")
    assert_close(once, exact_loss(X, y, w, b), rtol=1e-6, name="the loss without l2")


@pytest.mark.cell("bce_loss")
@pytest.mark.weight(2)
def test_loss_is_right_where_probabilities_round(student, rng):
    """Finite and right for scores up to 1000 in size, for both labels."""
    z = np.array([40.0, -40.0, 800.0, -800.0, 1000.0, float(rng.uniform(100, 700))])
    for label in (0, 1):
        for score in z:
            X, y, w = np.array([[score, 0.0]]), np.array([label]), np.array([1.0, 0.5])
            got = scalar(student.bce_loss(X, y, w, 0.0), "the loss")
            assert_close(got, exact_loss(X, y, w, 0.0), rtol=1e-4, atol=1e-9, name="the loss of a very sure answer")


@pytest.mark.cell("bce_loss")
def test_loss_takes_labels_of_any_number_type(student, rng, dims):
    """Labels as ints and as floats give the same loss."""
    X, y, w, b = problem(rng, dims)
    for labels in (y.astype(np.int64), y.astype(float), y.astype(np.uint8)):
        assert_close(student.bce_loss(X, labels, w, b), exact_loss(X, y, w, b), rtol=1e-6, name="the loss")


def gradient(student, *arguments):
    """Return dw and db, or say what came instead."""
    dw, db = unpack(student.bce_grad(*arguments), 2, "bce_grad")
    if as_array(dw, "dw").ndim == 0 and as_array(db, "db").ndim == 1:
        raise Mismatch("bce_grad returns db first; the order is dw, db", got=dw)
    return dw, db


def torch_gradient(X, y, w, b, l2):
    """Automatic differentiation of torch's own loss."""
    weights, bias = torch.tensor(w, requires_grad=True), torch.tensor(b, dtype=torch.float64, requires_grad=True)
    z = torch.tensor(X) @ weights + bias
    loss = torch.nn.functional.binary_cross_entropy_with_logits(z, torch.tensor(y, dtype=torch.float64))
    (loss + 0.5 * l2 * (weights**2).sum()).backward()
    return weights.grad.numpy(), float(bias.grad)


@pytest.mark.cell("bce_grad")
@pytest.mark.weight(4)
@pytest.mark.parametrize("l2", [0.0, 0.7])
def test_gradient_agrees_with_torch(student, rng, dims, l2):
    """dw and db, with and without penalty, also for a single example."""
    X, y, w, b = problem(rng, dims)
    for rows in (slice(None), slice(0, 1)):
        dw, db = gradient(student, X[rows], y[rows], w, b, l2)
        want_w, want_b = torch_gradient(X[rows], y[rows], w, b, l2)
        assert_close(dw, want_w, rtol=1e-6, name="dw")
        assert_close(scalar(db, "db"), want_b, rtol=1e-6, name="db")


@pytest.mark.cell("bce_grad")
def test_gradient_is_the_slope_of_the_loss(student, rng, dims):
    """Central differences of the right loss give the same numbers."""
    X, y, w, b = problem(rng, dims)
    dw, db = gradient(student, X, y, w, b, 0.3)
    assert_close(dw, numeric_gradient(lambda v: exact_loss(X, y, v, b, 0.3), w), rtol=1e-5, atol=1e-7, name="dw")
    slope = numeric_gradient(lambda v: exact_loss(X, y, w, float(v), 0.3), np.array(b))
    assert_close(scalar(db, "db"), slope, rtol=1e-5, atol=1e-7, name="db")


@pytest.mark.cell("bce_grad")
def test_gradient_does_not_depend_on_order_or_repetition(student, rng, dims):
    """Shuffled or doubled examples give the same gradient, and l2 may be left out."""
    X, y, w, b = problem(rng, dims)
    plain, _ = gradient(student, X, y, w, b)
    assert_close(plain, torch_gradient(X, y, w, b, 0.0)[0], rtol=1e-6, name="dw without l2")
    dw, db = gradient(student, X, y, w, b)
    order = rng.permutation(len(y))
    other_w, other_b = gradient(student, np.vstack([X[order], X]), np.concatenate([y[order], y]), w, b)
    assert_close(other_w, as_array(dw, "dw"), rtol=1e-6, atol=1e-9, name="dw of the doubled, shuffled data")
    assert_close(scalar(other_b, "db"), scalar(db, "db"), rtol=1e-6, atol=1e-9, name="db of the doubled, shuffled data")
    require(as_array(dw, "dw").shape == w.shape, "dw should have one entry for each feature", got=dw)
