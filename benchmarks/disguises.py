"""Disguises of a wrong program: the same mistake, written as another student would write it.

`renamed` gives every local variable another name, `restructured` takes expressions apart and puts a
function around the function, `float32` computes in single precision. `benchmarks/checks.py` measures
how often the diagnosis still names the mistake.
"""

import ast

NARROW = """

def _narrow(value):
    if type(value) is list or type(value) is tuple:
        return type(value)(_narrow(v) for v in value)
    if type(value).__module__ == "numpy" and str(getattr(value, "dtype", "")) == "float64" and value.ndim:
        return value.astype("float32")
    if type(value).__module__ == "torch" and str(value.dtype) == "torch.float64":
        return value.float()
    return value


def _narrowed(function):
    return lambda *args, **kwargs: function(*map(_narrow, args), **{k: _narrow(v) for k, v in kwargs.items()})

"""


def renamed(source):
    """Return the program with every local variable renamed; parameters and globals keep their names."""
    tree = ast.parse(source)
    for function in [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]:
        arguments = {a.arg for a in ast.walk(function.args) if isinstance(a, ast.arg)}
        nested = {n.name for n in ast.walk(function) if isinstance(n, ast.FunctionDef) and n is not function}
        inner = {a.arg for n in ast.walk(function) if isinstance(n, ast.Lambda | ast.FunctionDef) and n is not function
                 for a in ast.walk(n.args) if isinstance(a, ast.arg)}  # fmt: skip
        stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        names = {old: f"v{k}" for k, old in enumerate(sorted(stored - arguments - nested - inner))}
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id in names:
                node.id = names[node.id]
    return ast.unparse(tree)


class _Restructure(ast.NodeTransformer):
    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Mult):
            return ast.BinOp(node.right, node.op, node.left)
        return node

    def visit_AugAssign(self, node):
        return self.generic_visit(node)  # in place stays in place

    def visit_Assign(self, node):
        self.generic_visit(node)
        if isinstance(node.value, ast.BinOp) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            names = [ast.Name(f"part_{node.targets[0].id}_{k}", ast.Load()) for k in (0, 1)]
            stores = [ast.Name(n.id, ast.Store()) for n in names]
            parts = [ast.Assign([s], side) for s, side in zip(stores, (node.value.left, node.value.right), strict=True)]
            return [*parts, ast.Assign(node.targets, ast.BinOp(names[0], node.value.op, names[1]))]
        return node

    def visit_Return(self, node):
        self.generic_visit(node)
        if node.value is None:
            return node
        return [ast.Assign([ast.Name("outcome", ast.Store())], node.value), ast.Return(ast.Name("outcome", ast.Load()))]


def restructured(source):
    """Return the program with products turned round, expressions taken apart, and each function inside another."""
    tree = ast.fix_missing_locations(_Restructure().visit(ast.parse(source)))
    return ast.unparse(tree) + _wrapped(tree, "lambda *a, **k: {old}(*a, **k)")


def float32(source):
    """Return the program computing in single precision: float64 arrays and tensors are narrowed on entry."""
    return source + NARROW + _wrapped(ast.parse(source), "_narrowed({old})")


def _wrapped(tree, form):
    names = [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]
    return "\n" + "\n".join(f"_{n}_inner = {n}\n{n} = {form.format(old=f'_{n}_inner')}" for n in names) + "\n"


DISGUISES = {"renamed": renamed, "restructured": restructured, "float32": float32}
