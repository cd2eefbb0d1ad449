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

import functools
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
SHORT = 64  # texts up to this length are names that come again and again, so their bytes are kept
COUNT, REAL, NUMBER = struct.Struct("<I"), struct.Struct("<d"), struct.Struct("<Q")
AXES = [struct.Struct(f"<{ndim}q") for ndim in range(MAX_DIMS + 1)]
STORED = {name: np.dtype(name).newbyteorder("<") for name in DTYPES}  # as the bytes of an array are laid out
HEADS = {dtype: bytes([len(name)]) + name.encode() for name, dtype in ((n, np.dtype(n)) for n in DTYPES)}
NAMED = {name.encode(): name for name in DTYPES}


def encode(value, limit=MAX_BYTES):
    """Return ``value`` as bytes; raise WireError with a readable reason if it is not plain data."""
    encoder = _Encoder(limit)
    encoder.add(value, 0)
    return b"".join(encoder.parts)


def decode(data):
    """Return the value in ``data`` (bytes); raise WireError if there is anything else in it."""
    decoder = _Decoder(data)
    try:
        value = decoder.value(0)
    except (struct.error, IndexError):
        raise WireError("the frame ends in the middle of a value") from None
    if decoder.at != len(data):
        raise WireError(f"{len(data) - decoder.at} bytes too many after the value")
    return value


class _Encoder:
    """Collects the parts of one frame. Half of a call's cost is here and in the decoder, so both avoid detours."""

    def __init__(self, limit):
        self.limit = limit
        self.parts = []
        self.left = limit
        self.items = 0

    def add(self, value, depth):
        kind = type(value)
        write = self.WRITERS.get(kind)
        if write is not None:
            write(self, value, depth)
        elif isinstance(value, np.generic) and kind.__module__ == "numpy":
            self.array(np.asarray(value), depth, b"n")
        else:
            raise WireError(f"a value of type {safe_name(kind)} is not plain data")

    def put(self, part):
        self.left -= len(part)
        if self.left < 0:
            raise WireError(f"the value is larger than {self.limit / 2**20:.0f} MB")
        self.parts.append(part)

    def integer(self, value, depth):
        if value.bit_length() > 3 * MAX_INT_DIGITS:
            raise WireError("the int has too many digits")
        digits = b"%d" % value
        self.put(b"i" + COUNT.pack(len(digits)) + digits)

    def text(self, value, depth):
        self.put(_short_text(value) if len(value) <= SHORT else _text(value))

    def raw(self, value, depth):
        self.put(b"b" + COUNT.pack(len(value)))
        self.put(value)

    def count(self, length, depth):
        self.items += length
        if self.items > MAX_ITEMS:
            raise WireError(f"the value has more than {MAX_ITEMS} items; return an array")
        if depth >= MAX_DEPTH and length:
            raise WireError(f"the value is nested more than {MAX_DEPTH} deep")

    def sequence(self, value, depth):
        self.count(len(value), depth)
        self.put((b"l" if type(value) is list else b"t") + COUNT.pack(len(value)))
        for item in value:
            self.add(item, depth + 1)

    def mapping(self, value, depth):
        self.count(2 * len(value), depth)
        self.put(b"d" + COUNT.pack(len(value)))
        for key, item in value.items():
            self.add(key, depth + 1)
            self.add(item, depth + 1)

    def array(self, array, depth, tag=b"a"):
        head = HEADS.get(array.dtype) or HEADS.get(array.dtype.newbyteorder("="))
        if head is None:
            raise WireError(f"an array of dtype {str(array.dtype)[:40]} is not numbers")
        if array.ndim > MAX_DIMS:
            raise WireError(f"an array with {array.ndim} axes is more than {MAX_DIMS}")
        if array.nbytes > self.limit:
            raise WireError(f"an array of shape {array.shape} is larger than {self.limit / 2**20:.0f} MB")
        plain = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
        self.put(tag + head + bytes((array.ndim,)) + AXES[array.ndim].pack(*array.shape))
        self.put(plain.tobytes())

    def tensor(self, value, depth):
        self.put(TENSOR_TAGS[value.framework] + (b"g" if value.requires_grad else b"-"))
        self.array(value.array, depth)

    WRITERS = {
        type(None): lambda self, value, depth: self.put(b"N"),
        bool: lambda self, value, depth: self.put(b"T" if value else b"F"),
        int: integer,
        float: lambda self, value, depth: self.put(b"f" + REAL.pack(value)),
        str: text,
        bytes: raw,
        list: sequence,
        tuple: sequence,
        dict: mapping,
        np.ndarray: array,
        Tensor: tensor,
        Ref: lambda self, value, depth: self.put(b"h" + NUMBER.pack(value.number)),
    }


def _text(value):
    data = value.encode("utf-8", "replace")
    return b"s" + COUNT.pack(len(data)) + data


_short_text = functools.lru_cache(maxsize=1024)(_text)


