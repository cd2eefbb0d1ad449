"""LeNet-5 and its feature maps, against the table of the text computed in float64 from the student's own weights."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from autograder.compare import Mismatch, as_array, assert_close, assert_shape, require, unpack

LAYERS = {"conv1": (6, 1, 5, 5), "conv2": (16, 6, 5, 5), "fc1": (120, 400), "fc2": (84, 120), "fc3": (10, 84)}
NORMS = {"bn1": 6, "bn2": 16, "bn3": 120, "bn4": 84}


def network(student, rng, **options):
    """Return a Handle on the student's LeNet5, started from a seed that the grader knows."""
    student.handle("torch").keep("manual_seed", int(rng.integers(2**31)))
    return student.call("LeNet5", **options)


def layout(student, model, batchnorm):
    """Return {layer of the table: prefix of its names}, found by the shapes of the weights, whatever their names."""
    shapes = {name: np.shape(as_array(v)) for name, v in student.state_of(model).items()}
    found = {}
    for layer, shape in LAYERS.items():
        found[layer] = [n.removesuffix("weight") for n, s in shapes.items() if s == shape and n.endswith("weight")]
    for layer, size in NORMS.items() if batchnorm else ():
        found[layer] = [
            n.removesuffix("running_var") for n, s in shapes.items() if n.endswith("running_var") and s == (size,)
        ]
    for layer, prefixes in found.items():
        wanted = LAYERS.get(layer) or f"({NORMS[layer]},)"
        require(len(prefixes) == 1, f"there should be one layer with values of shape {wanted}, not {len(prefixes)}")
    names = {p + part for (layer, (p,)) in found.items() for part in parts(layer)}
    extra = [n for n in shapes if n not in names and not n.endswith("num_batches_tracked")]
    require(not extra and names <= shapes.keys(), "the network should have the layers of the table and no others, "
            "with biases", got=len(shapes), expected=len(names))  # fmt: skip
    return {layer: prefixes[0] for layer, prefixes in found.items()}


def parts(layer):
    return ("weight", "bias", "running_mean", "running_var") if layer in NORMS else ("weight", "bias")


def fill(model, where, values):
    """Load {"conv1": {"weight": array, ...}, ...} into a student's model."""
    state = {where[layer] + part: torch.tensor(v, dtype=torch.float32) for layer, held in values.items() for part, v in held.items()}  # fmt: skip
    state |= {where[layer] + "num_batches_tracked": torch.tensor(3) for layer in values if layer in NORMS}
    model.keep("load_state_dict", state)


def draw(rng, batchnorm):
    """Draw weights with which every layer, bias and normalisation matters."""
    values = {}
    for layer, shape in LAYERS.items():
        fan_in = int(np.prod(shape[1:]))
        values[layer] = {
            "weight": rng.normal(size=shape) * np.sqrt(2 / fan_in),
            "bias": rng.normal(size=shape[0]) * 0.3,
        }
    for layer, size in NORMS.items() if batchnorm else ():
        values[layer] = {"weight": rng.uniform(0.5, 1.5, size), "bias": rng.normal(size=size) * 0.5,
                         "running_mean": rng.normal(size=size) * 0.5, "running_var": rng.uniform(0.3, 2, size)}  # fmt: skip
    return values


def expected(values, x, training=False):
    """Return logits, feature maps and the buffers afterwards, by the table, in float64."""
    w = {
        layer: {part: torch.tensor(v, dtype=torch.float64) for part, v in held.items()}
        for layer, held in values.items()
    }

    def norm(layer, h):
        if layer not in w:
            return h
        p = w[layer]
        return F.batch_norm(h, p["running_mean"], p["running_var"], p["weight"], p["bias"], training, 0.1, 1e-5)

    h, maps = torch.tensor(x, dtype=torch.float64), []
    for k, padding in ((1, 2), (2, 0)):
        h = F.conv2d(h, w[f"conv{k}"]["weight"], w[f"conv{k}"]["bias"], padding=padding)
        maps.append(h.numpy())
        h = F.max_pool2d(F.relu(norm(f"bn{k}", h)), 2)
    h = h.reshape(len(x), 400)
    for k in (1, 2):
        h = F.relu(norm(f"bn{k + 2}", F.linear(h, w[f"fc{k}"]["weight"], w[f"fc{k}"]["bias"])))
    logits = F.linear(h, w["fc3"]["weight"], w["fc3"]["bias"])
    buffers = {
        layer: {p: w[layer][p].numpy() for p in ("running_mean", "running_var")} for layer in w if layer in NORMS
    }
    return logits.numpy(), maps, buffers


