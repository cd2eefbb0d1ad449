"""What a hidden check holds: the student's functions, called across the wire.

    student.sigmoid(z)              call a function, get plain data back
    student.call("init", w)         call it, leave the result where it is: a Handle
    student.put(array)              send a value and keep it there: a Handle
    student.generator(seed)         a numpy Generator there: a Handle
    handle.get()                    the object as plain data
    handle.step(x), handle["m"]     methods and items, as plain data
    handle.keep("step", x)          a method whose result stays there: a Handle
    handle.attribute("weight")      an attribute as plain data
    handle.set("lr", 0.1); handle["m"] = array

Handles may be passed as arguments, also inside lists and dicts. Arrays always cross as
copies. A `Student` speaks through a *line*: an object with ``ask(request) -> reply``, be it
a walled process (`autograder.grading.process`) or, for our own programs, `LocalLine`.
"""

import builtins
import itertools
import re

from ..jail.inside import wire
from ..jail.inside.executor import Executor, silence

BUILTIN_ERRORS = frozenset(
    name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)
)
FAMILIAR_TYPES = frozenset(
    "function method builtin_function_or_method type module generator range map filter zip enumerate set frozenset "
    "dict_keys dict_values dict_items matrix MaskedArray DataFrame Series Tensor SparseTensor RaggedTensor "
    "KerasTensor object ellipsis NotImplementedType".split()
)

MADE = itertools.count(2**32)  # numbers of objects that the grader has made there; the others' are small


class StudentFault(AssertionError):
    """The student's code did not give a value. It is a failed check, never an error of ours.

    Attributes:
        kind: the error's builtin type name, "Timeout" or "Crash".
        cell, line: where in the student's own code, or None.
    """

    def __init__(self, function, kind, cell=None, line=None, detail=""):
        self.function, self.kind, self.cell, self.line, self.detail = function, kind, cell, line, detail
        super().__init__(self.sentence())

    def sentence(self):
        name = f"`{self.function}`" if self.function else "your code"
        where = f" (line {self.line} of cell `{self.cell}`)" if self.line else ""
        if self.kind == "Timeout":
            return f"{name} did not come back within {self.detail}; look for a loop that never ends"
        if self.kind == "Crash":
            return f"{name} ended the whole Python process ({self.detail}); a function should return or raise"
        if self.kind == "NotPlainData":
            return f"{name} returned something that cannot be compared: {self.detail}"
        if self.kind == "OffLimits":
            return f"{name} uses `{self.detail}`{where}, which is off limits in this assignment; build it yourself"
        if self.kind == "NotImplementedError":
            return f"{name} is not written yet"
        if self.kind == "NameError" and not self.line:
            return f"{name} is not defined; keep the name that the task gives it and check that its cell runs"
        return f"{name} raised {self.kind}{where}"


class Student:
    """The student's program as a hidden check sees it."""

    def __init__(self, line):
        self._line = line
        self._made = []  # (number, encoded request) of objects to be made before the next question
        self.transcript = []  # (label, request, outcome) of every value the check has seen
        self.remarks = []  # (function, {"changed": [...], "warnings": [...]}), either or both

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._call(name, None, args, kwargs, keep=False)

    def call(self, name, /, *args, **kwargs):
        """Call function ``name`` and leave its result there; return a Handle."""
        return self._call(name, None, args, kwargs, keep=True)

    def get(self, name):
        """Return the student's global variable ``name`` as plain data."""
        return self._ask({"op": "read", "target": name}, name)

    def handle(self, name):
        """Return a Handle on the student's global ``name`` (a class, a model, a variable)."""
        return self._ask({"op": "read", "target": name, "keep": True}, name)

    def has(self, name):
        """Return whether the student's notebook defines ``name``."""
        return self._ask({"op": "has", "target": name}, name)

    def put(self, value):
        """Send ``value`` and keep it there; return a Handle."""
        return self._make({"value": _outgoing(value)})

    def generator(self, seed):
        """Return a Handle on ``numpy.random.default_rng(seed)`` in the student's process."""
        return self._make({"seed": int(seed)})

    def _make(self, wanted):
        """Have an object made there, as part of the next question: it saves a journey, and it cannot fail."""
        ref = wire.Ref(next(MADE))
        self._remake({"op": "make", **wanted}, ref)
        return Handle(self, ref)

    def _remake(self, request, ref):
        self._made.append((ref.number, wire.encode(request)))
        self.transcript.append(("", request, ref))

    def _call(self, target, method, args, kwargs, keep):
        request = {"op": "call", "target": target if isinstance(target, str) else _outgoing(target),
                   "args": tuple(_outgoing(a) for a in args)}  # fmt: skip
        if kwargs:
            request["kwargs"] = {k: _outgoing(v) for k, v in kwargs.items()}
        if method:
            request["method"] = method
        if keep:
            request["keep"] = True
        return self._ask(request, method or target)

    def _ask(self, request, label):
        made, self._made = self._made, []
        reply = self._line.ask({**request, "made": made} if made else request)
        if reply[0] == "ok":
            _, value, remarks = reply
            if remarks:
                self.remarks.append((label, remarks))
            self.transcript.append((label, request, value))
            return Handle(self, value) if type(value) is wire.Ref else value
        fault = StudentFault(label, *_checked_fault(reply[1]))
        self.transcript.append((label, request, fault))
        raise fault


