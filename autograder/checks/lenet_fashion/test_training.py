"""The optimizer, one epoch, and the evaluation, on small models of torch's own layers."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from autograder.compare import Mismatch, as_array, assert_close, require, scalar, unpack


def tensor(array, dtype=torch.float32):
    return torch.tensor(np.asarray(array), dtype=dtype)


def classes(rng, n, c):
    """Draw n labels among c, with each of the first ones present."""
    return np.append(np.arange(min(n, c)), rng.integers(c, size=max(n - c, 0)))


def linear(student, weight, bias=None):
    """Return a Handle on a linear layer with given weights (C, D)."""
    c, d = weight.shape
    model = student.handle("nn").keep("Linear", d, c, bias=bias is not None)
    model.keep("load_state_dict", {"weight": tensor(weight)} | ({} if bias is None else {"bias": tensor(bias)}))
    return model


def sgd(student, model, lr):
    return student.handle("torch").handle("optim").keep("SGD", model.keep("parameters"), lr=lr)


def generator(student, seed):
    return student.handle("torch").keep("Generator").keep("manual_seed", int(seed))


def cross_entropies(logits, y):
    return F.cross_entropy(tensor(logits, torch.float64), tensor(y, torch.int64), reduction="none").numpy()


# The optimizer ---------------------------------------------------------------------------------------


def mixed(student, rng, dims):
    """Return a Handle on a model with every kind of layer, input shape, and its state, none of it 0."""
    n, c, k = dims(3, low=3)
    student.handle("torch").keep("manual_seed", int(rng.integers(2**31)))
    nn = student.handle("nn")
    model = nn.keep("Sequential", nn.keep("Conv2d", 1, c, 3), nn.keep("BatchNorm2d", c), nn.keep("Flatten"),
                    nn.keep("Linear", 4 * c, k), nn.keep("BatchNorm1d", k), nn.keep("Linear", k, 2))  # fmt: skip
    state = {name: as_array(v) for name, v in student.state_of(model).items()}
    for name, v in state.items():
        if v.ndim and "running" not in name:
            state[name] = (rng.uniform(0.5, 2, v.shape) * rng.choice([-1, 1], v.shape)).astype(np.float32)
    model.keep("load_state_dict", {name: torch.tensor(v) for name, v in state.items()})
    return model, (n, 1, 4, 4), {name: v for name, v in state.items() if v.ndim and "running" not in name}


def moved(student, model, before):
    after = student.state_of(model)
    return {name: as_array(after[name]) / v for name, v in before.items()}


@pytest.mark.cell("make_optimizer")
@pytest.mark.weight(2)
@pytest.mark.parametrize("decay", [0.0, 0.3, 4.0])
def test_only_weights_decay(student, rng, dims, decay):
    """With gradients of 0, a step multiplies weights by 1 - lr times decay, and leaves biases and batch norm alone."""
    lr = float(rng.uniform(0.02, 0.2))
    model, shape, before = mixed(student, rng, dims)
    optimizer = student.call("make_optimizer", model, lr, decay)
    model.keep("__call__", torch.ones(shape)).backward(torch.zeros(shape[0], 2))
    for step in (1, 2):
        optimizer.keep("step")
        for name, factor in moved(student, model, before).items():
            weight = before[name].ndim > 1
            wanted = (1 - lr * decay) ** step if weight else 1.0
            what = "a weight" if weight else "a scale or shift of batch norm" if name[0] in "14" else "a bias"
            assert_close(factor, np.full(factor.shape, wanted), rtol=1e-4, name=f"the factor by which {what} shrinks")


@pytest.mark.cell("make_optimizer")
@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_steps_are_those_of_adamw(student, rng, dims, decay):
    """Three steps with gradients move weights and biases as AdamW does, at the learning rate given."""
    n, d, c = dims(3)
    lr, weight, bias = float(rng.uniform(0.01, 0.1)), rng.normal(size=(c, d)) + 1.0, rng.normal(size=c) + 1.0
    model = linear(student, weight, bias)
    optimizer = student.call("make_optimizer", model, lr, decay)
    w, b = (torch.tensor(v, dtype=torch.float32, requires_grad=True) for v in (weight, bias))
    mine = torch.optim.AdamW([{"params": [w], "weight_decay": decay}, {"params": [b], "weight_decay": 0.0}], lr=lr)
    for _ in range(3):
        x, up = tensor(rng.uniform(0.5, 1.5, (n, d))), tensor(rng.uniform(0.5, 1.5, (n, c)) * rng.choice([-1, 1], c))
        optimizer.keep("zero_grad")
        model.keep("__call__", x).backward(up)
        optimizer.keep("step")
        mine.zero_grad()
        F.linear(x, w, b).backward(up)
        mine.step()
    after = student.state_of(model)
    assert_close(after["weight"], w.detach().numpy(), rtol=1e-4, atol=1e-5, name="a weight after three steps")
    assert_close(after["bias"], b.detach().numpy(), rtol=1e-4, atol=1e-5, name="a bias after three steps")


# One epoch -------------------------------------------------------------------------------------------
# Example i lights input i of a linear model alone, so column i of its weights says what became of example i:
# from weights 0, a small step moves entry (class, i) by lr / |batch| (1[class = label] - 1 / C).

LR = 1e-3


def epoch(student, rng, n, c, batch_size, seed):
    """Train an epoch; return the columns (N, C) in units of a step with a batch of one, and the labels."""
    y = rng.permutation(classes(rng, n, c))
    model = linear(student, np.zeros((c, n)))
    x = tensor(np.eye(n))
    student.train_epoch(model, sgd(student, model, LR), x, tensor(y, torch.int64), batch_size, generator(student, seed))
    return as_array(student.state_of(model)["weight"]).T.astype(float) / LR, y


@pytest.mark.cell("train_epoch")
@pytest.mark.weight(4)
@pytest.mark.parametrize("rest", [0, 1, 3], ids=["even batches", "a last one of 1", "a last one of 3"])
def test_every_example_once(student, rng, dims, rest):
    """Each example pulls once, towards its own label, as one of its batch; also those of a smaller last batch."""
    batch_size = 4 + dims(1)[0]
    n, c = 3 * batch_size + rest, 3
    columns, y = epoch(student, rng, n, c, batch_size, rng.integers(2**31))
    require(np.abs(columns).max() > 0, "the weights did not move", suspect="no_step")
    used = np.abs(columns).max(1) > 0
    require(used.all(), f"{np.sum(~used)} of {n} examples were not used", got=int(used.sum()), expected=n)
    require(np.array_equal(columns.argmax(1), y), "examples pull towards labels that are not theirs", got=columns.argmax(1),
            expected=y)  # fmt: skip
    shares = columns[np.arange(n), y] * c / (c - 1)  # 1 / |batch| each
    wanted = np.sort(np.append(np.full(3 * batch_size, 1 / batch_size), np.full(rest, 1 / max(rest, 1))))
    assert_close(
        np.sort(shares), wanted, rtol=2e-2, name="what each example contributes (1 over the size of its batch)"
    )


@pytest.mark.cell("train_epoch")
@pytest.mark.weight(2)
def test_a_fresh_order(student, rng):
    """The order is random, and comes from the generator: who is in the last batch (chance of a false alarm 1e-9)."""
    n, seeds = 25, [int(s) for s in rng.integers(2**31, size=3)]
    last = []
    for seed in (*seeds, seeds[0]):
        columns, _ = epoch(student, rng, n, 2, 20, seed)
        last.append(set(np.argsort(-np.abs(columns).max(1))[:5]))
    require(last[0] == last[3], "the same generator state gave two different orders")
    if last[0] == last[1] == last[2]:
        raise Mismatch("three generators gave the same batches: is the order drawn, and from `generator`?")


@pytest.mark.cell("train_epoch")
def test_the_next_epoch_has_another_order(student, rng):
    """Two epochs with one generator use two orders (chance of a false alarm 2e-5)."""
    n, gen = 25, generator(student, rng.integers(2**31))
    x, y, last = tensor(np.eye(n)), tensor(classes(rng, n, 2), torch.int64), []
    for _ in range(2):
        model = linear(student, np.zeros((2, n)))
        student.train_epoch(model, sgd(student, model, LR), x, y, 20, gen)
        last.append(set(np.argsort(-np.abs(as_array(student.state_of(model)["weight"])).max(0))[:5]))
    require(last[0] != last[1], "the second epoch repeats the batches of the first", suspect="one_order_for_ever")


@pytest.mark.cell("train_epoch")
@pytest.mark.weight(2)
@pytest.mark.parametrize("n", [1, 6, 21])
def test_mean_loss_over_examples(student, rng, dims, n):
    """The result is the mean of the examples' losses, however the batches are cut (here nothing moves: lr is 0)."""
    d, c = dims(2, low=3)
    weight, bias, x = 2 * rng.normal(size=(c, d)), rng.normal(size=c), rng.normal(size=(n, d))
    y = rng.integers(c, size=n)
    model = linear(student, weight, bias)
    got = student.train_epoch(model, sgd(student, model, 0.0), tensor(x), tensor(y, torch.int64), 4,
                              generator(student, rng.integers(2**31)))  # fmt: skip
    wanted = cross_entropies(x @ weight.T + bias, y).mean()
    assert_close(float(scalar(got, "the mean loss")), wanted, rtol=1e-4, name="the mean loss")


