"""The wire between the grader and a student's process: plain data as bytes.

Both ends use this file, and it is the only thing they share. A value is one tag byte and
a body; there are no references, no names to look up and no code, so decoding can build
nothing but the types listed here. Every length is checked against what is left of the
frame before anything is allocated, and depth and number of items are capped.

    N T F            None, True, False
    i f              int (decimal text), float (8 bytes)
    s b              str, bytes
    l t d            list, tuple, dict
    a n              numpy array, numpy scalar: dtype, shape, raw bytes
    P Q              torch tensor, TensorFlow tensor: as an array
    h                handle: an object that stays in the student's process

Only exact types are encoded. A subclass could lie about its length or its equality, so it
is refused with a sentence that names it.
"""

import struct
from dataclasses import dataclass

import numpy as np

MAX_BYTES = 256 * 2**20
MAX_DEPTH = 32
MAX_ITEMS = 200_000
MAX_DIMS = 16
MAX_INT_DIGITS = 4_000

DTYPES = frozenset(
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128".split()
)


class WireError(Exception):
    """The bytes are not a valid value, or the value is not plain data."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """A framework's tensor as it crosses the wire.

    Attributes:
        framework: "torch" or "tensorflow".
        array: its values, a numpy array of the same shape and dtype.
        requires_grad: whether the receiving side should track gradients (torch only).
    """

    framework: str
    array: np.ndarray
    requires_grad: bool = False


@dataclass(frozen=True)
class Ref:
    """A handle's number: an object that stays where the student's code runs."""

    number: int


TENSOR_TAGS = {"torch": b"P", "tensorflow": b"Q"}


def encode(value, limit=MAX_BYTES):
    """Return ``value`` as bytes; raise WireError with a readable reason if it is not plain data."""
    encoder = _Encoder(limit)
    encoder.add(value, 0)
    return b"".join(encoder.parts)


def decode(data):
    """Return the value in ``data`` (bytes); raise WireError if there is anything else in it."""
    decoder = _Decoder(memoryview(data))
    value = decoder.value(0)
    if decoder.at != len(data):
        raise WireError(f"{len(data) - decoder.at} bytes too many after the value")
    return value


class _Encoder:
    def __init__(self, limit):
        self.limit = limit
        self.parts = []
        self.size = 0
        self.items = 0

    def put(self, *parts):
        for part in parts:
            self.size += len(part)
            if self.size > self.limit:
                raise WireError(f"the value is larger than {self.limit / 2**20:.0f} MB")
            self.parts.append(part)

    def add(self, value, depth):
        if depth > MAX_DEPTH:
            raise WireError(f"the value is nested more than {MAX_DEPTH} deep")
        self.items += 1
        if self.items > MAX_ITEMS:
            raise WireError(f"the value has more than {MAX_ITEMS} items; return an array")
        kind = type(value)
        if value is None:
            self.put(b"N")
        elif kind is bool:
            self.put(b"T" if value else b"F")
        elif kind is int:
            if value.bit_length() > 3 * MAX_INT_DIGITS:
                raise WireError("the int has too many digits")
            self.sized(b"i", str(value).encode())
        elif kind is float:
            self.put(b"f", struct.pack("<d", value))
        elif kind is str:
            self.sized(b"s", value.encode("utf-8", "replace"))
        elif kind is bytes:
            self.sized(b"b", value)
        elif kind is list or kind is tuple:
            self.put(b"l" if kind is list else b"t", struct.pack("<I", len(value)))
            for item in value:
                self.add(item, depth + 1)
        elif kind is dict:
            self.put(b"d", struct.pack("<I", len(value)))
            for key, item in value.items():
                self.add(key, depth + 1)
                self.add(item, depth + 1)
        elif kind is np.ndarray:
            self.array(b"a", value)
        elif isinstance(value, np.generic) and kind.__module__ == "numpy":
            self.array(b"n", np.asarray(value))
        elif kind is Tensor:
            self.put(TENSOR_TAGS[value.framework], b"g" if value.requires_grad else b"-")
            self.array(b"a", value.array)
        elif kind is Ref:
            self.put(b"h", struct.pack("<Q", value.number))
        else:
            raise WireError(f"a value of type {safe_name(kind)} is not plain data")

    def sized(self, tag, data):
        self.put(tag, struct.pack("<I", len(data)), data)

    def array(self, tag, array):
        if array.dtype.name not in DTYPES:
            raise WireError(f"an array of dtype {str(array.dtype)[:40]} is not numbers")
        if array.ndim > MAX_DIMS:
            raise WireError(f"an array with {array.ndim} axes is more than {MAX_DIMS}")
        if array.nbytes > self.limit:
            raise WireError(f"an array of shape {array.shape} is larger than {self.limit / 2**20:.0f} MB")
        name = array.dtype.name.encode()
        shape = struct.pack(f"<{array.ndim}q", *array.shape)
        plain = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
        self.put(tag, bytes([len(name)]), name, bytes([array.ndim]), shape, plain.tobytes())


class _Decoder:
    def __init__(self, view):
        self.view = view
        self.at = 0
        self.items = 0

    def take(self, count):
        if count > len(self.view) - self.at:
            raise WireError("the frame ends in the middle of a value")
        start, self.at = self.at, self.at + count
        return self.view[start : self.at]

    def number(self, layout):
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def value(self, depth):
        if depth > MAX_DEPTH:
            raise WireError(f"the value is nested more than {MAX_DEPTH} deep")
        self.items += 1
        if self.items > MAX_ITEMS:
            raise WireError(f"the value has more than {MAX_ITEMS} items")
        read = self.READERS.get(bytes(self.take(1)))
        if read is None:
            raise WireError("the frame has an unknown tag")
        return read(self, depth)

    def integer(self, depth):
        text = bytes(self.take(self.number("<I")))
        digits = text[1:] if text[:1] == b"-" else text
        if not digits.isdigit() or len(digits) > MAX_INT_DIGITS:
            raise WireError("an int is not decimal digits")
        return int(text)

    def text(self, depth):
        try:
            return bytes(self.take(self.number("<I"))).decode("utf-8")
        except UnicodeDecodeError:
            raise WireError("a string is not UTF-8") from None

    def sequence(self, depth):
        count = self.number("<I")
        if count > len(self.view) - self.at:
            raise WireError("a sequence is longer than its frame")
        return [self.value(depth + 1) for _ in range(count)]

    def mapping(self, depth):
        count = self.number("<I")
        if count > len(self.view) - self.at:
            raise WireError("a dict is longer than its frame")
        result = {}
        for _ in range(count):
            key = self.value(depth + 1)
            if not _is_plain_key(key):
                raise WireError("a dict has a key that is not a plain scalar")
            if key in result:
                raise WireError("a dict has the same key twice")
            result[key] = self.value(depth + 1)
        return result

    def array(self, depth):
        name = bytes(self.take(self.number("<B"))).decode("ascii", "replace")
        if name not in DTYPES:
            raise WireError("an array has a dtype that is not numbers")
        ndim = self.number("<B")
        if ndim > MAX_DIMS:
            raise WireError("an array has too many axes")
        shape = struct.unpack(f"<{ndim}q", self.take(8 * ndim))
        dtype = np.dtype(name).newbyteorder("<")
        count = 1
        for length in shape:
            if not 0 <= length <= MAX_BYTES:
                raise WireError("an array has an impossible shape")
            count *= length
        data = self.take(count * dtype.itemsize)
        return np.frombuffer(data, dtype=dtype).reshape(shape).astype(np.dtype(name), copy=True)

    def tensor(self, framework):
        flag = bytes(self.take(1))
        if flag not in (b"g", b"-") or bytes(self.take(1)) != b"a":
            raise WireError("a tensor is not an array")
        return Tensor(framework, self.array(0), flag == b"g")

    READERS = {
        b"N": lambda self, depth: None,
        b"T": lambda self, depth: True,
        b"F": lambda self, depth: False,
        b"i": integer,
        b"f": lambda self, depth: self.number("<d"),
        b"s": text,
        b"b": lambda self, depth: bytes(self.take(self.number("<I"))),
        b"l": sequence,
        b"t": lambda self, depth: tuple(self.sequence(depth)),
        b"d": mapping,
        b"a": array,
        b"n": lambda self, depth: self.array(depth)[()],
        b"P": lambda self, depth: self.tensor("torch"),
        b"Q": lambda self, depth: self.tensor("tensorflow"),
        b"h": lambda self, depth: Ref(self.number("<Q")),
    }


def _is_plain_key(key):
    if type(key) is tuple:
        return all(_is_plain_key(part) for part in key)
    return key is None or type(key) in (bool, int, float, str, bytes)


def safe_name(kind):
    """A type's name, short and printable, whatever the type claims to be called."""
    name = type.__getattribute__(kind, "__name__")
    name = str.__str__(name) if type(name) is str else "?"
    return "".join(c for c in name[:40] if c.isidentifier() or c.isdigit()) or "?"


# Frames: a 4-byte length, then the value. ---------------------------------------------------------


def send(sock, value, limit=MAX_BYTES):
    """Write ``value`` to the socket as one frame."""
    data = encode(value, limit)
    sock.sendall(struct.pack("<I", len(data)) + data)


def receive(sock, limit=MAX_BYTES):
    """Read one frame from the socket; raise EOFError when the other end has closed."""
    size = struct.unpack("<I", _read(sock, 4))[0]
    if size > limit + 2**16:
        raise WireError(f"a frame of {size} bytes is larger than allowed")
    return decode(_read(sock, size))


def _read(sock, count):
    chunks = bytearray()
    while len(chunks) < count:
        chunk = sock.recv(min(count - len(chunks), 2**20))
        if not chunk:
            raise EOFError("the other end closed the connection")
        chunks += chunk
    return bytes(chunks)
