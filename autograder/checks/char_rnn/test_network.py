"""The stacked LSTM, through what it answers (never through how it is built); padding and the masked loss."""

import numpy as np
import pytest
import torch

from autograder.compare import Mismatch, as_array, assert_close, assert_shape, require, scalar, unpack


def tensor(array, *, grad=False):
    return torch.tensor(np.asarray(array), requires_grad=grad)


class Network:
    """A CharLSTM in the student's process, in evaluation mode, its parameters drawn from ``rng``.

    Attributes:
        model: its Handle.
        count: its number of parameters.
    """

    def __init__(self, student, rng, V, E, H, layers, p=0.0):
        self.torch, self.V = student.handle("torch"), V
        self.torch.keep("manual_seed", int(rng.integers(2**31)))
        self.model = student.call("CharLSTM", V, E, H, layers, p)
        utils = self.torch.handle("nn").handle("utils")
        self.count = as_array(utils.parameters_to_vector(self.model.keep("parameters")), "the parameters").size
        values = tensor(rng.normal(0, 0.7, self.count).astype(np.float32))
        utils.keep("vector_to_parameters", values, self.model.keep("parameters"))
        self.model.keep("eval")

    def __call__(self, ids, state=None):
        """Return logits, h and c as arrays."""
        logits, after = unpack(self.model(tensor(ids), state), 2, "the model")
        h, c = unpack(after, 2, "the state")
        logits = assert_shape(logits, (*np.shape(ids), self.V), name="the logits")
        return logits, as_array(h, "h"), as_array(c, "c")


@pytest.mark.cell("CharLSTM")
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_shapes_and_parameters(student, rng, dims, layers):
    """Logits and states have their shapes, and an embedding, LSTMs and one linear layer hold all parameters."""
    V, E, H, B, T = dims(5)
    network = Network(student, rng, V, E, H, layers)
    _, h, c = network(rng.integers(0, V, (B, T)))
    assert_shape(h, (layers, B, H), name="h")
    assert_shape(c, (layers, B, H), name="c")
    lstm = 4 * (E * H + H * H + 2 * H) + (layers - 1) * 4 * (2 * H * H + 2 * H)
    wanted = V * E + lstm + H * V + V
    require(network.count == wanted, f"there should be {wanted} parameters for V = {V}, E = {E}, H = {H} and {layers} "
            f"layers, not {network.count}", got=network.count, expected=wanted)  # fmt: skip


@pytest.mark.cell("CharLSTM")
@pytest.mark.weight(2)
def test_pieces_with_the_state_equal_one_run(student, rng, dims):
    """Reading in pieces with the state carried gives the logits of one long run; no state means zeros."""
    V, E, H, B = dims(4)
    network, ids = Network(student, rng, V, E, H, 2), rng.integers(0, V, (B, 9))
    whole, h, c = network(ids)
    state, parts = None, []
    for piece in np.split(ids, [2, 3, 7], axis=1):
        logits, *state = network(piece, None if state is None else tuple(map(tensor, state)))
        parts.append(logits)
    assert_close(np.concatenate(parts, axis=1), whole, rtol=1e-4, atol=1e-5, name="the logits of the pieces")
    assert_close(np.stack(state), np.stack([h, c]), rtol=1e-4, atol=1e-5, name="the state after the pieces")
    zeros = torch.zeros(2, B, H)
    assert_close(network(ids, (zeros, zeros))[0], whole, rtol=1e-4, atol=1e-5, name="the logits from a state of zeros")


@pytest.mark.cell("CharLSTM")
def test_only_the_past_of_the_own_row_counts(student, rng, dims):
    """Logits depend on earlier characters of the same row, and on nothing else."""
    V, E, H = dims(3, low=4)
    network, ids = Network(student, rng, V, E, H, 2), rng.integers(0, V, (4, 6))
    before, _, _ = network(ids)
    later = ids.copy()
    later[1, 3] = (later[1, 3] + 1) % V
    after, _, _ = network(later)
    untouched = np.ones((4, 6), dtype=bool)
    untouched[1, 3:] = False
    assert_close(after[untouched], before[untouched], rtol=1e-4, atol=1e-5, name="the logits of other rows, and of "
                 "places before a changed character")  # fmt: skip
    moved = np.abs(after - before)[1, 3:5].max(axis=1)
    require(
        bool(np.all(moved > 1e-5)), "a changed character should change the logits at its place and the next", got=moved
    )


