"""The study: settings, starts, rows and the choice; and that all the parts together can learn."""

import numpy as np
import pytest
import torch

from autograder.compare import Mismatch, as_array, assert_close, require

PLAIN = {"dropout": 0.0, "batchnorm": False, "weight_decay": 0.0}
BROKEN = {**PLAIN, "dropout": 1.0}  # nothing comes through, so only the last bias learns
LR = 3e-3


def prototypes(rng, kinds=10):
    """Draw one picture per class, (kinds, 1, 28, 28)."""
    return np.kron(rng.normal(size=(kinds, 1, 7, 7)), np.ones((4, 4)))


def examples(rng, pictures, y):
    x = pictures[y] + 0.1 * rng.normal(size=(len(y), 1, 28, 28))
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y)


class Study:
    """One call of the student's run_study, with its results at hand."""

    def __init__(self, student, configs, train, validation, *, epochs=1, seed=0, batch_size=16, lr=LR):
        nonsense = torch.full((3, 1, 28, 28), 7.0), torch.zeros(3, dtype=torch.int64)
        splits = student.call("Splits", train, validation, nonsense)
        held = student.call("run_study", configs, splits, epochs, seed, lr=lr, batch_size=batch_size)
        if splits.attribute("openings"):
            raise Mismatch("the test split was opened before the choice was made", suspect="opens_the_test")
        self.rows, self.best = held.item(0), held.item(1).get()
        require(
            type(self.best) is str and self.best in configs,
            "`best` should be the name of a configuration",
            got=self.best,
        )
        self.losses, self.accuracies = {}, {}
        for name in configs:
            row = self.rows.item(name)
            self.losses[name] = curve(row["train_loss"], epochs, "train_loss")
            self.accuracies[name] = curve(row["validation_accuracy"], epochs, "validation_accuracy")

    def model(self, name):
        return self.rows.item(name).item("model")

    def check_choice(self):
        last = {name: a[-1] for name, a in self.accuracies.items()}
        first_best = next(name for name, a in last.items() if a == max(last.values()))
        require(self.best == first_best, "`best` is not the first with the highest last validation accuracy", got=self.best,
                expected=first_best)  # fmt: skip


def curve(values, epochs, name):
    array = as_array(values, name)
    require(array.shape == (epochs,), f"{name} should have one entry per epoch", got=array.shape, expected=(epochs,))
    return array.astype(float)


@pytest.mark.cell("run_study")
@pytest.mark.weight(2)
def test_rows_and_accuracies(student, rng):
    """The accuracies are the validation split's, and belong to the models that are returned."""
    pictures = prototypes(rng)
    train = examples(rng, pictures, rng.permutation(np.arange(24) % 3))
    x, y = examples(rng, pictures, np.arange(17) % 5)
    study = Study(
        student, {"a": PLAIN, "b": {**PLAIN, "batchnorm": True}}, train, (x, y), epochs=2, seed=int(rng.integers(99))
    )
    for name in ("a", "b"):
        model = study.model(name)
        model.keep("eval")
        wanted = np.mean(as_array(model(x), "the logits").argmax(1) == y.numpy())
        assert_close(study.accuracies[name][-1], wanted, rtol=1e-4, name="the last validation accuracy")
    study.check_choice()


@pytest.mark.cell("run_study")
@pytest.mark.weight(2)
@pytest.mark.parametrize("flipped", [False, True], ids=["as in training", "the opposite of training"])
def test_choice_by_validation(student, rng, flipped):
    """The choice follows the validation split, also where the training split says the opposite (false alarm below 1e-4)."""
    pictures = prototypes(rng, 2)
    configs = {"cannot": BROKEN, "learns": PLAIN}
    x, y = examples(rng, pictures, np.arange(11) % 2)
    study = Study(student, configs, examples(rng, pictures, np.arange(32) % 2), (x, 1 - y if flipped else y), epochs=5,
                  seed=int(rng.integers(99)), batch_size=8, lr=2 * LR)  # fmt: skip
    assert_close(
        study.accuracies["learns"][-1], float(not flipped), name="the validation accuracy of a network that learns"
    )
    study.check_choice()


@pytest.mark.cell("run_study")
@pytest.mark.weight(2)
def test_the_same_start_for_all(student, rng):
    """The same settings give the same row, wherever they stand in the study; another seed another row."""
    train = examples(rng, prototypes(rng), np.arange(20) % 10)
    seed, dropped = int(rng.integers(99)), {**PLAIN, "dropout": 0.4}
    study = Study(student, {"a": dropped, "b": PLAIN, "c": dropped}, train, train, seed=seed, batch_size=8)
    assert_close(study.losses["c"], study.losses["a"], rtol=1e-5, name="the loss of the same settings, met again")
    again = Study(student, {"a": dropped}, train, train, seed=seed + 1, batch_size=8)
    require(abs(again.losses["a"][0] - study.losses["a"][0]) > 1e-6, "another seed gave the same row")


@pytest.mark.cell("run_study")
@pytest.mark.weight(2)
def test_each_has_its_own_settings(student, rng):
    """Dropout, batch norm, weight decay, learning rate and batch size all reach their place."""
    train = examples(rng, prototypes(rng), np.arange(16) % 10)
    configs = {
        "plain": PLAIN,
        "dropout": BROKEN,
        "batchnorm": {**PLAIN, "batchnorm": True},
        "weight_decay": {**PLAIN, "weight_decay": 1 / LR},  # each step sets the weights to 0 first
    }
    losses = {name: curve[0] for name, curve in Study(student, configs, train, train, batch_size=8).losses.items()}
    for name, options in {"lr": {"lr": 1e-9, "batch_size": 8}, "batch_size": {"batch_size": 16}}.items():
        losses[name] = Study(student, {"plain": PLAIN}, train, train, **options).losses["plain"][0]
    for name, loss in losses.items():
        if name != "plain":
            require(abs(loss - losses["plain"]) > 1e-6, f"`{name}` does not reach its place", got=loss)


@pytest.mark.cell("train_epoch")
def test_learns_64_pictures_by_heart(student, rng):
    """Your network, optimizer and epochs together learn 64 pictures with their labels to the last one."""
    student.handle("torch").keep("manual_seed", int(rng.integers(2**31)))
    x, y = examples(rng, prototypes(rng), np.arange(64) % 10)
    model = student.call("LeNet5")
    optimizer = student.call("make_optimizer", model, LR, 0.0)
    gen = student.handle("torch").keep("Generator").keep("manual_seed", int(rng.integers(2**31)))
    for _ in range(10):  # two to four are enough
        student.train_epoch(model, optimizer, x, y, 16, gen)
        model.keep("eval")
        got = as_array(model.keep("__call__", x).argmax(1), "the classes")
        if np.array_equal(got, y.numpy()):
            return
    raise Mismatch(
        "after 10 epochs, not all of 64 easy pictures are right", got=int(np.sum(got == y.numpy())), expected=64
    )
