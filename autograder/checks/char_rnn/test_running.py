"""Training, measuring and writing, with the notebook's TinyModel in the student's process and its formulas here."""

import copy

import numpy as np
import pytest
import torch
from scipy.stats import chi2, nbinom

from autograder.compare import as_array, assert_close, assert_shape, require, scalar

NAMES = ("table", "out", "bias", "keep", "fade")
RATE = 0.3  # learning rate
ALARM = 1e-6  # how often a right program may fail a check that draws at random


class Tiny:
    """The formulas of TinyModel, for weights drawn so that memory, mode and characters all matter.

    Attributes:
        weights: {name: float64 tensor}.
    """

    def __init__(self, rng, V, H=3, scale=1.5):
        shapes = {"table": (V, H), "out": (H, V), "bias": (V,)}
        drawn = {name: rng.normal(0, scale, shape) for name, shape in shapes.items()}
        drawn |= {"keep": rng.uniform(0.4, 0.8), "fade": rng.uniform(0.3, 0.6)}
        self.weights = {name: torch.tensor(value, dtype=torch.float64) for name, value in drawn.items()}

    def send(self, student, mode="eval"):
        """Return the Handle of a TinyModel with these weights, in this mode."""
        model = student.call("TinyModel", *(self.weights[name] for name in NAMES))
        model.keep(mode)
        return model

    def run(self, ids, state=None, *, training=False):
        """Return logits (B, T, V) and the state (h, c), each (B, H), after ids (B, T)."""
        table, out, bias, keep, fade = (self.weights[name] for name in NAMES)
        h, c = state if state else (torch.zeros(len(ids), table.shape[1], dtype=torch.float64),) * 2
        logits = []
        for t in range(ids.shape[1]):
            c = keep * c + table[ids[:, t]]
            h = c.tanh() + fade * h
            logits.append(h / (1 + training) @ out + bias)
        return torch.stack(logits, 1), (h, c)


def draw_batches(rng, V, B, lengths):
    return [tuple(torch.tensor(rng.integers(0, V, (B, T))) for _ in "xy") for T in lengths]


def surprises(logits, y):
    """Return -log p of each target, in nats."""
    return logits.logsumexp(2) - logits.gather(2, y[:, :, None])[:, :, 0]


# Training -----------------------------------------------------------------------------------------


def trained(tiny, batches, clip):
    """Train ``tiny`` by the formulas: truncated gradients, clipping, plain steps. Return (loss, shortest gradient)."""
    for weight in tiny.weights.values():
        weight.requires_grad_()
    state, total, norms = None, 0.0, []
    for x, y in batches:
        logits, state = tiny.run(x, state, training=True)
        state = tuple(part.detach() for part in state)
        loss = surprises(logits, y).mean()
        gradients = torch.autograd.grad(loss, list(tiny.weights.values()))
        norms.append(torch.cat([g.flatten() for g in gradients]).norm().item())
        for weight, gradient in zip(tiny.weights.values(), gradients):
            weight.data -= RATE * min(1.0, clip / norms[-1]) * gradient
        total += loss.item() / len(batches)
    return total, min(norms)


def compare_epochs(student, tiny, epochs, clip=1e6, mode="train"):
    """Train the student's copy and ours on each of ``epochs``, lists of batches; compare losses and weights."""
    model = tiny.send(student, mode)
    optimizer = student.call("PlainSteps", model.keep("parameters"), RATE)
    for batches in epochs:
        got = student.train_epoch(model, student.put(batches).keep("__iter__"), optimizer, clip)
        loss, _ = trained(tiny, batches, clip)
        assert_close(scalar(got, "the loss of the epoch"), loss, rtol=1e-4, name="the loss of the epoch")
    for name in NAMES:
        wanted = tiny.weights[name].detach().numpy()
        assert_close(model.attribute(name), wanted, rtol=1e-4, atol=1e-6, name=f"`{name}` of TinyModel after the epoch")


