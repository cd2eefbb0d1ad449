"""Verification, identification, AUC and equal error rate."""

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from autograder.compare import Mismatch, as_array, assert_close, require, scalar, unpack


@pytest.mark.cell("who_is_it")
def test_below_the_threshold_is_the_same(student, rng):
    """A distance is accepted if it is below the threshold; equal is not below."""
    t = float(np.round(rng.uniform(0.3, 1.2), 3))
    distances = np.array([0.0, t - 0.01, t, t + 0.01, 4.0])
    got = as_array(student.verify(torch.tensor(distances), t), "verify's answer")
    if got.shape == (5,) and list(got) == [True, True, True, False, False]:
        raise Mismatch("a distance equal to the threshold is not below it", got=got, suspect="accepts_equal")
    assert_close(got.astype(float), [1.0, 1.0, 0.0, 0.0, 0.0], name="verify's answers")
    for d, wanted in ((t / 2, True), (2 * t, False)):
        got = scalar(student.verify(d, t), "verify's answer")
        require(bool(got) == wanted, "verify is wrong for a single distance", got=got, expected=wanted)


@pytest.mark.cell("who_is_it")
@pytest.mark.parametrize("people", [1, 3, 6])
def test_nearest_of_the_register(student, rng, dims, people):
    """who_is_it finds the nearest entry and its squared distance, or None and the same distance."""
    new = rng.normal(size=dims(1)[0])
    points = sorted((new + rng.normal(size=new.size) for _ in range(people)), key=lambda v: np.sum((new - v) ** 2))
    points = [points[-1], *points[:-1]]  # the nearest is neither the first nor the last
    register = {f"person {rng.integers(100)}-{k}": v for k, v in enumerate(points)}
    best = list(register)[min(1, people - 1)]
    smallest = np.sum((new - register[best]) ** 2)
    tensors = {name: torch.tensor(v) for name, v in register.items()}
    for factor in (1.5, 0.5, 1e4):
        name, distance = unpack(student.who_is_it(torch.tensor(new), tensors, factor * smallest), 2, "who_is_it")
        assert_close(scalar(distance, "the distance"), smallest, rtol=1e-5, name="the distance of the nearest entry")
        wanted = best if factor > 1 else None
        require(name == wanted, "the name is not the nearest entry's" if wanted else
                "the nearest entry is not below the threshold, so the name should be None", got=name, expected=wanted)  # fmt: skip


@pytest.mark.cell("who_is_it")
def test_nearest_at_the_threshold_is_nobody(student, rng):
    """An entry exactly at the threshold is not below it."""
    register = {"far": torch.tensor([3.0, 0.0]), "near": torch.tensor([0.0, 2.0])}
    name, distance = unpack(student.who_is_it(torch.tensor([0.0, 0.0]), register, 4.0), 2, "who_is_it")
    require(name is None, "a distance equal to the threshold is not below it", got=name, suspect="accepts_equal")
    assert_close(scalar(distance), 4.0, name="the distance of the nearest entry")


def pairs(rng, same, different, shift, decimals=None):
    d = np.concatenate([rng.normal(0, 1, same), rng.normal(shift, 1, different)]) + 5
    s = np.repeat([True, False], [same, different])
    order = rng.permutation(len(d))
    return (d if decimals is None else np.round(d, decimals))[order], s[order]


@pytest.mark.cell("auc")
@pytest.mark.weight(2)
@pytest.mark.parametrize("kind", ["some", "ties", "one each", "few same"])
def test_area_agrees_with_sklearn(student, rng, kind):
    """The AUC agrees with scikit-learn's, ties included."""
    d, s = {"some": lambda: pairs(rng, 23, 41, 1.2), "ties": lambda: pairs(rng, 30, 37, 0.7, decimals=0),
            "one each": lambda: pairs(rng, 1, 1, 0.5), "few same": lambda: pairs(rng, 3, 90, 1.0, decimals=1)}[kind]()  # fmt: skip
    assert_close(scalar(student.auc(d, s), "the AUC"), roc_auc_score(s, -d), rtol=1e-6, name="the AUC")


def best_rates(d, s):
    """Return the acceptable equal error rates: the mean of the two rates at every best threshold."""
    t = np.append(np.unique(d), np.inf)
    far, frr = np.mean(d[~s] < t[:, None], axis=1), np.mean(d[s] >= t[:, None], axis=1)
    gap = np.abs(far - frr)
    return (far + frr)[gap <= gap.min() + 1e-12] / 2


@pytest.mark.cell("auc")
@pytest.mark.weight(2)
@pytest.mark.parametrize("kind", ["some", "uneven", "ties", "perfect", "useless"])
def test_equal_error_rate(student, rng, kind):
    """The EER is the mean of the two rates at the threshold where they are closest."""
    d, s = {"some": lambda: pairs(rng, 40, 43, 1.0), "uneven": lambda: pairs(rng, 9, 100, 1.5),
            "ties": lambda: pairs(rng, 30, 31, 1.0, decimals=0), "perfect": lambda: pairs(rng, 12, 17, 60.0),
            "useless": lambda: (np.full(9, 2.0), np.arange(9) < 4)}[kind]()  # fmt: skip
    got, allowed = scalar(student.eer(d, s), "the EER"), best_rates(d, s)
    nearest = allowed[np.argmin(np.abs(allowed - float(got)))]
    assert_close(got, nearest, rtol=1e-6, name="the EER")


@pytest.mark.cell("auc")
def test_rates_of_two_bells(student, rng):
    """For two normal distributions the EER is that of the closed form (6 sigma)."""
    shift, n = float(rng.uniform(0.8, 2.0)), 1500
    d, s = pairs(rng, n, n, shift)
    got, exact = float(scalar(student.eer(d, s), "the EER")), norm.sf(shift / 2)
    require(abs(got - exact) < 6 * np.sqrt(exact * (1 - exact) / n), "the EER is not where the two rates meet",
            got=got, expected=exact)  # fmt: skip
