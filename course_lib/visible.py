"""The visible checks under each exercise: one row per claim, and a sentence when one does not hold.

    check = Check("sigmoid")
    check.close("sigmoid(0)", sigmoid(0.0), 0.5, hint="At 0 both classes are equally likely.")
    check.shape("a matrix keeps its shape", sigmoid(np.zeros((3, 2))), (3, 2))
    check.done()

Rows are printed as they are checked. The first claim that does not hold raises AssertionError
with what was wanted, what came, and the hint, so that the cell turns red with something to do.
"""

import numpy as np


class Check:
    """The visible check of one exercise.

    Args:
        title: what is being checked, usually the function's name.
    """

    def __init__(self, title):
        self.title = title
        self.passed = 0
        print(f"Checking {title}")

    def close(self, claim, got, wanted, *, rtol=1e-5, atol=1e-8, hint=""):
        """Require numbers of the same shape as ``wanted`` and equal to it up to rounding.

        Args:
            claim: a few words for the row.
            got: what the student's function returned: array, tensor or number.
            wanted: the right answer, array-like.
            rtol, atol: |got - wanted| <= atol + rtol * |wanted|.
            hint: what to look at when it differs.
        """
        got, wanted = self._numbers(claim, got, hint), _array(wanted)
        if got.shape != wanted.shape:
            self._fail(claim, f"shape {got.shape}", f"shape {wanted.shape}", hint)
        error = np.max(np.abs(got - wanted), initial=0.0) if got.size else 0.0
        if not np.allclose(got, wanted, rtol=rtol, atol=atol):
            self._fail(claim, _short(got), _short(wanted), hint)
        self._row(claim, f"largest difference {error:.1e}")

    def shape(self, claim, got, wanted, *, hint=""):
        """Require numbers of shape ``wanted``, a tuple."""
        got = self._numbers(claim, got, hint)
        if got.shape != tuple(wanted):
            self._fail(claim, f"shape {got.shape}", f"shape {tuple(wanted)}", hint)
        self._row(claim, f"shape {got.shape}")

    def true(self, claim, condition, *, hint=""):
        """Require a condition that the check cell has computed."""
        if not bool(condition):
            self._fail(claim, "it does not hold", "it holds", hint)
        self._row(claim, "holds")

    def done(self):
        """Close the check; call it last."""
        print(f"  {self.passed} of {self.passed} hold. The grader will try other inputs and sizes.")

    def _numbers(self, claim, got, hint):
        if got is None:
            self._fail(claim, "None", "a value", "The function ended without `return`. " + hint)
        if got is NotImplemented or got is Ellipsis:
            self._fail(claim, repr(got), "a value", hint)
        try:
            return _array(got)
        except (TypeError, ValueError):
            self._fail(claim, f"a {type(got).__name__}", "numbers", hint)

    def _row(self, claim, found):
        self.passed += 1
        print(f"  ok  {claim}: {found}")

    def _fail(self, claim, got, wanted, hint):
        message = f"{self.title}: {claim}\n  got     {got}\n  wanted  {wanted}"
        raise AssertionError(f"{message}\n  hint    {hint.strip()}" if hint.strip() else message)


def _array(value):
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        message = "not numbers"
        raise TypeError(message)
    return array.astype(int) if array.dtype.kind == "b" else array


def _short(array):
    return np.array2string(array, precision=6, threshold=12, separator=", ")
