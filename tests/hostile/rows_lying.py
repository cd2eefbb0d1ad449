"""Sections 3 and 4: objects that lie, and numbers that are wrong in a way that looks right."""

from row import HARMLESS, Row, body

ROWS = [
    Row("L01", "an object that is equal to everything", "class E:\n    __eq__ = lambda s, o: True\n    __ne__ = lambda s, o: False\n"
        "    __hash__ = None\n\n" + body("return E()"), says="cannot be compared"),
    Row("L02", "an ndarray subclass with its own equality", "class A(np.ndarray):\n    def __array_function__(s, *a, **k):\n        return True\n"
        "    def __array_ufunc__(s, *a, **k):\n        return np.zeros(s.shape)\n\n" + body("return x.view(A)"), says="cannot be compared"),
    Row("L04", "a float with a lying __float__", "class F(float):\n    def __float__(s):\n        return 1.0\n    __abs__ = lambda s: 0.0\n\n"
        + body("return F(3)"), says="cannot be compared"),
    Row("L05", "an object whose __array__ changes", "class B:\n    n = 0\n    def __array__(s, *a, **k):\n        B.n += 1\n"
        "        return np.ones((3, 2)) * B.n\n\n" + body("return B()"), says="cannot be compared"),
    Row("L06", "a repr that never ends", "class R:\n    def __repr__(s):\n        while True:\n            pass\n    __str__ = __repr__\n\n"
        + body("return R()"), says="cannot be compared"),
    Row("L06b", "an exception whose text never ends", "class R(Exception):\n    def __str__(s):\n        while True:\n            pass\n\n"
        + body("raise R()"), says="raised Exception"),
    Row("L07", "an endless generator", body("import itertools\nreturn itertools.count()"), says="cannot be compared"),
    Row("L07b", "a list of millions", body("return [0.0] * 10**7"), says="cannot be compared"),
    Row("L07c", "a list that contains itself", body("a = []\na.append(a)\nreturn a"), says="cannot be compared"),
    Row("L08", "a pickle bomb in its place", "import os\nclass P:\n    def __reduce__(s):\n        return os.system, ('touch /tmp/owned',)\n\n"
        + body("return P()"), says="cannot be compared"),
    Row("L08b", "an object array", body("return np.array([open], dtype=object)"), says="cannot be compared"),
    Row("L09", "a class named like numpy's", "ndarray = type('ndarray', (), {'__module__': 'numpy', 'shape': (3, 2)})\n\n"
        + body("return ndarray()"), says="cannot be compared"),
    Row("L10", "a list subclass", "class L(list):\n    __eq__ = lambda s, o: True\n    __hash__ = None\n\n" + body("return L([1])"), says="cannot be compared"),
    Row("L11", "a masked array", body("return np.ma.masked_all((3, 2))"), says="cannot be compared"),
    Row("N01", "NaN everywhere", body("return x * np.nan"), says="NaN"),
    Row("N01b", "infinity everywhere", body("return np.full(x.shape, np.inf)"), says="infinite"),
    Row("N02", "NaN and the right values elsewhere", body("y = 2 * x\ny[0, 0] = np.nan\nreturn y"), says="NaN"),
    Row("N08", "sums in another order", body("return np.add.reduce(np.stack([x, x])[::-1])"), points=HARMLESS),
    Row("N08b", "computes in longer precision", body("return (2 * x.astype(np.longdouble)).astype(np.float64)"), points=HARMLESS),
    Row("N12", "adds noise of its own", body("return 2 * x + np.random.default_rng().normal(size=x.shape) * 0.01")),
    Row("N03", "one zero for a matrix", body("return 0.0"), says="should have shape"),
    Row("N03b", "a column more", body("return (2 * x)[..., None]"), says="should have shape"),
    Row("N04", "an empty array", body("return np.zeros(0)"), says="should have shape"),
    Row("N05", "float16", body("return (2 * x).astype(np.float16)"), points=HARMLESS),
    Row("N05b", "float32", body("return (2 * x).astype(np.float32)"), points=HARMLESS),
    Row("N05c", "complex with no imaginary part", body("return 2 * x + 0j"), says="complex"),
    Row("N05d", "numbers as text", body("return (2 * x).astype(str)"), says="cannot be compared"),
    Row("N06", "changes its input in place", body("x *= 2\nreturn x"), points=HARMLESS, says="changes an array it was given"),
    Row("N06b", "changes its input and returns the old", body("y = x.copy()\nx *= 2\nreturn y")),
    Row("N07", "returns a view of one buffer", "buffer = np.zeros((9, 9))\n\n" + body("b = buffer[:x.shape[0], :x.shape[1]]\nb[...] = 2 * x\nreturn b"), points=HARMLESS),
    Row("N09", "reseeds and uses global randomness", "np.random.seed(0)\nnp.random.rand(10)\n\ndef double(x):\n    np.random.seed(1)\n    return 2 * x", points=HARMLESS),
    Row("N10", "right for a square only", body("return 2 * x if x.shape[0] == x.shape[1] else x")),
    Row("N11", "forgets to return", body("2 * x"), says="did you forget `return`"),
    Row("N11b", "returns a list", body("return (2 * x).tolist()"), points=HARMLESS),
    Row("N11c", "returns a tuple with extras", body("return 2 * x, None")),
    Row("N11d", "returns the transpose", body("return (2 * x).T"), says="transpose"),
]  # fmt: skip
