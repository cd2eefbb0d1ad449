"""Runs a notebook's cells and answers calls to the functions they define.

This is the student's side of the wire. It holds a namespace, as a notebook kernel does, and
a table of kept objects (handles). `Executor.answer` takes one decoded request and returns one
reply made of plain data; whatever the student's code does, it does not raise.

A reply is ``("ok", value, remarks)`` or ``("error", fault)``. *Remarks* are hygiene the grader
may mention but never scores: inputs that changed, warnings that were raised. Mostly there are none.
A request leaves out what is not so either: ``method``, ``kwargs``, ``keep``, ``made``.
"""

import ast
import contextlib
import functools
import io
import os
import sys
import types
import warnings

import numpy as np
import numpy.random  # numpy loads it at first use, which would be in every student's process

from . import wire
from .off_limits import OffLimits

MAX_MESSAGE = 400
COPY_LIMIT = 2**20  # arrays with more entries than this are not watched for changes


class Executor:
    """One student's namespace."""

    def __init__(self):
        self.module = types.ModuleType("__main__")
        self.names = self.module.__dict__
        self.names["__name__"] = "__main__"
        self.names["display"] = lambda *objects, **options: None
        self.kept = {}
        self.next_handle = 1

    def answer(self, request):
        """Return the reply to one request, a dict with an ``op``."""
        op = self.OPERATIONS.get(request.get("op"))
        if op is None:
            return ("error", {"type": "UnknownRequest", "line": None, "cell": None, "message": ""})
        visible = request["op"] in ("exec", "score")  # no hidden input can be in these messages
        try:
            for number, frame in request.get("made", ()):
                self.kept[number] = self.make(wire.decode(frame))
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                value, changed = op(self, request)
            remarks = {"changed": changed} if changed else {}
            if caught:
                remarks["warnings"] = sorted({wire.safe_name(w.category) for w in caught})
            return ("ok", value, remarks)
        except wire.WireError as error:
            return ("error", _fault("NotPlainData", None, str(error)))
        except OffLimits as error:
            return ("error", _fault("OffLimits", error, _message(error)))
        except BaseException as error:  # SystemExit and KeyboardInterrupt are the student's too
            return ("error", _fault(_error_name(error), error, _message(error) if visible else ""))

    # Operations: each returns (plain value, names of inputs that changed) ---------------------------

    def exec(self, request):
        filename = f"<cell {request['cell']}>"
        try:
            code = _compiled(request["source"], filename)
        except SyntaxError:
            source = _without_magics(request["source"])
            if source == request["source"]:
                raise
            code = compile(source, filename, "exec", dont_inherit=True)
        exec(code, self.names)
        return None, []

    def file(self, request):
        """Write one of the assignment's data files into the working folder."""
        folder = os.path.dirname(request["name"])
        if folder:
            os.makedirs(folder, exist_ok=True)
        with open(request["name"], "wb") as file:
            file.write(request["data"])
        return None, []

    def score(self, request):
        """Run a grade cell and return what its last line evaluates to, as a notebook would show it."""
        tree = ast.parse(request["source"])
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        filename = f"<cell {request['cell']}>"
        exec(compile(tree, filename, "exec", dont_inherit=True), self.names)
        if last is None:
            return None, []
        value = eval(compile(ast.Expression(last.value), filename, "eval", dont_inherit=True), self.names)
        return (value if type(value) in (int, float, bool) else None), []

    def call(self, request):
        function = self.target(request["target"])
        if "method" in request:
            function = getattr(function, request["method"])
        args = [self.build(a) for a in request["args"]]
        kwargs = {name: self.build(a) for name, a in request.get("kwargs", {}).items()}
        before = _copies(args, kwargs)
        result = function(*args, **kwargs)
        changed = _changed(before, args, kwargs)
        return self.hand_out(result, request.get("keep")), changed

    def read(self, request):
        return self.hand_out(self.target(request["target"]), request.get("keep")), []

    def has(self, request):
        return request["target"] in self.names, []

    def item(self, request):
        return self.hand_out(self.target(request["target"])[self.build(request["key"])], request.get("keep")), []

    def set_item(self, request):
        self.target(request["target"])[self.build(request["key"])] = self.build(request["value"])
        return None, []

    def attribute(self, request):
        return self.hand_out(getattr(self.target(request["target"]), request["name"]), request.get("keep")), []

    def set_attribute(self, request):
        setattr(self.target(request["target"]), request["name"], self.build(request["value"]))
        return None, []

    OPERATIONS = {
        "exec": exec,
        "file": file,
        "score": score,
        "call": call,
        "read": read,
        "has": has,
        "item": item,
        "set_item": set_item,
        "attribute": attribute,
        "set_attribute": set_attribute,
    }

    # Values in and out ------------------------------------------------------------------------------

    def make(self, wanted):
        """Return an object that the grader asked to have here: a value of its own, or a random generator."""
        return np.random.default_rng(wanted["seed"]) if "seed" in wanted else self.build(wanted["value"])

    def target(self, target):
        if type(target) is wire.Ref:
            return self.kept[target.number]
        if target not in self.names:
            raise NameError(f"name {target!r} is not defined")
        return self.names[target]

    def hand_out(self, value, keep):
        if not keep:
            return plain(value)
        number, self.next_handle = self.next_handle, self.next_handle + 1
        self.kept[number] = value
        return wire.Ref(number)

    def build(self, value):
        """Turn a decoded value into what the student's function should see."""
        kind = type(value)
        if kind is wire.Ref:
            return self.kept[value.number]
        if kind is wire.Tensor:
            return _real_tensor(value)
        if kind is list:
            return [self.build(v) for v in value]
        if kind is tuple:
            return tuple(self.build(v) for v in value)
        if kind is dict:
            return {k: self.build(v) for k, v in value.items()}
        return value


