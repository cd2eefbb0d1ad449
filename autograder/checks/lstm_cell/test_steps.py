"""One step forwards: the plain cell, the LSTM and the GRU, against torch's cells."""

import numpy as np
import pytest
import torch

from autograder.compare import Mismatch, as_array, assert_close, assert_shape, unpack

SIZES = [(1, 1, 1), (3, 2, 4), (2, 5, 3)]  # sequences, inputs, hidden units


def lstm_inputs(rng, n, d, h):
    """Return x, h, c (with |c| > 1 among them) and the weights of one LSTM step."""
    c = rng.normal(size=(n, h))
    c.flat[0] = rng.choice([-1, 1]) * rng.uniform(1.5, 3)
    return (rng.normal(size=(n, d)), rng.normal(size=(n, h)), c, rng.normal(size=(d, 4 * h)),
            rng.normal(size=(h, 4 * h)), rng.normal(size=4 * h))  # fmt: skip


def torch_step(x, h, c, wx, wh, b):
    """Return torch's h and c after one step."""
    cell = torch.nn.LSTMCell(wx.shape[0], wh.shape[0]).double()
    with torch.no_grad():
        for parameter, value in zip(cell.parameters(), (wx.T, wh.T, b, 0 * b), strict=True):
            parameter.copy_(torch.from_numpy(value))
        return [t.numpy() for t in cell(torch.from_numpy(x), (torch.from_numpy(h), torch.from_numpy(c)))]


@pytest.mark.cell("rnn_step_forward")
@pytest.mark.parametrize("size", SIZES)
def test_plain_step_agrees_with_torch(student, rng, size):
    """The plain recurrent step agrees with torch.nn.RNNCell."""
    n, d, h = size
    x, state, wx = rng.normal(size=(n, d)), rng.normal(size=(n, h)), rng.normal(size=(d, h))
    wh, b = rng.normal(size=(h, h)), rng.normal(size=h)
    cell = torch.nn.RNNCell(d, h).double()
    with torch.no_grad():
        for parameter, value in zip(cell.parameters(), (wx.T, wh.T, b, 0 * b), strict=True):
            parameter.copy_(torch.from_numpy(value))
        wanted = cell(torch.from_numpy(x), torch.from_numpy(state)).numpy()
    assert_close(student.rnn_step_forward(x, state, wx, wh, b), wanted, rtol=1e-6, name="the new state")


@pytest.mark.cell("lstm_step_forward")
@pytest.mark.weight(3)
@pytest.mark.parametrize("size", SIZES)
def test_lstm_step_agrees_with_torch(student, rng, size):
    """h_next and c_next agree with torch.nn.LSTMCell."""
    inputs = lstm_inputs(rng, *size)
    h, c = torch_step(*inputs)
    got_h, got_c, _ = parts(student.call("lstm_step_forward", *inputs))
    if size[2] > 1 and got_h.shape == c.shape and np.allclose(got_h, c) and np.allclose(got_c, h):
        raise Mismatch("the two states come in the other order; return h_next first", suspect="c_before_h")
    assert_close(got_c, c, rtol=1e-6, name="c_next")
    assert_close(got_h, h, rtol=1e-6, name="h_next")


def parts(result):
    """Return h_next, c_next as arrays and a handle on the cache."""
    h, c = (as_array(result[k], name) for k, name in enumerate(("h_next", "c_next")))
    return h, c, result.item(2)


@pytest.mark.cell("lstm_step_forward")
@pytest.mark.weight(2)
def test_each_gate_alone(student, rng):
    """Each gate forced open or shut does to the cell what its formula says."""
    n, d, h = 2, 3, 4
    x, state, c, wx, wh, _ = lstm_inputs(rng, n, d, h)
    free = rng.normal(size=(4, h))
    for name, forced in {"kept": (-60, 60, 0, 0), "forgotten": (0, -60, 0, 0), "written whole": (60, -60, 0, 0),
                         "not shown": (0, 0, 0, -60), "shown whole": (0, 60, 0, 60)}.items():  # fmt: skip
        b = (free * (np.array(forced) == 0)[:, None] + np.array(forced)[:, None]).reshape(-1)
        wanted_h, wanted_c = torch_step(x, state, c, 0.3 * wx, 0.3 * wh, b)
        got_h, got_c, _ = parts(student.call("lstm_step_forward", x, state, c, 0.3 * wx, 0.3 * wh, b))
        assert_close(got_c, wanted_c, rtol=1e-6, name=f"c_next with the cell {name}")
        assert_close(got_h, wanted_h, rtol=1e-6, name=f"h_next with the cell {name}")


