"""mlp_forward and mlp_backward on random networks, against torch's automatic differentiation."""

import numpy as np
import pytest
import torch

from autograder.compare import Mismatch, as_array, assert_close, numeric_gradient, require, unpack


def network(rng, sizes, rows):
    """Return (x, params) where every hidden layer has at least 30 % of its ReLUs off and one in six on.

    No pre-activation is within 1e-3 of the kink. Redraws until this holds.
    """
    for _ in range(100_000):
        x = rng.normal(size=(rows, sizes[0]))
        params = [
            (rng.normal(size=(m, n)) * np.sqrt(2 / m), rng.normal(size=n) * 0.3)
            for m, n in zip(sizes, sizes[1:], strict=False)
        ]
        hidden = preactivations(x, params)[:-1]
        if all(np.mean(z < 0) >= 0.3 and np.mean(z > 0) >= 1 / 6 and np.abs(z).min() > 1e-3 for z in hidden):
            return x, params
    raise RuntimeError("no network found")


def preactivations(x, params):
    found, a = [], x
    for W, b in params:
        found.append(np.einsum("nd,dm->nm", a, W) + b)
        a = found[-1] * (found[-1] > 0)
    return found


def torch_gradients(x, params, dlogits):
    """Return [(dW, db), ...] by automatic differentiation."""
    leaves = [[torch.tensor(p, requires_grad=True) for p in pair] for pair in params]
    a = torch.tensor(x)
    for i, (W, b) in enumerate(leaves):
        a = a @ W + b
        a = torch.relu(a) if i < len(leaves) - 1 else a
    a.backward(torch.tensor(dlogits))
    return [(W.grad.numpy(), b.grad.numpy()) for W, b in leaves]


def backward(student, x, params, dlogits):
    """Return the student's gradients, from caches of the student's own forward."""
    return pairs(student.mlp_backward(dlogits, student.call("mlp_forward", x, params).item(1)), params)


def pairs(grads, params):
    """Return the gradients as a list of (dW, db) of arrays, or say what is wrong with their form."""
    if type(grads) is dict:
        raise Mismatch("mlp_backward returned a dict; the task asks for a list of pairs (dW, db)")
    grads = [unpack(pair, 2, "each entry of grads") for pair in unpack(grads, len(params), "mlp_backward")]
    grads = [(as_array(dW, "dW"), as_array(db, "db")) for dW, db in grads]
    shapes = [dW.shape for dW, _ in grads]
    asked = [W.shape for W, _ in params]
    if shapes != asked and shapes == asked[::-1]:
        raise Mismatch("the gradients come in the order last layer first; the order is that of params")
    return grads


def compare(grads, wanted, note=""):
    for layer, ((dW, db), (want_W, want_b)) in reversed(list(enumerate(zip(grads, wanted, strict=True), 1))):
        assert_close(dW, want_W, name=f"dW of layer {layer} of {len(wanted)}{note}")
        assert_close(db, want_b, name=f"db of layer {layer} of {len(wanted)}{note}")


@pytest.mark.cell("mlp_forward")
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_logits_follow_the_definition(student, rng, dims, depth):
    """The logits are right for networks of 1, 2 and 4 layers, with many ReLUs off."""
    sizes = dims(depth + 1, 3, 9)
    for rows in (1, int(rng.integers(2, 9))):
        x, params = network(rng, sizes, rows)
        logits = student.call("mlp_forward", x, params)[0]
        want = preactivations(x, params)[-1]
        if (
            as_array(logits).shape == want.shape
            and np.allclose(as_array(logits), np.maximum(want, 0))
            and want.min() < 0
        ):
            raise Mismatch("the logits went through a ReLU; the last layer has none", suspect="relu_on_logits")
        assert_close(logits, want, name="logits")


@pytest.mark.cell("mlp_backward")
@pytest.mark.weight(2)
@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_gradients_match_torch(student, rng, dims, depth):
    """All gradients of a network of 1 to 5 layers are those of torch, with many ReLUs off."""
    sizes = dims(depth + 1, 3, 9)
    for rows in (int(rng.integers(3, 9)), 1):
        x, params = network(rng, sizes, rows)
        dlogits = rng.normal(size=(rows, sizes[-1]))
        compare(backward(student, x, params, dlogits), torch_gradients(x, params, dlogits))


@pytest.mark.cell("mlp_backward")
def test_gradients_match_measured_slopes(student, rng, dims):
    """The gradients are the slopes of sum(dlogits * logits), measured by central differences."""
    sizes = dims(3, 3, 6)
    x, params = network(rng, sizes, 4)
    dlogits = rng.normal(size=(4, sizes[-1]))

    def measured(layer, part):
        def f(v):
            changed = [list(pair) for pair in params]
            changed[layer][part] = v
            return float(np.sum(dlogits * preactivations(x, changed)[-1]))

        return numeric_gradient(f, params[layer][part])

    for layer, pair in enumerate(backward(student, x, params, dlogits)):
        for part, name in enumerate(("dW", "db")):
            want = measured(layer, part)
            assert_close(pair[part], want, rtol=1e-6, atol=1e-7, name=f"{name} of layer {layer + 1} of 2")


@pytest.mark.cell("mlp_backward")
def test_backward_is_linear_and_adds_over_examples(student, rng, dims):
    """Twice dlogits gives twice the gradients, zero gives zero, and a batch gives the sum of its parts."""
    sizes = dims(4, 3, 9)
    x, params = network(rng, sizes, 5)
    dlogits = rng.normal(size=(5, sizes[-1]))
    whole = backward(student, x, params, dlogits)
    double = backward(student, x, params, -2 * dlogits)
    zero = backward(student, x, params, np.zeros_like(dlogits))
    parts = [backward(student, x[s], params, dlogits[s]) for s in (slice(0, 2), slice(2, None))]
    for i, pair in enumerate(whole):
        for j, name in enumerate(("dW", "db")):
            where = f"{name} of layer {i + 1} of 3"
            assert_close(double[i][j], -2 * pair[j], name=where + ", for -2 times dlogits,")
            assert_close(zero[i][j], np.zeros_like(pair[j]), name=where + ", for dlogits of 0,")
            assert_close(pair[j], parts[0][i][j] + parts[1][i][j], name=where + ", from two parts of the batch,")


@pytest.mark.cell("mlp_backward")
def test_caches_of_two_batches_are_independent(student, rng, dims):
    """A second forward pass leaves the caches of the first as they were."""
    sizes = dims(4, 3, 9)
    x, params = network(rng, sizes, 4)
    other, _ = network(rng, sizes, 4)
    dlogits = rng.normal(size=(4, sizes[-1]))
    caches = student.call("mlp_forward", x, params).item(1)
    student.call("mlp_forward", other, params)
    grads = pairs(student.mlp_backward(dlogits, caches), params)
    compare(grads, torch_gradients(x, params, dlogits), ", after another forward pass,")


@pytest.mark.cell("mlp_backward")
def test_backward_can_be_called_twice(student, rng, dims):
    """A second call with the same caches gives the same gradients."""
    sizes = dims(3, 3, 9)
    x, params = network(rng, sizes, 3)
    dlogits = rng.normal(size=(3, sizes[-1]))
    caches = student.call("mlp_forward", x, params).item(1)
    wanted = torch_gradients(x, params, dlogits)
    compare(pairs(student.mlp_backward(dlogits, caches), params), wanted)
    again = student.mlp_backward(dlogits, caches)
    require(
        type(again) in (list, tuple) and len(again) == len(params),
        "mlp_backward has used up its caches: a second call returns another number of gradients",
    )
    compare(pairs(again, params), wanted, ", in a second call,")
