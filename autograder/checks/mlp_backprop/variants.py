"""Right programs that look different from the reference."""

from autograder.mutation import Variant

VARIANTS = [
    Variant(
        "flat_loop_in_place",
        "numeric_grad",
        code="""
def numeric_grad(f, x, h=1e-5):
    grad = np.zeros(x.shape)
    it = np.nditer(x, flags=["multi_index"])
    while not it.finished:
        i = it.multi_index
        old = x[i]
        x[i] = old + h
        up = f(x)
        x[i] = old - h
        down = f(x)
        x[i] = old
        grad[i] = (up - down) / 2 / h
        it.iternext()
    return grad
""",
    ),
    Variant(
        "unit_vectors_and_lists",
        "numeric_grad",
        code="""
def numeric_grad(f, x, h=1e-5):
    slopes = []
    for k in range(x.size):
        e = np.zeros(x.size)
        e[k] = h
        e = e.reshape(x.shape)
        slopes.append((f(x + e) - f(x - e)) / (2 * h))
    return np.array(slopes).reshape(x.shape)
""",
    ),
    Variant(
        "loop_with_early_return",
        "grad_check",
        code="""
def _error(n, g):
    return abs(n - g) / max(1e-8, abs(n) + abs(g))


def grad_check(f, x, g):
    if np.shape(g) != np.shape(x):
        return float("inf")
    if np.isnan(g).any():
        return float("nan")
    n = numeric_grad(f, x)
    return max(_error(a, b) for a, b in zip(n.ravel(), np.ravel(g)))
""",
    ),
    Variant(
        "small_constant_added",
        "grad_check",
        code="""
def grad_check(f, x, g):
    g = np.array(g)
    if g.shape != x.shape:
        return np.inf
    if not np.all(np.isfinite(g)):
        return np.inf
    n = numeric_grad(f, x, h=1e-5)
    rel = np.abs(n - g) / (np.abs(n) + np.abs(g) + 1e-12)
    return rel.max()
""",
    ),
    Variant(
        "boolean_masks_and_dictionaries",
        "activation_backward",
        code="""
def _sigmoid(z):
    out = np.empty_like(z, dtype=float)
    pos = z >= 0
    out[pos] = 1 / (1 + np.exp(-z[pos]))
    e = np.exp(z[~pos])
    out[~pos] = e / (1 + e)
    return out


FORWARD = {
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.maximum(z, SLOPE * z),
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
}


def activation_forward(z, kind):
    return FORWARD[kind](z)


def activation_backward(da, z, kind):
    dz = np.array(da)
    if kind == "relu":
        dz[z < 0] = 0
    elif kind == "leaky_relu":
        dz[z < 0] *= 0.1
    else:
        a = FORWARD[kind](z)
        dz *= (1 - a) * (1 + a) if kind == "tanh" else a - a * a
    return dz
""",
    ),
    Variant(
        "subgradient_one_and_naive_sigmoid",
        "activation_backward",
        replace=(
            ("slope = np.where(z > 0, 1.0, 0.0)", "slope = (z >= 0).astype(float)"),
            ("return 0.5 * (1 + np.tanh(0.5 * z))", "return 1 / (1 + np.exp(-z))"),
        ),
    ),
    Variant(
        "einsum_with_dict_cache",
        "affine_backward",
        code="""
def affine_forward(x, W, b):
    rows = np.reshape(x, (x.shape[0], W.shape[0]))
    out = np.einsum("nd,dm->nm", rows, W)
    out += b
    return out, {"rows": rows.copy(), "W": W.copy(), "shape": x.shape}


def affine_backward(dout, cache):
    dx = np.einsum("nm,dm->nd", dout, cache["W"])
    dW = np.einsum("nd,nm->dm", cache["rows"], dout)
    db = np.ones(len(dout)) @ dout
    return [dx.reshape(cache["shape"]), dW, db]
""",
    ),
    Variant(
        "loop_over_examples",
        "affine_backward",
        code="""
def affine_forward(x, W, b):
    out = np.array([np.ravel(example) @ W + b for example in x])
    return [out, (x, W, b)]


def affine_backward(dout, cache):
    x, W, b = cache
    dx, dW, db = np.zeros(x.shape), np.zeros(W.shape), np.zeros(b.shape)
    for n in range(x.shape[0]):
        dx[n] = (W @ dout[n]).reshape(x.shape[1:])
        dW += np.outer(x[n], dout[n])
        db += dout[n]
    return dx, dW, db
""",
    ),
    Variant(
        "one_hot_and_logaddexp",
        "softmax_ce",
        code="""
def softmax_ce(logits, y):
    N, C = logits.shape
    log_sum = np.logaddexp.reduce(logits, axis=1)
    onehot = np.eye(C)[y]
    loss = np.sum(log_sum - np.sum(onehot * logits, axis=1)) / N
    p = np.exp(logits - log_sum[:, None])
    return float(loss), (p - onehot) / N
""",
    ),
    Variant(
        "loop_over_rows",
        "softmax_ce",
        code="""
def softmax_ce(logits, y):
    loss, rows = 0.0, []
    for s, right in zip(logits, y):
        s = s - s.max()
        e = np.exp(s)
        loss += np.log(e.sum()) - s[right]
        p = e / e.sum()
        p[right] -= 1
        rows.append(p / len(y))
    return np.array(loss / len(y)), rows
""",
    ),
    Variant(
        "own_products_and_a_dict",
        "mlp_forward",
        code="""
def mlp_forward(x, params):
    caches = [None] * len(params)
    a = x
    for l, (W, b) in enumerate(params):
        inputs = (a, W)
        z = a.dot(W) + b
        caches[l] = (inputs, z)
        a = np.maximum(z, 0)
    return z, caches
""",
    ),
    Variant(
        "recursive",
        "mlp_forward",
        code="""
def mlp_forward(x, params):
    (W, b), rest = params[0], params[1:]
    z, cache = affine_forward(x, W, b)
    if not rest:
        return z, ((cache, z),)
    logits, caches = mlp_forward(activation_forward(z, "relu"), rest)
    return logits, ((cache, z),) + caches
""",
    ),
    Variant(
        "masks_and_insert",
        "mlp_backward",
        code="""
def mlp_backward(dlogits, caches):
    (last, _), hidden = caches[-1], caches[:-1]
    da, dW, db = affine_backward(dlogits, last)
    grads = [[dW, db]]
    for cache, z in hidden[::-1]:
        da, dW, db = affine_backward(np.where(z > 0, da, 0), cache)
        grads.insert(0, [dW, db])
    return tuple(grads)
""",
    ),
    Variant(
        "in_float32",
        "mlp_backward",
        replace=(
            ("    dout = dlogits\n", "    dout = np.asarray(dlogits, dtype=np.float32)\n"),
            ("grads.append((dW, db))", "grads.append((dW.astype(np.float32), db.astype(np.float32)))"),
        ),
    ),
    Variant(
        "closures_as_in_micrograd",
        "Value",
        code="""
import math


class Value:
    def __init__(self, data, children=()):
        self.data = float(data)
        self.grad = 0
        self._prev = set(children)
        self._backward = lambda: None

    def __add__(self, other):
        other = Value._of(other)
        out = Value(self.data + other.data, (self, other))

        def push():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = push
        return out

    def __mul__(self, other):
        other = Value._of(other)
        out = Value(self.data * other.data, (self, other))

        def push():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = push
        return out

    @staticmethod
    def _of(x):
        return x if isinstance(x, Value) else Value(x)

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def tanh(self):
        out = Value(math.tanh(self.data), (self,))

        def push():
            self.grad += (1 - out.data**2) * out.grad

        out._backward = push
        return out

    def backward(self):
        topo, visited = [], set()

        def build(v):
            if v not in visited:
                visited.add(v)
                for child in v._prev:
                    build(child)
                topo.append(v)

        build(self)
        self.grad = 1
        for v in topo[::-1]:
            v._backward()
        return self
""",
    ),
    Variant(
        "counts_users",
        "Value",
        code="""
class Value:
    def __init__(self, data, made_from=()):
        self.data, self.made_from = np.float64(data), list(made_from)
        self.grad = np.zeros(())

    @staticmethod
    def wrap(v):
        return v if type(v) is Value else Value(v)

    def __add__(self, other):
        other = self.wrap(other)
        return Value(self.data + other.data, [(self, 1), (other, 1)])

    def __radd__(self, number):
        return Value(number) + self

    def __mul__(self, other):
        other = self.wrap(other)
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    def __rmul__(self, number):
        return Value(number) * self

    def tanh(self):
        e = np.exp(2 * self.data)
        return Value((e - 1) / (e + 1), [(self, 4 * e / (e + 1) ** 2)])

    def backward(self):
        users, todo, known = {}, [self], {id(self)}
        while todo:
            for parent, _ in todo.pop().made_from:
                users[id(parent)] = users.get(id(parent), 0) + 1
                if id(parent) not in known:
                    known.add(id(parent))
                    todo.append(parent)
        self.grad, ready = np.ones(()), [self]
        while ready:
            node = ready.pop()
            for parent, slope in node.made_from:
                parent.grad = parent.grad + slope * node.grad
                users[id(parent)] -= 1
                if users[id(parent)] == 0:
                    ready.append(parent)
""",
    ),
]
