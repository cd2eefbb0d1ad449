"""Right programs that look different; all of them must get full points."""

from autograder.mutation import Variant

VARIANTS = [
    Variant("sigmoid_by_masks", "sigmoid", code='''
def sigmoid(z):
    z = np.asarray(z, dtype=np.float64)
    out = np.empty_like(z)
    right = z >= 0
    out[right] = 1 / (1 + np.exp(-z[right]))
    out[~right] = np.exp(z[~right]) / (1 + np.exp(z[~right]))
    return out
'''),
    Variant("sigmoid_that_warns", "sigmoid", code='''
def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-np.asarray(z, dtype=float)))
'''),
    Variant("sigmoid_logaddexp", "sigmoid", code='''
def sigmoid(z):
    return np.exp(-np.logaddexp(0, -np.array(z, dtype=float)))
'''),
    Variant("sigmoid_loops", "sigmoid", code='''
import math


def _one(v):
    return 1 / (1 + math.exp(-v)) if v >= 0 else math.exp(v) / (1 + math.exp(v))


def sigmoid(z):
    if np.ndim(z) == 0:
        return _one(float(z))
    return np.array([_one(float(v)) for v in np.ravel(z)]).reshape(np.shape(z))
'''),
    Variant("predict_einsum_booleans", "predict_proba", code='''
def predict_proba(X, w, b):
    return sigmoid(np.einsum("nd,d->n", X, w) + b)


def predict_label(X, w, b, threshold=0.5):
    return predict_proba(X, w, b) >= threshold
'''),
    Variant("predict_loops_floats", "predict_proba", code='''
def predict_proba(X, w, b):
    return [sigmoid(sum(x * v for x, v in zip(row, w)) + b) for row in X]


def predict_label(X, w, b, threshold=0.5):
    return np.array([1.0 if p >= threshold else 0.0 for p in predict_proba(X, w, b)])
'''),
    Variant("loss_from_scores", "bce_loss", code='''
def bce_loss(X, y, w, b, l2=0.0):
    z = X @ w + b
    y = np.asarray(y, dtype=float)
    per_example = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
    return float(per_example.mean() + l2 / 2 * np.dot(w, w))
'''),
    Variant("loss_loop", "bce_loss", code='''
def bce_loss(X, y, w, b, l2=0.0):
    total = 0.0
    for row, label in zip(X, y):
        m = (row @ w + b) * (1 if label == 1 else -1)
        total += max(0.0, -m) + np.log1p(np.exp(-abs(m)))
    return total / len(y) + l2 * np.sum(np.square(w)) / 2
'''),
    Variant("gradient_loop", "bce_grad", code='''
def bce_grad(X, y, w, b, l2=0.0):
    dw, db = np.zeros(len(w)), 0.0
    for row, label in zip(X, y):
        error = float(sigmoid(row @ w + b)) - float(label)
        dw += error * row
        db += error
    return [dw / len(X) + l2 * w, db / len(X)]
'''),
    Variant("gradient_float32", "bce_grad", code='''
def bce_grad(X, y, w, b, l2=0.0):
    error = (predict_proba(X, w, b) - y).astype(np.float32)
    dw = np.mean(X * error[:, None], axis=0) + l2 * w
    return dw.astype(np.float32), error.mean()
'''),
    Variant("fit_in_place_array", "fit", code='''
def fit(X, y, lr, steps, l2=0.0):
    w, b = np.zeros(X.shape[1]), 0.0
    losses = np.empty(steps + 1)
    for k in range(steps):
        losses[k] = bce_loss(X, y, w, b, l2)
        dw, db = bce_grad(X, y, w, b, l2)
        w -= lr * dw
        b -= lr * db
    losses[steps] = bce_loss(X, y, w, b, l2)
    return w, b, losses
'''),
    Variant("linear_one_matrix", "linear_regression_gd", code='''
def linear_regression_gd(X, y, lr, steps):
    A = np.column_stack([np.ones(len(X)), X])
    theta = np.zeros(A.shape[1])
    for _ in range(steps):
        theta -= lr / len(A) * A.T @ (A @ theta - y)
    return theta[1:], theta[0]
'''),
    Variant("expand_rows_of_lists", "expand_quadratic", code='''
def expand_quadratic(X):
    return np.array([[1.0, p, q, p ** 2, p * q, q ** 2] for p, q in X])
'''),
    Variant("expand_preallocated", "expand_quadratic", code='''
def expand_quadratic(X):
    X = np.asarray(X, dtype=float)
    out = np.ones((X.shape[0], 6))
    out[:, 1:3] = X
    out[:, 3], out[:, 4], out[:, 5] = X[:, 0] ** 2, X.prod(axis=1), X[:, 1] ** 2
    return out
'''),
]  # fmt: skip
