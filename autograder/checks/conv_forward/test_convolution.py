"""Sizes, padding and the convolution layer, forward and backward."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from autograder.compare import Mismatch, assert_close, assert_equal, assert_shape, numeric_gradient, require, unpack
from autograder.grading.student import StudentFault


@dataclass(frozen=True)
class Geometry:
    """Image (C, H, W), filters (F, KH, KW), stride and padding."""

    image: tuple[int, int, int]
    filters: tuple[int, int, int]
    stride: int
    pad: int
    batch: int = 2

    def __str__(self):
        return f"{self.image}-{self.filters}-s{self.stride}-p{self.pad}"

    def draw(self, rng):
        (c, h, w), (f, kh, kw) = self.image, self.filters
        return rng.normal(size=(self.batch, c, h, w)), rng.normal(size=(f, c, kh, kw)), rng.normal(size=f)


GEOMETRIES = [
    Geometry((1, 5, 5), (1, 3, 3), 1, 0, batch=1),  # the textbook case
    Geometry((3, 7, 5), (4, 3, 2), 1, 0),  # nothing square, F != C
    Geometry((2, 6, 9), (3, 2, 4), 2, 0),  # a step that does not divide
    Geometry((2, 5, 4), (3, 3, 2), 1, 1, batch=3),  # padding
    Geometry((3, 8, 5), (2, 3, 3), 2, 1),  # both
    Geometry((2, 6, 7), (3, 1, 1), 3, 0),  # 1 x 1
    Geometry((2, 4, 5), (2, 4, 5), 1, 2),  # filter as large as the image
    Geometry((4, 3, 9), (2, 2, 3), 3, 2, batch=1),  # wide padding
]


def torch_conv(x, w, b, geo):
    return torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(w), torch.tensor(b), geo.stride, geo.pad).numpy()


@pytest.mark.cell("zero_pad")
def test_places_are_counted(student, rng):
    """The number of places, for filters that fit with and without a rest."""
    for _ in range(12):
        n, k, s, p = (int(v) for v in rng.integers((3, 1, 1, 0), (15, 8, 5, 4)))
        if k > n + 2 * p:
            continue
        want = len(range(0, n + 2 * p - k + 1, s))
        assert_equal(student.out_size(n, k, s, p), want, name="out_size")
    assert_equal(student.out_size(7, 3), 5, name="out_size with the defaults")
    assert_equal(student.out_size(3, 5, 1, 2), 3, name="out_size of a filter that only fits with padding")


@pytest.mark.cell("zero_pad")
@pytest.mark.parametrize(("n", "k", "s", "p"), [(3, 4, 1, 0), (3, 5, 3, 0), (2, 7, 1, 2)])
def test_a_filter_that_does_not_fit_is_refused(student, n, k, s, p):
    """A ValueError where the filter is longer than the padded axis."""
    try:
        got = student.out_size(n, k, s, p)
    except StudentFault as fault:
        require(fault.kind == "ValueError", f"out_size should raise a ValueError, not {fault.kind}")
        return
    raise Mismatch("out_size should raise a ValueError where the filter does not fit", got=got, suspect="no_refusal")


@pytest.mark.cell("zero_pad")
@pytest.mark.weight(2)
@pytest.mark.parametrize("pad", [0, 1, 3])
def test_a_frame_of_zeros(student, rng, dims, pad):
    """Zeros on all four sides of each image, and nowhere else."""
    n, c, h, w = dims(4, low=1, high=6)
    x = rng.normal(size=(n, c, h, w))
    want = np.zeros((n, c, h + 2 * pad, w + 2 * pad))
    want[:, :, pad : pad + h, pad : pad + w] = x
    assert_close(student.zero_pad(x, pad), want, name="the padded images")


@pytest.mark.cell("conv2d_forward")
@pytest.mark.weight(2)
@pytest.mark.parametrize("geo", GEOMETRIES, ids=str)
def test_every_output_is_the_sum_over_its_window(student, rng, geo):
    """conv2d_forward follows its formula for any image, filter, stride and padding."""
    x, w, b = geo.draw(rng)
    want = torch_conv(x, w, b, geo)
    out, _ = unpack_forward(student.call("conv2d_forward", x, w, b, stride=geo.stride, pad=geo.pad))
    flipped = torch_conv(x, w[:, :, ::-1, ::-1].copy(), b, geo)
    if w.shape[2] * w.shape[3] > 1 and np.shape(out) == flipped.shape and np.allclose(out, flipped):
        raise Mismatch("the filter is turned by 180 degrees; here it is not flipped", got=out, expected=want)
    assert_close(out, want, rtol=1e-6, name="the output")


def unpack_forward(handle):
    """Return (out, handle of the cache) of a forward pass whose result stayed in the student's process."""
    try:
        return handle[0], handle.item(1)
    except StudentFault:
        raise Mismatch("the forward function should return out and a cache") from None


@pytest.mark.cell("conv2d_forward")
def test_the_layer_is_linear(student, rng):
    """Linear in the images and in the filters; without filters only the bias is left."""
    geo = GEOMETRIES[4]
    x, w, b = geo.draw(rng)
    y, zero = rng.normal(size=x.shape), np.zeros_like(b)

    def run(images, filters, bias):
        return unpack_forward(student.call("conv2d_forward", images, filters, bias, stride=2, pad=1))[0]

    both = torch_conv(2 * x - y, w, zero, geo)
    assert_close(run(2 * x - y, w, zero), both, rtol=1e-6, name="the output for a sum of images")
    assert_close(
        run(x, np.zeros_like(w), b), torch_conv(x, 0 * w, b, geo), rtol=1e-6, name="the output of zero filters"
    )


