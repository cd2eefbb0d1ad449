"""The cut into two parts, and the standardiser."""

import numpy as np
import pytest

from autograder.compare import Mismatch, as_array, assert_close, require, scalar, unpack


def labelled(rng, n, h=3, w=2):
    """Return pictures and labels that name each other, sorted by label: picture i is all i, its label is 3 i + 1."""
    return np.arange(n, dtype=np.uint8)[:, None, None] * np.ones((1, h, w), np.uint8), 3 * np.arange(n) + 1


def parts(got, n, n_validation):
    """Return the indices of the examples in the two parts, after looking at shapes and pairs."""
    x_train, y_train, x_validation, y_validation = (as_array(part, "a part") for part in unpack(got, 4, "split"))
    found = []
    for name, x, y, size in (("training", x_train, y_train, n - n_validation),
                             ("validation", x_validation, y_validation, n_validation)):  # fmt: skip
        require(x.ndim == 3 and y.ndim == 1, f"the {name} part should be pictures (n, H, W) and labels (n,)")
        require(len(x) == size and len(y) == size, f"the {name} part has the wrong number of examples", got=len(x),
                expected=size)  # fmt: skip
        require(np.all(x == x[:, :1, :1]) and np.all(3 * x[:, 0, 0].astype(int) + 1 == y), "pictures and labels no longer "
                "belong together", got=y, expected=3 * x[:, 0, 0].astype(int) + 1)  # fmt: skip
        found.append(x[:, 0, 0].astype(int))
    return found


@pytest.mark.cell("split")
@pytest.mark.weight(2)
@pytest.mark.parametrize("size", ["one", "some", "most"])
def test_every_example_is_in_one_part(student, rng, dims, size):
    """Each example is in exactly one of the two parts, with its own label."""
    n = 20 + dims(1)[0]
    n_validation = {"one": 1, "some": 7, "most": n - 1}[size]
    x, y = labelled(rng, n)
    train, validation = parts(
        student.split(x, y, n_validation, student.generator(rng.integers(2**31))), n, n_validation
    )
    require(not set(train) & set(validation), "an example is in both parts", got=sorted(set(train) & set(validation)))
    assert_close(np.sort(np.append(train, validation)), np.arange(n), name="the examples of both parts together")


@pytest.mark.cell("split")
def test_the_generator_decides(student, rng):
    """Other generators cut otherwise, the same one the same; a sorted pile is mixed (chance of a false alarm 1e-20)."""
    n = 60
    x, y = labelled(rng, n)
    seeds = [int(s) for s in rng.integers(2**31, size=3)]
    cuts = [set(parts(student.split(x, y, 20, student.generator(s)), n, 20)[1]) for s in (*seeds, seeds[0])]
    require(cuts[0] == cuts[3], "the same generator state gave two different cuts")
    if cuts[0] == cuts[1] == cuts[2]:
        raise Mismatch("three generators gave the same cut; is it random, and does it use `rng`?")


def pictures(rng, n, h, w, low=0, high=256):
    return rng.integers(low, high, size=(n, h, w)).astype(np.uint8)


@pytest.mark.cell("standardise")
def test_two_numbers_for_all_pixels(student, rng, dims):
    """The mean and the standard deviation are one number each, over all pixels scaled to 0 ... 1."""
    n, h, w = dims(3, low=4)
    x = pictures(rng, n, h, w, high=200)
    x[0] = 250  # pictures and places differ in brightness
    x[:, 0] //= 8
    values = x.astype(float) / 255
    mean, std = (scalar(v, "a statistic") for v in unpack(student.fit_standardiser(x), 2, "fit_standardiser"))
    assert_close(float(mean), values.mean(), rtol=1e-5, name="the mean")
    spread = values.std(ddof=0), values.std(ddof=1)
    assert_close(float(std), spread[int(abs(std - spread[1]) < abs(std - spread[0]))], rtol=1e-5, name="the std")


@pytest.mark.cell("standardise")
@pytest.mark.weight(2)
@pytest.mark.parametrize("n", [1, 5])
def test_given_statistics_are_used(student, rng, dims, n):
    """Pictures are standardised with the numbers that are given, whatever their own statistics are."""
    h, w = dims(2)
    x, mean, std = pictures(rng, n, h, w, low=90), float(rng.uniform(0.2, 0.4)), float(rng.uniform(0.2, 0.4))
    got = as_array(student.standardise(x, mean, std), "the prepared pictures")
    assert_close(
        got, ((x.astype(float) / 255 - mean) / std)[:, None], rtol=1e-4, atol=1e-5, name="the prepared pictures"
    )
    require(
        got.dtype == np.float32, "the prepared pictures should be float32", got=str(got.dtype), suspect="float64_pixels"
    )