@pytest.mark.cell("CharLSTM")
def test_output_is_linear_in_the_last_state(student, rng, dims):
    """The logits are a linear layer's answer to the top layer's state, up to a shift that softmax forgets."""
    V, E, H = dims(3)
    network, B = Network(student, rng, V, E, H, 2), 6 * H
    state = tuple(tensor(rng.normal(size=(2, B, H)).astype(np.float32)) for _ in range(2))
    logits, h, c = network(rng.integers(0, V, (B, 1)), state)
    assert_shape(h, (2, B, H), name="h")
    assert_shape(c, (2, B, H), name="c")
    require(bool(np.all(np.abs(h) <= np.tanh(np.abs(c)) + 1e-5)), "this is not the state of an LSTM: h is an output gate times "
            "tanh(c)", got=h)  # fmt: skip
    top = np.column_stack([h[1], np.ones(B)]).astype(np.float64)
    centred = (logits[:, 0] - logits[:, 0].mean(axis=1, keepdims=True)).astype(np.float64)
    require(np.ptp(centred) > 0.1, "the logits hardly depend on the state", got=centred)
    fit = top @ np.linalg.lstsq(top, centred, rcond=None)[0]
    require(np.max(np.abs(fit - centred)) < 1e-3 * np.ptp(centred), "the logits are not the linear layer's answer to the "
            "state of the top layer", got=centred, expected=fit)  # fmt: skip


@pytest.mark.cell("CharLSTM")
def test_gradients_reach_every_parameter(student, rng, dims):
    """Each parameter gets a gradient that is not all zeros."""
    V, E, H = dims(3)
    network = Network(student, rng, V, E, H, 3, 0.2)
    network.model.keep("train")
    logits = network.model.keep("__call__", tensor(rng.integers(0, V, (5, 4)))).item(0)
    loss = logits.keep("square").keep("sum")
    gradients = network.torch.handle("autograd").grad(loss, network.model.keep("parameters"), allow_unused=True)
    for gradient in gradients:
        require(
            gradient is not None and bool(np.any(as_array(gradient))),
            "some parameters get no gradient; is each layer used?",
        )


@pytest.mark.cell("CharLSTM")
@pytest.mark.weight(2)
def test_where_dropout_acts(student, rng):
    """Training mode changes what goes upwards (second layer, logits), and leaves the first layer's state alone."""
    V, H, ids = 5, 6, rng.integers(0, 5, (4, 7))
    network = Network(student, rng, V, 3, H, 2, 0.5)
    still, h, _ = network(ids)
    assert_close(network(ids)[0], still, rtol=1e-5, atol=1e-6, name="the logits in evaluation mode, once more",
                 suspect="always_drops")  # fmt: skip
    network.model.keep("train")
    _, h1, _ = network(ids)
    assert_close(h1[0], h[0], rtol=1e-4, atol=1e-5, name="the first layer's state in training mode, which dropout "
                 "does not reach,")  # fmt: skip
    require(
        np.max(np.abs(h1[1] - h[1])) > 1e-4, "dropout does not act between the layers", suspect="no_dropout_between"
    )
    single = Network(student, rng, V, 3, H, 1, 0.5)
    before, h, _ = single(ids)
    single.model.keep("train")
    after, h1, _ = single(ids)
    assert_close(
        h1, h, rtol=1e-4, atol=1e-5, name="the only layer's state in training mode, which dropout does not reach,"
    )
    require(
        np.max(np.abs(after - before)) > 1e-4,
        "dropout does not act before the output",
        suspect="no_dropout_before_output",
    )
    none = Network(student, rng, V, 3, H, 2, 0.0)
    before, _, _ = none(ids)
    none.model.keep("train")
    assert_close(none(ids)[0], before, rtol=1e-4, atol=1e-5, name="with p = 0, the logits in training mode")


@pytest.mark.cell("CharLSTM")
@pytest.mark.parametrize("p", [0.2, 0.7])
def test_dropout_drops_its_share(student, rng, p):
    """Of 2,000 numbers before the output, a share p is 0 and the rest is divided by 1 - p (error rate 1e-6)."""
    network, ids = Network(student, rng, 3, 2, 1, 1, p), np.zeros((2000, 1), dtype=np.int64)
    cell = np.repeat([1e3, -1e3], 1000).astype(np.float32)  # so the unit is positive in one half, negative in the other
    state = torch.zeros(1, 2000, 1), tensor(cell[None, :, None])
    still = network(ids, state)[0][:, 0]
    network.model.keep("train")
    found = network(ids, state)[0][:, 0]
    widest = np.argmax(np.ptp(found, axis=0))
    still, found = still[:, widest].astype(float), found[:, widest].astype(float)
    near = 1e-2 * np.ptp(found)
    dropped = (found > found.min() + near) & (found < found.max() - near)  # the bias alone, between the two halves
    share, margin = dropped.mean(), 5 * np.sqrt(p * (1 - p) / 2000)
    require(abs(share - p) < margin, f"dropout sets a share of {share:.2f} to 0, not {p}", got=share, expected=p)
    bias = found[dropped].mean()
    require(np.ptp(found[dropped]) < near, "what dropout drops should be 0", got=np.unique(found[dropped]))
    assert_close((found[~dropped] - bias) * (1 - p), still[~dropped] - bias, rtol=1e-2, atol=near,
                 name="what dropout leaves, divided by 1 - p,")  # fmt: skip


