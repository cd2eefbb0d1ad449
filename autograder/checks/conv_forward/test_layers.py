"""Edge filters, signals and volumes, pooling, and counting parameters."""

import numpy as np
import pytest
import torch

from autograder.compare import Mismatch, as_array, assert_close, assert_equal, require
from autograder.grading.student import StudentFault


@pytest.mark.cell("edge_filters")
def test_edge_filters_have_their_numbers(student):
    """Three pairs of filters with the numbers of the table."""
    got = student.edge_filters()
    require(
        type(got) is dict and set(got) == {"prewitt", "sobel", "scharr"},
        "edge_filters should return a dict with the three names",
        got=got,
    )
    d = np.array([[1.0, 0.0, -1.0]])
    for name, a in (("prewitt", [1, 1, 1]), ("sobel", [1, 2, 1]), ("scharr", [3, 10, 3])):
        vertical = np.array(a, dtype=float)[:, None] * d
        want = np.array([[vertical], [vertical.T]])
        if np.shape(got[name]) == want.shape and np.allclose(as_array(got[name]), want[::-1]):
            raise Mismatch(
                "the two filters have changed places: filter 0 finds vertical edges", got=got[name], expected=want
            )
        assert_close(got[name], want, name=f"the {name} filters")


@pytest.mark.cell("edge_filters")
def test_edge_filters_answer_to_edges(student, rng):
    """Positive where the left, or the top, is brighter; nothing on a flat image."""
    filters = student.edge_filters()
    left = np.zeros((1, 1, 3, 3))
    left[..., 0] = 1.0
    for name in ("prewitt", "sobel", "scharr"):
        w = as_array(filters[name], name)
        require(w.shape == (2, 1, 3, 3), "each pair of filters should have shape (2, 1, 3, 3)", got=w)
        vertical, horizontal = float(np.sum(w[0, 0] * left[0, 0])), float(np.sum(w[1, 0] * left[0, 0]))
        require(
            vertical > 0 and abs(horizontal) < 1e-9,
            "a bright left column should answer in filter 0 alone, positively",
            got=w,
        )
        require(abs(float(w.sum())) < 1e-9, "a flat image should give 0", got=w)


SIGNALS = [((2, 3, 9), (4, 3), 1, 0), ((1, 1, 5), (2, 5), 1, 1), ((3, 2, 10), (3, 4), 3, 2), ((2, 2, 7), (1, 1), 2, 0)]
VOLUMES = [
    ((2, 2, 4, 5, 3), (3, 2, 3, 2), 1, 0),
    ((1, 1, 3, 4, 5), (2, 1, 1, 1), 2, 0),
    ((1, 2, 3, 5, 4), (2, 2, 3, 3), 2, 1),
]


@pytest.mark.cell("conv1d_forward")
@pytest.mark.parametrize(("shape", "filters", "stride", "pad"), SIGNALS)
def test_signals(student, rng, shape, filters, stride, pad):
    """conv1d_forward for any length, stride and padding."""
    x, w, b = rng.normal(size=shape), rng.normal(size=(filters[0], shape[1], filters[1])), rng.normal(size=filters[0])
    want = torch.nn.functional.conv1d(*map(torch.tensor, (x, w, b)), stride, pad).numpy()
    assert_close(student.conv1d_forward(x, w, b, stride=stride, pad=pad), want, rtol=1e-6, name="the output")


@pytest.mark.cell("conv1d_forward")
@pytest.mark.parametrize(("shape", "filters", "stride", "pad"), VOLUMES)
def test_volumes(student, rng, shape, filters, stride, pad):
    """conv3d_forward for any size, stride and padding."""
    x, w, b = rng.normal(size=shape), rng.normal(size=(filters[0], shape[1], *filters[1:])), rng.normal(size=filters[0])
    want = torch.nn.functional.conv3d(*map(torch.tensor, (x, w, b)), stride, pad).numpy()
    assert_close(student.conv3d_forward(x, w, b, stride=stride, pad=pad), want, rtol=1e-6, name="the output")


POOLS = [((2, 3, 6, 4), 2, 2), ((1, 1, 5, 7), 3, 2), ((2, 2, 7, 5), 2, 3), ((3, 1, 4, 5), 3, 1), ((2, 3, 3, 5), 1, 1)]


