"""Right programs that look different; all of them must get full points."""

from autograder.mutation import Variant

VARIANTS = [
    Variant(
        "plain_einsum",
        "rnn_step_forward",
        code="""
def rnn_step_forward(x, h, Wx, Wh, b):
    both = np.concatenate([x, h], axis=1)
    return np.tanh(np.einsum("nd,dh->nh", both, np.concatenate([Wx, Wh], axis=0)) + b[None, :])
""",
    ),
    Variant(
        "plain_float32",
        "rnn_step_forward",
        code="""
def rnn_step_forward(x, h, Wx, Wh, b):
    x, h, Wx, Wh, b = (np.float32(a) for a in (x, h, Wx, Wh, b))
    return np.tanh(x @ Wx + h @ Wh + b)
""",
    ),
    Variant(
        "split_gates_dict_cache",
        "lstm_step_backward",
        code="""
def lstm_step_forward(x, h, c, Wx, Wh, b):
    ai, af, ag, ao = np.split(np.dot(x, Wx) + np.dot(h, Wh) + b, 4, axis=-1)
    gates = dict(i=sigmoid(ai), f=sigmoid(af), g=np.tanh(ag), o=sigmoid(ao))
    c_next = gates["f"] * c + gates["i"] * gates["g"]
    t = np.tanh(c_next)
    return gates["o"] * t, c_next, dict(gates, x=x, h=h, c=c, Wx=Wx, Wh=Wh, t=t)


def lstm_step_backward(dh, dc, cache):
    i, f, g, o, t, c = (cache[k] for k in "ifgotc")
    dcn = dc + dh * o * (1.0 - t * t)
    da = np.empty((len(dh), 4 * dh.shape[1]))
    H = dh.shape[1]
    da[:, 0:H] = dcn * g * i * (1 - i)
    da[:, H:2 * H] = dcn * c * f * (1 - f)
    da[:, 2 * H:3 * H] = dcn * i * (1 - g * g)
    da[:, 3 * H:4 * H] = dh * t * o * (1 - o)
    return [da.dot(cache["Wx"].T), da.dot(cache["Wh"].T), dcn * f, cache["x"].T.dot(da), cache["h"].T.dot(da), da.sum(0)]
""",
    ),
    Variant(
        "loop_over_examples",
        "lstm_step_forward",
        code="""
def _one(x, h, c, Wx, Wh, b):
    H = len(h)
    a = Wx.T @ x + Wh.T @ h + b
    i, f, g, o = 1 / (1 + np.exp(-a[:H])), 1 / (1 + np.exp(-a[H:2 * H])), np.tanh(a[2 * H:3 * H]), 1 / (1 + np.exp(-a[3 * H:]))
    new = i * g + c * f
    return i, f, g, o, new


def lstm_step_forward(x, h, c, Wx, Wh, b):
    rows = [np.stack(r) for r in zip(*[_one(*row, Wx, Wh, b) for row in zip(x, h, c)])]
    i, f, g, o, new = rows
    return o * np.tanh(new), new, (x, h, c, Wx, Wh, i, f, g, o, new)
""",
    ),
    Variant(
        "filled_array",
        "lstm_forward",
        code="""
def lstm_forward(x, h0, Wx, Wh, b):
    N, T, _ = x.shape
    hs = np.zeros((T, N, h0.shape[1]))
    h, c, cache = h0.copy(), np.zeros(h0.shape), {}
    for t, xt in enumerate(x.transpose(1, 0, 2)):
        h, c, cache[t] = lstm_step_forward(xt, h, c, Wx, Wh, b)
        hs[t] = h
    return hs.transpose(1, 0, 2), cache
""",
    ),
    Variant(
        "backward_in_preallocated",
        "lstm_backward",
        code="""
def lstm_backward(dhs, cache):
    N, T, H = dhs.shape
    first = cache[0]
    dx = np.zeros((N, T, first[0].shape[1]))
    totals = [np.zeros(first[3].shape), np.zeros(first[4].shape), np.zeros(4 * H)]
    dh_next, dc_next = np.zeros((N, H)), np.zeros((N, H))
    for t in range(T - 1, -1, -1):
        dx[:, t], dh_next, dc_next, *rest = lstm_step_backward(dhs[:, t, :] + dh_next, dc_next, cache[t])
        for total, g in zip(totals, rest):
            total += g
    return (dx, dh_next, *totals)
""",
    ),
    Variant(
        "gru_split",
        "gru_step_forward",
        code="""
def gru_step_forward(x, h, Wx, Wh, bx, bh):
    xr, xz, xn = np.hsplit(x @ Wx + bx, 3)
    hr, hz, hn = np.hsplit(h @ Wh + bh, 3)
    z = sigmoid(xz + hz)
    n = np.tanh(xn + sigmoid(xr + hr) * hn)
    return n + z * (h - n)
""",
    ),
    Variant(
        "gru_float32",
        "gru_step_forward",
        code="""
def gru_step_forward(x, h, Wx, Wh, bx, bh):
    x, h, Wx, Wh, bx, bh = [np.asarray(v, dtype=np.float32) for v in (x, h, Wx, Wh, bx, bh)]
    H = h.shape[-1]
    squash = lambda v: 1 / (1 + np.exp(-v))
    r = squash(x @ Wx[:, :H] + bx[:H] + h @ Wh[:, :H] + bh[:H])
    z = squash(x @ Wx[:, H:2 * H] + bx[H:2 * H] + h @ Wh[:, H:2 * H] + bh[H:2 * H])
    n = np.tanh(x @ Wx[:, 2 * H:] + bx[2 * H:] + r * (h @ Wh[:, 2 * H:] + bh[2 * H:]))
    return (1 - z) * n + z * h
""",
    ),
    Variant(
        "clip_as_torch_does",
        "clip_grads",
        code="""
def clip_grads(grads, max_norm):
    flat = np.concatenate([g.ravel() for g in grads.values()])
    total = np.linalg.norm(flat)
    factor = min(max_norm / (total + 1e-6), 1.0)
    return {k: g * factor for k, g in grads.items()}, float(total)
""",
    ),
    Variant(
        "clip_copies",
        "clip_grads",
        code="""
def clip_grads(grads, max_norm):
    norm = sum(float(np.vdot(g, g)) for g in grads.values()) ** 0.5
    if norm <= max_norm:
        return dict(grads), norm
    out = {}
    for name in grads:
        out[name] = grads[name].copy()
        out[name] /= norm / max_norm
    return out, np.array(norm)
""",
    ),
]
