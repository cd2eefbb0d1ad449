"""Measuring, and the whole loop: its log, its files, a break in the middle, and the stopper."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from autograder.compare import as_array, assert_close, require, scalar, unpack
from autograder.grading.student import StudentFault

SEED, FRESH = 3, 77  # of a run, and of the fresh objects that go on with it


@pytest.mark.cell("evaluate")
@pytest.mark.weight(2)
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_measured_in_evaluation_mode(student, lab, mode):
    """Loss and accuracy are those of evaluation mode, whatever the mode the model comes in."""
    for n in (1, 29):
        (x, y), state, net = lab.examples(n), lab.state(), lab.twin().eval()
        net.load_state_dict(state)
        run = lab.run(4, state=state, p=0.5)
        run.model.keep(mode)
        with torch.no_grad():
            logits = net(x).double()
        wanted = -logits.log_softmax(1)[range(n), y].mean().item(), np.mean(logits.argmax(1).numpy() == y.numpy())
        loss, accuracy = unpack(student.evaluate(run.model, x, y), 2, "evaluate")
        assert_close(scalar(loss, "the loss"), wanted[0], rtol=1e-4, atol=1e-5, name="the loss")
        assert_close(scalar(accuracy, "the accuracy"), wanted[1], rtol=1e-5, atol=1e-6, name="the accuracy")


@pytest.mark.cell("evaluate")
def test_measuring_changes_nothing(student, lab):
    """Weights and buffers are the same after a measurement, and the results carry no gradients."""
    (x, y), run = lab.examples(23), lab.run(4, p=0.5)
    run.model.keep("train")
    before = run.weights()
    loss = student.call("evaluate", run.model, x, y).item(0)
    require(lab.identical(run.weights(), before), "evaluate changes the model's weights or buffers")
    try:
        tracked = loss.attribute("requires_grad")
    except StudentFault:  # a plain number
        tracked = False
    require(not tracked, "the loss still carries a graph for gradients; measure without gradients",
            suspect="graph_kept")  # fmt: skip


TAGS = ("lr", "loss/train", "loss/val", "accuracy/val")


def simulated(lab, state, train, epochs, lr):
    """Return the training losses of a right loop (kind "adam", no dropout) and the model after each epoch."""
    net, (x, y) = lab.twin(), train
    net.load_state_dict(state)
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    generator, losses, nets = torch.Generator().manual_seed(SEED), [], []
    for epoch in range(epochs):
        optimizer.param_groups[0]["lr"] = lr * 0.5 ** (epoch // 2)
        total = 0.0
        for rows in torch.randperm(len(x), generator=generator).split(16):
            loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        losses.append(total / len(x))
        nets.append(copy.deepcopy(net).eval())
    return losses, nets


def turning_point(lab, epochs=6, lr=0.1):
    """Return a problem whose validation loss is clearly lowest in an inner epoch, two epochs or more before the last.

    Returns:
        state, train, val; log: {tag: values} of a right loop; states: the model's after each epoch, {name: array};
        best: the index of the best epoch.
    """
    while True:
        state, train, (u, v) = lab.state(), lab.examples(40), lab.examples(300)
        losses, nets = simulated(lab, state, train, epochs, lr)
        with torch.no_grad():
            logits = torch.stack([net(u) for net in nets])  # (epochs, 300, C)
        costs = -logits.log_softmax(2)[:, range(300), v].numpy()
        hits = (logits.argmax(2) == v).numpy()
        for _ in range(200):
            rows = lab.rng.choice(300, 21, replace=False)
            val = costs[:, rows].mean(1)
            best = int(np.argmin(val))
            apart = np.diff(np.sort(val))  # no two losses so close that rounding could change their order
            if 1 <= best <= epochs - 3 and apart[0] > 0.01 and apart.min() > 5e-4:
                log = {"lr": [lr * 0.5 ** (e // 2) for e in range(epochs)], "loss/train": losses, "loss/val": val,
                       "accuracy/val": hits[:, rows].mean(1)}  # fmt: skip
                states = [{name: value.numpy() for name, value in net.state_dict().items()} for net in nets]
                return state, train, (u[rows], v[rows]), log, states, best


def fitted(student, run, train, val, epochs, folder, stopper=None):
    """Call the student's fit; return (the result, the rows that it logged)."""
    writer = student.call("Recorder")
    extra = () if stopper is None else (stopper,)
    got = student.fit(
        run.model, run.optimizer, run.scheduler, train, val, epochs, run.generator, writer, folder, *extra
    )
    return got, writer.attribute("rows")


def logged(rows, tag):
    """Return the steps and the values logged under a tag, two lists."""
    mine = [row for row in rows if row[0] == tag]
    steps = [as_array(row[2], f"the step logged with {tag}") for row in mine]
    return [int(s) for s in steps], [scalar(row[1], f"the value logged as {tag}") for row in mine]


def require_log(rows, wanted, first=1):
    """Require each tag to have one value an epoch, and these values."""
    for tag in TAGS:
        steps, values = logged(rows, tag)
        right = list(range(first, first + len(wanted[tag])))
        require(steps == right, f"{tag} should be logged once an epoch, with the epoch's number, counted from 1",
                got=steps, expected=right)  # fmt: skip
        assert_close(values, wanted[tag], rtol=2e-4, atol=2e-5, name=f"what is logged as {tag}")


@pytest.mark.cell("fit")
@pytest.mark.weight(3)
def test_log_of_every_epoch(student, lab):
    """Rate, training loss, validation loss and accuracy of every epoch agree with a run by plain PyTorch."""
    state, train, val, log, _, best = turning_point(lab)
    run = lab.run(SEED, state=state, lr=0.1)
    got, rows = fitted(student, run, train, val, 6, lab.folder())
    require_log(rows, log)
    assert_close(scalar(got, "what fit returns"), log["loss/val"][best], rtol=2e-4, name="the lowest validation loss")