class Handle:
    """An object that stays in the student's process."""

    def __init__(self, student, ref):
        self._student, self._ref = student, ref

    def get(self):
        return self._student._ask({"op": "read", "target": self._ref}, "")

    def attribute(self, name):
        return self._student._ask({"op": "attribute", "target": self._ref, "name": name}, name)

    def handle(self, name):
        """Return a Handle on an attribute."""
        return self._student._ask({"op": "attribute", "target": self._ref, "name": name, "keep": True}, name)

    def set(self, name, value):
        request = {"op": "set_attribute", "target": self._ref, "name": name, "value": _outgoing(value)}
        return self._student._ask(request, name)

    def keep(self, method, /, *args, **kwargs):
        return self._student._call(self, method, args, kwargs, keep=True)

    def __call__(self, *args, **kwargs):
        return self._student._call(self, "__call__", args, kwargs, keep=False)

    def __getitem__(self, key):
        request = {"op": "item", "target": self._ref, "key": _outgoing(key)}
        return self._student._ask(request, str(key))

    def item(self, key):
        """Return a Handle on one item."""
        return self._student._ask({"op": "item", "target": self._ref, "key": _outgoing(key), "keep": True}, str(key))

    def __setitem__(self, key, value):
        request = {"op": "set_item", "target": self._ref, "key": _outgoing(key), "value": _outgoing(value)}
        self._student._ask(request, str(key))

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._student._call(self, name, args, kwargs, keep=False)


def _outgoing(value):
    """Replace handles by their references, in containers too; torch and TF tensors by wire tensors."""
    if isinstance(value, Handle):
        return value._ref
    if type(value) is list:
        return [_outgoing(v) for v in value]
    if type(value) is tuple:
        return tuple(_outgoing(v) for v in value)
    if type(value) is dict:
        return {k: _outgoing(v) for k, v in value.items()}
    module = type(value).__module__
    if module.startswith("torch"):
        return wire.Tensor("torch", value.detach().cpu().numpy(), value.requires_grad)
    if module.startswith("tensorflow"):
        return wire.Tensor("tensorflow", value.numpy())
    return value


def _checked_fault(fault):
    """Take from a fault only what the grader knows how to show."""
    kind = fault.get("type")
    if kind not in BUILTIN_ERRORS and kind not in ("NotPlainData", "OffLimits", "Timeout", "Crash"):
        kind = "Exception"
    cell = fault.get("cell")
    line = fault.get("line")
    cell = cell[:80] if type(cell) is str else None
    line = line if type(line) is int and 0 < line < 10**5 else None
    return kind, cell, line, _detail(kind, fault.get("message"))


def _detail(kind, message):
    """Return the part of a fault's text that cannot carry a hidden input out.

    A student's process could put anything there, so a type name is repeated only if it is well known.
    """
    if kind in ("OffLimits", "Timeout", "Crash"):  # written or checked on the grader's side of the wire
        return message
    found = re.fullmatch(r"a value of type (\w{1,40}) is not plain data", message if type(message) is str else "")
    if kind == "NotPlainData" and found and found[1] in FAMILIAR_TYPES:
        return f"a value of type {found[1]} is not plain data"
    return "it must be a number, an array, a text, or a list, tuple or dict of those, of reasonable size"


class LocalLine:
    """Our own programs (references, mutants) run in the grader itself, over the same encoding."""

    def __init__(self, cells):
        """Run ``cells``, a list of (cell id, source)."""
        self.executor = Executor()
        for cell, source in cells:
            self.ask({"op": "exec", "cell": cell, "source": source})

    def ask(self, request):
        with silence():
            reply = self.executor.answer(wire.decode(wire.encode(request)))
        try:
            return wire.decode(wire.encode(reply))
        except wire.WireError as error:
            return ("error", {"type": "NotPlainData", "cell": None, "line": None, "message": str(error)})
