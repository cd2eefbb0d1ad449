"""Embeddings, the triplet loss, distances and mining, against plain loops and closed forms."""

import numpy as np
import pytest
import torch

from autograder.compare import Mismatch, as_array, assert_close, require, scalar


def tensor(array, *, grad=False):
    return torch.tensor(np.asarray(array), requires_grad=grad)


def with_gradient(student, name, arrays, *rest):
    """Return (value, gradients) of a loss of the student for float64 tensors made from ``arrays``."""
    held = [student.put(tensor(a, grad=True)) for a in arrays]
    loss = student.call(name, *held, *rest)
    value = loss.get()
    loss.backward()
    return value, [as_array(h.attribute("grad"), "the gradient") for h in held]


@pytest.mark.cell("embed")
def test_embeddings_have_length_one(student, rng, dims):
    """Each row is the model's output divided by its own length."""
    n, d, e = dims(3)
    w, x = rng.normal(size=(d, e)), rng.normal(size=(n, d)) * rng.choice([0.01, 1, 100], size=(n, 1))
    x[0] *= 0.01 / np.linalg.norm(x[0] @ w)
    model = student.call("linear_model", tensor(w))
    v = x @ w
    assert_close(student.embed(model, tensor(x)), v / np.linalg.norm(v, axis=1, keepdims=True), rtol=1e-5,
                 name="the embedding")  # fmt: skip


@pytest.mark.cell("embed")
def test_zeros_stay_zeros(student, rng, dims):
    """A row of zeros stays zeros, and its neighbours keep length 1."""
    x = rng.normal(size=dims(2))
    x[0] = 0
    model = student.call("linear_model", tensor(np.eye(x.shape[1])))
    wanted = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-300)
    assert_close(student.embed(model, tensor(x)), wanted, rtol=1e-5, name="the embedding", suspect="zero_over_zero")


@pytest.mark.cell("embed")
def test_gradients_reach_the_model(student, rng, dims):
    """Gradients flow through the embedding to the model's weights, and have the right values."""
    n, d, e = dims(3)
    w, x, up = rng.normal(size=(d, e)), rng.normal(size=(n, d)), rng.normal(size=(n, e))
    mine = tensor(w, grad=True)
    v = tensor(x) @ mine
    (v / v.norm(dim=1, keepdim=True) * tensor(up)).sum().backward()
    held = student.put(tensor(w, grad=True))
    emb = student.call("embed", student.call("linear_model", held), tensor(x))
    emb.backward(tensor(up))
    assert_close(held.attribute("grad"), mine.grad.numpy(), rtol=1e-4, atol=1e-5, name="the gradient of the model's weights",
                 suspect="graph_cut")  # fmt: skip


def triplets(rng, n, e, margin):
    """Return a, p, q with active and inactive triplets (if n > 1), none near its kink, and their terms."""
    while True:
        a, p, q = (rng.normal(size=(n, e)) for _ in range(3))
        p, q = a + (p - a) * rng.uniform(0.3, 1, (n, 1)), a + (q - a) * rng.uniform(0.3, 1, (n, 1))
        terms = ((a - p) ** 2).sum(1) - ((a - q) ** 2).sum(1) + margin
        if np.min(np.abs(terms)) > 1e-3 and (n == 1 or 0.2 <= np.mean(terms > 0) <= 0.85):
            return a, p, q, terms


@pytest.mark.cell("triplet_loss")
@pytest.mark.weight(3)
@pytest.mark.parametrize("margin", [0.0, 0.2, 1.5])
def test_sum_over_triplets(student, rng, dims, margin):
    """The loss is the sum over triplets of max(0, d(a, p) - d(a, q) + margin), for active and inactive ones."""
    n, e = dims(2)
    a, p, q, terms = triplets(rng, n + 5, e, margin)
    wanted, got = np.maximum(terms, 0).sum(), student.triplet_loss(tensor(a), tensor(p), tensor(q), margin)
    assert_close(scalar(got, "the loss"), wanted, rtol=1e-5, name="the loss")


@pytest.mark.cell("triplet_loss")
def test_satisfied_triplets_cost_nothing(student, rng, dims):
    """A batch of satisfied triplets has loss 0; a single one just beyond the margin too."""
    e, margin = dims(1)[0], 0.1
    a, u, v = (rng.normal(size=(3, e)) for _ in range(3))
    u, v = (w / np.linalg.norm(w, axis=1, keepdims=True) for w in (u, v))
    for beyond in (0.02, 1.0, 30.0):
        q = a + v * np.sqrt(0.25 + margin + beyond)
        got = student.triplet_loss(tensor(a), tensor(a + 0.5 * u), tensor(q), margin)
        assert_close(scalar(got, "the loss"), 0.0, atol=1e-6, name="the loss of satisfied triplets")


