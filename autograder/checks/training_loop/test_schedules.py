"""Learning rates as functions of time, and the test that finds the highest."""

import math

import numpy as np
import pytest
import torch

from autograder.compare import Mismatch, as_array, assert_close, require, scalar, unpack


def torch_rates(schedule, lr0, epochs, **settings):
    """Return the rates of the first epochs, by PyTorch's own scheduler."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr0)
    scheduler, rates = schedule(optimizer, **settings), []
    for _ in range(epochs):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return rates


def rates(function, lr0, epochs, *settings):
    return [scalar(function(lr0, epoch, *settings), "the rate") for epoch in epochs]


@pytest.mark.cell("step_decay")
@pytest.mark.weight(2)
def test_step_rate_drops_every_few_epochs(student, rng):
    """step_decay agrees with PyTorch's StepLR, whose rate stands still between two drops."""
    for every in (1, *rng.choice(range(2, 7), 2, replace=False)):
        lr0, factor = rng.uniform(0.05, 2), float(rng.uniform(0.2, 0.9))
        wanted = torch_rates(torch.optim.lr_scheduler.StepLR, lr0, 15, step_size=int(every), gamma=factor)
        got = rates(student.step_decay, lr0, range(15), factor, int(every))
        assert_close(got, wanted, rtol=1e-6, name="the step rates of 15 epochs")


@pytest.mark.cell("step_decay")
@pytest.mark.weight(2)
def test_inverse_time_grows_straight_upside_down(student, rng):
    """One over the inverse-time rate grows by the same amount in every epoch; epoch 0 has lr0."""
    lr0, rate = rng.uniform(0.05, 2), float(rng.uniform(0.2, 3))
    got = np.array(rates(student.inverse_time, lr0, range(12), rate), dtype=float)
    assert_close(got, 1 / np.linspace(1 / lr0, (1 + 11 * rate) / lr0, 12), rtol=1e-6, name="the inverse-time rates")
    flat = rates(student.inverse_time, lr0, (0, 40), 0.0)
    assert_close(flat, [lr0, lr0], rtol=1e-6, name="the rate where `rate` is 0")


@pytest.mark.cell("step_decay")
@pytest.mark.weight(2)
def test_exponential_rate_agrees_with_torch(student, rng):
    """exp_decay agrees with PyTorch's ExponentialLR."""
    lr0, factor = rng.uniform(0.05, 2), float(rng.uniform(0.3, 0.95))
    wanted = torch_rates(torch.optim.lr_scheduler.ExponentialLR, lr0, 12, gamma=factor)
    assert_close(rates(student.exp_decay, lr0, range(12), factor), wanted, rtol=1e-6, name="the exponential rates")


@pytest.mark.cell("step_decay")
def test_asked_in_any_order(student, rng):
    """A schedule depends on the epoch alone: asked late first, and twice, it says the same."""
    lr0, factor = rng.uniform(0.05, 2), float(rng.uniform(0.3, 0.9))
    order = [9, 0, 4, 9, 1, 4]
    assert_close(rates(student.exp_decay, lr0, order, factor), lr0 * np.power(factor, order), rtol=1e-6,
                 name="the exponential rates of epochs 9, 0, 4, 9, 1, 4", suspect="decay_compounds")  # fmt: skip
    assert_close(rates(student.step_decay, lr0, order, factor, 4), lr0 * np.power(factor, [2, 0, 1, 2, 0, 1]),
                 rtol=1e-6, name="the step rates of epochs 9, 0, 4, 9, 1, 4")  # fmt: skip
    assert_close(rates(student.inverse_time, lr0, order, 0.5), lr0 / np.array([5.5, 1, 3, 5.5, 1.5, 3]),
                 rtol=1e-6, name="the inverse-time rates of epochs 9, 0, 4, 9, 1, 4")  # fmt: skip


