"""The four optimizers, step by step."""

import numpy as np
import pytest
import torch
from torch.optim.adam import adam
from torch.optim.rmsprop import rmsprop

from autograder.compare import Mismatch, as_array, assert_close, require


def draw(rng, dims, scale=1.0):
    """Return parameters and seven gradients of a random shape, no two axes alike."""
    shape = dims(int(rng.integers(1, 4)), low=2, high=6)
    return rng.normal(size=shape), [scale * rng.normal(size=shape) for _ in range(7)]


def run(student, name, w, gradients, **options):
    """Return the parameters after each step, and the handle of the state."""
    state, path = student.put({}), []
    for g in gradients:
        w = as_array(getattr(student, name)(w, g, state, **options), "the new w")
        path.append(w)
    return path, state


def item(state, key):
    """Return state[key], or say that it is not there."""
    found = state.get()
    if type(found) is not dict or key not in found:
        raise Mismatch(f"state has no entry {key!r} after a step", got=found)
    return found[key]


def untouched(student, name, rng, **options):
    """Require that w and g are as they were after two steps."""
    w, g = rng.normal(size=(3, 2)), rng.normal(size=(3, 2))
    kept_w, kept_g, state = student.put(w), student.put(g), student.put({})
    for _ in range(2):
        getattr(student, name)(kept_w, kept_g, state, **options)
    assert_close(kept_w.get(), w, name="the caller's w after the step")
    assert_close(kept_g.get(), g, name="the caller's g after the step")


@pytest.mark.cell("momentum_step")
def test_plain_step_goes_against_the_gradient(student, rng, dims):
    """w - lr * g for any shape."""
    w, gradients = draw(rng, dims)
    lr = float(rng.uniform(0.05, 0.5))
    assert_close(
        student.sgd_step(w, gradients[0], {}, lr), w - lr * gradients[0], rtol=1e-6, name="w after a plain step"
    )


@pytest.mark.cell("momentum_step")
@pytest.mark.weight(3)
@pytest.mark.parametrize("beta", [0.9, 0.5])
def test_momentum_over_seven_steps(student, rng, dims, beta):
    """The parameters after each of seven steps with changing gradients."""
    w, gradients = draw(rng, dims)
    lr = float(rng.uniform(0.05, 0.5))
    v, want = np.zeros_like(w), w
    path, _ = run(student, "momentum_step", w, gradients, lr=lr, beta=beta)
    for number, (g, got) in enumerate(zip(gradients, path, strict=True), start=1):
        v = beta * v + (1 - beta) * g
        want = want - lr * v
        if number == 1 and np.allclose(got, w - lr * g, rtol=1e-4) and beta == 0.9:
            raise Mismatch("the first step is a whole plain step: the factor 1 - beta in front of g is missing",
                           got=got, expected=want)  # fmt: skip
        assert_close(got, want, rtol=1e-6, name=f"w after step {number}")


@pytest.mark.cell("momentum_step")
def test_momentum_keeps_its_average_in_state(student, rng, dims):
    """state["v"] is the average gradient after every step."""
    w, gradients = draw(rng, dims)
    _, state = run(student, "momentum_step", w, gradients[:3], lr=0.1, beta=0.8)
    want = 0.2 * (0.64 * gradients[0] + 0.8 * gradients[1] + gradients[2])
    assert_close(item(state, "v"), want, rtol=1e-6, name="state['v']")


@pytest.mark.cell("momentum_step")
def test_momentum_leaves_its_inputs_alone(student, rng):
    """w and g are the caller's and stay as they were."""
    untouched(student, "momentum_step", rng, lr=0.1, beta=0.9)
    untouched(student, "sgd_step", rng, lr=0.1)


def torch_rmsprop(w, gradients, lr, alpha, eps):
    """Return the weights after each step of torch's own RMSprop; its functional form imports 1.5 s less."""
    w, average, count, path = torch.tensor(w), torch.zeros(np.shape(w), dtype=torch.float64), torch.tensor(0.0), []
    for g in gradients:
        rmsprop([w], [torch.tensor(g)], [average], [], [], [count], foreach=False, lr=lr, alpha=alpha, eps=eps,
                weight_decay=0.0, momentum=0.0, centered=False)  # fmt: skip
        path.append(w.numpy().copy())
    return path


def torch_adam(w, gradients, lr, betas=(0.9, 0.999), eps=1e-8):
    """Return the weights after each step of torch's own Adam."""
    w, count, path = torch.tensor(w), torch.tensor(0.0), []
    first, second = torch.zeros_like(w), torch.zeros_like(w)
    for g in gradients:
        adam([w], [torch.tensor(g)], [first], [second], [], [count], foreach=False, amsgrad=False, beta1=betas[0],
             beta2=betas[1], lr=lr, weight_decay=0.0, eps=eps, maximize=False)  # fmt: skip
        path.append(w.numpy().copy())
    return path