@pytest.mark.cell("fit")
@pytest.mark.weight(2)
def test_best_file_keeps_the_best(student, lab):
    """best.pt holds the epoch of the lowest validation loss, last.pt the last one; both know the lowest loss."""
    state, train, val, log, states, best = turning_point(lab)
    run, folder = lab.run(SEED, state=state, lr=0.1), lab.folder()
    fitted(student, run, train, val, 6, folder)
    fresh = lab.run(FRESH)
    for name, at in (("best.pt", best), ("last.pt", 5)):
        epoch, lowest = fresh.load(folder.keep("joinpath", name))
        require(epoch == at + 1, f"{name} does not hold the right epoch", got=epoch, expected=at + 1)
        assert_close(scalar(lowest), log["loss/val"][best], rtol=2e-4, name=f"the lowest validation loss in {name}")
        got = fresh.weights()
        for key in ("0.weight", "4.bias"):
            assert_close(got[key], states[at][key], rtol=1e-3, atol=1e-4, name=f"the weights in {name}")


@pytest.mark.cell("fit")
def test_equal_is_not_better(student, lab):
    """Where the validation loss is the same in all epochs, the first epoch stays the best."""
    there = student.handle("torch")
    there.keep("manual_seed", SEED)
    model = there.handle("nn").keep("Linear", lab.D, lab.C)
    optimizer = there.handle("optim").keep("SGD", model.keep("parameters"), lr=0.0)
    scheduler = there.handle("optim").handle("lr_scheduler").keep("StepLR", optimizer, 2, 0.5)
    generator, folder, writer = there.keep("Generator"), lab.folder(), student.call("Recorder")
    data = lab.examples(20)
    student.fit(model, optimizer, scheduler, data, data, 3, generator, writer, folder)
    path = folder.keep("joinpath", "best.pt")
    epoch, _ = unpack(student.load_checkpoint(path, model, optimizer, scheduler, generator), 2, "load_checkpoint")
    require(epoch == 1, "best.pt is written again where the validation loss is only equal", got=epoch, expected=1)


@pytest.mark.cell("fit")
@pytest.mark.weight(3)
def test_killed_and_started_again(student, lab):
    """Started again with fresh objects, fit goes on from last.pt: same log, same files, same model, bit for bit."""
    state, train, val, *_ = turning_point(lab)
    whole, folder = lab.run(SEED, state=state, p=0.2, lr=0.1), lab.folder()
    result, rows = fitted(student, whole, train, val, 6, folder)
    parts, folder, again = [], lab.folder(), None
    for epochs, start in ((2, state), (5, lab.state()), (6, lab.state())):
        again = lab.run(SEED if epochs == 2 else FRESH, state=start, p=0.2, lr=0.1)
        got, more = fitted(student, again, train, val, epochs, folder)
        parts += more
    for tag in TAGS:
        (steps, values), (right, wanted) = logged(parts, tag), logged(rows, tag)
        require(steps == right, "the epochs of the parts are not those of the whole run", got=steps, expected=right)
        require(lab.identical(as_array(values), as_array(wanted)), f"the parts log another {tag} than the whole run")
    require(
        float(scalar(got)) == float(scalar(result)), "the lowest validation loss of the parts is not the whole run's"
    )
    require(
        lab.identical(whole.weights(), again.weights()), "the model of the parts is not the whole run's, bit for bit"
    )


@pytest.mark.cell("fit")
def test_a_lower_loss_is_remembered_over_the_break(student, lab):
    """After a break, best.pt is replaced only by an epoch that is better than all before the break."""
    state, train, val, _, _, best = turning_point(lab)
    folder = lab.folder()
    for epochs in (best + 1, best + 3):  # the second part has only worse epochs
        run = lab.run(SEED, state=state, lr=0.1)
        fitted(student, run, train, val, epochs, folder)
    epoch, _ = run.load(folder.keep("joinpath", "best.pt"))
    require(epoch == best + 1, "after a break, a worse epoch took the place of the best", got=epoch, expected=best + 1)


def stopped(losses, patience):
    """Return the index of the best epoch and the number of epochs done when a stopper says stop."""
    best, done = 0, 0
    for i, loss in enumerate(losses):
        best, done = (i if loss < losses[best] else best), i + 1
        if i - best >= patience:
            break
    return best, done


@pytest.mark.cell("fit")
@pytest.mark.weight(2)
def test_stopper_ends_the_run_and_restores_the_best(student, lab):
    """A stopper that says stop ends the run, and the model is that of the best epoch, stopped or not."""
    while True:
        state, train, val, log, states, _ = turning_point(lab, 7)
        if stopped(log["loss/val"], 2)[1] < 7 and stopped(log["loss/val"], 2) != stopped(log["accuracy/val"], 2):
            break
    for patience in (2, 50):
        at, epochs = stopped(log["loss/val"], patience)
        run = lab.run(SEED, state=state, lr=0.1)
        stopper = student.call("EarlyStopper", patience, mode="min", min_delta=0.0)
        _, rows = fitted(student, run, train, val, 7, lab.folder(), stopper)
        got, (steps, _), wanted = run.weights(), logged(rows, "loss/val"), list(range(1, epochs + 1))
        require(
            steps == wanted, "the run does not end in the epoch where the stopper says stop", got=steps, expected=wanted
        )
        for key in ("0.weight", "1.running_mean"):
            assert_close(got[key], states[at][key], rtol=1e-3, atol=1e-4, name="the model's weights at the end")
