"""Right programs that look different; all of them must get full points."""

from autograder.mutation import Variant

VARIANTS = [
    Variant(
        "scaled_mask",
        "dropout_backward",
        code="""
def dropout_forward(x, p_drop, train, rng):
    if not train or p_drop == 0:
        return x, np.ones(x.shape)
    if p_drop >= 1:
        return np.zeros(x.shape), np.zeros(x.shape)
    factors = rng.binomial(1, 1 - p_drop, size=x.shape) / (1 - p_drop)
    return x * factors, factors


def dropout_backward(dy, mask, p_drop, train):
    return dy * mask
""",
    ),
    Variant(
        "choice_and_where",
        "dropout_forward",
        code="""
def dropout_forward(x, p_drop, train, rng):
    mask = np.ones(x.shape, dtype=bool)
    if train:
        mask = rng.choice([False, True], size=x.shape, p=[p_drop, 1 - p_drop])
    keep = 1 - p_drop
    if not train or keep == 0:
        return (np.zeros(x.shape) if train else x), mask
    return np.where(mask, x / keep, 0.0), mask
""",
    ),
    Variant(
        "loop_over_entries",
        "dropout_forward",
        code="""
def _coin(rng, p):
    return 0.0 if rng.random() < p else 1.0


def dropout_forward(x, p_drop, train, rng):
    mask = [1.0] * x.size
    if train:
        mask = [_coin(rng, p_drop) for _ in range(x.size)]
    y = np.array(x, dtype=float)
    if train:
        flat = y.reshape(-1)
        for i, m in enumerate(mask):
            flat[i] = flat[i] / (1 - p_drop) if m else 0.0
    return y, np.array(mask).reshape(x.shape)
""",
    ),
    Variant(
        "float32_layer",
        "dropout_forward",
        code="""
def dropout_forward(x, p_drop, train, rng):
    x = np.asarray(x)
    if not train:
        return x.astype(float), None
    mask = (rng.random(x.shape, dtype=np.float32) >= p_drop).astype(np.float32)
    return x.astype(np.float32) * mask / np.float32(max(1 - p_drop, 1e-12)), mask
""",
    ),
    Variant(
        "coins_in_reverse",
        "dropout_forward",
        code="""
def dropout_forward(x, p_drop, train, rng):
    if not train:
        return +x, "nothing to remember"
    drop = rng.uniform(0, 1, size=x.T.shape).T < p_drop
    y = np.array(x)
    y[drop] = 0
    y[~drop] /= 1 - p_drop if p_drop < 1 else 1
    return y, (~drop).astype(int)
""",
    ),
    Variant(
        "backward_where",
        "dropout_backward",
        code="""
def dropout_backward(dy, mask, p_drop, train):
    if train:
        return np.where(mask, dy / np.maximum(1 - p_drop, 1e-300), 0)
    return dy
""",
    ),
    Variant(
        "penalty_in_loops",
        "l2_penalty",
        code="""
def l2_penalty(params, lam):
    total = 0.0
    for name in params:
        if "W" in name:
            total += np.vdot(params[name], params[name])
    return np.array(lam * total / 2)


def l2_grad(params, lam):
    grads = {}
    for name in sorted(params, reverse=True):
        grads[name] = np.zeros(params[name].shape, dtype=int) if name[0] == "b" else params[name] * lam
    return grads
""",
    ),
    Variant(
        "step_written_out",
        "net_step",
        code="""
def net_step(params, x, y, p_drop, lam, rng):
    W1, b1, W2, b2 = (params[k] for k in ("W1", "b1", "W2", "b2"))
    H = W1.shape[1]
    factors = (rng.random((H, len(x))).T >= p_drop) / max(1 - p_drop, 1e-12)
    z = np.einsum("nd,dh->nh", x, W1) + b1
    h = np.where(z >= 0, z, 0) * factors
    s = h.dot(W2) + b2
    q = softmax(s)
    loss = -np.log(q[range(len(y)), y]).mean() + lam / 2 * ((W1 * W1).sum() + (W2 * W2).sum())
    ds = (q - np.eye(W2.shape[1])[y]) / len(y)
    dz = ds.dot(W2.T) * factors * (z >= 0)
    return loss, dict(b2=ds.sum(0), W2=np.outer(h[0], ds[0]) + h[1:].T @ ds[1:] + lam * W2, b1=dz.sum(0), W1=x.T.dot(dz) + lam * W1)
""",
    ),
    Variant(
        "predict_by_hand",
        "predict",
        code="""
def predict(params, x):
    rows = []
    for row in x:
        hidden = row @ params["W1"] + params["b1"]
        hidden = hidden * (hidden > 0)
        s = hidden @ params["W2"] + params["b2"]
        e = np.exp(s - max(s))
        rows.append(list(e / sum(e)))
    return rows
""",
    ),
    Variant(
        "all_passes_at_once",
        "mc_predict",
        code="""
def mc_predict(params, x, p_drop, T, rng):
    h = np.maximum(x @ params["W1"] + params["b1"], 0)
    thin, _ = dropout_forward(np.tile(h, (T, 1, 1)), p_drop, True, rng)
    q = softmax((thin @ params["W2"] + params["b2"]).reshape(T * len(x), -1)).reshape(T, len(x), -1)
    mean = q.sum(0) / T
    return mean, ((q - mean) ** 2).mean(0) ** 0.5
""",
    ),
]
