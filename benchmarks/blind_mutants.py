"""Mutants made blindly, by operators on the syntax tree of a reference answer.

They know nothing of the checks: every place where an operator applies gives one mutant, and the share
that the hidden checks catch says how much they see. The signature of a function and its docstring are
the handout's, not the answer's, and are left alone. `benchmarks/checks.py` runs them.
"""

import ast
import copy

SWAPS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
COMPARISONS = {
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
FUNCTIONS = {
    "sum": "mean",
    "mean": "sum",
    "max": "min",
    "min": "max",
    "argmax": "argmin",
    "argmin": "argmax",
    "exp": "expm1",
    "log": "log1p",
}


def blind_mutants(source):
    """Yield (where, what, mutated source): the line of the answer, the operator, and the program.

    Args:
        source: a reference answer, with the functions of one cell.
    """
    tree = ast.parse(source)
    lines, unchanged = source.splitlines(), ast.unparse(tree)
    for index, node in enumerate(ast.walk(tree)):
        if not _inside_a_body(tree, node):
            continue
        where = lines[node.lineno - 1].strip() if hasattr(node, "lineno") else ""
        for what, change in _changes(node):
            copied = copy.deepcopy(tree)
            change(_nth(copied, index))
            program = ast.unparse(ast.fix_missing_locations(copied))
            if program != unchanged:
                yield where, what, program


def _nth(tree, index):
    for number, node in enumerate(ast.walk(tree)):
        if number == index:
            return node
    raise IndexError(index)


def _inside_a_body(tree, node):
    """Return whether ``node`` is part of a body, not of a signature, a decorator or a docstring."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.Lambda):
            if any(node is part for part in ast.walk(function.args)):
                return False
            doc = function.body[0] if isinstance(function, ast.FunctionDef) else None
            if isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant) and node in (doc, doc.value):
                return False
    return True


def _changes(node):
    """Yield (name, function that changes a copy of ``node`` in place)."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in SWAPS:
        new = SWAPS[type(node.op)]
        yield f"{type(node.op).__name__} to {new.__name__}", lambda n: setattr(n, "op", new())
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        for other in COMPARISONS[type(node.ops[0])]:
            yield f"{type(node.ops[0]).__name__} to {other.__name__}", lambda n, o=other: n.ops.__setitem__(0, o())
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield from _constants(node)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield f"drop {type(node.op).__name__}", _replaced_by(lambda n: n.operand)
    if isinstance(node, ast.Attribute) and node.attr in FUNCTIONS:
        yield f"{node.attr} to {FUNCTIONS[node.attr]}", lambda n: setattr(n, "attr", FUNCTIONS[n.attr])
    if isinstance(node, ast.Call) and len(node.args) == 2 and not any(isinstance(a, ast.Starred) for a in node.args):
        yield "swap arguments", lambda n: n.args.reverse()
    if isinstance(node, ast.IfExp):
        yield "swap branches", lambda n: n.__dict__.update(body=n.orelse, orelse=n.body)
    if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.ctx, ast.Load):
        yield "swap the pair", lambda n: n.elts.reverse()
    if isinstance(node, ast.FunctionDef | ast.For | ast.While | ast.With | ast.If):
        for place, statement in enumerate(node.body):
            if not isinstance(statement, ast.Return | ast.Expr | ast.Pass | ast.FunctionDef):
                what = f"delete `{ast.unparse(statement).splitlines()[0]}`"
                yield what, lambda n, p=place: n.body.__setitem__(p, ast.Pass())


def _constants(node):
    if isinstance(node.value, int):
        values = {node.value + 1, node.value - 1} - {node.value}
    else:
        values = {node.value + 1, node.value * 0.5, 0.0} - {node.value}
    for value in sorted(values):
        yield f"{node.value} to {value}", lambda n, v=value: setattr(n, "value", v)


def _replaced_by(part):
    """Return a change that turns a node into one of its own parts."""

    def change(node):
        inner = part(node)
        node.__class__ = inner.__class__
        node.__dict__.clear()
        node.__dict__.update(inner.__dict__)

    return change
