"""Early stopping: when it says stop, and which weights it brings back."""

import math

import pytest

from autograder.compare import assert_close, require, scalar


def replayed(values, patience, mode, min_delta, equal=False):
    """Return what a stopper says, up to its first True, and its best value; with ``equal``, ties count as better."""
    sign = 1 if mode == "min" else -1
    said, best, waited = [], None, 0
    for value in values:
        gain = math.inf if best is None else sign * (best - value)
        if gain > min_delta or (equal and gain == min_delta):
            best, waited = value, 0
        else:
            waited += 1
        said.append(waited >= patience)
        if said[-1]:
            break
    return said, best


def telling(rng, patience, mode, min_delta):
    """Return values in eighths (exact, with many ties) that tell the right reading of the settings and wrong ones apart."""
    other = "max" if mode == "min" else "min"
    wrong = [(patience + 1, mode, min_delta), (patience, other, min_delta), (patience, mode, min_delta, True)]
    wrong += [(patience, mode, 0.0), (patience, mode, -min_delta)] * (min_delta > 0)
    while True:
        values = [float(v) for v in rng.integers(1, 13, 30) / 8]
        right = replayed(values, patience, mode, min_delta)
        readings = {str(replayed(values, *reading)) for reading in wrong} | {str(right)}
        if right[0][-1] and len(right[0]) > patience + 1 and len(readings) == len(wrong) + 1:
            return values, *right


def until_stop(stopper, values, model):
    """Return what the student's stopper says, up to its first True."""
    said = []
    for value in values:
        said.append(bool(scalar(stopper.step(value, model), "what step says")))
        if said[-1]:
            break
    return said


@pytest.mark.cell("EarlyStopper")
@pytest.mark.weight(2)
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("min_delta", [0.0, 0.25])
def test_stops_after_patience_epochs_without_improvement(student, rng, lab, mode, min_delta):
    """The stopper says stop after `patience` epochs in a row that do not beat the best by more than min_delta."""
    model = student.call("tiny_net", lab.D, lab.H, lab.C)
    for patience in (2, 4) if min_delta else (1, 2, 4):
        values, said, best = telling(rng, patience, mode, min_delta)
        stopper = student.call("EarlyStopper", patience, mode=mode, min_delta=min_delta)
        got, found = until_stop(stopper, values, model), stopper.attribute("best")
        require(got == said, "step does not say stop in the right epoch", got=got, expected=said)
        assert_close(scalar(found, "best"), best, rtol=1e-6, name="the best value")


@pytest.mark.cell("EarlyStopper")
def test_small_gains_do_not_add_up_unseen(student, lab):
    """Values are compared with the best improvement: gains too small one by one count once they beat it together."""
    model = student.call("tiny_net", lab.D, lab.H, lab.C)
    for mode, sign in (("min", -1), ("max", 1)):
        values = [2.0 + sign * v for v in (0.0, 0.125, 0.25, 0.375, 0.25, 0.5, 0.375)]
        said, best = replayed(values, 3, mode, 0.25)
        stopper = student.call("EarlyStopper", 3, mode=mode, min_delta=0.25)
        got = until_stop(stopper, values, model)
        require(got == said, "gains below min_delta are not treated as the text says", got=got, expected=said)
        assert_close(scalar(stopper.attribute("best"), "best"), best, rtol=1e-6, name="the best value")


@pytest.mark.cell("EarlyStopper")
def test_nan_is_no_improvement(student, lab):
    """NaN is never an improvement, and never becomes the best value."""
    model = student.call("tiny_net", lab.D, lab.H, lab.C)
    for mode in ("min", "max"):
        stopper = student.call("EarlyStopper", 2, mode=mode, min_delta=0.0)
        got = until_stop(stopper, (1.0, math.nan, math.nan), model)
        require(got == [False, False, True], "NaN should count as an epoch without improvement", got=got)
        assert_close(scalar(stopper.attribute("best"), "best"), 1.0, rtol=1e-6, name="the best value after NaN")


@pytest.mark.cell("EarlyStopper")
@pytest.mark.weight(2)
@pytest.mark.parametrize("mode", ["min", "max"])
def test_restore_brings_back_the_best_weights(student, lab, mode):
    """restore brings back weights and buffers of the best epoch, however the model was changed afterwards."""
    (x, y), sign = lab.examples(34), 1 if mode == "min" else -1
    run = lab.run(9)
    stopper = student.call("EarlyStopper", 5, mode=mode, min_delta=0.0)
    seen = []
    for value in (3.0, 1.0, 2.0, 1.0):
        run.train(x, y, 1)
        seen.append(run.weights())
        stopper.step(sign * value, run.model)
    for _ in range(2):  # once more after training went on: the copy is not given away
        stopper.keep("restore", run.model)
        require(lab.identical(run.weights(), seen[1]), "restore does not bring back the model of the best epoch",
                got=run.weights()[lab.KEYS[0]], expected=seen[1][lab.KEYS[0]])  # fmt: skip
        run.train(x, y, 1)
