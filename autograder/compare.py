"""The comparators that hidden checks use. They decide on plain arrays, in the trusted process.

Every one of them raises `Mismatch`, whose message is a sentence for the student and never
contains a hidden number; the numbers travel in its fields and are shown only when the check
was run on the feedback seed. Shape comes before values, finiteness before closeness, and a
NaN never passes.
"""

import numpy as np

from .jail.inside.wire import Tensor

FLOAT32_RTOL = 2e-4
FLOAT32_ATOL = 1e-5
FLOAT32_FLOOR = 1e-6  # a small result of larger float32 numbers has lost digits
EXACT_RTOL = 1e-8  # a check that asks for less than this wants the very digits


class Mismatch(AssertionError):
    """An answer is not what the task asks for.

    Attributes:
        message: one sentence for the student, without values.
        got, expected: the two values, for the failing example; None if there is nothing to show.
        where: index of the first entry that differs, or None.
        suspect: name of the mutant that this looks like, or None.
    """

    def __init__(self, message, *, got=None, expected=None, where=None, suspect=None):
        super().__init__(message)
        self.message, self.got, self.expected, self.where, self.suspect = message, got, expected, where, suspect


def as_array(value, name="the result"):
    """Return numbers as a numpy array: arrays, tensors, scalars, and lists of numbers; else raise Mismatch."""
    if isinstance(value, Tensor):
        return value.array
    if isinstance(value, np.ndarray | np.generic):
        return np.asarray(value)
    if value is None:
        raise Mismatch(f"{name} is None; did you forget `return`?")
    if type(value) in (int, float, bool):
        return np.asarray(value)
    if type(value) in (list, tuple):
        try:
            parts = [as_array(v, name) for v in value]
            return np.stack(parts) if parts else np.zeros(0)
        except (Mismatch, ValueError):
            pass
    raise Mismatch(f"{name} should be an array of numbers, not {_kind(value)}")


def assert_shape(got, shape, *, name="the result", suspect=None):
    """Require numbers of exactly this shape (a tuple) and return them as a numpy array."""
    array = as_array(got, name)
    if array.shape == tuple(shape):
        return array
    message = f"{name} should have shape {tuple(shape)}, not {array.shape}"
    if array.ndim == 2 and array.shape[::-1] == tuple(shape):
        message += "; it is the transpose (examples go along the first axis)"
    elif array.size == int(np.prod(shape)) and array.size > 0:
        message += "; the number of entries is right, the axes are not"
    raise Mismatch(message, got=array, suspect=suspect)


def assert_close(got, expected, *, rtol=1e-7, atol=1e-9, name="the result", suspect=None):
    """Require ``got`` to have the shape of ``expected`` and |got - expected| <= atol + rtol * |expected|.

    Args:
        got: what the student returned: array, tensor, scalar, or lists of numbers.
        expected: the oracle's answer, array-like. It must be finite, unless it holds infinities
            that ``got`` must repeat.
        rtol, atol: tolerances for float64 answers. A program may compute in float32 inside and return
            float64, so an entry may be off by 1e-5 of the largest one, unless rtol is below 1e-8. A float32
            (float16) answer is right to its own precision: its tolerances are at least 2e-4 and 1e-5
            (2e-2 and 1e-2) of the largest entry, and 1e-6 for float32.
        name: what the sentence calls it.
        suspect: the mutant this check was written against, if a failure can only mean that one.
    """
    expected = np.asarray(expected.array if isinstance(expected, Tensor) else expected)
    array = assert_shape(got, expected.shape, name=name, suspect=suspect)
    if array.dtype.kind == "c" and expected.dtype.kind != "c":
        raise Mismatch(f"{name} is complex; it should be real", got=array, expected=expected)
    nan = np.isnan(array)
    if nan.any():
        raise Mismatch(
            f"{name} contains NaN (not a number)", got=array, expected=expected, where=_first(nan), suspect=suspect
        )
    scale = float(np.max(np.abs(expected[np.isfinite(expected)]), initial=0.0))
    if array.dtype in (np.float32, np.complex64):
        rtol, atol = max(rtol, FLOAT32_RTOL), max(atol, FLOAT32_ATOL * scale, FLOAT32_FLOOR)
    elif array.dtype == np.float16:
        rtol, atol = max(rtol, 2e-2), max(atol, 1e-2 * scale)
    elif rtol >= EXACT_RTOL:
        atol = max(atol, FLOAT32_ATOL * scale)
    wide = np.complex128 if expected.dtype.kind == "c" else np.float64
    a, b = array.astype(wide), expected.astype(wide)
    with np.errstate(all="ignore"):
        close = (a == b) | (np.abs(a - b) <= atol + rtol * np.abs(b)) & np.isfinite(a)
    if close.all():
        return
    if not np.isfinite(a).all() and np.isfinite(b).all():
        raise Mismatch(
            f"{name} is infinite where it should be finite",
            got=array,
            expected=expected,
            where=_first(~np.isfinite(a)),
            suspect=suspect,
        )
    raise Mismatch(
        _share(name, ~close) + _relation(a, b, rtol, atol),
        got=array,
        expected=expected,
        where=_first(~close),
        suspect=suspect,
    )


