"""Section 2: tampering with what checks. The checks are elsewhere, so it changes nothing."""

from row import HARMLESS, Row, body

WRONG = "\n\ndef double(x):\n    return x"

ROWS = [
    Row("T01", "replaces numpy's comparison", "import numpy\nnumpy.testing.assert_allclose = lambda *a, **k: None\n"
        "numpy.allclose = lambda *a, **k: True\nnumpy.isnan = lambda a: a != a" + WRONG),
    Row("T02", "patches pytest's hooks", "try:\n    import _pytest.python as p\n    p.Function.runtest = lambda s: None\n"
        "except ImportError:\n    pass" + WRONG),
    Row("T03", "rebinds builtins", "import builtins\nbuiltins.isinstance = lambda *a: True\nbuiltins.abs = lambda a: 0\n"
        "builtins.len = lambda a: 0" + WRONG),
    Row("T04", "replaces unittest's assertions", "import unittest\nunittest.TestCase.assertEqual = lambda *a: None" + WRONG),
    Row("T05", "redefines names that tests use", "class Fake:\n    def __getattr__(self, n):\n        return lambda *a: True\n"
        "np = Fake()\nassert_close = lambda *a, **k: None" + WRONG),
    Row("T05b", "replaces the executor's own classes", "import sys\nfor m in list(sys.modules.values()):\n"
        "    if hasattr(m, 'Executor'):\n        m.Executor.call = lambda self, r: (0.0, [])" + WRONG),
    Row("T06", "patches time and random", "import time, random\ntime.time = lambda: 0.0\ntime.monotonic = lambda: 0.0\n"
        "random.random = lambda: 0.5\nnp.random.seed = lambda *a: None" + WRONG),
    Row("T07", "sets a trace and import hooks", "import sys\nsys.setprofile(lambda *a: None)\n"
        "class Hook:\n    def find_spec(self, *a):\n        return None\nsys.meta_path.insert(0, Hook())" + WRONG),
    Row("T08", "drops conftest.py and sitecustomize.py", "for name in ('conftest.py', 'pytest.ini', 'sitecustomize.py', 'numpy.py'):\n"
        "    open(name, 'w').write('import os; os._exit(0)')" + WRONG),
    Row("T09", "raises pytest's own outcomes", body("""
class Skipped(BaseException):
    __module__ = 'builtins'
raise Skipped('skip')""")),
    Row("T09b", "raises KeyboardInterrupt", body("raise KeyboardInterrupt"), says="raised KeyboardInterrupt"),
    Row("T09c", "raises GeneratorExit", body("raise GeneratorExit"), says="raised GeneratorExit"),
    Row("T10", "changes numpy's error state, locale and decimals", "import decimal, locale, warnings\nnp.seterr(all='raise')\n"
        "decimal.getcontext().prec = 1\nwarnings.simplefilter('error')\n\ndef double(x):\n    return 2 * x", points=HARMLESS),
    Row("T11", "disarms alarms and raises the recursion limit", "import signal, sys\nsignal.alarm(0)\nsys.setrecursionlimit(10**9)\n\n"
        + body("while True:\n    pass"), says="did not come back"),
    Row("T12", "swallows every exception in a loop", body("while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n"
        "        continue"), says="did not come back"),
]  # fmt: skip