def torch_pool(x, k, s, mode):
    pool = torch.nn.functional.max_pool2d if mode == "max" else torch.nn.functional.avg_pool2d
    return pool(x, k, s)


def forward(student, x, k, s, mode):
    """Return out and the handle of the cache."""
    handle = student.call("pool_forward", x, k, s, mode)
    try:
        return handle[0], handle.item(1)
    except StudentFault:
        raise Mismatch("pool_forward should return out and a cache") from None


@pytest.mark.cell("pool_forward")
@pytest.mark.parametrize("mode", ["max", "mean"])
@pytest.mark.parametrize(("shape", "k", "s"), POOLS)
def test_pooling(student, rng, shape, k, s, mode):
    """The largest value, or the mean, of every window that fits; negative images too."""
    for x in (rng.normal(size=shape), -1.0 - rng.random(size=shape)):
        out, _ = forward(student, x, k, s, mode)
        assert_close(out, torch_pool(torch.tensor(x), k, s, mode).numpy(), rtol=1e-6, name="the pooled images")


@pytest.mark.cell("pool_forward")
@pytest.mark.parametrize("mode", ["max", "mean"])
@pytest.mark.parametrize(("shape", "k", "s"), POOLS)
def test_pooling_backward(student, rng, shape, k, s, mode):
    """What each window sends back; overlapping windows add up."""
    x = rng.permutation(np.arange(np.prod(shape), dtype=float)).reshape(shape)  # no ties
    leaf = torch.tensor(x, requires_grad=True)
    out = torch_pool(leaf, k, s, mode)
    dout = rng.normal(size=out.shape)
    out.backward(torch.tensor(dout))
    _, cache = forward(student, x, k, s, mode)
    assert_close(student.pool_backward(dout, cache), leaf.grad.numpy(), rtol=1e-6, name="dx")


@pytest.mark.cell("pool_forward")
def test_ties_keep_the_whole_gradient(student, rng):
    """However a tie is split, the shares are of one sign and add up to what came in."""
    x = np.zeros((1, 2, 4, 6))
    dout = rng.random(size=(1, 2, 2, 3)) + 0.5
    _, cache = forward(student, x, 2, 2, "max")
    dx = as_array(student.pool_backward(dout, cache), "dx")
    require(dx.shape == x.shape, "dx should have the shape of x", got=dx)
    sums = dx.reshape(1, 2, 2, 2, 3, 2).sum(axis=(3, 5))
    assert_close(sums, dout, rtol=1e-6, name="the sum of the shares in each window", suspect="max_to_all_ties")


@pytest.mark.cell("param_count")
@pytest.mark.weight(2)
def test_parameters_of_random_networks(student, rng):
    """Weights and biases of every layer, for images that are not square."""
    for _ in range(4):
        c, h, w = int(rng.integers(1, 4)), int(rng.integers(14, 20)), int(rng.integers(20, 27))
        f, kh, kw, m = (int(v) for v in rng.integers((2, 1, 2, 3), (6, 4, 5, 9)))
        layers = [("conv", f, kh, kw, 1, 1), ("pool", 2, 2), ("conv", f + 1, kw, kh, 2, 0), ("dense", m), ("dense", 3)]
        one, two = torch.nn.Conv2d(c, f, (kh, kw), 1, 1), torch.nn.Conv2d(f, f + 1, (kw, kh), 2)
        flat = two(torch.nn.functional.max_pool2d(one(torch.zeros(1, c, h, w)), 2, 2)).numel()
        want = [sum(p.numel() for p in layer.parameters()) for layer in (one, two)]
        want = [want[0], 0, want[1], m * (flat + 1), 3 * (m + 1)]
        got = student.param_count((c, h, w), layers)
        assert_equal([int(v) for v in as_array(got, "the counts")], want, name="the list of counts")


@pytest.mark.cell("param_count")
def test_parameters_of_a_dense_network(student):
    """A dense layer right after the image, and no layer at all."""
    assert_equal(
        [int(v) for v in as_array(student.param_count((2, 3, 5), [("dense", 4)]))], [124], name="the list of counts"
    )
    require(len(as_array(student.param_count((2, 3, 5), []))) == 0, "a network without layers has an empty list")