@pytest.mark.cell("lstm_step_forward")
def test_lstm_step_leaves_the_states_alone(student, rng):
    """x, h and c are the caller's and stay as they were."""
    inputs = lstm_inputs(rng, 2, 3, 4)
    held = [student.put(a) for a in inputs]
    student.call("lstm_step_forward", *held)
    for name, before, after in zip(("x", "h", "c"), inputs, held, strict=False):
        assert_close(after.get(), before, rtol=0, atol=0, name=f"the caller's {name} after the call")


@pytest.mark.cell("gru_step_forward")
@pytest.mark.weight(2)
@pytest.mark.parametrize("size", SIZES)
def test_gru_step_agrees_with_torch(student, rng, size):
    """The GRU step agrees with torch.nn.GRUCell."""
    inputs = gru_inputs(rng, *size)
    assert_close(student.gru_step_forward(*inputs), torch_gru(*inputs), rtol=1e-6, name="the new state")


@pytest.mark.cell("gru_step_forward")
def test_gru_gates_alone(student, rng):
    """An update gate of 1 keeps the state, of 0 takes the candidate; a reset gate of 0 hides the state from it."""
    x, state, wx, wh, bx, bh = gru_inputs(rng, 2, 3, 4)
    for name, forced in {"all kept": (0, 60, 0), "all new": (0, -60, 0), "all reset": (-60, -60, 0),
                         "nothing reset": (60, -60, 0)}.items():  # fmt: skip
        b = bx + np.repeat(np.array(forced, dtype=float), 4)
        wanted = torch_gru(x, state, 0.3 * wx, 0.3 * wh, b, bh)
        got = student.gru_step_forward(x, state, 0.3 * wx, 0.3 * wh, b, bh)
        assert_close(got, wanted, rtol=1e-6, name=f"the new state with {name}")


def gru_inputs(rng, n, d, h):
    return (rng.normal(size=(n, d)), 1.5 * rng.normal(size=(n, h)), rng.normal(size=(d, 3 * h)),
            rng.normal(size=(h, 3 * h)), rng.normal(size=3 * h), rng.normal(size=3 * h))  # fmt: skip


def torch_gru(x, h, wx, wh, bx, bh):
    cell = torch.nn.GRUCell(wx.shape[0], wh.shape[0]).double()
    with torch.no_grad():
        for parameter, value in zip(cell.parameters(), (wx.T, wh.T, bx, bh), strict=True):
            parameter.copy_(torch.from_numpy(value))
        return cell(torch.from_numpy(x), torch.from_numpy(h)).numpy()


@pytest.mark.cell("clip_grads")
@pytest.mark.weight(2)
def test_long_gradients_are_shortened(student, rng):
    """Gradients that are too long keep their direction and get the norm max_norm, all together."""
    grads = {"Wx": rng.normal(size=(3, 8)), "b": 3 * rng.normal(size=8), "w": rng.normal(size=(2, 1, 4))}
    norm = np.sqrt(sum(np.sum(g**2) for g in grads.values()))
    limit = float(norm * rng.uniform(0.1, 0.6))
    clipped, got = unpack(student.clip_grads(grads, limit), 2, "clip_grads")
    assert_close(assert_shape(got, (), name="norm"), norm, rtol=1e-5, name="norm")
    for name, g in grads.items():
        assert_close(named(clipped, name), g * limit / norm, rtol=1e-5, name=f"the clipped gradient of {name}")


def named(clipped, name):
    if type(clipped) is not dict or name not in clipped:
        raise Mismatch("the clipped gradients should be a dict with the names of grads", got=clipped)
    return clipped[name]


@pytest.mark.cell("clip_grads")
def test_short_gradients_stay(student, rng):
    """Gradients with a norm of at most max_norm come back as they are; zeros too."""
    grads = {"a": rng.normal(size=(2, 3)), "b": rng.normal(size=4)}
    norm = float(np.sqrt(sum(np.sum(g**2) for g in grads.values())))
    for factor in (1.001, 3.0, 100.0):
        clipped, got = unpack(student.clip_grads(grads, factor * norm), 2, "clip_grads")
        for name, g in grads.items():
            assert_close(named(clipped, name), g, rtol=1e-6, name=f"the gradient of {name}, which is short enough")
        assert_close(got, norm, rtol=1e-5, name="norm")
    clipped, got = unpack(student.clip_grads({"a": np.zeros(3)}, 1.0), 2, "clip_grads")
    assert_close(named(clipped, "a"), np.zeros(3), name="a gradient of zeros", suspect="divides_by_zero")
    assert_close(got, 0.0, name="the norm of zeros")


@pytest.mark.cell("clip_grads")
def test_clipping_leaves_the_gradients_alone(student, rng):
    """The arrays and the dict that were passed in stay as they were."""
    a = 5 * rng.normal(size=(2, 3))
    held = student.put({"a": a})
    student.call("clip_grads", held, 0.5)
    assert_close(held["a"], a, rtol=0, atol=0, name="the caller's gradient after the call")