def inputs(rng, n):
    return rng.normal(size=(n, 1, 28, 28)).astype(np.float32)


def assert_logits(got, wanted):
    assert_close(got, wanted, rtol=1e-3, atol=1e-3, name="the logits")


@pytest.mark.cell("LeNet5")
@pytest.mark.weight(2)
@pytest.mark.parametrize("batchnorm", [False, True], ids=["plain", "batch norm"])
@pytest.mark.parametrize("n", [1, 4])
def test_logits_in_evaluation(student, rng, batchnorm, n):
    """In evaluation mode the logits are those of the table, for given weights, with dropout or without."""
    model = network(student, rng, dropout=0.4, batchnorm=batchnorm)
    values, x = draw(rng, batchnorm), inputs(rng, n)
    fill(model, layout(student, model, batchnorm), values)
    model.keep("eval")
    assert_logits(model(torch.tensor(x)), expected(values, x)[0])


@pytest.mark.cell("LeNet5")
@pytest.mark.weight(2)
@pytest.mark.parametrize("batchnorm", [False, True], ids=["plain", "batch norm"])
def test_logits_in_training(student, rng, batchnorm):
    """In training mode, without dropout, the logits are those of the table, by the statistics of the batch."""
    model = network(student, rng, batchnorm=batchnorm)
    values, x = draw(rng, batchnorm), inputs(rng, 6)
    fill(model, layout(student, model, batchnorm), values)
    model.keep("train")
    assert_logits(model(torch.tensor(x)), expected(values, x, training=True)[0])


@pytest.mark.cell("LeNet5")
def test_running_values_move_in_training_only(student, rng):
    """Batch norm's running values take a tenth of the batch's in training, and stay in evaluation."""
    model = network(student, rng, dropout=0.2, batchnorm=True)
    where, values, x = layout(student, model, True), draw(rng, True), inputs(rng, 5)
    fill(model, where, values)
    wanted = {"eval": expected(values, x)[2], "train": expected(values, x, training=True)[2]}
    for mode in ("eval", "train"):
        model.keep(mode)
        model.keep("__call__", torch.tensor(x))
        state = student.state_of(model)
        for layer in ("bn1", "bn2", "bn3"):  # the fourth comes after a dropout
            for part, v in wanted[mode][layer].items():
                assert_close(state[where[layer] + part], v, rtol=1e-3, atol=1e-4,
                             name=f"{part} of a batch norm after a pass in {mode} mode")  # fmt: skip


def one_lane():
    """Weights with which a picture of ones reaches every hidden unit, and each logit, as 1."""
    values = {layer: {"weight": np.zeros(shape), "bias": np.zeros(shape[0])} for layer, shape in LAYERS.items()}
    for layer in ("conv1", "conv2"):
        values[layer]["weight"][:, 0, 2, 2] = 1
    for layer in ("fc1", "fc2", "fc3"):
        rows = np.arange(len(values[layer]["weight"]))
        values[layer]["weight"][rows, rows] = 1
    return values


@pytest.mark.cell("LeNet5")
@pytest.mark.weight(2)
@pytest.mark.parametrize("p", [0.15, 0.6])
def test_where_dropout_strikes(student, rng, p):
    """Dropout acts twice, after the hidden linear layers, with probability p, and divides by 1 - p (6 sigma)."""
    model, n = network(student, rng, dropout=p), 60
    fill(model, layout(student, model, False), one_lane())
    model.keep("train")
    got = assert_shape(model(torch.ones(n, 1, 28, 28)), (n, 10), name="the logits").astype(float)
    once, kept = 1 / (1 - p), got[got != 0]
    require(kept.size > 0, "dropout sets everything to zero")
    sizes = {2: "", 0: "nothing is dropped in training, or nothing divided by 1 - p", 1: "dropout acts once; there are two "
             "places for it", 3: "dropout acts more than twice"}  # fmt: skip
    for times, message in sizes.items():
        if np.allclose(kept, once**times, rtol=1e-3):
            require(times == 2, message, got=float(kept[0]), expected=once**2)
            break
    else:
        raise Mismatch("the values that dropout keeps should be divided by 1 - p, twice, and all alike", got=float(kept[0]),
                       expected=once**2)  # fmt: skip
    q = (1 - p) ** 2
    require(abs(np.mean(got != 0) - q) < 6 * np.sqrt(q * (1 - q) / got.size), "dropout keeps another share than 1 - p",
            got=float(np.mean(got != 0)), expected=q)  # fmt: skip