def assert_equal(got, expected, *, name="the result", suspect=None):
    """Require plain data (numbers, texts, lists, dicts of them) to be equal; arrays entry by entry."""
    if isinstance(expected, np.ndarray | np.generic | float):
        assert_close(got, expected, rtol=0, atol=0, name=name, suspect=suspect)
        return
    if isinstance(got, np.generic):
        got = got.item()
    same = type(got) is type(expected) or {type(got), type(expected)} <= {list, tuple}
    if not (same and _plain(got) == _plain(expected)):
        raise Mismatch(f"{name} is not what the task asks for", got=got, expected=expected, suspect=suspect)


def require(condition, message, *, got=None, expected=None, suspect=None):
    """Require a property that the check has computed itself; ``message`` is a sentence for the student."""
    if not (isinstance(condition, bool | np.bool_) and condition):
        raise Mismatch(message, got=got, expected=expected, suspect=suspect)


def assert_finite(got, *, name="the result", suspect=None):
    """Require numbers without NaN and infinities and return them as a numpy array."""
    array = as_array(got, name)
    if not np.isfinite(array).all():
        raise Mismatch(f"{name} contains NaN or infinity", got=array, suspect=suspect)
    return array


def scalar(got, name="the result"):
    """Return a number (or an array without axes) as a numpy scalar of its own dtype; else raise Mismatch."""
    array = as_array(got, name)
    if array.shape != ():
        raise Mismatch(f"{name} should be one number, not an array of shape {array.shape}", got=array)
    return array[()]


def unpack(got, count, name="the function"):
    """Return the ``count`` parts of a tuple or list; else raise Mismatch."""
    if type(got) not in (tuple, list) or len(got) != count:
        found = f"{len(got)} values" if type(got) in (tuple, list) else _kind(got)
        raise Mismatch(f"{name} should return {count} values, not {found}", got=got)
    return tuple(got)


def numeric_gradient(f, x, h=1e-5):
    """Return the central-difference gradient of scalar ``f`` at ``x`` (float64 array, not modified)."""
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        keep = x[index]
        x[index] = keep + h
        above = f(x.copy())
        x[index] = keep - h
        below = f(x.copy())
        x[index] = keep
        gradient[index] = (above - below) / (2 * h)
    return gradient


def _share(name, wrong):
    if wrong.ndim == 0:
        return f"{name} is wrong"
    if wrong.all():
        return f"every entry of {name} is wrong"
    return f"{name} is wrong in {wrong.sum()} of {wrong.size} entries, the first at index {_first(wrong)}"


def _relation(a, b, rtol, atol):
    """Recognise the relations that say most about a mistake: a sign, a factor, an offset, a transpose."""

    def alike(x, y):
        return x.shape == y.shape and np.allclose(x, y, rtol=max(rtol, 1e-6), atol=max(atol, 1e-9))

    if not np.isfinite(a).all() or a.size == 0:
        return ""
    if alike(a, -b):
        return "; the sign is the other way round"
    largest = np.argmax(np.abs(b))
    if abs(b.flat[largest]) > 0 and a.size > 1:
        factor = a.flat[largest] / b.flat[largest]
        if factor not in (0, 1) and alike(a, factor * b):
            return "; all entries are off by one and the same factor"
    if a.size > 1 and alike(a - b, np.full(a.shape, (a - b).flat[0])):
        return "; all entries are off by one and the same amount"
    return ""


def _first(mask):
    return tuple(int(i) for i in np.argwhere(mask)[0]) if mask.ndim else ()


def _plain(value):
    return [_plain(v) for v in value] if type(value) in (list, tuple) else value


def _kind(value):
    names = {"NoneType": "None", "str": "a text", "dict": "a dict", "list": "a list", "tuple": "a tuple"}
    return names.get(type(value).__name__, f"a {type(value).__name__}")