@pytest.mark.cell("train_epoch")
def test_one_step_on_the_gradient_of_a_batch(student, rng, dims):
    """With one batch, an epoch is one gradient step on its mean loss, and what was in the gradients before is gone."""
    n, d, c = dims(3, low=3)
    weight, bias, x, lr = rng.normal(size=(c, d)), rng.normal(size=c), rng.normal(size=(n, d)), 0.5
    y = rng.integers(c, size=n)
    model = linear(student, weight, bias)
    model.keep("__call__", tensor(x)).backward(torch.ones(n, c))  # left over from something else
    loss = student.train_epoch(model, sgd(student, model, lr), tensor(x), tensor(y, torch.int64), n + 3,
                               generator(student, rng.integers(2**31)))  # fmt: skip
    w, b = (torch.tensor(v, requires_grad=True) for v in (weight, bias))
    mine = F.cross_entropy(F.linear(torch.tensor(x), w, b), torch.tensor(y))
    mine.backward()
    after = student.state_of(model)
    assert_close(float(scalar(loss, "the mean loss")), mine.item(), rtol=1e-4, name="the loss before the step")
    assert_close(
        after["weight"], (w - lr * w.grad).detach().numpy(), rtol=1e-3, atol=1e-4, name="the weights after a step"
    )
    assert_close(
        after["bias"], (b - lr * b.grad).detach().numpy(), rtol=1e-3, atol=1e-4, name="the biases after a step"
    )