@pytest.mark.cell("conv2d_forward")
def test_inputs_stay_as_they_were(student, rng):
    """Images, filters and dout are the caller's."""
    geo = GEOMETRIES[3]
    x, w, b = geo.draw(rng)
    kept = student.put(x), student.put(w)
    student.call("conv2d_forward", *kept, b, stride=1, pad=1)
    assert_close(kept[0].get(), x, name="the caller's images")
    assert_close(kept[1].get(), w, name="the caller's filters")


def torch_gradients(x, w, b, geo, dout):
    """Automatic differentiation of torch's convolution."""
    leaves = [torch.tensor(v, requires_grad=True) for v in (x, w, b)]
    out = torch.nn.functional.conv2d(*leaves, geo.stride, geo.pad)
    out.backward(torch.tensor(dout))
    return [leaf.grad.numpy() for leaf in leaves]


@pytest.mark.cell("conv2d_backward")
@pytest.mark.weight(2)
@pytest.mark.parametrize("geo", GEOMETRIES, ids=str)
def test_gradients_agree_with_torch(student, rng, geo):
    """dx, dw and db for any image, filter, stride and padding."""
    x, w, b = geo.draw(rng)
    _, cache = unpack_forward(student.call("conv2d_forward", x, w, b, stride=geo.stride, pad=geo.pad))
    dout = rng.normal(size=torch_conv(x, w, b, geo).shape)
    parts = unpack(student.conv2d_backward(dout, cache), 3, "conv2d_backward")
    for name, got, want in zip(("db", "dw", "dx"), parts[::-1], torch_gradients(x, w, b, geo, dout)[::-1], strict=True):
        assert_close(got, want, rtol=1e-6, atol=1e-9, name=name)


@pytest.mark.cell("conv2d_backward")
def test_the_image_gradient_is_the_slope(student, rng):
    """Central differences of the definition give the same dx, and a second forward disturbs no cache."""
    geo = Geometry((2, 4, 3), (2, 2, 3), 1, 1, batch=1)
    x, w, b = geo.draw(rng)
    _, cache = unpack_forward(student.call("conv2d_forward", x, w, b, stride=1, pad=1))
    student.call("conv2d_forward", x + 1.0, w - 1.0, b, stride=1, pad=1)
    dout = rng.normal(size=torch_conv(x, w, b, geo).shape)
    dx, dw, _ = unpack(student.conv2d_backward(dout, cache), 3, "conv2d_backward")
    slope = numeric_gradient(lambda v: float(np.sum(torch_conv(v, w, b, geo) * dout)), x)
    assert_close(dx, slope, rtol=1e-5, atol=1e-6, name="dx")
    slope = numeric_gradient(lambda v: float(np.sum(torch_conv(x, v, b, geo) * dout)), w)
    assert_close(dw, slope, rtol=1e-5, atol=1e-6, name="dw")


@pytest.mark.cell("conv2d_backward")
def test_dout_stays_as_it_was(student, rng):
    """dout is the caller's."""
    geo = GEOMETRIES[1]
    x, w, b = geo.draw(rng)
    _, cache = unpack_forward(student.call("conv2d_forward", x, w, b))
    dout = rng.normal(size=torch_conv(x, w, b, geo).shape)
    kept = student.put(dout)
    student.conv2d_backward(kept, cache)
    assert_close(kept.get(), dout, name="the caller's dout")


@pytest.mark.cell("im2col_conv")
@pytest.mark.weight(2)
@pytest.mark.parametrize("geo", GEOMETRIES, ids=str)
def test_windows_become_columns(student, rng, geo):
    """im2col has the order of the text, and im2col_conv the output of the layer."""
    x, w, b = geo.draw(rng)
    (_, kh, kw) = geo.filters
    unfolded = torch.nn.functional.unfold(torch.tensor(x), (kh, kw), padding=geo.pad, stride=geo.stride).numpy()
    cols = assert_shape(student.im2col(x, kh, kw, geo.stride, geo.pad), unfolded.shape, name="the matrix of windows")
    assert_close(cols, unfolded, rtol=1e-6, name="the matrix of windows")
    got = student.im2col_conv(x, w, b, geo.stride, geo.pad)
    assert_close(got, torch_conv(x, w, b, geo), rtol=1e-6, name="the output of im2col_conv")


@pytest.mark.cell("im2col_conv")
def test_large_images_work(student, rng, note):
    """An image with some ten thousand places; slow is mentioned, not scored."""
    import time

    x, w, b = rng.normal(size=(1, 1, 110, 90)), rng.normal(size=(2, 1, 3, 3)), rng.normal(size=2)
    start = time.perf_counter()
    got = student.im2col_conv(x, w, b)
    if time.perf_counter() - start > 0.5:
        note("`im2col_conv` is slow on an image with 9,504 places: is there a Python loop over the places?")
    assert_close(got, torch_conv(x, w, b, Geometry((1, 110, 90), (2, 3, 3), 1, 0)), rtol=1e-6, name="the output")
