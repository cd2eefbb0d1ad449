"""The wire: what goes in comes out, and nothing else can be made to come out."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.jail.inside import wire

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
numbers = st.sampled_from(sorted(wire.DTYPES)).map(np.dtype)
arrays = numbers.flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)))
keys = st.none() | st.booleans() | st.integers() | st.text() | st.binary()
values = st.recursive(
    scalars | arrays,
    lambda inner: st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple)
    | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def same(a, b):
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if type(a) in (list, tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if type(a) is dict:
        return type(b) is dict and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return type(a) is type(b) and a == b


@given(values)
@settings(max_examples=300, deadline=None)
def test_plain_data_comes_back_as_it_went(value):
    """Encoding and decoding is the identity on plain data, types included."""
    assert same(value, wire.decode(wire.encode(value)))


@given(st.binary(max_size=400))
@settings(max_examples=1000, deadline=None)
def test_random_bytes_are_refused_or_plain(data):
    """Bytes either are a value or raise WireError; nothing else happens."""
    try:
        value = wire.decode(data)
    except wire.WireError:
        return
    assert not callable(value)


@given(values, st.data())
@settings(max_examples=500, deadline=None)
def test_damaged_frames_are_refused_or_plain(value, data):
    """A valid frame with one byte changed, or cut short, never does more than raise WireError."""
    frame = bytearray(wire.encode(value))
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(frame)))
    for damaged in (bytes(frame), bytes(frame[:cut])):
        try:
            wire.decode(damaged)
        except wire.WireError:
            pass


@pytest.mark.parametrize(
    "frame",
    [
        b"a" + bytes([7]) + b"float64" + bytes([2]) + struct.pack("<2q", 2**40, 2**40),
        b"a" + bytes([7]) + b"float64" + bytes([2]) + struct.pack("<2q", -1, 8),
        b"a" + bytes([7]) + b"float64" + bytes([1]) + struct.pack("<q", 5) + bytes(8),
        b"a" + bytes([6]) + b"object" + bytes([0]),
        b"l" + struct.pack("<I", 2**32 - 1),
        b"s" + struct.pack("<I", 2**32 - 1) + b"x",
        b"l\x01\x00\x00\x00" * 100_000 + b"N",
        b"d" + struct.pack("<I", 1) + b"l\x00\x00\x00\x00" + b"N",
        b"i" + struct.pack("<I", 5_000) + b"9" * 5_000,
        b"NN",
        b"",
    ],
    ids="huge-shape negative-shape short-data object-dtype long-list long-text deep unhashable-key long-int two-values empty".split(),
)
def test_frames_that_lie_are_refused(frame):
    """Lengths, shapes and depths are checked before anything is built."""
    with pytest.raises(wire.WireError):
        wire.decode(frame)


class Lies(np.ndarray):
    def __eq__(self, other):
        return True

    __hash__ = None


class FloatThatLies(float):
    def __eq__(self, other):
        return True

    __hash__ = float.__hash__


@pytest.mark.parametrize(
    "value",
    [
        np.zeros(2).view(Lies),
        FloatThatLies(1),
        np.array([object()]),
        np.array(["a"]),
        np.ma.ones(2),
        {1},
        object(),
        len,
        iter([]),
    ],
    ids="ndarray-subclass float-subclass object-dtype text-dtype masked set object function iterator".split(),
)
def test_what_could_lie_is_refused(value):
    """Only exact types are plain data."""
    with pytest.raises(wire.WireError, match=r"not plain data|not numbers"):
        wire.encode(value)


def test_a_type_name_is_made_printable():
    """A class cannot smuggle text through its name."""
    kind = type("<script>" * 20, (), {})
    with pytest.raises(wire.WireError, match=r"^a value of type script\w* is not plain data$"):
        wire.encode(kind())


def test_too_large_values_are_refused_with_their_size():
    """A size cap is a sentence, not a crash."""
    with pytest.raises(wire.WireError, match="larger than 1 MB"):
        wire.encode(np.zeros(10**6), limit=2**20)


def test_deep_values_are_refused():
    """Nesting is capped on the way out as well."""
    value = []
    for _ in range(100):
        value = [value]
    with pytest.raises(wire.WireError, match="nested"):
        wire.encode(value)


def test_a_bool_is_one_or_zero():
    """A bool array made of other bytes would not equal itself; it becomes an honest one."""
    frame = bytearray(wire.encode(np.array([True, False, True])))
    frame[-3:] = bytes([2, 0, 255])
    assert wire.decode(bytes(frame)).tobytes() == bytes([1, 0, 1])
    nothing_but_a_number = wire.encode(np.array(True))
    assert wire.decode(nothing_but_a_number).shape == ()
