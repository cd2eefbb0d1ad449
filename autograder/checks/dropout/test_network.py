"""Weight decay, the network's training step, and its two ways to answer."""

import itertools

import numpy as np
import pytest
import torch

from autograder.compare import (
    Mismatch,
    as_array,
    assert_close,
    assert_shape,
    require,
    scalar,
    unpack,
)


def network(rng, d, h, c):
    """Return parameters whose hidden units are partly on and partly off."""
    return {"W1": rng.normal(size=(d, h)), "b1": rng.normal(size=h), "W2": rng.normal(size=(h, c)) / np.sqrt(h),
            "b2": rng.normal(size=c)}  # fmt: skip


def batch(rng, params, n):
    """Return inputs and labels for which both sides of the ReLU occur and no unit sits near its kink."""
    d, c = params["W1"].shape[0], params["W2"].shape[1]
    while True:
        x = rng.normal(size=(n, d))
        z = x @ params["W1"] + params["b1"]
        if np.min(np.abs(z)) > 1e-3 and 0.2 < np.mean(z > 0) < 0.8:
            return x, rng.integers(0, c, size=n)


def probabilities(params, x, factors=1.0):
    """Return softmax probabilities with the hidden activations multiplied by ``factors``."""
    s = np.maximum(x @ params["W1"] + params["b1"], 0) * factors @ params["W2"] + params["b2"]
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def gradients(got, params):
    """Return the student's gradients by name, after looking at names and shapes."""
    if type(got) is not dict or not set(params) <= set(got):
        raise Mismatch("grads should be a dict with the names of params", got=got)
    return {name: assert_shape(got[name], params[name].shape, name=f"the gradient of {name}") for name in params}


@pytest.mark.cell("l2_penalty")
@pytest.mark.parametrize("layers", [1, 2, 4])
def test_penalty_counts_weights_only(student, rng, layers):
    """The penalty is half of lam times the squares of all weights, and of no bias."""
    sizes, params = rng.integers(2, 6, size=layers + 1), {}
    for i in range(layers):
        params[f"W{i + 1}"] = rng.normal(size=(sizes[i], sizes[i + 1]))
        params[f"b{i + 1}"] = rng.normal(size=sizes[i + 1]) + 2
    lam = float(rng.uniform(0.01, 2))
    wanted = lam / 2 * sum(np.sum(np.square(p)) for name, p in params.items() if name[0] == "W")
    assert_close(scalar(student.l2_penalty(params, lam), "the penalty"), wanted, rtol=1e-6, name="the penalty")
    assert_close(scalar(student.l2_penalty(params, 0.0)), 0.0, name="the penalty with lam = 0")


@pytest.mark.cell("l2_penalty")
@pytest.mark.parametrize("layers", [2, 3])
def test_gradient_of_the_penalty(student, rng, layers):
    """l2_grad has lam * W for every weight and zeros for every bias."""
    sizes, params = rng.integers(2, 6, size=layers + 1), {}
    for i in range(layers):
        params[f"W{i + 1}"] = rng.normal(size=(sizes[i], sizes[i + 1]))
        params[f"b{i + 1}"] = rng.normal(size=sizes[i + 1]) + 2
    lam = float(rng.uniform(0.1, 2))
    got = gradients(student.l2_grad(params, lam), params)
    for name, p in params.items():
        assert_close(got[name], lam * p if name[0] == "W" else 0 * p, rtol=1e-6, name=f"the gradient of {name}")


@pytest.mark.cell("net_step")
@pytest.mark.weight(2)
@pytest.mark.parametrize("n", [1, 7])
def test_step_without_dropout_agrees_with_torch(student, rng, dims, n):
    """With p_drop = 0, loss and gradients agree with torch, penalty included."""
    d, h, c = dims(3)
    params = network(rng, d, h + 3, c)
    x, y = batch(rng, params, n)
    lam = float(rng.uniform(0.1, 1))
    loss, grads = unpack(student.net_step(params, x, y, 0.0, lam, student.generator(1)), 2, "net_step")
    t = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    scores = torch.relu(torch.tensor(x) @ t["W1"] + t["b1"]) @ t["W2"] + t["b2"]
    data = torch.nn.functional.cross_entropy(scores, torch.tensor(y))
    total = data + lam / 2 * ((t["W1"] ** 2).sum() + (t["W2"] ** 2).sum())
    total.backward()
    got = scalar(loss, "the loss")
    if np.isclose(got, data.item()):
        raise Mismatch(
            "the loss leaves the penalty out", got=got, expected=total.item(), suspect="loss_without_penalty"
        )
    assert_close(got, total.item(), rtol=1e-6, name="the loss")
    found = gradients(grads, params)
    for name in ("b2", "W2", "b1", "W1"):
        assert_close(found[name], t[name].grad.numpy(), rtol=1e-5, atol=1e-6, name=f"the gradient of {name}")


