"""Right programs that look different; all of them must get full points."""

from autograder.mutation import Variant

VARIANTS = [
    Variant("shuffles_a_copy", "minibatches", code='''
def minibatches(n, batch_size, rng):
    order = np.arange(n)
    rng.shuffle(order)
    return np.split(order, range(batch_size, n, batch_size))
'''),
    Variant("sorts_random_keys", "minibatches", code='''
def minibatches(n, batch_size, rng):
    order = np.argsort(rng.random(n))
    batches = []
    while len(order):
        batches.append(order[:batch_size])
        order = order[batch_size:]
    return tuple(batches)
'''),
    Variant("lists_of_ints", "minibatches", code='''
def minibatches(n, batch_size, rng):
    order = [int(i) for i in rng.choice(n, size=n, replace=False)]
    return [order[k * batch_size:(k + 1) * batch_size] for k in range((n + batch_size - 1) // batch_size)]
'''),
    Variant("ewma_as_a_sum", "ewma", code='''
def ewma(xs, beta, correct=False):
    xs = np.asarray(xs, dtype=float)
    T = len(xs)
    result = np.empty(T)
    for t in range(T):
        weights = (1 - beta) * beta ** np.arange(t, -1, -1)
        result[t] = weights @ xs[: t + 1]
        if correct:
            result[t] /= weights.sum()
    return result
'''),
    Variant("ewma_list_and_helper", "ewma", code='''
def _mix(old, new, share):
    return old + (1 - share) * (new - old)


def ewma(xs, beta, correct=False):
    out = []
    for x in xs:
        out.append(_mix(out[-1] if out else 0.0, float(x), beta))
    if correct:
        out = [v / (1 - beta ** (k + 1)) for k, v in enumerate(out)]
    return out
'''),
    Variant("momentum_setdefault", "momentum_step", code='''
def sgd_step(w, g, state, lr):
    new = w.copy()
    new -= lr * g
    return new


def momentum_step(w, g, state, lr, beta=0.9):
    v = state.setdefault("v", np.zeros(w.shape))
    v *= beta
    v += (1 - beta) * g
    return w - lr * v
'''),
    Variant("momentum_float32", "momentum_step", code='''
def sgd_step(w, g, state, lr):
    return np.subtract(w, np.multiply(lr, g)).astype(np.float32)


def momentum_step(w, g, state, lr, beta=0.9):
    if "v" not in state:
        state["v"] = np.zeros_like(w)
    state["v"] = (beta * state["v"] + (1 - beta) * g).astype(np.float32)
    return (w - lr * state["v"]).astype(np.float32)
'''),
    Variant("rmsprop_loops", "rmsprop_step", code='''
def rmsprop_step(w, g, state, lr, beta=0.9, eps=1e-8):
    if not state:
        state["s"] = np.zeros_like(w)
    s, new = state["s"].copy(), w.copy()
    for i in np.ndindex(w.shape):
        s[i] = beta * s[i] + (1 - beta) * g[i] * g[i]
        new[i] -= lr * g[i] / (s[i] ** 0.5 + eps)
    state["s"] = s
    return new
'''),
    Variant("adam_rearranged", "adam_step", code='''
def adam_step(w, g, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    if not state:
        state["m"], state["v"], state["t"] = np.zeros_like(w), np.zeros_like(w), 0
    state["t"] += 1
    state["m"] += (1 - beta1) * (g - state["m"])
    state["v"] += (1 - beta2) * (g * g - state["v"])
    one, two = 1 - beta1 ** state["t"], 1 - beta2 ** state["t"]
    return w - (lr / one) * state["m"] / (np.sqrt(state["v"]) / np.sqrt(two) + eps)
'''),
    Variant("adam_running_powers", "adam_step", code='''
def adam_step(w, g, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m, v, t, p1, p2 = (state.get(k, d) for k, d in (("m", 0.0), ("v", 0.0), ("t", 0), ("p1", 1.0), ("p2", 1.0)))
    p1, p2 = p1 * beta1, p2 * beta2
    m = beta1 * m + (1 - beta1) * np.asarray(g)
    v = beta2 * v + (1 - beta2) * np.square(g)
    state["m"], state["v"], state["t"], state["p1"], state["p2"] = m, v, t + 1, p1, p2
    return np.asarray(w) - lr * (m / (1 - p1)) / (np.sqrt(v / (1 - p2)) + eps)
'''),
    Variant("train_with_items", "train_epoch", code='''
def train_epoch(params, states, X, y, gradients, step, batch_size, rng):
    for rows in minibatches(X.shape[0], batch_size, rng):
        grads = gradients(params, np.take(X, rows, axis=0), np.take(y, rows))
        params.update({k: step(w, grads[k], states[k]) for k, w in params.items()})
'''),
    Variant("train_own_shuffle", "train_epoch", code='''
def train_epoch(params, states, X, y, gradients, step, batch_size, rng):
    order = rng.permutation(len(y))
    X, y = X[order], y[order]
    for first in range(0, len(y), batch_size):
        part = slice(first, first + batch_size)
        for name, g in gradients(params, X[part], y[part]).items():
            params[name] = step(params[name], g, states[name])
    return params
'''),
]  # fmt: skip
