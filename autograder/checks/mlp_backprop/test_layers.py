"""Activations, affine layer and loss, against torch's automatic differentiation."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from autograder.compare import Mismatch, as_array, assert_close, assert_finite, assert_shape, scalar, unpack

TORCH = {
    "relu": torch.relu,
    "leaky_relu": lambda z: F.leaky_relu(z, 0.1),
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}


def leaf(array):
    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


def off_the_kink(rng, shape):
    """Numbers of both signs, none within 0.05 of 0."""
    return rng.uniform(0.05, 3, shape) * rng.choice([-1.0, 1.0], shape)


# Activations --------------------------------------------------------------------------------------


@pytest.mark.cell("activation_backward")
@pytest.mark.parametrize("kind", TORCH)
def test_activation_forward_matches_torch(student, rng, dims, kind):
    """activation_forward follows the table, for any shape."""
    for shape in [dims(2), (1,), (2, 1, 3)]:
        z = off_the_kink(rng, shape)
        assert_close(student.activation_forward(z, kind), TORCH[kind](torch.tensor(z)), name=f"the {kind} of z")


@pytest.mark.cell("activation_backward")
@pytest.mark.weight(2)
@pytest.mark.parametrize("kind", TORCH)
def test_activation_backward_matches_torch(student, rng, dims, kind):
    """activation_backward is da times the slope at z, da and z having signs of their own."""
    for shape in [dims(2), (7,), (1, 4, 2)]:
        z, da = leaf(off_the_kink(rng, shape)), off_the_kink(rng, shape)
        TORCH[kind](z).backward(torch.tensor(da))
        assert_close(student.activation_backward(da, z.detach().numpy(), kind), z.grad, name=f"dz of {kind}")


@pytest.mark.cell("activation_backward")
def test_activations_stay_finite_far_out(student, rng):
    """At |z| up to 1000 values and slopes are finite and right."""
    z = np.array([-1000.0, -740.0, -100.0, 100.0, 740.0, 1000.0])
    da = off_the_kink(rng, z.shape)
    for kind in TORCH:
        at = leaf(z)
        out = TORCH[kind](at)
        out.backward(torch.tensor(da))
        assert_close(student.activation_forward(z, kind), out.detach(), name=f"the {kind} of a large z")
        assert_close(student.activation_backward(da, z, kind), at.grad, name=f"dz of {kind} at a large z")


# Affine layer -------------------------------------------------------------------------------------


def affine_case(rng, shape, m):
    """Random x, W, b, dout of an affine layer for x of ``shape`` = (N, d1, ...) with ``m`` outputs."""
    d = int(np.prod(shape[1:]))
    return rng.normal(size=shape), rng.normal(size=(d, m)), rng.normal(size=m), rng.normal(size=(shape[0], m))


def affine_gradients(x, W, b, dout):
    """Return torch's dx, dW, db."""
    x, W, b = leaf(x), leaf(W), leaf(b)
    F.linear(x.flatten(1), W.T, b).backward(torch.tensor(dout))
    return x.grad.numpy(), W.grad.numpy(), b.grad.numpy()


def affine_backward(student, x, W, b, dout):
    """Return the student's dx, dW, db, from a cache of the student's own forward."""
    cache = student.call("affine_forward", x, W, b).item(1)
    return unpack(student.affine_backward(dout, cache), 3, "affine_backward")


@pytest.mark.cell("affine_backward")
def test_affine_forward_is_xw_plus_b(student, rng, dims):
    """affine_forward computes x W + b, for one example and for many."""
    n, d, m = dims(3)
    for rows in (1, n):
        x, W, b, _ = affine_case(rng, (rows, d), m)
        out = student.call("affine_forward", x, W, b)[0]
        assert_close(out, np.einsum("nd,dm->nm", x, W) + b, name="out")


@pytest.mark.cell("affine_backward")
@pytest.mark.weight(2)
def test_affine_backward_matches_torch(student, rng, dims):
    """affine_backward returns dx, dW and db as torch does, for one example and for many."""
    n, d, m = dims(3)
    for rows in (n, 1):
        case = affine_case(rng, (rows, d), m)
        got = affine_backward(student, *case)
        want = affine_gradients(*case)
        if as_array(got[0]).shape == want[1].shape != want[0].shape:
            raise Mismatch("the first of the three results has the shape of W; the order is dx, dW, db")
        for name, g, w in zip(("dx", "dW", "db"), got, want, strict=True):
            assert_close(g, w, name=name)


@pytest.mark.cell("affine_backward")
def test_affine_layer_reads_images_as_rows(student, rng, dims):
    """x may be images: each is read as one row, and dx has the shape of x."""
    n, height, width, m = dims(4, 2, 6)
    for shape in [(n, height, width), (1, height, 2, width)]:
        x, W, b, dout = affine_case(rng, shape, m)
        out = student.call("affine_forward", x, W, b)[0]
        assert_close(out, x.reshape(shape[0], -1) @ W + b, name="out for images")
        got = affine_backward(student, x, W, b, dout)
        for name, g, w in zip(("dx", "dW", "db"), got, affine_gradients(x, W, b, dout), strict=True):
            assert_close(g, w, name=f"{name} for images")


