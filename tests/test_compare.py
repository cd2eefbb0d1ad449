"""What the comparators accept and refuse, and the sentences they say."""

import numpy as np
import pytest

from autograder.compare import Mismatch, assert_close, assert_equal, scalar, unpack

RIGHT = np.array([[1.0, -250.0, 3.0], [0.001, 5.0, 60.0]])


def rounded(array):
    """Return what a program that computes in float32 inside and returns float64 would return."""
    return (array.astype(np.float32) * np.float32(1 / 3) * np.float32(3)).astype(np.float64)


@pytest.mark.parametrize("got", [RIGHT, RIGHT.tolist(), RIGHT.astype(np.float32), rounded(RIGHT), RIGHT + 1e-8])
def test_right_answers_of_any_precision_pass(got):
    """float64, float32, lists, and float64 numbers that went through float32 are all right."""
    assert_close(got, RIGHT, rtol=1e-6)


@pytest.mark.parametrize("change", [1.001, -1, np.nan, np.inf])
def test_wrong_answers_fail(change):
    """A thousandth, a sign, NaN and infinity are noticed in the largest entry."""
    got = RIGHT.copy()
    got[0, 1] *= change
    with pytest.raises(Mismatch) as caught:
        assert_close(got, RIGHT, rtol=1e-6)
    assert caught.value.where == (0, 1)
    assert "250" not in caught.value.message


def test_a_check_may_ask_for_the_very_digits():
    """With rtol below 1e-8 a rounded answer is refused."""
    with pytest.raises(Mismatch):
        assert_close(rounded(RIGHT), RIGHT, rtol=0, atol=0)


def test_shape_comes_first_and_names_the_transpose():
    """A transposed answer is called that."""
    with pytest.raises(Mismatch, match="transpose"):
        assert_close(RIGHT.T, RIGHT)


@pytest.mark.parametrize(
    ("got", "words"), [(None, "return"), ("1", "array of numbers"), ([[1], [2, 3]], "array of numbers")]
)
def test_what_is_not_numbers_is_said(got, words):
    """None, texts and ragged lists get a sentence."""
    with pytest.raises(Mismatch, match=words):
        assert_close(got, RIGHT)


def test_scalars_and_tuples():
    """One number is one number, and a pair is a pair."""
    assert scalar(np.float32(2)).dtype == np.float32
    assert unpack([1, 2], 2) == (1, 2)
    with pytest.raises(Mismatch, match="one number"):
        scalar(np.ones(1))
    with pytest.raises(Mismatch, match="3 values"):
        unpack((1, 2, 3), 2)
    assert_equal((1, "a"), [1, "a"])