@pytest.mark.cell("rmsprop_step")
@pytest.mark.weight(3)
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e3])
@pytest.mark.parametrize(("beta", "eps"), [(0.9, 1e-8), (0.6, 0.3)])
def test_rmsprop_agrees_with_torch(student, rng, dims, scale, beta, eps):
    """Seven steps, for small and large gradients and two settings."""
    w, gradients = draw(rng, dims, scale)
    want = torch_rmsprop(w, gradients, lr=0.05, alpha=beta, eps=eps)
    got, _ = run(student, "rmsprop_step", w, gradients, lr=0.05, beta=beta, eps=eps)
    for number, (a, b) in enumerate(zip(got, want, strict=True), start=1):
        assert_close(a, b, rtol=1e-6, name=f"w after step {number}")


@pytest.mark.cell("rmsprop_step")
def test_rmsprop_keeps_the_average_square(student, rng, dims):
    """state["s"] is the average of g squared."""
    w, gradients = draw(rng, dims)
    _, state = run(student, "rmsprop_step", w, gradients[:2], lr=0.1, beta=0.8)
    assert_close(item(state, "s"), 0.16 * gradients[0] ** 2 + 0.2 * gradients[1] ** 2, rtol=1e-6, name="state['s']")


@pytest.mark.cell("rmsprop_step")
def test_rmsprop_stays_put_without_a_gradient(student, rng):
    """An entry whose gradient is 0 from the start does not move, and nothing becomes NaN."""
    w = rng.normal(size=(2, 3))
    g = np.where(np.arange(6).reshape(2, 3) % 2, 0.0, 1.0)
    got, _ = run(student, "rmsprop_step", w, [g, g], lr=0.1)
    assert_close(got[-1][g == 0], w[g == 0], name="the entries whose gradient is 0")


@pytest.mark.cell("rmsprop_step")
def test_rmsprop_leaves_its_inputs_alone(student, rng):
    """w and g are the caller's and stay as they were."""
    untouched(student, "rmsprop_step", rng, lr=0.1)


@pytest.mark.cell("adam_step")
@pytest.mark.weight(4)
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e3])
@pytest.mark.parametrize(("betas", "eps"), [((0.9, 0.999), 1e-8), ((0.7, 0.8), 0.05)])
def test_adam_agrees_with_torch(student, rng, dims, scale, betas, eps):
    """Seven steps, for small and large gradients and two settings."""
    w, gradients = draw(rng, dims, scale)
    want = torch_adam(w, gradients, lr=0.05, betas=betas, eps=eps)
    got, _ = run(student, "adam_step", w, gradients, lr=0.05, beta1=betas[0], beta2=betas[1], eps=eps)
    for number, (a, b) in enumerate(zip(got, want, strict=True), start=1):
        assert_close(a, b, rtol=1e-6, name=f"w after step {number}")


@pytest.mark.cell("adam_step")
@pytest.mark.weight(2)
def test_adam_keeps_uncorrected_averages_and_the_count(student, rng, dims):
    """state holds m, v and t after each step, in closed form."""
    w, gradients = draw(rng, dims)
    state = student.put({})
    for t, g in enumerate(gradients[:3], start=1):
        w = student.adam_step(w, g, state, lr=0.01, beta1=0.8, beta2=0.9)
        powers = np.arange(t - 1, -1, -1)
        m = sum(0.2 * 0.8**p * q for p, q in zip(powers, gradients, strict=False))
        v = sum(0.1 * 0.9**p * q**2 for p, q in zip(powers, gradients, strict=False))
        assert_close(item(state, "m"), m, rtol=1e-6, name="state['m']")
        assert_close(item(state, "v"), v, rtol=1e-6, name="state['v']")
        require(float(as_array(item(state, "t"), "state['t']")) == t, "state['t'] is not the number of steps taken")


@pytest.mark.cell("adam_step")
@pytest.mark.weight(2)
def test_two_tensors_do_not_disturb_each_other(student, rng):
    """Stepping two tensors in turn, with a state each, is the same as stepping them one after the other."""
    first, second = rng.normal(size=(2, 3)), rng.normal(size=4)
    pairs = [(rng.normal(size=(2, 3)), rng.normal(size=4)) for _ in range(4)]
    a, b, state_a, state_b = first, second, student.put({}), student.put({})
    for ga, gb in pairs:
        a = student.adam_step(a, ga, state_a, lr=0.1)
        b = student.adam_step(b, gb, state_b, lr=0.1)
    assert_close(a, torch_adam(first, [p[0] for p in pairs], lr=0.1)[-1], rtol=1e-6, name="the first tensor")
    assert_close(b, torch_adam(second, [p[1] for p in pairs], lr=0.1)[-1], rtol=1e-6, name="the second tensor")


@pytest.mark.cell("adam_step")
def test_adam_stays_put_without_a_gradient(student, rng):
    """A gradient that is 0 from the start moves nothing, and nothing becomes NaN."""
    w = rng.normal(size=(2, 3))
    got, _ = run(student, "adam_step", w, [np.zeros((2, 3))] * 3, lr=0.1)
    assert_close(got[-1], w, name="w after steps with gradient 0")


@pytest.mark.cell("adam_step")
def test_adam_leaves_its_inputs_alone(student, rng):
    """w and g are the caller's and stay as they were."""
    untouched(student, "adam_step", rng, lr=0.1)