@pytest.mark.cell("LeNet5")
def test_dropout_draws_anew(student, rng):
    """Two training passes differ, two evaluation passes do not; with dropout 0 or 1 nothing is left to chance."""
    x = torch.tensor(inputs(rng, 3))
    for p in (0.5, 0.0, 1.0):
        model = network(student, rng, dropout=p)
        for mode in ("train", "eval"):
            model.keep(mode)
            first, second = (as_array(model(x), "the logits") for _ in range(2))
            same = np.array_equal(first, second)
            require(np.isfinite(first).all(), f"with dropout={p} the logits are not finite", suspect="nan_at_one")
            if p == 0.5 and mode == "train":
                require(not same, "two training passes with dropout gave the same logits")
            else:
                require(same, f"two passes in {mode} mode with dropout={p} differ")


@pytest.mark.cell("LeNet5")
def test_gradients_reach_every_weight(student, rng):
    """A backward pass gives the gradients of the table's network."""
    model, x = network(student, rng), inputs(rng, 3)
    where, values, up = layout(student, model, False), draw(rng, False), rng.normal(size=(3, 10)).astype(np.float32)
    fill(model, where, values)
    model.keep("__call__", torch.tensor(x)).backward(torch.tensor(up))
    optimizer = student.handle("torch").handle("optim").keep("SGD", model.keep("parameters"), lr=1.0)
    optimizer.keep("step")  # moves each weight by minus its gradient
    after = student.state_of(model)
    for (layer, part), gradient in gradients(values, x, up).items():
        moved = values[layer][part].astype(np.float32) - as_array(after[where[layer] + part])
        error = np.linalg.norm(moved - gradient) / np.linalg.norm(gradient)  # as a whole: a kink nearby may flip a few
        require(
            error < 0.05, f"the gradient of the {part} of shape {gradient.shape} is wrong", got=moved, expected=gradient
        )


def gradients(values, x, up):
    """Return {(layer, part): gradient}, by torch, in float64."""
    leaves = {(a, b): torch.tensor(v, dtype=torch.float64, requires_grad=True) for a, held in values.items() for b, v in held.items()}  # fmt: skip
    w = lambda layer: (leaves[layer, "weight"], leaves[layer, "bias"])  # noqa: E731
    h = torch.tensor(x, dtype=torch.float64)
    h = F.max_pool2d(F.relu(F.conv2d(h, *w("conv1"), padding=2)), 2)
    h = F.max_pool2d(F.relu(F.conv2d(h, *w("conv2"))), 2).flatten(1)
    h = F.linear(F.relu(F.linear(F.relu(F.linear(h, *w("fc1"))), *w("fc2"))), *w("fc3"))
    h.backward(torch.tensor(up, dtype=torch.float64))
    return {key: leaf.grad.numpy() for key, leaf in leaves.items()}


@pytest.mark.cell("feature_maps")
@pytest.mark.weight(2)
@pytest.mark.parametrize("batchnorm", [False, True], ids=["plain", "batch norm"])
def test_maps_are_the_convolutions_outputs(student, rng, batchnorm):
    """The maps are what the two convolutions put out, in evaluation mode, without gradients."""
    model = network(student, rng, dropout=0.3, batchnorm=batchnorm)
    values, x = draw(rng, batchnorm), inputs(rng, 2)
    fill(model, layout(student, model, batchnorm), values)
    model.keep("train")
    held = student.call("feature_maps", model, torch.tensor(x))
    maps = unpack(held.get(), 2, "feature_maps")
    for k, (got, wanted) in enumerate(zip(maps, expected(values, x)[1], strict=True)):
        assert_close(got, wanted, rtol=1e-3, atol=1e-3, name=f"the maps of convolution {k + 1}")
    for k in range(2):
        tracked = held.item(k).attribute("requires_grad")
        require(tracked is False, "a feature map still tracks gradients", suspect="maps_with_gradients")


@pytest.mark.cell("feature_maps")
def test_looking_leaves_no_trace(student, rng):
    """Asked twice, the maps come again and are two; running values stay, and no hook is left behind."""
    model, x = network(student, rng, batchnorm=True), torch.tensor(inputs(rng, 4))
    before = student.state_of(model)
    held = student.call("feature_maps", model, x)
    first, second = unpack(held.get(), 2, "feature_maps"), unpack(student.feature_maps(model, x), 2, "feature_maps")
    for a, b in zip(first, second, strict=True):
        assert_close(b, as_array(a), rtol=1e-4, atol=1e-5, name="the maps when asked again")
    for name, values in student.state_of(model).items():
        assert_close(values, as_array(before[name]), name="what the network holds after looking at its maps")
    require(
        len(held.get()) == 2, "the first list grew when the network ran again: a hook stays on it", suspect="hooks_stay"
    )
