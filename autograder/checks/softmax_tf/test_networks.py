"""Parameters, the forward pass, the training step and the Keras model. The oracles are numpy, in float64."""

import numpy as np
import pytest

from autograder.compare import Mismatch, Tensor, as_array, assert_close, assert_shape, require, scalar


def tensor(array, dtype=np.float32):
    return Tensor("tensorflow", np.asarray(array, dtype=dtype))


def parameters(got, dims):
    """Return the student's parameters as arrays, after looking at their number and shapes."""
    require(type(got) in (list, tuple), "init_params should return a list", got=got)
    shapes = [shape for a, b in zip(dims[:-1], dims[1:], strict=True) for shape in ((a, b), (b,))]
    require(len(got) == len(shapes), f"{len(dims) - 1} layers have {len(shapes)} parameters", got=len(got))
    names = [f"{kind}{k}" for k in range(1, len(dims)) for kind in "Wb"]
    return [assert_shape(p, shape, name=name) for p, shape, name in zip(got, shapes, names, strict=True)]


@pytest.mark.cell("init_params")
@pytest.mark.parametrize("layers", [1, 3])
def test_order_and_shapes(student, rng, layers):
    """The parameters are W1, b1, W2, b2, …; biases are zeros, and all are trainable variables."""
    dims = [int(d) for d in rng.integers(3, 12, layers + 1)]
    held = student.call("init_params", dims, 5)
    params = parameters(held.get(), dims)
    for k, b in enumerate(params[1::2]):
        assert_close(b, np.zeros(dims[k + 1]), name=f"b{k + 1}")
    for k in range(2 * layers):
        if not student.is_trainable(held.item(k)):
            raise Mismatch("a parameter is not a trainable tf.Variable", suspect=None)


@pytest.mark.cell("init_params")
@pytest.mark.weight(2)
@pytest.mark.parametrize("dims", [(200, 50), (50, 200), (120, 120)])
def test_distribution_of_the_weights(student, rng, dims):
    """Mean 0 and variance 2 / (n_in + n_out), with the tails of a normal distribution (5 sigma)."""
    w = parameters(student.init_params(list(dims), int(rng.integers(10**6))), dims)[0].astype(float)
    wanted, n = 2 / sum(dims), w.size
    require(abs(w.mean()) < 5 * np.sqrt(wanted / n), "the mean of the weights is not 0", got=w.mean())
    ratio = w.var() / wanted
    require(abs(ratio - 1) < 5 * np.sqrt(2 / n), "the variance of the weights is not 2 / (n_in + n_out)", got=w.var(),
            expected=wanted)  # fmt: skip
    require(np.abs(w).max() > 1.9 * np.sqrt(wanted), "the weights have no tails; they look uniform, not normal",
            suspect="uniform_weights")  # fmt: skip


@pytest.mark.cell("init_params")
def test_seeds_of_the_weights(student, rng):
    """One seed repeats, another seed differs, and no two layers or rows are drawn alike."""
    dims, seed = [6, 6, 6], int(rng.integers(10**6))
    first, again, other = (parameters(student.init_params(dims, s), dims) for s in (seed, seed, seed + 1))
    require(np.array_equal(first[0], again[0]) and np.array_equal(first[2], again[2]), "one seed gave two sets of weights",
            suspect="weights_ignore_the_seed")  # fmt: skip
    require(not np.array_equal(first[0], other[0]), "two seeds gave the same weights")
    require(not np.array_equal(first[0], first[2]), "two layers have the same weights")
    require(len(np.unique(first[0][:, 0])) > 1, "all units of a layer have the same weights")


def network(rng, dims):
    """Return W1, b1, W2, b2, … as float32 arrays."""
    pairs = zip(dims[:-1], dims[1:], strict=True)
    return [v.astype(np.float32) for a, b in pairs for v in (rng.normal(size=(a, b)) / np.sqrt(a), rng.normal(size=b))]


def run(params, x):
    """Return the inputs of all layers and the logits, in float64."""
    inputs = [np.asarray(x, dtype=np.float64)]
    for k in range(0, len(params), 2):
        z = inputs[-1] @ params[k] + params[k + 1]
        inputs.append(np.maximum(z, 0) if k < len(params) - 2 else z)
    return inputs[:-1], inputs[-1]


