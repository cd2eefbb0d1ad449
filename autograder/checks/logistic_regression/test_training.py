"""Training, linear regression, and the expansion of the features."""

import numpy as np
import pytest
from scipy.special import expit, log_expit

from autograder.compare import as_array, assert_close, assert_shape, scalar, unpack


def data(rng, dims):
    """Return X (N, D) with N > D and labels of both classes that no plane separates."""
    d = dims(1, low=2, high=5)[0]
    n = d + int(rng.integers(6, 12))
    return rng.normal(size=(n, d)), rng.permutation(np.arange(n) % 2)


def descend(X, y, lr, steps, l2):
    """The definition, with all parameters in one vector."""
    A = np.hstack([X, np.ones((len(X), 1))])
    theta, losses = np.zeros(A.shape[1]), []
    mask = np.append(np.ones(X.shape[1]), 0.0)
    for k in range(steps + 1):
        z = A @ theta
        losses.append(-np.mean(np.where(y == 1, log_expit(z), log_expit(-z))) + 0.5 * l2 * np.sum((mask * theta) ** 2))
        if k < steps:
            theta = theta - lr * (A.T @ (expit(z) - y) / len(y) + l2 * mask * theta)
    return theta[:-1], theta[-1], np.array(losses)


@pytest.mark.cell("fit")
@pytest.mark.weight(3)
@pytest.mark.parametrize(("steps", "l2"), [(1, 0.0), (7, 0.0), (7, 0.4)])
def test_training_takes_exactly_these_steps(student, rng, dims, steps, l2):
    """Weights, bias and losses after a given number of updates from zeros."""
    X, y = data(rng, dims)
    penalty = (l2,) if l2 else ()  # it may be left out
    w, b, losses = unpack(student.fit(X, y, 0.3, steps, *penalty), 3, "fit")
    want_w, want_b, want_losses = descend(X, y, 0.3, steps, l2)
    assert_close(w, want_w, rtol=1e-5, atol=1e-6, name="w")
    assert_close(scalar(b, "b"), want_b, rtol=1e-5, atol=1e-6, name="b")
    assert_close(losses, want_losses, rtol=1e-5, name="losses")


@pytest.mark.cell("fit")
def test_no_steps_give_the_start(student, rng, dims):
    """With steps=0 the start comes back, with one loss."""
    X, y = data(rng, dims)
    w, b, losses = unpack(student.fit(X, y, 0.3, 0), 3, "fit")
    assert_close(w, np.zeros(X.shape[1]), name="w at the start")
    assert_close(scalar(b, "b"), 0.0, name="b at the start")
    assert_close(losses, [np.log(2)], rtol=1e-6, name="the one loss")


@pytest.mark.cell("fit")
def test_training_reaches_the_one_minimum(student, rng, dims):
    """With a penalty the minimum is unique; enough steps end there."""
    X, y = data(rng, dims)
    w, b, losses = unpack(student.fit(X, y, 0.5, 1500, 0.2), 3, "fit")
    w = assert_shape(w, (X.shape[1],), name="w")
    error = expit(X @ w + scalar(b, "b")) - y
    assert_close(X.T @ error / len(y) + 0.2 * w, np.zeros(len(w)), atol=1e-5, name="the slope for w at the end")
    assert_close(np.mean(error), 0.0, atol=1e-5, name="the slope for b at the end")
    assert_shape(losses, (1501,), name="losses")


@pytest.mark.cell("linear_regression_gd")
@pytest.mark.weight(2)
@pytest.mark.parametrize("steps", [1, 6])
def test_linear_regression_takes_exactly_these_steps(student, rng, dims, steps):
    """Weights and bias after a given number of updates from zeros."""
    X, _ = data(rng, dims)
    y = rng.normal(2.0, 3.0, size=len(X))
    w, b = unpack(student.linear_regression_gd(X, y, 0.1, steps), 2, "linear_regression_gd")
    A, theta = np.hstack([X, np.ones((len(X), 1))]), np.zeros(X.shape[1] + 1)
    for _ in range(steps):
        theta = theta - 0.1 * A.T @ (A @ theta - y) / len(y)
    assert_close(w, theta[:-1], rtol=1e-6, name="w")
    assert_close(scalar(b, "b"), theta[-1], rtol=1e-6, name="b")


@pytest.mark.cell("linear_regression_gd")
def test_linear_regression_reaches_least_squares(student, rng, dims):
    """Enough steps end at numpy's least-squares solution."""
    X, _ = data(rng, dims)
    X = X / np.linalg.norm(X, axis=0) * np.sqrt(len(X))
    y = X @ rng.normal(size=X.shape[1]) + 3.0 + 0.1 * rng.normal(size=len(X))
    w, b = unpack(student.linear_regression_gd(X, y, 0.2, 6000), 2, "linear_regression_gd")
    want = np.linalg.lstsq(np.hstack([X, np.ones((len(X), 1))]), y, rcond=None)[0]
    assert_close(w, want[:-1], rtol=1e-3, atol=1e-3, name="w after many steps")
    assert_close(scalar(b, "b"), want[-1], rtol=1e-3, atol=1e-3, name="b after many steps")


@pytest.mark.cell("linear_regression_gd")
def test_linear_regression_without_steps(student, rng, dims):
    """With steps=0 the start comes back: zeros."""
    X, _ = data(rng, dims)
    w, b = unpack(student.linear_regression_gd(X, np.ones(len(X)), 0.1, 0), 2, "linear_regression_gd")
    assert_close(w, np.zeros(X.shape[1]), name="w at the start")
    assert_close(scalar(b, "b"), 0.0, name="b at the start")


@pytest.mark.cell("expand_quadratic")
@pytest.mark.weight(2)
def test_expansion_has_its_six_columns(student, rng):
    """All monomials up to degree 2 in the stated order, for any N."""
    for n in (1, 2, int(rng.integers(3, 9))):
        X = rng.normal(0, 2, size=(n, 2))
        want = np.array([[1, p, q, p * p, p * q, q * q] for p, q in X])
        assert_close(student.expand_quadratic(X), want, rtol=1e-6, name="the expanded features")


@pytest.mark.cell("expand_quadratic")
def test_expansion_of_whole_numbers(student, rng):
    """Integer points give the right numbers."""
    X = rng.integers(-9, 10, size=(4, 2))
    X[0] = [9, -8]
    want = np.array([[1, p, q, p * p, p * q, q * q] for p, q in X.astype(float)])
    assert_close(as_array(student.expand_quadratic(X)).astype(float), want, rtol=1e-6, name="the expanded integers")