@pytest.mark.cell("triplet_loss")
def test_only_differences_count(student, rng, dims):
    """Shifting all points changes nothing; scaling all by s multiplies a loss without margin by s squared."""
    n, e = dims(2)
    a, p, q, _ = triplets(rng, n + 3, e, 0.0)
    shift, base = rng.normal(size=e), np.maximum(triplet_terms(a, p, q), 0).sum()
    moved = student.triplet_loss(tensor(a + shift), tensor(p + shift), tensor(q + shift), 0.0)
    assert_close(scalar(moved), base, rtol=1e-5, name="the loss of shifted points")
    scaled = student.triplet_loss(tensor(3 * a), tensor(3 * p), tensor(3 * q), 0.0)
    assert_close(scalar(scaled), 9 * base, rtol=1e-5, name="the loss of points scaled by 3")


def triplet_terms(a, p, q):
    return ((a - p) ** 2).sum(1) - ((a - q) ** 2).sum(1)


@pytest.mark.cell("triplet_loss")
@pytest.mark.weight(2)
def test_gradients_of_the_triplet_loss(student, rng, dims):
    """The gradients are right for all three inputs, and exactly 0 for inactive triplets."""
    n, e = dims(2)
    a, p, q, terms = triplets(rng, n + 5, e, 0.3)
    active = (terms > 0)[:, None]
    wanted = {"a": 2 * (q - p) * active, "p": 2 * (p - a) * active, "q": 2 * (a - q) * active}
    _, grads = with_gradient(student, "triplet_loss", (a, p, q), 0.3)
    for (name, g), got in zip(wanted.items(), grads, strict=True):
        assert_close(got, g, rtol=1e-4, atol=1e-5, name=f"the gradient of {name}")


@pytest.mark.cell("pairwise_sq_dists")
@pytest.mark.weight(2)
@pytest.mark.parametrize("n", [1, 2, 9])
def test_all_squared_distances(student, rng, dims, n):
    """Entry (i, j) is the squared distance of rows i and j."""
    X = rng.normal(size=(n, dims(1)[0]))
    wanted = ((X[:, None] - X[None]) ** 2).sum(-1)
    assert_close(student.pairwise_sq_dists(tensor(X)), wanted, rtol=1e-5, atol=1e-9, name="the squared distances")


@pytest.mark.cell("pairwise_sq_dists")
def test_distances_survive_rounding(student, rng):
    """Nothing is negative and the diagonal is 0, for close points far from the origin, in float32 too."""
    X = rng.normal(size=(40, 5)).astype(np.float32)
    X[20:] = X[:20] + np.float32(1e-3) * rng.normal(size=(20, 5)).astype(np.float32)
    for shift in (0.0, 100.0):
        moved = (X + np.float32(shift)).astype(np.float32)
        D = as_array(student.pairwise_sq_dists(tensor(moved)), "the squared distances")
        require(D.shape == (40, 40), "the squared distances should have shape (40, 40)", got=D)
        require(np.all(D >= 0), "a squared distance is negative", got=D, suspect="negative_by_rounding")
        require(
            np.all(np.diag(D) == 0), "the diagonal is not exactly 0", got=np.diag(D), suspect="diagonal_by_rounding"
        )
        exact = ((moved[:, None].astype(float) - moved[None]) ** 2).sum(-1)
        require(np.max(np.abs(D - exact)) <= 1e-3 * exact.max(), "the distances lose their digits for points that lie "
                "far from the origin", got=D, expected=exact)  # fmt: skip


@pytest.mark.cell("pairwise_sq_dists")
def test_gradient_of_distances(student, rng, dims):
    """The gradient of a weighted sum of the distances is right and finite, also for two equal points."""
    X = rng.normal(size=dims(2))
    X = np.vstack([X, X[:1]])
    up = rng.normal(size=(len(X), len(X)))
    held = student.put(tensor(X, grad=True))
    d = student.call("pairwise_sq_dists", held)
    assert_close(d.get(), ((X[:, None] - X[None]) ** 2).sum(-1), rtol=1e-5, name="the squared distances")
    d.backward(tensor(up))
    both = up + up.T
    wanted = 2 * (both.sum(1)[:, None] * X - both @ X)
    assert_close(held.attribute("grad"), wanted, rtol=1e-4, atol=1e-5, name="the gradient of the points")