@pytest.mark.cell("net_step")
@pytest.mark.weight(2)
def test_hidden_activations_are_dropped(student, rng):
    """The hidden activations that reach W2 are 0 or h / (1 - p_drop), with p_drop of them 0 (5 sigma)."""
    d, h, c, p_drop = 3, 2000, 4, float(rng.uniform(0.3, 0.7))
    params = network(rng, d, h, c)
    params["W2"][:] = 0.0  # then the gradient of the scores does not depend on the mask
    params["b1"] += 20.0  # and every unit is on
    x, y = rng.normal(size=(1, d)), rng.integers(0, c, size=1)
    loss, grads = unpack(student.net_step(params, x, y, p_drop, 0.0, student.generator(int(rng.integers(10**6)))), 2)
    ds = probabilities(params, x)
    assert_close(scalar(loss, "the loss"), -np.log(ds[0, y[0]]), rtol=1e-6, name="the loss",
                 suspect="drops_the_scores")  # fmt: skip
    ds[0, y[0]] -= 1
    found = gradients(grads, params)
    assert_close(found["b2"], ds[0], rtol=1e-6, name="the gradient of b2")
    seen = found["W2"] @ ds[0] / np.sum(ds[0] ** 2)  # what W2 was multiplied with
    active = np.maximum(x @ params["W1"] + params["b1"], 0)[0]
    zero = np.abs(seen) < 1e-9
    require(zero.any(), "no hidden activation was dropped", got=seen)
    assert_close(seen, np.where(zero, 0.0, active / (1 - p_drop)), rtol=1e-5, name="what W2 is multiplied with")
    sigma = np.sqrt(p_drop * (1 - p_drop) / h)
    require(abs(zero.mean() - p_drop) < 5 * sigma, "the share of dropped hidden units is not p_drop", got=zero.mean())


@pytest.mark.cell("net_step")
@pytest.mark.weight(2)
def test_gradients_belong_to_the_same_mask(student, rng):
    """With one seed, loss and gradients agree with torch under the mask that this seed gives."""
    p_drop, lam, seed, (n, d, h, c) = 0.4, 0.3, int(rng.integers(10**6)), (4, 3, 8, 6)
    params = network(rng, d, h, c)
    x, y = batch(rng, params, n)[0], rng.permutation(c)[:n]
    factors = mask_of_seed(student, params, x, y, p_drop, seed)
    loss, grads = unpack(student.net_step(params, x, y, p_drop, lam, student.generator(seed)), 2)
    t = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    hidden = torch.relu(torch.tensor(x) @ t["W1"] + t["b1"]) * torch.tensor(factors)
    total = torch.nn.functional.cross_entropy(hidden @ t["W2"] + t["b2"], torch.tensor(y))
    total = total + lam / 2 * ((t["W1"] ** 2).sum() + (t["W2"] ** 2).sum())
    total.backward()
    assert_close(scalar(loss, "the loss"), total.item(), rtol=1e-5, name="the loss under dropout")
    found = gradients(grads, params)
    for name in ("b2", "W2", "b1", "W1"):
        assert_close(found[name], t[name].grad.numpy(), rtol=1e-5, atol=1e-6, name=f"the gradient of {name}")


def mask_of_seed(student, params, x, y, p_drop, seed):
    """Return the factors (N, H), 0 or 1 / (1 - p_drop), that net_step uses with this seed.

    With W2 = 0 the gradient of the scores is known, and so the gradient of W2 tells what W2 was multiplied with.
    """
    known = {**params, "W2": 0 * params["W2"], "b1": params["b1"] + 20}
    answer = unpack(student.net_step(known, x, y, p_drop, 0.0, student.generator(seed)), 2, "net_step")
    ds = (probabilities(known, x) - np.eye(params["W2"].shape[1])[y]) / len(y)
    seen = (gradients(answer[1], params)["W2"] @ np.linalg.pinv(ds)).T
    factors = seen / np.maximum(x @ known["W1"] + known["b1"], 0)
    return np.where(factors > 0.5 / (1 - p_drop), 1 / (1 - p_drop), 0.0)


