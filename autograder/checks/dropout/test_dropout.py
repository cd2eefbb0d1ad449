"""The layer itself: what is dropped, how often, and what comes back. Nothing asks for an order of random calls."""

import numpy as np
import pytest

from autograder.compare import as_array, assert_close, assert_shape, require, unpack


def nonzero(rng, shape):
    """Return numbers away from 0, so that a zero in the answer was dropped."""
    return rng.uniform(0.5, 2.0, shape) * rng.choice([-1.0, 1.0], shape)


def forward(student, rng, x, p_drop):
    """Return y in training, with a fresh generator."""
    answer = student.dropout_forward(x, p_drop, True, student.generator(int(rng.integers(10**6))))
    return assert_shape(unpack(answer, 2, "dropout_forward")[0], x.shape, name="y")


@pytest.mark.cell("dropout_forward")
@pytest.mark.weight(2)
@pytest.mark.parametrize("axes", [1, 2, 4])
def test_survivors_are_scaled(student, rng, dims, axes):
    """In training every entry is 0 or x / (1 - p_drop), for any number of axes."""
    x, p_drop = nonzero(rng, dims(axes)), float(rng.uniform(0.2, 0.7))
    y = forward(student, rng, x, p_drop)
    wanted = np.where(y == 0, 0.0, x / (1 - p_drop))
    if axes == 2 and np.allclose(y[y != 0], (x / p_drop)[y != 0]):
        assert_close(y, wanted, name="y", suspect="keep_probability")
    assert_close(y, wanted, rtol=1e-6, name="y")


@pytest.mark.cell("dropout_forward")
@pytest.mark.weight(2)
def test_share_of_zeros(student, rng):
    """The share of zeros is p_drop (5 sigma: a right program fails once in 600,000 classes)."""
    for p_drop in (0.1, 0.5, 0.8):
        y = forward(student, rng, np.ones((150, 140)), p_drop)
        share, sigma = np.mean(y == 0), np.sqrt(p_drop * (1 - p_drop) / y.size)
        require(abs(share - p_drop) < 5 * sigma, "the share of zeros is not p_drop", got=share, expected=p_drop)


@pytest.mark.cell("dropout_forward")
def test_every_entry_has_its_own_coin(student, rng):
    """Rows, columns and neighbours are dropped independently (7 sigma for 150 rates of about 110 coins)."""
    y = forward(student, rng, nonzero(rng, (130, 110)), 0.4)
    zeros = y == 0
    for axis, what in ((0, "column"), (1, "row")):
        rates, coins = zeros.mean(axis=axis), zeros.shape[axis]
        require(np.max(np.abs(rates - 0.4)) < 7 * np.sqrt(0.24 / coins),
                f"some whole {what}s are dropped or kept together; every entry needs a coin of its own",
                got=rates)  # fmt: skip
    counts = [np.sum(forward(student, rng, np.ones(400), 0.5) == 0) for _ in range(8)]
    require(len(set(counts)) > 1, "exactly the same number of entries is dropped in every call; "
            "each coin should fall without regard to the others", got=counts)  # fmt: skip


@pytest.mark.cell("dropout_forward")
def test_randomness_comes_from_rng_alone(student, rng):
    """Two calls with one generator differ; one seed repeats; another seed gives another mask."""
    x, seed = nonzero(rng, (40, 30)), int(rng.integers(10**6))
    generator = student.generator(seed)
    draws = [as_array(student.dropout_forward(x, 0.5, True, g)[0])
             for g in (generator, generator, student.generator(seed), student.generator(seed + 1))]  # fmt: skip
    first, second, again, other = (y == 0 for y in draws)
    require(not np.array_equal(first, second), "every call has the same mask; draw a new one from rng each time")
    require(np.array_equal(first, again), "one seed gave two masks; rng must be the only source of randomness",
            suspect="global_randomness")  # fmt: skip
    require(not np.array_equal(first, other), "two seeds gave one mask; use the rng that is passed in")