def batch_hard(emb, labels, margin):
    """Return (loss, gradient) by plain loops."""
    D = ((emb[:, None] - emb[None]) ** 2).sum(-1)
    total, gradient, anchors = 0.0, np.zeros_like(emb), 0
    for i in range(len(emb)):
        positives = [j for j in range(len(emb)) if labels[j] == labels[i] and j != i]
        negatives = [j for j in range(len(emb)) if labels[j] != labels[i]]
        if not positives or not negatives:
            continue
        anchors += 1
        j, k = max(positives, key=lambda j: D[i, j]), min(negatives, key=lambda k: D[i, k])
        term = D[i, j] - D[i, k] + margin
        if term > 0:
            total += term
            gradient[i] += 2 * (emb[k] - emb[j])
            gradient[j] += 2 * (emb[j] - emb[i])
            gradient[k] += 2 * (emb[i] - emb[k])
    return (total / anchors, gradient / anchors) if anchors else (0.0, gradient)


BATCHES = {"even": [0, 0, 0, 1, 1, 1, 2, 2, 2], "lonely ones": [0, 0, 0, 1, 2, 3, 3], "a pair and the rest": [5, 5, 1, 2, 3],
           "mixed up": [3, 0, 3, 7, 0, 3, 7, 1], "two": [0, 0, 1]}  # fmt: skip


@pytest.mark.cell("batch_hard_loss")
@pytest.mark.weight(3)
@pytest.mark.parametrize("batch", BATCHES)
def test_hardest_of_each_batch(student, rng, dims, batch):
    """The loss agrees with a search through all pairs, for any numbers of examples per label."""
    labels, e = np.array(BATCHES[batch]), dims(1)[0]
    for margin in (25.0, 0.0):
        while True:
            emb = rng.normal(size=(len(labels), e))
            wanted, _ = batch_hard(emb, labels, margin)
            if wanted > 0:
                break
        got = student.batch_hard_loss(tensor(emb), tensor(labels), margin)
        assert_close(scalar(got, "the loss"), wanted, rtol=1e-5, name="the loss")


@pytest.mark.cell("batch_hard_loss")
def test_satisfied_anchors_count_in_the_mean(student, rng):
    """Anchors whose wish is granted contribute 0 and still count."""
    near = rng.normal(size=(2, 3)) * 0.01
    emb = np.vstack([near, near + 50, [[0.0, 0, 0], [9.0, 0, 0]], [[9.5, 0.0, 0.0]]]) + np.repeat(
        [[0.0], [300.0]], [4, 3], axis=0
    )
    labels = np.array([0, 0, 1, 1, 2, 2, 3])
    wanted, _ = batch_hard(emb, labels, 0.2)
    got = scalar(student.batch_hard_loss(tensor(emb), tensor(labels), 0.2), "the loss")
    assert_close(got, wanted, rtol=1e-5, name="the loss")


@pytest.mark.cell("batch_hard_loss")
def test_batches_without_anchors(student, rng, dims):
    """Where no anchor has both a positive and a negative, the loss is 0 and not NaN."""
    emb = rng.normal(size=(4, dims(1)[0]))
    for labels in ([2, 2, 2, 2], [0, 1, 2, 3]):
        got = student.batch_hard_loss(tensor(emb), tensor(np.array(labels)), 0.7)
        assert_close(scalar(got, "the loss"), 0.0, name="the loss of a batch without anchors")


@pytest.mark.cell("batch_hard_loss")
@pytest.mark.weight(2)
def test_gradient_of_the_batch_hard_loss(student, rng, dims):
    """The gradient reaches anchors, positives and negatives, as a search through all pairs says."""
    labels, e = np.array([0, 0, 1, 1, 1, 2, 2]), dims(1)[0]
    emb = rng.normal(size=(len(labels), e))
    _, wanted = batch_hard(emb, labels, 2.0)
    held = student.put(tensor(emb, grad=True))
    loss = student.call("batch_hard_loss", held, tensor(labels), 2.0)
    loss.backward()
    got = as_array(held.attribute("grad"), "the gradient of emb")
    if np.allclose(got, 0) and not np.allclose(wanted, 0):
        raise Mismatch("no gradient reaches emb", got=got, expected=wanted)
    assert_close(got, wanted, rtol=1e-4, atol=1e-5, name="the gradient of emb")