@pytest.mark.cell("cosine")
@pytest.mark.weight(2)
@pytest.mark.parametrize("warmup", [0, 1, 7])
def test_warm_up_and_half_a_cosine(student, rng, warmup):
    """The rate follows its two formulas, between whole numbers too."""
    lr0, T = rng.uniform(0.05, 2), int(rng.integers(warmup + 3, warmup + 30))
    times = [*range(T + 1), *rng.uniform(0, T, 12)]
    angle = np.pi * (np.array(times) - warmup) / (T - warmup)
    wanted = np.where(np.array(times) < warmup, lr0 * np.array(times) / max(warmup, 1), lr0 * np.cos(angle / 2) ** 2)
    got = [scalar(student.cosine(lr0, t, T, warmup), "the rate") for t in times]
    assert_close(got, wanted, rtol=1e-6, atol=1e-9, name="the rates from 0 to T")


@pytest.mark.cell("cosine")
def test_both_parts_meet(student, rng):
    """The rate ends at 0, is lr0 where the warm-up ends, and makes no jump there."""
    lr0, T, warmup = rng.uniform(0.05, 2), int(rng.integers(20, 40)), int(rng.integers(2, 9))
    times = [warmup - 1e-4, warmup, warmup + 1e-4, (T + warmup) / 2, T]
    got = [scalar(student.cosine(lr0, t, T, warmup), "the rate") for t in times]
    assert_close(got, np.multiply(lr0, [1, 1, 1, 0.5, 0]), rtol=1e-3, atol=1e-9,
                 name="the rate before, at and after the end of the warm-up, half-way down, and at the end")  # fmt: skip


@pytest.mark.cell("triangular")
@pytest.mark.weight(2)
@pytest.mark.parametrize("step", [1, 5, 2.5])
def test_zigzag_through_its_corners(student, rng, step):
    """The rate is the straight line through lo at 0, hi at step, lo at 2 step, and so on."""
    lo, hi = sorted(rng.uniform(0.001, 1, 2) + np.array([0, 0.3]))
    times = np.concatenate([np.arange(0, 7) * step, rng.uniform(0, 6 * step, 15), np.arange(12.0)])
    times = times[times <= 12 * step]
    corners = np.arange(13) * step
    wanted = np.interp(times, corners, np.where(np.arange(13) % 2, hi, lo))
    got = [scalar(student.triangular(float(t), step, lo, hi), "the rate") for t in times]
    assert_close(got, wanted, rtol=1e-6, name="the rates")


@pytest.mark.cell("triangular")
def test_peak_and_period(student, rng):
    """The highest of all rates is hi, exactly at t = step, and everything repeats after 2 step."""
    step = int(rng.integers(3, 12))
    lo, hi = 0.125, 0.875
    got = [float(scalar(student.triangular(t, step, lo, hi), "the rate")) for t in range(4 * step)]
    require(int(np.argmax(got)) == step, "the peak is not at t = step", got=int(np.argmax(got)), expected=step)
    assert_close(got[step], hi, rtol=1e-6, name="the rate at t = step")
    assert_close(got[2 * step :], np.array(got[: 2 * step]), rtol=1e-6, name="the second period")


def range_test(student, losses, lo, hi, steps):
    """Return the student's three answers and the rates that were really used."""
    played = student.call("Played", [float(loss) for loss in losses])
    lrs, got, suggestion = unpack(student.lr_range_test(played, lo, hi, steps), 3, "lr_range_test")
    used = as_array(played.attribute("lrs"), "the rates used")
    return as_array(lrs, "lrs"), as_array(got, "losses"), scalar(suggestion, "the suggestion"), used


def falling(rng, n):
    """Return n losses that stay, fall and rise a little, with one clearly steepest fall before the smallest."""
    while True:
        falls = rng.uniform(0.01, 0.05, n - 1)
        k = int(rng.integers(1, n - 3))
        falls[k] = 0.4
        falls[-1] = -0.1
        losses = 3 - np.concatenate([[0], np.cumsum(falls)])
        if np.argmin(losses) > k + 1:
            return losses, k