@pytest.mark.cell("dropout_forward")
@pytest.mark.weight(2)
def test_nothing_happens_out_of_training(student, rng, dims):
    """With train=False y is x, exactly, whatever p_drop is."""
    x = rng.normal(size=dims(2))
    for p_drop in (0.0, 0.3, 0.9, 1.0):
        y = unpack(student.dropout_forward(x, p_drop, False, student.generator(1)), 2, "dropout_forward")[0]
        assert_close(y, x, rtol=0, atol=0, name="y out of training")


@pytest.mark.cell("dropout_forward")
def test_the_ends_of_the_range(student, rng, dims):
    """p_drop = 0 keeps everything as it is; p_drop = 1 gives zeros without NaN."""
    x = nonzero(rng, dims(2))
    assert_close(forward(student, rng, x, 0.0), x, rtol=1e-9, name="y with p_drop = 0")
    assert_close(forward(student, rng, x, 1.0), np.zeros(x.shape), name="y with p_drop = 1", suspect="divides_by_zero")


@pytest.mark.cell("dropout_forward")
def test_forward_leaves_x_alone(student, rng, dims):
    """x is the caller's and stays as it was."""
    x = nonzero(rng, dims(2))
    for train in (True, False):
        held = student.put(x)
        student.call("dropout_forward", held, 0.5, train, student.generator(3))
        assert_close(held.get(), x, rtol=0, atol=0, name="the caller's x after the call", suspect="forward_in_place")


@pytest.mark.cell("dropout_backward")
@pytest.mark.weight(2)
@pytest.mark.parametrize("p_drop", [0.2, 0.5, 0.85])
def test_gradient_takes_the_mask_back(student, rng, dims, p_drop):
    """In training dx is dy times the slope that your own forward pass had at each entry."""
    shape = dims(3)
    x, dy = nonzero(rng, shape), nonzero(rng, shape)
    result = student.call("dropout_forward", x, p_drop, True, student.generator(int(rng.integers(10**6))))
    y = assert_shape(result[0], x.shape, name="y")
    dx = assert_shape(student.dropout_backward(dy, result.item(1), p_drop, True), x.shape, name="dx")
    silent, muted = y == 0, dx == 0
    other = muted.any() and (silent & ~muted).any() and (muted & ~silent).any() and (silent & muted).any()
    assert_close(dx, dy * (y / x), rtol=1e-6, name="dx", suspect="two_masks" if other else None)


@pytest.mark.cell("dropout_backward")
def test_gradient_passes_out_of_training(student, rng, dims):
    """With train=False dx is dy."""
    shape = dims(2)
    x, dy = nonzero(rng, shape), rng.normal(size=shape)
    result = student.call("dropout_forward", x, 0.6, False, student.generator(5))
    assert_close(student.dropout_backward(dy, result.item(1), 0.6, False), dy, rtol=1e-9, name="dx out of training")


@pytest.mark.cell("dropout_backward")
def test_gradient_when_everything_is_dropped(student, rng, dims):
    """With p_drop = 1 no gradient comes back, and nothing is NaN."""
    shape = dims(2)
    x, dy = nonzero(rng, shape), rng.normal(size=shape)
    result = student.call("dropout_forward", x, 1.0, True, student.generator(5))
    dx = student.dropout_backward(dy, result.item(1), 1.0, True)
    assert_close(dx, np.zeros(x.shape), name="dx with p_drop = 1", suspect="backward_divides_by_zero")


@pytest.mark.cell("dropout_backward")
def test_backward_leaves_dy_alone(student, rng, dims):
    """dy is the caller's and stays as it was."""
    shape = dims(2)
    x, dy = nonzero(rng, shape), nonzero(rng, shape)
    for train in (True, False):
        result = student.call("dropout_forward", x, 0.5, train, student.generator(2))
        held = student.put(dy)
        student.call("dropout_backward", held, result.item(1), 0.5, train)
        assert_close(held.get(), dy, rtol=0, atol=0, name="the caller's dy after the call", suspect="backward_in_place")
