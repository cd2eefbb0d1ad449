"""The class Value, by expressions built across the wire, against torch."""

import pytest
import torch

from autograder.compare import assert_close, scalar


class Both:
    """The same expression twice: as the student's Value and as a torch scalar."""

    def __init__(self, student, mine, theirs):
        self.student, self.mine, self.theirs = student, mine, theirs
        if theirs.requires_grad and not theirs.is_leaf:
            theirs.retain_grad()

    def _with(self, probe, left, right, result):
        return Both(self.student, self.student.call(probe, _mine(left), _mine(right)), result)

    def __add__(self, other):
        return self._with("probe_add", self, other, self.theirs + _theirs(other))

    def __radd__(self, other):
        return self._with("probe_add", other, self, _theirs(other) + self.theirs)

    def __mul__(self, other):
        return self._with("probe_mul", self, other, self.theirs * _theirs(other))

    def __rmul__(self, other):
        return self._with("probe_mul", other, self, _theirs(other) * self.theirs)

    def tanh(self):
        return Both(self.student, self.mine.keep("tanh"), torch.tanh(self.theirs))

    def backward(self):
        self.mine.keep("backward")
        self.theirs.backward()

    def same_data(self, what):
        got = scalar(self.mine.attribute("data"), f"data of {what}")
        assert_close(got, self.theirs.item(), name=f"data of {what}")

    def same_grad(self, what):
        got = scalar(self.mine.attribute("grad"), f"grad of {what}")
        assert_close(got, self.theirs.grad.item(), name=f"grad of {what}")


def _mine(x):
    return x.mine if isinstance(x, Both) else x


def _theirs(x):
    return x.theirs if isinstance(x, Both) else x


@pytest.fixture
def leaves(student, rng):
    """leaves(3) -> three starting values between 0.3 and 1.2, of both signs."""

    def draw(count):
        numbers = rng.uniform(0.3, 1.2, count) * rng.choice([-1.0, 1.0], count)
        tensors = [torch.tensor(float(v), dtype=torch.float64, requires_grad=True) for v in numbers]
        return [Both(student, student.call("Value", float(v)), t) for v, t in zip(numbers, tensors, strict=True)]

    return draw


@pytest.mark.cell("Value")
def test_operations_compute_their_numbers(leaves):
    """data is right for +, * and tanh, with numbers on either side."""
    a, b = leaves(2)
    for expression, what in [
        (a + b, "a + b"),
        (a * b, "a * b"),
        (a.tanh(), "tanh(a)"),
        (a + 2.5, "a + 2.5"),
        (2.5 + a, "2.5 + a"),
        (a * -3.0, "a * -3"),
        (-3 * a, "-3 * a"),
    ]:
        expression.same_data(what)


@pytest.mark.cell("Value")
def test_values_used_once(leaves):
    """grad is right where each value is used once, also in the middle and for the result itself."""
    a, b, c = leaves(3)
    product = a * b
    result = (3 * product + c + 1.5).tanh()
    result.backward()
    result.same_grad("the result itself")
    product.same_grad("a * b in tanh(3 * (a * b) + c + 1.5)")
    for value, name in zip((a, b, c), "abc", strict=True):
        value.same_grad(f"{name} in tanh(3 * (a * b) + c + 1.5)")


@pytest.mark.cell("Value")
def test_values_used_twice_add_up(leaves):
    """A value that is used twice gets the sum of both uses."""
    for what in ("a * a", "a + a", "a * b + a", "tanh(a) * a"):
        a, b = leaves(2)
        result = {
            "a * a": lambda a, b: a * a,
            "a + a": lambda a, b: a + a,
            "a * b + a": lambda a, b: a * b + a,
            "tanh(a) * a": lambda a, b: a.tanh() * a,
        }[what](a, b)
        result.backward()
        a.same_grad(f"a in {what}")


@pytest.mark.cell("Value")
def test_every_value_waits_for_all_its_users(leaves):
    """A value in the middle passes its gradient on once, when all its users have answered."""
    a, b = leaves(2)
    e = a * b
    d = e.tanh()
    (d * e).backward()
    for value, name in [(e, "e"), (a, "a"), (b, "b")]:
        value.same_grad(f"{name} in tanh(e) * e with e = a * b")
    a, b = leaves(2)
    e = a + b
    late = (e * (e.tanh() + 0.5 * e).tanh()) + e * b  # the uses of e lie at different distances from the result
    (late * late + e).backward()
    for value, name in [(e, "e"), (a, "a"), (b, "b")]:
        value.same_grad(f"{name} in an expression that uses e = a + b at several depths")


@pytest.mark.cell("Value")
def test_a_neuron_of_values(leaves, dims):
    """A neuron with several inputs, used by two others, has torch's gradients."""
    count = dims(1, 3, 6)[0]
    w, x = leaves(count), leaves(count)
    (bias,) = leaves(1)
    total = bias
    for wi, xi in zip(w, x, strict=True):
        total = total + wi * xi
    neuron = total.tanh()
    (neuron * w[0] + (2 * neuron).tanh()).backward()
    for i, (wi, xi) in enumerate(zip(w, x, strict=True)):
        wi.same_grad(f"weight {i}")
        xi.same_grad(f"input {i}")
    bias.same_grad("the bias")


@pytest.mark.cell("Value")
def test_expressions_do_not_share_gradients(leaves):
    """Two expressions with values of their own do not see each other."""
    a, b = leaves(2)
    first, second = a * a, b.tanh() + b
    first.backward()
    second.backward()
    a.same_grad("a in the first of two expressions")
    b.same_grad("b in the second of two expressions")