@pytest.mark.cell("predict")
@pytest.mark.parametrize("n", [1, 6])
def test_prediction_without_dropout(student, rng, dims, n):
    """predict gives the softmax probabilities of the whole network, the same in every call."""
    d, h, c = dims(3)
    params = network(rng, d, h + 2, c)
    x, _ = batch(rng, params, n)
    first, second = (as_array(student.predict(params, x)) for _ in range(2))
    require(np.array_equal(first, second), "two calls with the same input differ; nothing is random in use",
            suspect="predicts_dropped")  # fmt: skip
    assert_close(first, probabilities(params, x), rtol=1e-6, name="the probabilities")


@pytest.mark.cell("mc_predict")
@pytest.mark.weight(2)
def test_mean_and_spread_agree_with_all_masks(student, rng):
    """Mean and std agree with the exact ones over all 32 masks of five units (6 sigma, 4,000 passes)."""
    params, p_drop, T = network(rng, 3, 5, 3), float(rng.uniform(0.35, 0.6)), 4000
    params["W2"] *= 2
    params["b1"] += 2
    x = rng.normal(size=(2, 3))
    masks = np.array(list(itertools.product([0.0, 1.0], repeat=5)))
    weight = np.prod(np.where(masks > 0, 1 - p_drop, p_drop), axis=1)
    all_q = np.array([probabilities(params, x, m / (1 - p_drop)) for m in masks])
    exact = np.tensordot(weight, all_q, axes=1)
    square = np.tensordot(weight, (all_q - exact) ** 2, axes=1)
    fourth = np.tensordot(weight, (all_q - exact) ** 4, axes=1)
    answer = student.mc_predict(params, x, p_drop, T, student.generator(int(rng.integers(10**6))))
    mean, std = (assert_shape(a, exact.shape, name=n) for a, n in zip(unpack(answer, 2), ("mean", "std"), strict=True))
    require(np.all(np.abs(mean - exact) < 6 * np.sqrt(square / T) + 1e-6),
            "the mean is not the mean over masks of the probabilities", got=mean, expected=exact)  # fmt: skip
    allowed = 6 * np.sqrt(np.maximum(fourth - square**2, 0) / T) + 2 / T * square + 1e-6
    require(np.all(np.abs(std**2 - square) < allowed),
            "std is not the spread of the probabilities over the passes", got=std, expected=np.sqrt(square))  # fmt: skip


@pytest.mark.cell("mc_predict")
def test_one_pass_has_no_spread(student, rng, dims):
    """With T = 1 the mean is one thinned network's answer and std is 0, never NaN."""
    d, h, c = dims(3)
    params = network(rng, d, h, c)
    x, _ = batch(rng, params, 3)
    mean, std = unpack(student.mc_predict(params, x, 0.5, 1, student.generator(4)), 2, "mc_predict")
    assert_close(std, np.zeros((3, c)), name="std of one pass", suspect="spread_over_t_minus_1")
    assert_close(as_array(mean).sum(axis=-1), np.ones(3), rtol=1e-5, name="the sum of the probabilities")


@pytest.mark.cell("mc_predict")
def test_spread_of_two_passes(student, rng, dims):
    """For T = 2 std divides by 2: half the distance of the two passes, which a T = 1 call starts with."""
    d, h, c = dims(3)
    params = network(rng, d, h + 4, c)
    x, _ = batch(rng, params, 3)
    first = as_array(unpack(student.mc_predict(params, x, 0.5, 1, student.generator(9)), 2)[0])
    mean, std = unpack(student.mc_predict(params, x, 0.5, 2, student.generator(9)), 2, "mc_predict")
    near = np.abs(as_array(mean) - first)
    if np.allclose(as_array(std), np.sqrt(2) * near, rtol=1e-3) and near.max() > 1e-3:
        raise Mismatch("std divides by T - 1; the task asks for T", got=std, expected=near,
                       suspect="spread_over_t_minus_1")  # fmt: skip


@pytest.mark.cell("mc_predict")
def test_without_dropout_all_passes_agree(student, rng, dims):
    """With p_drop = 0 the mean is the whole network's answer and std is 0."""
    d, h, c = dims(3)
    params = network(rng, d, h, c)
    x, _ = batch(rng, params, 2)
    mean, std = unpack(student.mc_predict(params, x, 0.0, 3, student.generator(4)), 2, "mc_predict")
    assert_close(mean, probabilities(params, x), rtol=1e-6, name="the mean with p_drop = 0")
    assert_close(std, np.zeros((2, c)), atol=1e-7, name="std with p_drop = 0")