@pytest.mark.cell("train_epoch")
@pytest.mark.weight(3)
def test_epoch_follows_the_formulas(student, rng, dims):
    """Loss and parameters after an epoch are those of truncated backpropagation with the state carried."""
    V, B, T = dims(3)
    compare_epochs(student, Tiny(rng, V), [draw_batches(rng, V, B, [T] * 4)])


@pytest.mark.cell("train_epoch")
def test_one_batch(student, rng, dims):
    """A single batch of a single stream, and of single characters: mean loss, one step."""
    V, B, T = dims(3)
    for shape in ((1, T), (B, 1)):
        compare_epochs(student, Tiny(rng, V), [draw_batches(rng, V, shape[0], [shape[1]])])


@pytest.mark.cell("train_epoch")
@pytest.mark.weight(2)
def test_gradients_are_clipped_by_norm(student, rng, dims):
    """A gradient longer than clip is scaled down to it, all parameters together; a shorter one stays."""
    V, B, T = dims(3)
    while True:
        tiny, batches = Tiny(rng, V), draw_batches(rng, V, B, [T] * 3)
        if trained(copy.deepcopy(tiny), batches, 0.05)[1] > 0.1:
            break
    compare_epochs(student, tiny, [batches], clip=0.05)


@pytest.mark.cell("train_epoch")
def test_training_mode_is_switched_on(student, rng, dims):
    """A model that comes in evaluation mode is trained in training mode."""
    V, B, T = dims(3)
    compare_epochs(student, Tiny(rng, V), [draw_batches(rng, V, B, [T] * 2)], mode="eval")


@pytest.mark.cell("train_epoch")
def test_every_epoch_starts_afresh(student, rng, dims):
    """A second epoch begins with a fresh state and fresh gradients, and goes on with the weights of the first."""
    V, B, T = dims(3)
    compare_epochs(student, Tiny(rng, V), [draw_batches(rng, V, B, [T] * 2) for _ in range(2)])


# Bits per character -------------------------------------------------------------------------------


def bits(tiny, batches):
    state, nats = None, []
    for x, y in batches:
        logits, state = tiny.run(x, state)
        nats.extend(surprises(logits, y).flatten().tolist())
    return np.mean(nats) / np.log(2)


@pytest.mark.cell("bits_per_char")
@pytest.mark.weight(2)
@pytest.mark.parametrize("mode", ["eval", "train"])
def test_bits_of_all_characters(student, rng, dims, mode):
    """The number is the mean surprise of all characters in bits, dropout off, whatever mode the model was in."""
    V, B = dims(2)
    tiny, batches = Tiny(rng, V), draw_batches(rng, V, B, rng.permutation([9, 4, 1, 6]))
    got = student.bits_per_char(tiny.send(student, mode), student.put(batches).keep("__iter__"))
    assert_close(scalar(got, "bits per character"), bits(tiny, batches), rtol=1e-4, name="bits per character")


@pytest.mark.cell("bits_per_char")
def test_pieces_are_one_long_text(student, rng, dims):
    """However a text is cut into batches, the number is that of the whole; a second call gives it again."""
    V, B, T = dims(3, low=3)
    tiny, whole = Tiny(rng, V), draw_batches(rng, V, B, [3 * T])
    cuts = [list(range(T, 3 * T, T)), [1, T], list(range(1, 3 * T))]
    model, wanted = tiny.send(student), bits(tiny, whole)
    for cut in cuts:
        pieces = list(zip(*(part.tensor_split(cut, dim=1) for part in whole[0])))
        got = scalar(student.bits_per_char(model, pieces), "bits per character")
        assert_close(got, wanted, rtol=1e-4, name="bits per character of a text in pieces")


@pytest.mark.cell("bits_per_char")
def test_measuring_does_not_teach(student, rng, dims):
    """The model's parameters stay as they are."""
    V, B, T = dims(3)
    tiny = Tiny(rng, V)
    model = tiny.send(student, "train")
    student.call("bits_per_char", model, draw_batches(rng, V, B, [T, T]))
    for name in NAMES:
        assert_close(model.attribute(name), tiny.weights[name].numpy(), rtol=0, atol=0, name=f"`{name}` after the call")