def gradients(params, x, labels):
    """Return the mean loss and the gradients of all parameters, in float64."""
    inputs, s = run([p.astype(np.float64) for p in params], x)
    s = s - s.max(axis=1, keepdims=True)
    log_p = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    d = np.exp(log_p)
    d[np.arange(len(labels)), labels] -= 1
    d /= len(labels)
    found = []
    for k in reversed(range(0, len(params), 2)):
        found = [inputs[k // 2].T @ d, d.sum(axis=0), *found]
        d = d @ params[k].T.astype(np.float64) * (inputs[k // 2] > 0)
    return -log_p[np.arange(len(labels)), labels].mean(), found


def held_network(student, rng, dims):
    """Return parameters as arrays and as a handle on a list of variables in the student's process."""
    arrays = network(rng, dims)
    return arrays, student.call("variables", [tensor(a) for a in arrays])


def batch(rng, params, n):
    """Return inputs for which no hidden unit sits near its kink, and labels."""
    while True:
        x = rng.normal(size=(n, params[0].shape[0])).astype(np.float32)
        hidden = run(params, x)[0][1:]
        if all(0.1 < np.mean(h > 0) < 0.95 for h in hidden) or n * sum(h.shape[1] for h in hidden) < 8:
            return x, rng.integers(0, params[-1].shape[0], n)


@pytest.mark.cell("train_step")
@pytest.mark.weight(2)
@pytest.mark.parametrize("layers", [1, 2, 4])
def test_forward_pass(student, rng, layers):
    """The logits are right for one, two and four layers, with ReLU between them and none at the end."""
    dims = [int(d) for d in rng.integers(4, 9, layers + 1)]
    arrays, held = held_network(student, rng, dims)
    x, _ = batch(rng, arrays, 5)
    assert_close(student.forward(held, tensor(x)), run(arrays, x)[1], rtol=1e-4, atol=1e-5, name="the logits")


@pytest.mark.cell("train_step")
@pytest.mark.weight(3)
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_two_steps_of_gradient_descent(student, rng, layers):
    """The loss before each of two steps, and every parameter after it, agree with a float64 calculation."""
    dims, lr = [int(d) for d in rng.integers(4, 8, layers + 1)], 0.5
    arrays, held = held_network(student, rng, dims)
    optimizer = student.call("gradient_descent", lr)
    for step in range(2):
        x, labels = batch(rng, arrays, 6 + step)
        wanted, grads = gradients(arrays, x, labels)
        loss = student.train_step(held, tensor(x), tensor(labels, np.int32), optimizer)
        after = [(a - lr * g).astype(np.float32) for a, g in zip(arrays, grads, strict=True)]
        got = scalar(loss, "the loss")
        if np.isclose(got, gradients(after, x, labels)[0], rtol=1e-5) and not np.isclose(got, wanted, rtol=1e-5):
            raise Mismatch("the loss is the one after the step; return the one before it", got=got, expected=wanted,
                           suspect="loss_after_the_step")  # fmt: skip
        assert_close(got, wanted, rtol=1e-4, atol=1e-5, name="the loss")
        found = held.get()
        for k, (p, a) in enumerate(zip(found, after, strict=True)):
            name = f"{'Wb'[k % 2]}{k // 2 + 1}"
            if np.array_equal(as_array(p), arrays[k]):
                raise Mismatch(f"{name} did not change in the step", got=p, expected=a)
            assert_close(p, a, rtol=1e-4, atol=1e-5, name=f"{name} after the step")
        arrays = [as_array(p) for p in found]


@pytest.mark.cell("build_mlp")
def test_weights_of_the_keras_model(student, rng, dims):
    """The model is built, with W1, b1, W2, b2 of the right shapes."""
    d, h, c = dims(3)
    got = student.call("build_mlp", d, h, c).get_weights()
    suspect = {0: "keras_not_built", 3: "keras_no_bias", 6: "keras_two_hidden"}.get(len(got))
    require(type(got) is list and len(got) == 4, "the model should hold W1, b1, W2 and b2 at once", got=len(got),
            suspect=suspect)  # fmt: skip
    swapped = "keras_sizes_swapped" if h != c and as_array(got[0]).shape == (d, c) else None
    for w, shape, name in zip(got, ((d, h), (h,), (h, c), (c,)), ("W1", "b1", "W2", "b2"), strict=True):
        assert_shape(w, shape, name=name, suspect=swapped)


@pytest.mark.cell("build_mlp")
@pytest.mark.weight(2)
def test_keras_model_computes_logits(student, rng, dims):
    """With given weights the model returns W2 max(0, W1 x + b1) + b2, and no activation after that."""
    d, h, c = dims(3)
    arrays = network(rng, (d, h + 4, c))
    x, _ = batch(rng, arrays, 6)
    model = student.call("build_mlp", d, h + 4, c)
    count = sum(a.size for a in arrays)
    require(model.count_params() == count, "the model has another number of parameters than the task asks for")
    model.set_weights(arrays)
    got, wanted = as_array(model(tensor(x)), "the model's output"), run(arrays, x)[1]
    if got.shape == wanted.shape and np.allclose(got.sum(axis=1), 1, atol=1e-4) and np.all(got >= 0):
        raise Mismatch("the model returns probabilities; it should return logits", got=got, suspect="keras_softmax")
    assert_close(got, wanted, rtol=1e-4, atol=1e-5, name="the model's output")
