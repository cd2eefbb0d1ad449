"""Backwards through one step, and both ways through whole sequences, against torch."""

import numpy as np
import pytest
import torch

from autograder.compare import Mismatch, as_array, assert_close, unpack

SIZES = [(1, 1, 1), (3, 2, 4), (2, 5, 3)]  # sequences, inputs, hidden units
STEP_GRADIENTS = ("dx", "dh_prev", "dc_prev", "dWx", "dWh", "db")
GRADIENTS = ("dx", "dh0", "dWx", "dWh", "db")


def weights(rng, d, h):
    return rng.normal(size=(d, 4 * h)), rng.normal(size=(h, 4 * h)), rng.normal(size=4 * h)


def torch_run(x, h0, c0, wx, wh, b):
    """Return torch leaves x, h0, c0, Wx, Wh, b, and what they give: all hidden states and the last cell state."""
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, h0, c0, wx, wh, b)]
    x, h, c, wx, wh, b = leaves
    states = []
    for t in range(x.shape[1]):
        i, f, g, o = (x[:, t] @ wx + h @ wh + b).chunk(4, dim=1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        states.append(h)
    return leaves, torch.stack(states, dim=1), c


@pytest.mark.cell("lstm_step_backward")
@pytest.mark.weight(3)
@pytest.mark.parametrize("size", SIZES)
def test_step_gradients_agree_with_torch(student, rng, size):
    """All six gradients of one step agree with torch, with gradients coming in through h and c."""
    compare_step(student, rng, size, rng.normal(size=size[::2]), rng.normal(size=size[::2]))


@pytest.mark.cell("lstm_step_backward")
@pytest.mark.parametrize("path", ["h", "c"])
def test_each_path_alone(student, rng, path):
    """A gradient that comes in through h alone, or through c alone, takes its own way back."""
    size = (2, 3, 4)
    dh, dc = rng.normal(size=(2, 4)), rng.normal(size=(2, 4))
    compare_step(student, rng, size, dh * (path == "h"), dc * (path == "c"))


def compare_step(student, rng, size, dh, dc):
    n, d, h = size
    x, state, c = rng.normal(size=(n, d)), rng.normal(size=(n, h)), 1.5 * rng.normal(size=(n, h))
    w = weights(rng, d, h)
    leaves, hs, c_next = torch_run(x[:, None], state, c, *w)
    ((hs[:, 0] * torch.tensor(dh)).sum() + (c_next * torch.tensor(dc)).sum()).backward()
    wanted = [leaf.grad.numpy() for leaf in leaves]
    wanted[0] = wanted[0][:, 0]
    cache = student.call("lstm_step_forward", x, state, c, *w).item(2)
    got = unpack(student.lstm_step_backward(dh, dc, cache), 6, "lstm_step_backward")
    for name, g, v in zip(STEP_GRADIENTS, got, wanted, strict=True):
        assert_close(g, v, rtol=1e-6, atol=1e-8, name=name)


@pytest.mark.cell("lstm_step_backward")
def test_step_backward_leaves_its_inputs_alone(student, rng):
    """dh and dc are the caller's and stay as they were."""
    x, h, c = rng.normal(size=(2, 3)), rng.normal(size=(2, 4)), rng.normal(size=(2, 4))
    cache = student.call("lstm_step_forward", x, h, c, *weights(rng, 3, 4)).item(2)
    dh, dc = rng.normal(size=(2, 4)), rng.normal(size=(2, 4))
    held = student.put(dh), student.put(dc)
    student.call("lstm_step_backward", *held, cache)
    for name, before, after in zip(("dh", "dc"), (dh, dc), held, strict=True):
        assert_close(after.get(), before, rtol=0, atol=0, name=f"the caller's {name} after the call")


@pytest.mark.cell("lstm_forward")
@pytest.mark.weight(2)
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_sequence_agrees_with_torch(student, rng, dims, steps):
    """All hidden states agree with torch's, from any h0 and from cell state 0."""
    n, d, h = dims(3)
    x, h0, w = rng.normal(size=(n, steps, d)), rng.normal(size=(n, h)), weights(rng, d, h)
    _, wanted, _ = torch_run(x, h0, np.zeros((n, h)), *w)
    got = as_array(student.call("lstm_forward", x, h0, *w)[0], "hs")
    if steps == 7 and n != steps and got.shape == (steps, n, h):
        raise Mismatch("hs has time along the first axis; examples go first, then time", got=got, suspect="time_first")
    assert_close(got, wanted.detach().numpy(), rtol=1e-6, name="hs")


@pytest.mark.cell("lstm_forward")
def test_sequence_leaves_its_inputs_alone(student, rng):
    """x and h0 are the caller's and stay as they were."""
    x, h0 = rng.normal(size=(2, 4, 3)), rng.normal(size=(2, 3))
    held = student.put(x), student.put(h0)
    student.call("lstm_forward", *held, *weights(rng, 3, 3))
    for name, before, after in zip(("x", "h0"), (x, h0), held, strict=True):
        assert_close(after.get(), before, rtol=0, atol=0, name=f"the caller's {name} after the call")


@pytest.mark.cell("lstm_backward")
@pytest.mark.weight(3)
@pytest.mark.parametrize("looks_at", ["all steps", "the last step", "one step"])
def test_gradients_through_time_agree_with_torch(student, rng, dims, looks_at):
    """All five gradients agree with torch's, for a loss that looks at all steps or at one only."""
    n, d, h = dims(3)
    steps = 1 if looks_at == "one step" else 6
    x, h0, w = rng.normal(size=(n, steps, d)), rng.normal(size=(n, h)), weights(rng, d, h)
    dhs = rng.normal(size=(n, steps, h))
    if looks_at == "the last step":
        dhs[:, :-1] = 0
    leaves, hs, _ = torch_run(x, h0, np.zeros((n, h)), *w)
    (hs * torch.tensor(dhs)).sum().backward()
    wanted = [leaves[k].grad.numpy() for k in (0, 1, 3, 4, 5)]
    cache = student.call("lstm_forward", x, h0, *w).item(1)
    got = unpack(student.lstm_backward(dhs, cache), 5, "lstm_backward")
    for name, g, v in zip(GRADIENTS, got, wanted, strict=True):
        assert_close(g, v, rtol=1e-6, atol=1e-8, name=name)


@pytest.mark.cell("lstm_backward")
def test_backward_through_time_leaves_dhs_alone(student, rng):
    """dhs is the caller's and stays as it was."""
    x, h0, dhs = rng.normal(size=(2, 4, 3)), rng.normal(size=(2, 3)), rng.normal(size=(2, 4, 3))
    cache = student.call("lstm_forward", x, h0, *weights(rng, 3, 3)).item(1)
    held = student.put(dhs)
    student.call("lstm_backward", held, cache)
    assert_close(held.get(), dhs, rtol=0, atol=0, name="the caller's dhs after the call")