# Writing ------------------------------------------------------------------------------------------


def generator(student, seed):
    """Return a Handle on a torch.Generator in the student's process."""
    return student.handle("torch").keep("Generator").keep("manual_seed", int(seed))


def greedy(tiny, prime, n, *, training=False, forget=False):
    """Return the n likeliest characters after ``prime`` (ids), one by one, and the smallest lead of a winner."""
    ids, state, path, leads = torch.tensor([prime]), None, [], []
    for _ in range(n):
        logits, state = tiny.run(ids, None if forget else state, training=training)
        best = logits[0, -1].topk(2)
        leads.append((best.values[0] - best.values[1]).item())
        path.append(best.indices[0].item())
        ids = best.indices[None, :1]
    return path, min(leads)


def draw_path(rng, n):
    """Return (tiny, prime, path) such that memory, mode and the beginning all show, and no step is nearly a tie."""
    while True:
        tiny, prime = Tiny(rng, V=7, H=4), [int(i) for i in rng.integers(0, 7, 5)]
        path, lead = greedy(tiny, prime, n)
        others = (
            greedy(tiny, prime, n, training=True),
            greedy(tiny, prime, n, forget=True),
            greedy(tiny, prime[-1:], n),
        )
        if lead > 0.05 and len(set(path)) > 2 and all(other != path for other, _ in others):
            return tiny, prime, path


@pytest.mark.cell("sample")
@pytest.mark.weight(3)
@pytest.mark.parametrize("temperature", [0, 0.001])
@pytest.mark.parametrize("mode", ["eval", "train"])
def test_cold_writing_follows_the_likeliest(student, rng, temperature, mode):
    """Near temperature 0, and at 0, each new character is the likeliest after all that was read."""
    tiny, prime, path = draw_path(rng, 12)
    got = student.sample(tiny.send(student, mode), torch.tensor(prime), 12, temperature, generator(student, 1))
    written = assert_shape(got, (12,), name="the new characters", suspect="returns_the_prime")
    require(written.dtype.kind in "iu", f"the new characters should be whole numbers, not {written.dtype}", got=written)
    assert_close(written, path, rtol=0, atol=0, name="the path of likeliest characters")


def coin(rng):
    """Return a Tiny that forgets everything, so that each character is drawn alike, and its logits."""
    tiny = Tiny(rng, V=5, scale=0.0)
    tiny.weights["bias"] = torch.tensor(rng.permutation(np.linspace(-0.7, 0.7, 5)))
    return tiny, tiny.weights["bias"].numpy()


@pytest.mark.cell("sample")
@pytest.mark.weight(2)
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 1e6])
def test_shares_follow_the_temperature(student, rng, temperature):
    """Of 500 characters, each has the share softmax(logits / temperature) (chi-square, error rate 1e-6)."""
    tiny, logits = coin(rng)
    drawn = student.sample(
        tiny.send(student), torch.tensor([0]), 500, temperature, generator(student, rng.integers(2**31))
    )
    drawn = assert_shape(drawn, (500,), name="the new characters").astype(int)
    require(bool(np.all((drawn >= 0) & (drawn < 5))), "there are ids that no character has", got=drawn)
    wanted = np.exp(logits / temperature) / np.exp(logits / temperature).sum() * 500
    assert wanted.min() > 5
    found = np.bincount(drawn, minlength=5)
    distance = ((found - wanted) ** 2 / wanted).sum()
    require(distance < chi2.isf(ALARM, 4), "the characters are not drawn with the probabilities softmax(logits / temperature)",
            got=found, expected=wanted)  # fmt: skip


@pytest.mark.cell("sample")
def test_the_generator_decides(student, rng):
    """The same seed writes the same text, another seed another one, whatever torch's global seed is."""
    tiny, _ = coin(rng)
    model, texts = tiny.send(student), []
    for seed, unrelated in ((3, 1), (3, 2), (4, 1)):
        student.handle("torch").keep("manual_seed", unrelated)
        texts.append(as_array(student.sample(model, torch.tensor([1, 2]), 60, 1.0, generator(student, seed))))
    assert_close(texts[1], texts[0], rtol=0, atol=0, name="the text of the same seed", suspect="ignores_generator")
    require(
        not np.array_equal(texts[2], texts[0]),
        "two seeds write the same text of 60 characters",
        suspect="ignores_generator",
    )