@functools.lru_cache(maxsize=512)
def _compiled(source, filename):
    return compile(source, filename, "exec", dont_inherit=True)


def _without_magics(source):
    """Blank out IPython's own lines (%magic, !command, ?help), so that the Python around them runs."""
    lines = source.split("\n")
    if lines[0].startswith("%%") and not lines[0].startswith(("%%time", "%%capture", "%%prun")):
        return "pass"
    return "\n".join("pass" if line.startswith(("%", "!", "?")) else line for line in lines)


def plain(value, depth=0):
    """Turn a student's value into plain data; containers are copied, tensors become arrays."""
    kind = type(value)
    if depth > wire.MAX_DEPTH:
        raise wire.WireError(f"the value is nested more than {wire.MAX_DEPTH} deep")
    if kind is list or kind is tuple:
        if len(value) > wire.MAX_ITEMS:
            raise wire.WireError(f"a {kind.__name__} of {len(value)} items is too long; return an array")
        return kind([plain(v, depth + 1) for v in value])
    if kind is dict:
        return {k: plain(v, depth + 1) for k, v in value.items()}
    tensor = _as_tensor(value, kind)
    return value if tensor is None else tensor


def _as_tensor(value, kind):
    torch = sys.modules.get("torch")
    if torch is not None and kind in (torch.Tensor, torch.nn.Parameter):
        if value.layout is not torch.strided or value.is_nested or value.is_quantized or value.device.type == "meta":
            raise wire.WireError(f"a {value.layout} tensor on {value.device.type!r} is not dense numbers")
        if value.dtype is torch.bfloat16:
            value = value.float()
        return wire.Tensor("torch", value.detach().cpu().resolve_conj().resolve_neg().numpy())
    tf = sys.modules.get("tensorflow")
    if (
        tf is not None
        and kind.__module__.startswith("tensorflow.")
        and kind.__name__
        in (
            "EagerTensor",
            "ResourceVariable",
        )
    ):
        return wire.Tensor("tensorflow", value.numpy())
    if kind.__module__ == "keras.src.backend.Variable" or (
        "keras" in sys.modules and kind is getattr(sys.modules["keras"], "Variable", None)
    ):
        return wire.Tensor("tensorflow", np.asarray(value))
    return None


def _real_tensor(tensor):
    if tensor.framework == "torch":
        import torch

        real = torch.from_numpy(np.array(tensor.array))
        return real.requires_grad_() if tensor.requires_grad else real
    import tensorflow

    return tensorflow.constant(tensor.array)


def _copies(args, kwargs):
    named = list(enumerate(args)) + list(kwargs.items())
    return {k: np.array(v) for k, v in named if type(v) is np.ndarray and v.size <= COPY_LIMIT}


def _changed(before, args, kwargs):
    changed = []
    for key, copy in before.items():
        now = args[key] if type(key) is int else kwargs[key]
        if now.shape != copy.shape or now.tobytes() != copy.tobytes():
            changed.append(key)
    return changed


# Faults -------------------------------------------------------------------------------------------


def _fault(name, error, message):
    cell, line = _place(error)
    return {"type": name, "cell": cell, "line": line, "message": message}


def _error_name(error):
    for kind in type(error).__mro__:
        if kind.__module__ == "builtins":
            return kind.__name__
    return "Exception"


def _message(error):
    """The error's text, for cells that no hidden input can reach; never the student's repr of a crash."""
    try:
        return str(error)[:MAX_MESSAGE]
    except BaseException:
        return ""


def _place(error):
    """Return (cell, line) of the last frame that is in one of the student's cells."""
    if isinstance(error, SyntaxError) and str(error.filename).startswith("<cell "):
        return error.filename[6:-1], error.lineno
    place = (None, None)
    step = getattr(error, "__traceback__", None)
    while step is not None:
        name = step.tb_frame.f_code.co_filename
        if name.startswith("<cell "):
            place = (name[6:-1], step.tb_lineno)
        step = step.tb_next
    return place


@contextlib.contextmanager
def silence():
    """Send print output nowhere (used when the executor runs inside the grader on trusted code)."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
