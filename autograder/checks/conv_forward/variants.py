"""Right programs that look different; all of them must get full points."""

from autograder.mutation import Variant

VARIANTS = [
    Variant("pad_by_copy", "zero_pad", code='''
import math


def out_size(n, k, s=1, p=0):
    room = n + 2 * p - k
    if room < 0:
        raise ValueError("too long")
    return math.floor(room / s) + 1


def zero_pad(x, pad):
    N, C, H, W = x.shape
    out = np.zeros((N, C, H + 2 * pad, W + 2 * pad), dtype=x.dtype)
    out[:, :, pad:pad + H, pad:pad + W] = x
    return out
'''),
    Variant("conv_all_loops", "conv2d_forward", code='''
def conv2d_forward(x, w, b, stride=1, pad=0):
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    H2, W2 = (H + 2 * pad - KH) // stride + 1, (W + 2 * pad - KW) // stride + 1
    out = np.zeros((N, F, H2, W2))
    for n in range(N):
        for f in range(F):
            for i in range(H2):
                for j in range(W2):
                    out[n, f, i, j] = np.sum(xp[n, :, i * stride:i * stride + KH, j * stride:j * stride + KW] * w[f]) + b[f]
    return out, (x, w, stride, pad)
'''),
    Variant("conv_windows_einsum", "conv2d_forward", code='''
from numpy.lib.stride_tricks import sliding_window_view


def conv2d_forward(x, w, b, stride=1, pad=0):
    windows = sliding_window_view(zero_pad(x, pad), w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return [np.einsum("nchwij,fcij->nfhw", windows, w) + b.reshape(1, -1, 1, 1), (x, w, stride, pad)]
'''),
    Variant("conv_float32", "conv2d_forward", code='''
def conv2d_forward(x, w, b, stride=1, pad=0):
    (N, _, H, W), (F, _, KH, KW) = x.shape, w.shape
    H2, W2 = out_size(H, KH, stride, pad), out_size(W, KW, stride, pad)
    xp = zero_pad(x, pad)
    out = np.zeros((N, F, H2, W2), dtype=np.float32)
    for u in range(KH):
        for v in range(KW):
            patch = xp[:, :, u:u + stride * (H2 - 1) + 1:stride, v:v + stride * (W2 - 1) + 1:stride]
            out += np.einsum("nchw,fc->nfhw", patch, w[:, :, u, v])
    return out + b.astype(np.float32)[:, None, None], (x, w, stride, pad)
'''),
    Variant("edges_written_out", "edge_filters", code='''
def edge_filters():
    vertical = {
        "scharr": [[3, 0, -3], [10, 0, -10], [3, 0, -3]],
        "sobel": [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
        "prewitt": [[1, 0, -1]] * 3,
    }
    return {k: np.array([[v], [np.transpose(v)]]) for k, v in vertical.items()}
'''),
    Variant("signals_through_2d", "conv1d_forward", code='''
def conv1d_forward(x, w, b, stride=1, pad=0):
    x = np.concatenate([np.zeros(x.shape[:2] + (pad,)), x, np.zeros(x.shape[:2] + (pad,))], axis=2)
    out = np.zeros((x.shape[0], w.shape[0], (x.shape[2] - w.shape[2]) // stride + 1))
    for i in range(out.shape[2]):
        out[:, :, i] = x[:, :, i * stride:i * stride + w.shape[2]].reshape(len(x), -1) @ w.reshape(len(w), -1).T + b
    return out


def conv3d_forward(x, w, b, stride=1, pad=0):
    x = np.pad(x, [(0, 0)] * 2 + [(pad, pad)] * 3)
    N, F = x.shape[0], w.shape[0]
    KD, KH, KW = w.shape[2:]
    D, H, W = [(n - k) // stride + 1 for n, k in zip(x.shape[2:], w.shape[2:])]
    out = np.zeros((N, F, D, H, W))
    for d in range(D):
        for i in range(H):
            for j in range(W):
                block = x[:, None, :, d * stride:d * stride + KD, i * stride:i * stride + KH, j * stride:j * stride + KW]
                out[:, :, d, i, j] = (block * w[None]).sum(axis=(2, 3, 4, 5)) + b
    return out
'''),
    Variant("pool_shares_ties", "pool_forward", code='''
def pool_forward(x, k, s, mode="max"):
    N, C, H, W = x.shape
    H2, W2 = (H - k) // s + 1, (W - k) // s + 1
    out = np.zeros((N, C, H2, W2))
    for i in range(H2):
        for j in range(W2):
            window = x[:, :, i * s:i * s + k, j * s:j * s + k]
            out[:, :, i, j] = window.max((2, 3)) if mode == "max" else window.mean((2, 3))
    return out, {"x": x.copy(), "k": k, "s": s, "mode": mode}


def pool_backward(dout, cache):
    x, k, s = cache["x"], cache["k"], cache["s"]
    dx = np.zeros_like(x, dtype=float)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            window = x[:, :, i * s:i * s + k, j * s:j * s + k]
            if cache["mode"] == "max":
                mask = window == window.max(axis=(2, 3), keepdims=True)
                share = mask / mask.sum(axis=(2, 3), keepdims=True)
            else:
                share = np.full(window.shape, 1 / (k * k))
            dx[:, :, i * s:i * s + k, j * s:j * s + k] += share * dout[:, :, i, j][:, :, None, None]
    return dx
'''),
    Variant("backward_all_loops", "conv2d_backward", code='''
def conv2d_backward(dout, cache):
    x, w, stride, pad = cache
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dxp, dw, db = np.zeros(xp.shape), np.zeros(w.shape), np.zeros(len(w))
    KH, KW = w.shape[2:]
    for n, f, i, j in np.ndindex(*dout.shape):
        g, r, c = dout[n, f, i, j], i * stride, j * stride
        db[f] += g
        dw[f] += g * xp[n, :, r:r + KH, c:c + KW]
        dxp[n, :, r:r + KH, c:c + KW] += g * w[f]
    dx = dxp[:, :, pad:-pad, pad:-pad] if pad else dxp
    return dx, dw, db
'''),
    Variant("im2col_by_places", "im2col_conv", code='''
def im2col(x, KH, KW, stride=1, pad=0):
    N, C, H, W = x.shape
    xp = zero_pad(x, pad)
    columns = []
    for i in range(0, H + 2 * pad - KH + 1, stride):
        for j in range(0, W + 2 * pad - KW + 1, stride):
            columns.append(xp[:, :, i:i + KH, j:j + KW].reshape(N, -1))
    return np.stack(columns, axis=2)


def im2col_conv(x, w, b, stride=1, pad=0):
    return conv2d_forward(x, w, b, stride, pad)[0]
'''),
    Variant("im2col_strides", "im2col_conv", code='''
def im2col(x, KH, KW, stride=1, pad=0):
    windows = np.lib.stride_tricks.sliding_window_view(zero_pad(x, pad), (KH, KW), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride].transpose(0, 1, 4, 5, 2, 3)
    return windows.reshape(x.shape[0], x.shape[1] * KH * KW, -1)


def im2col_conv(x, w, b, stride=1, pad=0):
    cols = im2col(x, w.shape[2], w.shape[3], stride, pad)
    out = np.einsum("fk,nkp->nfp", w.reshape(w.shape[0], -1), cols) + np.reshape(b, (1, -1, 1))
    h = (x.shape[2] + 2 * pad - w.shape[2]) // stride + 1
    return out.reshape(x.shape[0], w.shape[0], h, -1)
'''),
    Variant("count_with_functions", "param_count", code='''
def param_count(image, layers):
    size, result = list(image), []
    for layer in layers:
        if layer[0] == "conv":
            _, F, KH, KW, s, p = layer
            result.append(F * size[0] * KH * KW + F)
            size = [F, (size[1] + 2 * p - KH) // s + 1, (size[2] + 2 * p - KW) // s + 1]
        elif layer[0] == "pool":
            _, k, s = layer
            result.append(0)
            size = [size[0], (size[1] - k) // s + 1, (size[2] - k) // s + 1]
        else:
            inputs = 1
            for n in size:
                inputs *= n
            result.append(layer[1] * inputs + layer[1])
            size = [layer[1]]
    return tuple(result)
'''),
]  # fmt: skip