class _Decoder:
    """Reads one frame from its start; what is too short raises struct.error or IndexError."""

    def __init__(self, data):
        self.data = data
        self.at = 0
        self.items = 0

    def value(self, depth):
        read = self.READERS.get(self.data[self.at])
        if read is None:
            raise WireError("the frame has an unknown tag")
        self.at += 1
        return read(self, depth)

    def take(self, count):
        start, self.at = self.at, self.at + count
        if self.at > len(self.data):
            raise WireError("the frame ends in the middle of a value")
        return self.data[start : self.at]

    def number(self, layout):
        start, self.at = self.at, self.at + layout.size
        return layout.unpack_from(self.data, start)[0]

    def integer(self, depth):
        text = self.take(self.number(COUNT))
        digits = text[1:] if text[:1] == b"-" else text
        if not digits.isdigit() or len(digits) > MAX_INT_DIGITS:
            raise WireError("an int is not decimal digits")
        return int(text)

    def text(self, depth):
        try:
            return self.take(self.number(COUNT)).decode("utf-8")
        except UnicodeDecodeError:
            raise WireError("a string is not UTF-8") from None

    def count(self, depth, parts):
        """Read how many entries follow, of at least ``parts`` bytes each."""
        count = self.number(COUNT)
        if count * parts > len(self.data) - self.at:
            raise WireError("a container is longer than its frame")
        self.items += count * parts
        if self.items > MAX_ITEMS:
            raise WireError(f"the value has more than {MAX_ITEMS} items")
        if depth >= MAX_DEPTH and count:
            raise WireError(f"the value is nested more than {MAX_DEPTH} deep")
        return count

    def sequence(self, depth):
        return [self.value(depth + 1) for _ in range(self.count(depth, 1))]

    def mapping(self, depth):
        result = {}
        for _ in range(self.count(depth, 2)):
            key = self.value(depth + 1)
            if type(key) is not str and not _is_plain_key(key):
                raise WireError("a dict has a key that is not a plain scalar")
            if key in result:
                raise WireError("a dict has the same key twice")
            result[key] = self.value(depth + 1)
        return result

    def array(self, depth):
        data, at = self.data, self.at + 1
        end = at + data[at - 1]
        name = NAMED.get(data[at:end])
        if name is None:
            raise WireError("an array has a dtype that is not numbers")
        ndim = data[end]
        if ndim > MAX_DIMS:
            raise WireError("an array has too many axes")
        shape = AXES[ndim].unpack_from(data, end + 1)
        count = 1
        for length in shape:
            if not 0 <= length <= MAX_BYTES:
                raise WireError("an array has an impossible shape")
            count *= length
        self.at = end + 1 + 8 * ndim
        content = np.frombuffer(self.take(count * STORED[name].itemsize), dtype=STORED[name]).reshape(shape)
        if name == "bool":
            return content.view(np.uint8).astype(bool)  # a bool of another byte would not equal itself
        return content.astype(np.dtype(name), copy=True)

    def tensor(self, framework):
        flag = self.take(2)
        if flag not in (b"ga", b"-a"):
            raise WireError("a tensor is not an array")
        return Tensor(framework, self.array(0), flag == b"ga")

    READERS = {
        ord("N"): lambda self, depth: None,
        ord("T"): lambda self, depth: True,
        ord("F"): lambda self, depth: False,
        ord("i"): integer,
        ord("f"): lambda self, depth: self.number(REAL),
        ord("s"): text,
        ord("b"): lambda self, depth: self.take(self.number(COUNT)),
        ord("l"): sequence,
        ord("t"): lambda self, depth: tuple(self.sequence(depth)),
        ord("d"): mapping,
        ord("a"): array,
        ord("n"): lambda self, depth: self.array(depth)[()],
        ord("P"): lambda self, depth: self.tensor("torch"),
        ord("Q"): lambda self, depth: self.tensor("tensorflow"),
        ord("h"): lambda self, depth: Ref(self.number(NUMBER)),
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


def receive(recv, limit=MAX_BYTES):
    """Read the one frame that the other end has sent before it waits for an answer.

    Args:
        recv: reads at most so many bytes, as a socket's ``recv`` does.
        limit: the largest frame that is read.

    Raises:
        EOFError: the other end has closed.
        WireError: it is not one frame and nothing more.
    """
    data = _some(recv, 2**16)
    while len(data) < 4:
        data += _some(recv, 2**16)
    size = 4 + struct.unpack_from("<I", data)[0]
    if size > limit + 2**16:
        raise WireError(f"a frame of {size} bytes is larger than allowed")
    if len(data) < size:
        data = bytearray(data)
        while len(data) < size:
            data += _some(recv, max(2**16, min(size - len(data), 2**20)))
    if len(data) > size:
        raise WireError("a frame is followed by bytes that nobody asked for")
    return decode(bytes(data[4:]))


def _some(recv, count):
    chunk = recv(count)
    if not chunk:
        raise EOFError("the other end closed the connection")
    return chunk