@pytest.mark.cell("lr_range_test")
@pytest.mark.weight(2)
def test_rates_grow_by_one_factor(student, rng):
    """Without an explosion every rate is tried once, from lo to hi, each the same factor above the last."""
    n = int(rng.integers(8, 20))
    lo, hi = 10.0 ** -rng.uniform(2, 5), rng.uniform(0.5, 9)
    losses, _ = falling(rng, n)
    lrs, got, _, used = range_test(student, [*losses, 0.5, 0.4], lo, hi, n)
    assert_close(lrs, lo * np.exp(np.arange(n) * math.log(hi / lo) / (n - 1)), rtol=1e-6, atol=0, name="lrs")
    assert_close(used, lrs, rtol=1e-6, atol=0, name="the rates that train_step was called with")
    assert_close(got, losses, rtol=1e-6, name="losses")


@pytest.mark.cell("lr_range_test")
@pytest.mark.weight(2)
def test_suggestion_is_where_the_loss_falls_most(student, rng):
    """The suggested rate is that of the step after which the loss fell most, not that of the smallest loss."""
    losses, k = falling(rng, 12)
    _, _, suggestion, _ = range_test(student, losses, 1e-4, 2.0, 12)
    wanted = np.geomspace(1e-4, 2.0, 12)
    if np.isclose(float(suggestion), wanted[np.argmin(losses)], rtol=1e-6):
        raise Mismatch("the suggestion is the rate of the smallest loss; it should be that of the largest fall",
                       got=suggestion, expected=wanted[k], suspect="suggests_the_minimum")  # fmt: skip
    assert_close(suggestion, wanted[k], rtol=1e-6, atol=0, name="the suggestion")


@pytest.mark.cell("lr_range_test")
@pytest.mark.weight(2)
@pytest.mark.parametrize("end", ["explosion", "slow explosion", "NaN", "infinity"])
def test_stops_at_the_explosion(student, rng, end):
    """The first loss that is not finite, or above 4 times the smallest so far, ends the test and is left out."""
    losses, k = falling(rng, 9)
    losses = losses - losses.min() + 0.5  # 4 times the smallest is below 4 times the first and the last
    if end == "slow explosion":  # above 4 times the smallest, but not 4 times the one before
        losses, k = np.array([1.02, 1.0, 1.01, 1.1, 1.3, 1.6, 2.0, 2.6, 3.4]) * rng.uniform(0.5, 2), 0
    bad = {"NaN": math.nan, "infinity": math.inf}.get(end, 4.2 * losses.min())
    lrs, got, suggestion, used = range_test(student, [*losses, bad, 0.1, 0.05, 0.01, 0.0], 1e-3, 1.0, 13)
    every = np.geomspace(1e-3, 1.0, 13)
    require(len(used) == 10, "train_step should be called up to the explosion and not after it",
            got=len(used), expected=10)  # fmt: skip
    assert_close(got, losses, rtol=1e-6, name="losses")
    assert_close(lrs, every[:9], rtol=1e-6, atol=0, name="lrs")
    assert_close(suggestion, every[k], rtol=1e-6, atol=0, name="the suggestion")


@pytest.mark.cell("lr_range_test")
def test_a_rise_is_no_explosion(student, rng):
    """A loss of up to 4 times the smallest so far does not end the test."""
    losses = np.array([2.0, 1.0, 3.9, 0.9, 3.5, 0.95]) * rng.uniform(0.5, 2)
    _, got, suggestion, _ = range_test(student, losses, 0.01, 1.0, 6)
    assert_close(got, losses, rtol=1e-6, name="losses")
    assert_close(suggestion, np.geomspace(0.01, 1.0, 6)[2], rtol=1e-6, atol=0, name="the suggestion")
