"""The student's numeric_grad and grad_check, on functions whose gradients have a closed form."""

import numpy as np
import pytest

from autograder.compare import as_array, assert_close, require, scalar

RIGHT = 1e-5  # the notebook's limit


def weights(shape):
    """The factors 1, 2, 3, ... of the probes, in the order of the entries."""
    return np.arange(1, np.prod(shape) + 1).reshape(shape)


def away_from_zero(rng, shape):
    """Numbers with sizes between 0.5 and 2 and random signs: no slope of a probe is near 0."""
    return rng.uniform(0.5, 2, shape) * rng.choice([-1.0, 1.0], shape)


def coupled_gradient(x):
    """The gradient of probe_coupled by the product rule."""
    return np.cos(x) * np.sum(x**2) + np.sin(x).sum() * 2 * x


def coupled_difference(x, h):
    """The central difference of probe_coupled, entry by entry, all others at their places."""
    sines, squares = np.sin(x).sum(), np.sum(x**2)
    ends = [(sines + np.sin(x + d) - np.sin(x)) * (squares + (x + d) ** 2 - x**2) for d in (h, -h)]
    return (ends[0] - ends[1]) / (2 * h)


def verdict(student, probe, x, g):
    """Call grad_check and return its number; it may be an infinity or NaN."""
    return scalar(student.grad_check(student.handle(probe), x, g), "the result of grad_check")


def accepted(value):
    return bool(value < RIGHT)


@pytest.mark.cell("numeric_grad")
def test_numeric_grad_is_the_central_difference(student, rng, dims):
    """numeric_grad returns the central difference for any step and any shape."""
    n, m = dims(2)
    for shape in [(n,), (n, m), (1, m, 2)]:
        x, h = away_from_zero(rng, shape), rng.uniform(0.1, 0.5)
        got = student.numeric_grad(student.handle("probe_cubic"), x, h)
        # for a cubic the central difference is exactly the slope plus h squared
        assert_close(got, weights(shape) * (3 * x**2 + h**2), rtol=1e-7, atol=1e-8, name="the numeric gradient")


@pytest.mark.cell("numeric_grad")
def test_numeric_grad_moves_one_entry_at_a_time(student, rng, dims):
    """Each entry is moved alone, all others being at their places; h is 1e-5 unless given."""
    x = away_from_zero(rng, dims(2))
    for h in (0.1, 0.3):
        got = student.numeric_grad(student.handle("probe_coupled"), x, h)
        assert_close(got, coupled_difference(x, h), rtol=1e-6, name="the numeric gradient")
    got = student.numeric_grad(student.handle("probe_coupled"), x)
    assert_close(got, coupled_gradient(x), rtol=1e-6, atol=1e-6, name="the numeric gradient")


@pytest.mark.cell("numeric_grad")
def test_numeric_grad_restores_x(student, rng, dims):
    """The caller's x holds its old values afterwards."""
    x = away_from_zero(rng, dims(2))
    kept = student.put(x)
    student.numeric_grad(student.handle("probe_coupled"), kept)
    assert_close(kept.get(), x, rtol=1e-12, atol=0, name="x after the call")


@pytest.mark.cell("grad_check")
def test_grad_check_accepts_right_gradients(student, rng, dims):
    """Four right gradients, large and small ones among them, come out below 1e-5."""
    x = away_from_zero(rng, dims(2, 2, 5))
    k = weights(x.shape)
    right = [
        ("probe_quadratic", x, k * x),
        ("probe_cubic", 10 * x, 3 * k * (10 * x) ** 2),
        ("probe_quadratic", 1e-4 * x, 1e-4 * k * x),
        ("probe_all_but_first", x, 2 * x * (k > 1)),
    ]
    for probe, at, gradient in right:
        value = verdict(student, probe, at, gradient)
        require(
            not np.isnan(value),
            "grad_check returned NaN for a right gradient: look at entries where both slopes are 0",
            got=value,
        )
        require(accepted(value), "grad_check did not accept a right gradient", got=value)