def draw_names(rng, count, V, longest=7):
    """Return ``count`` lists of ids below V, of lengths that differ (if count > 1)."""
    while True:
        names = [rng.integers(0, V, rng.integers(1, longest + 1)) for _ in range(count)]
        if count == 1 or len({len(name) for name in names}) > 1:
            return names


@pytest.mark.cell("masked_ce")
def test_names_become_rows(student, rng, dims):
    """Each name is a row, in its order, filled up on the right with the pad."""
    count, V = dims(2, low=3)
    for names in (draw_names(rng, count, V), draw_names(rng, 1, V), [np.array([1, 2]), np.array([2, 0])]):
        for pad in (V, -1, 1000):
            got = as_array(student.names_to_matrix([tensor(name) for name in names], pad), "the matrix")
            wanted = np.full((len(names), max(map(len, names))), pad)
            for row, name in zip(wanted, names):
                row[: len(name)] = name
            assert_close(got, wanted, rtol=0, atol=0, name="the matrix")
            require(got.dtype == np.int64, f"the matrix should be int64, not {got.dtype}", got=got)


def padded_problem(rng, count, V, pad, columns):
    """Return logits (N, T, columns), targets (N, T), the places that count, and loss and gradient by definition."""
    names = draw_names(rng, count, V)
    targets = np.full((count, max(map(len, names))), pad)
    for row, name in zip(targets, names):
        row[: len(name)] = name
    real = np.arange(targets.shape[1]) < np.array([[len(name)] for name in names])
    logits = rng.normal(0, 2, (*targets.shape, columns))
    return logits, targets, real, *masked_loss(logits, targets, real)


def masked_loss(logits, targets, real):
    """Return the mean surprise at the real places, by loops, and its gradient."""
    total, gradient = 0.0, np.zeros_like(logits)
    for place in np.argwhere(real):
        z = logits[tuple(place)]
        p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
        total -= np.log(p[targets[tuple(place)]])
        gradient[tuple(place)] = p - np.eye(len(z))[targets[tuple(place)]]
    return total / real.sum(), gradient / real.sum()


@pytest.mark.cell("masked_ce")
@pytest.mark.weight(2)
@pytest.mark.parametrize("where", ["one more id", "outside", "negative"])
def test_mean_over_real_targets(student, rng, dims, where):
    """The loss is the mean surprise of the targets that are no pads, each of the same weight."""
    count, V = dims(2, low=3)
    pad, columns = {"one more id": (V, V + 1), "outside": (V + 7, V), "negative": (-100, V)}[where]
    logits, targets, _, loss, _ = padded_problem(rng, count, V, pad, columns)
    got = student.masked_ce(tensor(logits), tensor(targets), pad)
    assert_close(scalar(got, "the masked loss"), loss, rtol=1e-5, name="the masked loss")


@pytest.mark.cell("masked_ce")
def test_pads_change_nothing(student, rng, dims):
    """Neither the logits at padded places nor more padding changes the loss."""
    count, V = dims(2, low=3)
    logits, targets, real, loss, _ = padded_problem(rng, count, V, V, V + 1)
    logits[~real] = rng.normal(0, 50, logits[~real].shape)
    got = student.masked_ce(tensor(logits), tensor(targets), V)
    assert_close(scalar(got), loss, rtol=1e-5, name="the loss with other logits at padded places")
    wide = np.concatenate([logits, rng.normal(0, 50, (count, 3, V + 1))], axis=1)
    more = np.concatenate([targets, np.full((count, 3), V)], axis=1)
    got = student.masked_ce(tensor(wide), tensor(more), V)
    assert_close(scalar(got), loss, rtol=1e-5, name="the loss with three more padded columns")


@pytest.mark.cell("masked_ce")
def test_gradient_of_the_masked_loss(student, rng, dims):
    """The gradient is right at real places and exactly 0 at padded ones."""
    count, V = dims(2, low=3)
    logits, targets, real, _, gradient = padded_problem(rng, count, V, V, V + 1)
    held = student.put(tensor(logits, grad=True))
    student.call("masked_ce", held, tensor(targets), V).backward()
    found = held.attribute("grad")
    if found is None:
        raise Mismatch("no gradient reaches the logits", expected=gradient)
    got = assert_shape(found, gradient.shape, name="the gradient of the logits")
    require(bool(np.all(got[~real] == 0)), "the gradient is not 0 where the target is a pad", got=got)
    assert_close(got, gradient, rtol=1e-4, atol=1e-6, name="the gradient of the logits")