# Names --------------------------------------------------------------------------------------------


def written_name(got):
    """Return a name's ids as a list; an empty one is fine."""
    array = as_array(got, "the name")
    require(array.ndim == 1, "a name should be a list of ids", got=array)
    return [int(i) for i in array]


def draw_ending(rng):
    """Return (tiny, end, name): the likeliest characters after ``end`` come back to it after 3 to 8 others."""
    while True:
        tiny, end = Tiny(rng, V=7, H=4), int(rng.integers(1, 7))
        path, lead = greedy(tiny, [end], 9)
        forgetful, _ = greedy(tiny, [end], 9, forget=True)
        if (
            lead > 0.05
            and end in path
            and path.index(end) >= 3
            and forgetful[: path.index(end) + 1] != path[: path.index(end) + 1]
        ):
            return tiny, end, path[: path.index(end)]


@pytest.mark.cell("sample_name")
@pytest.mark.weight(2)
def test_a_name_begins_after_an_end_and_stops_at_the_next(student, rng):
    """From a fresh state, the model reads the end first; the name stops before the next end, or when it is too long."""
    tiny, end, name = draw_ending(rng)
    model = tiny.send(student)
    for _ in range(2):  # the second name knows nothing of the first
        got = student.sample_name(model, end, 0, generator(student, 1), 30)
        require(written_name(got) == name, "the name is not what the model says, from the first character to the end",
                got=got, expected=name)  # fmt: skip
    for longest in (1, len(name) - 1, len(name)):
        got = student.sample_name(model, end, 0, generator(student, 1), longest)
        require(written_name(got) == name[:longest], "the name should break off after `longest` characters, no sooner and "
                "no later", got=got, expected=name[:longest])  # fmt: skip


@pytest.mark.cell("sample_name")
def test_lengths_of_names(student, rng):
    """Where each character is the end with probability 1/4, lengths follow from that (error rate 1e-6)."""
    tiny, end, count = Tiny(rng, V=4, scale=0.0), int(rng.integers(4)), 100
    model, draws = tiny.send(student), generator(student, rng.integers(2**31))
    names = [written_name(student.sample_name(model, end, 1.0, draws, 40)) for _ in range(count)]
    require(all(end not in name for name in names), "the end is part of a name", got=[n for n in names if end in n][:1])
    total = sum(map(len, names))
    low, high = nbinom.ppf(ALARM / 2, count, 0.25), nbinom.isf(ALARM / 2, count, 0.25)
    require(low <= total <= high, "names are too short or too long for the probability of their end",
            got=total / count, expected=3.0)  # fmt: skip


@pytest.mark.cell("sample_name")
def test_names_are_new_and_different(student, rng):
    """From the pairs of letters in 60 made-up names, at least half of 60 new ones differ and a fifth is new."""
    given = [[0, *rng.integers(1, 12, rng.integers(3, 8)), 0] for _ in range(60)]
    pairs = np.full((12, 12), 0.01)
    for name in given:
        np.add.at(pairs, (name[:-1], name[1:]), 1)
    tiny = Tiny(rng, V=12, H=12, scale=0.0)
    tiny.weights["table"], tiny.weights["out"] = 30 * torch.eye(12, dtype=torch.float64), torch.tensor(np.log(pairs))
    tiny.weights["keep"], tiny.weights["fade"] = torch.zeros(2, dtype=torch.float64)
    model, draws = tiny.send(student), generator(student, rng.integers(2**31))
    names = [tuple(written_name(student.sample_name(model, 0, 1.0, draws, 20))) for _ in range(60)]
    known = {tuple(int(i) for i in name[1:-1]) for name in given}
    require(len(set(names)) >= 30, "most names come again and again", got=len(set(names)), expected=60)
    require(sum(name not in known for name in names) >= 12, "hardly any name is new", got=names[:3])