@pytest.mark.cell("grad_check")
def test_grad_check_flags_planted_mistakes(student, rng, dims):
    """A factor, a sign, a missing part, all zeros: grad_check accepts none of these wrong gradients."""
    x = rng.uniform(0.3, 1.2, dims(2))  # all slopes are positive
    right = coupled_gradient(x)
    planted = [
        ("half of the right gradient", 0.5 * right),
        ("a gradient of the wrong sign", -right),
        ("a gradient in which one part of a sum is missing", np.cos(x) * np.sum(x**2)),
        ("a gradient of zeros", np.zeros_like(right)),
        ("a gradient 1 % too large", 1.01 * right),
    ]
    for what, gradient in planted:
        value = verdict(student, "probe_coupled", x, gradient)
        require(not accepted(value), f"grad_check accepted {what}", got=value)


@pytest.mark.cell("grad_check")
def test_grad_check_sees_one_wrong_entry(student, rng):
    """One wrong entry among hundreds, a small one, is enough."""
    x = 0.01 * away_from_zero(rng, (17, 18))
    x[0, 0] *= 0.01  # with factor 1 this is by far the smallest slope; rounding still is 1e-6 of it
    for where in [(0, 0), (16, 17), (int(rng.integers(1, 16)), int(rng.integers(1, 17)))]:
        gradient = weights(x.shape) * x
        gradient[where] *= 1.002
        value = verdict(student, "probe_quadratic", x, gradient)
        require(not accepted(value), "grad_check accepted a gradient with one wrong entry among 306", got=value)


@pytest.mark.cell("grad_check")
def test_grad_check_is_relative(student, rng):
    """A tiny gradient that is 5 % off is wrong, however small the difference."""
    x = 1e-5 * away_from_zero(rng, (3,))
    value = verdict(student, "probe_quadratic", x, 1.05 * weights(x.shape) * x)
    require(
        not accepted(value),
        "grad_check accepted a gradient that is 5 % off because its entries are tiny; divide by the size of the slopes",
        got=value,
    )


@pytest.mark.cell("grad_check")
def test_grad_check_refuses_nan(student, rng, dims):
    """A gradient with NaN anywhere gives nan or inf."""
    x = away_from_zero(rng, dims(2))
    for place in range(x.size):
        gradient = weights(x.shape) * x
        gradient.flat[place] = np.nan
        value = verdict(student, "probe_quadratic", x, gradient)
        require(not np.isfinite(value), "grad_check returned an ordinary number for a gradient with NaN", got=value)


@pytest.mark.cell("grad_check")
def test_grad_check_refuses_another_shape(student, rng, dims):
    """A gradient of another shape gives inf, also where numpy could stretch it."""
    x = np.full(dims(2), rng.uniform(0.5, 1.5))
    right = coupled_gradient(x)  # all entries are equal: stretched, every wrong shape would look right
    for wrong in (right[:1], right[:, :1], right.reshape(-1), right[None], right[0, 0]):
        value = verdict(student, "probe_coupled", x, np.array(wrong))
        require(np.isposinf(value), "grad_check should return inf for a gradient of another shape than x", got=value)


@pytest.mark.cell("grad_check")
def test_grad_check_returns_the_stated_error(student, rng, dims):
    """The number is the largest |n - g| / (|n| + |g|)."""
    x = away_from_zero(rng, dims(2))
    factor = rng.uniform(1.5, 3)
    gradient = weights(x.shape) * x
    first, second = rng.choice(x.size, 2, replace=False)
    gradient.flat[first] *= factor
    gradient.flat[second] *= 1.2
    value = verdict(student, "probe_quadratic", x, gradient)
    want = (factor - 1) / (factor + 1)
    for other, name in [
        ((factor - 1) / factor, "the larger of |n| and |g|"),
        (factor - 1, "|n| alone"),
        (2 * want, "the mean of |n| and |g|"),
    ]:
        require(abs(value - other) > 1e-4 * other, f"you divide by {name}; the text asks for |n| + |g|", got=value)
    assert_close(as_array(value), want, rtol=1e-4, name="the error of a gradient with two entries too large")