@pytest.mark.cell("affine_backward")
def test_affine_backward_adds_over_examples(student, rng, dims):
    """dW and db of a batch are the sums of those of its two parts; dx holds the two one after the other."""
    n, d, m = dims(3, 3, 9)
    x, W, b, dout = affine_case(rng, (n, d), m)
    whole = affine_backward(student, x, W, b, dout)
    parts = [affine_backward(student, x[s], W, b, dout[s]) for s in (slice(0, 2), slice(2, None))]
    dx, dW, db = ([as_array(p[i]) for p in parts] for i in range(3))
    assert_shape(whole[1], (d, m), name="dW")
    assert_shape(whole[2], (m,), name="db")
    assert_close(whole[1], dW[0] + dW[1], name="dW of a batch, from its two parts,")
    assert_close(whole[2], db[0] + db[1], name="db of a batch, from its two parts,")
    assert_close(whole[0], np.concatenate(dx), name="dx of a batch, from its two parts,")


@pytest.mark.cell("affine_backward")
def test_affine_caches_are_independent(student, rng, dims):
    """A second forward pass leaves the cache of the first as it was."""
    n, d, m = dims(3)
    first, second = affine_case(rng, (n, d), m), affine_case(rng, (n, d), m)
    cache = student.call("affine_forward", *first[:3]).item(1)
    student.call("affine_forward", *second[:3])
    got = unpack(student.affine_backward(first[3], cache), 3, "affine_backward")
    for name, g, w in zip(("dx", "dW", "db"), got, affine_gradients(*first), strict=True):
        assert_close(g, w, name=f"{name} after another forward pass")


# Loss ---------------------------------------------------------------------------------------------


def cross_entropy(logits, y):
    """Return torch's mean cross-entropy and its gradient."""
    at = leaf(logits)
    loss = F.cross_entropy(at, torch.tensor(y))
    loss.backward()
    return loss.item(), at.grad.numpy()


def softmax_ce(student, logits, y):
    loss, dlogits = unpack(student.softmax_ce(logits, y), 2, "softmax_ce")
    return scalar(loss, "the loss"), dlogits


@pytest.mark.cell("softmax_ce")
def test_loss_matches_torch(student, rng, dims):
    """The loss is the mean cross-entropy, for one example and for many."""
    n, c = dims(2, 3, 9)
    for rows in (1, n):
        logits, y = 2 * rng.normal(size=(rows, c)), rng.integers(c, size=rows)
        assert_close(softmax_ce(student, logits, y)[0], cross_entropy(logits, y)[0], name="the loss")


@pytest.mark.cell("softmax_ce")
@pytest.mark.weight(2)
def test_dlogits_match_torch(student, rng, dims):
    """dlogits is the gradient of the mean loss, for one example and for many."""
    n, c = dims(2, 3, 9)
    for rows in (1, n):
        logits, y = 2 * rng.normal(size=(rows, c)), rng.integers(c, size=rows)
        assert_close(softmax_ce(student, logits, y)[1], cross_entropy(logits, y)[1], name="dlogits")


@pytest.mark.cell("softmax_ce")
def test_large_logits_are_exact(student, rng, dims):
    """Logits of ±1000 give the exact loss and gradient, also where the right class is the least likely."""
    n, c = dims(2, 3, 9)
    logits = rng.normal(size=(n, c)) + rng.choice([-900.0, 0.0, 900.0], size=(n, c))
    logits[0, 0], logits[0, 1] = -990.0, 990.0  # far apart in one row
    logits[1] = rng.normal(size=c) - 900  # all far below the largest of the batch
    y = rng.integers(c, size=n)
    y[0] = 0
    loss, dlogits = softmax_ce(student, logits, y)
    assert_finite(loss, name="the loss at large logits")
    assert_finite(dlogits, name="dlogits at large logits")
    want = cross_entropy(logits, y)
    assert_close(loss, want[0], name="the loss at large logits")
    assert_close(dlogits, want[1], name="dlogits at large logits")


@pytest.mark.cell("softmax_ce")
def test_loss_is_a_mean(student, rng, dims):
    """A batch given twice has the same loss and half the gradient; a shift of all logits changes nothing."""
    n, c = dims(2, 3, 9)
    logits, y = 2 * rng.normal(size=(n, c)), rng.integers(c, size=n)
    loss, dlogits = softmax_ce(student, logits, y)
    twice, dtwice = softmax_ce(student, np.concatenate([logits, logits]), np.concatenate([y, y]))
    half = assert_shape(dlogits, (n, c), name="dlogits") / 2
    assert_close(twice, loss, name="the loss of a batch that holds every example twice")
    assert_close(dtwice, np.concatenate([half, half]), name="dlogits of a batch that holds every example twice")
    moved, dmoved = softmax_ce(student, logits + rng.normal(size=(n, 1)), y)
    assert_close(moved, loss, name="the loss after a shift of each row")
    assert_close(dmoved, dlogits, name="dlogits after a shift of each row")
