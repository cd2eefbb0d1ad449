"""Text to ids, ids to one-hot vectors, and a text cut into streams, against definitions in numpy."""

import numpy as np
import pytest
import torch

from autograder.compare import Mismatch, as_array, assert_close, assert_equal, assert_shape, require, unpack
from autograder.grading.student import StudentFault

ALPHABET = np.array(list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,;:!?-'\n\téüßæλЖ中🙂"))


def whole(got, name):
    """Return whole numbers as an array; raise Mismatch for anything else."""
    array = as_array(got, name)
    require(array.dtype.kind in "iu", f"{name} should be whole numbers, not {array.dtype}", got=array)
    return array


def draw_text(rng, letters, length):
    """Return a text in which each of ``letters`` occurs, in a random order."""
    return "".join(rng.permutation([*letters, *rng.choice(letters, length - len(letters))]))


@pytest.mark.cell("encode")
def test_vocabulary_is_sorted(student, rng, dims):
    """The vocabulary has each character once, in the order of code points, whatever the order in the text."""
    letters = rng.choice(ALPHABET, dims(1, low=5, high=30)[0], replace=False)
    text = draw_text(rng, letters, 3 * len(letters))
    got = student.build_vocab(text)
    require(type(got) is str, "build_vocab should return a string", got=got)
    assert_equal(got, "".join(sorted(letters, key=ord)), name="the vocabulary")
    assert_equal(student.build_vocab(text[0] * 4), text[0], name="the vocabulary of one character")


@pytest.mark.cell("encode")
@pytest.mark.weight(2)
def test_ids_are_places_in_the_vocabulary(student, rng):
    """Each id is the character's place in the vocabulary given, for texts that lack some of its characters too."""
    letters = np.array(sorted(rng.choice(ALPHABET, 12, replace=False)))
    for some in (letters, letters[4:], letters[[1, 7]], letters[:1]):
        text = draw_text(rng, some, 3 * len(some))
        got = whole(student.encode(text, "".join(letters)), "the ids")
        assert_close(got, np.searchsorted(letters, list(text)), rtol=0, atol=0, name="the ids")
        require(got.dtype == np.int64, f"the ids should be int64, not {got.dtype}", got=got, suspect="ids_int32")


@pytest.mark.cell("encode")
def test_unknown_characters_are_refused(student, rng):
    """A character that the vocabulary does not have raises KeyError or ValueError."""
    letters = sorted(rng.choice(ALPHABET, 8, replace=False).tolist())
    symbols = "".join(letters[:3] + letters[4:])
    for text in (letters[3], symbols + letters[3], symbols[::-1] + letters[3] + symbols):
        try:
            got = student.encode(text, symbols)
        except StudentFault as fault:
            if fault.kind in ("KeyError", "ValueError"):
                continue
            raise
        raise Mismatch("a character that the vocabulary does not have got an id all the same", got=got)


@pytest.mark.cell("one_hot")
@pytest.mark.weight(2)
def test_one_in_its_place(student, rng, dims):
    """Each vector has a one at the character's place and zeros elsewhere, for any B, T and V."""
    b, t, v = dims(3)
    for shape, size in (((b, t), v), ((1, t), v + 1), ((b, 1), v), ((1, 1), 1)):
        ids = rng.integers(0, size, shape)
        got = assert_shape(student.one_hot(torch.tensor(ids), size), (*shape, size), name="the one-hot vectors")
        assert_close(got, np.eye(size)[ids], rtol=0, atol=0, name="the one-hot vectors")


@pytest.mark.cell("one_hot")
def test_one_hot_is_float32_and_wide_enough(student, rng):
    """The vectors are float32 and have V entries, even if the last characters do not occur."""
    got = student.one_hot(torch.tensor(rng.integers(0, 3, (2, 4))), 9)
    array = assert_shape(got, (2, 4, 9), name="the one-hot vectors", suspect="width_of_the_batch")
    require(array.dtype == np.float32, f"the one-hot vectors should be float32, not {array.dtype}", got=array)


def streams(student, ids, B, T):
    """Return the student's batches as two arrays, xs and ys, each (K, B, T)."""
    batches = student.take(student.call("get_batches", torch.tensor(ids), B, T), len(ids) + 1)
    pairs = [unpack(batch, 2, "a batch") for batch in batches]
    xs = [assert_shape(whole(x, "x"), (B, T), name="x") for x, _ in pairs]
    ys = [assert_shape(whole(y, "y"), (B, T), name="y") for _, y in pairs]
    return np.array(xs).reshape(-1, B, T), np.array(ys).reshape(-1, B, T)


@pytest.mark.cell("get_batches")
@pytest.mark.weight(3)
@pytest.mark.parametrize("left", ["nothing", "all but one", "some"])
def test_batches_follow_the_formula(student, rng, dims, left):
    """Every x and y is the character that the formula names, however many characters are left at the end."""
    b, t, k = dims(3)
    for B, T, K in ((b, t, k), (1, t, k), (b, 1, k), (b, t, 1), (1, 1, 1)):
        rest = {"nothing": 0, "all but one": B * T - 1, "some": int(rng.integers(0, B * T))}[left]
        ids = rng.permutation(K * B * T + 1 + rest)
        xs, ys = streams(student, ids, B, T)
        require(
            len(xs) == K, f"there should be {K} batches, not {len(xs)}, for {len(ids)} characters, B = {B}, T = {T}"
        )
        r, j, s = np.meshgrid(np.arange(B), np.arange(K), np.arange(T), indexing="ij")
        place = (r * K * T + j * T + s).swapaxes(0, 1)
        assert_close(xs, ids[place], rtol=0, atol=0, name="x of all batches")
        assert_close(ys, ids[place + 1], rtol=0, atol=0, name="y of all batches")


@pytest.mark.cell("get_batches")
@pytest.mark.weight(2)
def test_rows_go_on_where_they_stopped(student, dims):
    """A row's batches, one after another, are one piece of the text, and each character is read at most once."""
    first, second = (streams(student, np.arange(33), 2, 2)[0] for _ in range(2))
    require(np.array_equal(first, second), "the batches come out differently each time; nothing about them is random",
            got=second, expected=first, suspect="random_windows")  # fmt: skip
    B, T, K = dims(3)
    xs, ys = streams(student, np.arange(K * B * T + 2), B, T)
    require(len(xs) == K, f"there should be {K} batches, not {len(xs)}")
    rows = xs.swapaxes(0, 1).reshape(B, -1)
    require(np.all(np.diff(rows, axis=1) == 1), "a row does not go on where it stopped in the batch before", got=rows)
    require(np.unique(xs).size == xs.size, "some characters are read more than once", got=xs)
    require(np.all(ys == xs + 1), "y is not what follows x in the text", got=ys, expected=xs + 1)


@pytest.mark.cell("get_batches")
def test_short_texts_give_no_batch(student, rng, dims):
    """BT characters, or fewer, give no batch; one more gives one."""
    B, T = dims(2)
    for n in (1, B * T - 1, B * T):
        xs, _ = streams(student, rng.integers(0, 9, n), B, T)
        require(len(xs) == 0, f"{n} characters should give no batch for B = {B}, T = {T}; there are {len(xs)}")
    require(len(streams(student, rng.integers(0, 9, B * T + 1), B, T)[0]) == 1, f"{B * T + 1} characters should give "
            f"one batch for B = {B}, T = {T}")  # fmt: skip