@pytest.mark.cell("train_epoch")
def test_training_mode(student, rng):
    """An epoch runs in training mode, also if the model comes in evaluation mode: batch norm counts its batches."""
    model = student.handle("nn").keep("BatchNorm1d", 3)
    model.keep("eval")
    x, y = rng.normal(size=(11, 3)) + 2, classes(rng, 11, 3)
    student.train_epoch(model, sgd(student, model, 0.1), tensor(x), tensor(y, torch.int64), 4, generator(student, 5))
    state = student.state_of(model)
    count = int(scalar(state["num_batches_tracked"]))
    require(
        count == 3, "batch norm saw another number of batches in training mode than there are", got=count, expected=3
    )


# The evaluation --------------------------------------------------------------------------------------


@pytest.mark.cell("evaluate")
@pytest.mark.weight(3)
@pytest.mark.parametrize(("n", "batch_size"), [(1, 4), (9, 4), (12, 4), (10, 64), (7, 1)])
def test_loss_and_accuracy(student, rng, dims, n, batch_size):
    """Loss and accuracy are means over the examples, however unequal the batches."""
    d, c = dims(2, low=3)
    weight, bias, x = 2 * rng.normal(size=(c, d)), rng.normal(size=c), rng.normal(size=(n, d))
    logits = x @ weight.T + bias
    y = logits.argmax(1)
    wrong = slice(n // batch_size * batch_size or n - 1, n) if n > 1 else slice(0)
    y[wrong] = logits.argmin(1)[wrong]  # the last batch is all wrong
    y[: n // 4] = (y[: n // 4] + 1) % c
    right, losses = np.mean(logits.argmax(1) == y), cross_entropies(logits, y)
    args = linear(student, weight, bias), tensor(x), tensor(y, torch.int64)
    loss, accuracy = (
        float(scalar(v, "a result")) for v in unpack(student.evaluate(*args, batch_size=batch_size), 2, "evaluate")
    )
    assert_close(loss, losses.mean(), rtol=1e-4, name="the loss")
    assert_close(accuracy, right, rtol=1e-5, name="the accuracy")


@pytest.mark.cell("evaluate")
@pytest.mark.weight(2)
def test_evaluation_mode(student, rng, dims):
    """Dropout is off and batch norm uses its running values, which do not move, although the model comes in training."""
    n, c = 5 + dims(1)[0], 4
    nn = student.handle("nn")
    model = nn.keep("Sequential", nn.keep("Dropout", 0.8), nn.keep("BatchNorm1d", c))
    state = {"weight": rng.uniform(1, 2, c), "bias": rng.normal(size=c), "running_mean": rng.normal(size=c),
             "running_var": rng.uniform(0.5, 2, c)}  # fmt: skip
    model.keep(
        "load_state_dict", {f"1.{k}": tensor(v) for k, v in state.items()} | {"1.num_batches_tracked": torch.tensor(2)}
    )
    model.keep("train")
    x, y = rng.normal(size=(n, c)), rng.integers(c, size=n)
    logits = (x - state["running_mean"]) / np.sqrt(state["running_var"] + 1e-5) * state["weight"] + state["bias"]
    loss, accuracy = unpack(student.evaluate(model, tensor(x), tensor(y, torch.int64), 3), 2, "evaluate")
    assert_close(float(scalar(loss)), cross_entropies(logits, y).mean(), rtol=1e-4, name="the loss in evaluation mode")
    assert_close(
        float(scalar(accuracy)), np.mean(logits.argmax(1) == y), rtol=1e-5, name="the accuracy in evaluation mode"
    )
    for name, v in student.state_of(model).items():
        wanted = state.get(name.removeprefix("1."), 2)
        assert_close(
            v, np.float32(wanted), rtol=1e-5, name=f"batch norm's {name.removeprefix('1.')} after an evaluation"
        )
