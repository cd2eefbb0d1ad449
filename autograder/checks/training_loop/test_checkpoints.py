"""Checkpoints: what comes back, bit for bit, and how the file is written."""

import math

import pytest

from autograder.compare import Mismatch, assert_close, require, scalar
from autograder.grading.student import StudentFault

FRESH = 77  # seed of the objects that a run is loaded into


@pytest.mark.cell("save_checkpoint")
@pytest.mark.weight(4)
@pytest.mark.parametrize("kind", ["adam", "momentum"])
def test_resumed_run_equals_an_undisturbed_one(lab, kind):
    """3 epochs, a file, fresh objects, 3 more epochs: all is equal to 6 epochs in one go, bit for bit."""
    (x, y), state, other = lab.examples(20), lab.state(), lab.state()
    straight = lab.run(5, state=state, kind=kind, p=0.3)
    straight.train(x, y, 6)
    path = lab.folder().keep("joinpath", "run.pt")
    first = lab.run(5, state=state, kind=kind, p=0.3)
    first.train(x, y, 3)
    first.save(path)
    first.train(x, y, 1)  # the file does not follow what the run does later
    second = lab.run(FRESH, state=other, kind=kind, p=0.3, lr=1.0)
    second.load(path)
    second.train(x, y, 3)
    wanted, got = straight.weights(), second.weights()
    require(lab.identical(wanted, got), "after going on from the file, the model is not the undisturbed run's bit for bit",
            got=got[lab.KEYS[0]], expected=wanted[lab.KEYS[0]])  # fmt: skip
    for name in ("optimizer", "scheduler"):
        wanted, got = (getattr(run, name).state_dict() for run in (straight, second))
        require(
            lab.identical(wanted, got), f"after going on from the file, the {name}'s state is not the undisturbed run's"
        )
    require(lab.identical(straight.generator.get_state(), second.generator.get_state()),
            "after going on from the file, the generator's state is not the undisturbed run's")  # fmt: skip


@pytest.mark.cell("save_checkpoint")
def test_loading_brings_back_what_was_saved(lab):
    """Straight after loading, model, optimizer, scheduler and generator are as they were when saved."""
    (x, y), path = lab.examples(34), lab.folder().keep("joinpath", "run.pt")
    run = lab.run(8)
    run.train(x, y, 2)
    run.save(path)
    fresh = lab.run(FRESH, lr=1.0)
    fresh.load(path)
    require(lab.identical(run.weights(), fresh.weights()), "the model's weights and buffers do not come back")
    for name in ("optimizer", "scheduler"):
        wanted, got = (getattr(each, name).state_dict() for each in (run, fresh))
        require(lab.identical(wanted, got), f"the {name}'s state does not come back")
    require(
        lab.identical(run.generator.get_state(), fresh.generator.get_state()),
        "the generator's state does not come back",
    )


@pytest.mark.cell("save_checkpoint")
def test_epoch_and_best_come_back(rng, lab):
    """load_checkpoint returns the epoch and the best result, in this order, for each file its own."""
    folder, run = lab.folder(), lab.run(8)
    saved = {
        "a.pt": (int(rng.integers(2, 90)), math.inf),
        "b.pt": (0, -0.25),
        "c.pt": (int(rng.integers(91, 200)), 0.0),
    }
    for name, (epoch, best) in saved.items():
        run.save(folder.keep("joinpath", name), epoch, best)
    for name, wanted in saved.items():
        got = run.load(folder.keep("joinpath", name))
        for what, a, b in zip(("the epoch", "the best result"), got, wanted, strict=True):
            assert_close(scalar(a, what), float(b), rtol=1e-6, name=f"{what} that comes back")


@pytest.mark.cell("save_checkpoint")
def test_a_failed_save_keeps_the_old_file(lab):
    """If something cannot be saved, the error reaches the caller and the old checkpoint is as it was."""
    path, run = lab.folder().keep("joinpath", "run.pt"), lab.run(8)
    before = run.weights()
    run.save(path, 4, 0.5)
    run.model.keep("load_state_dict", lab.state())
    try:
        run.save(path, 5, best=run.model.keep("parameters"))  # an iterator cannot be written to a file
    except StudentFault as fault:
        if fault.kind in ("Timeout", "Crash", "NotImplementedError", "NameError"):
            raise
    else:
        raise Mismatch("a value that cannot be saved raised no error", suspect="error_swallowed")
    try:
        epoch, _ = run.load(path)
    except StudentFault as fault:
        raise Mismatch("after a save that failed, the old checkpoint cannot be read any more",
                       suspect="written_in_place") from fault  # fmt: skip
    require(epoch == 4 and lab.identical(run.weights(), before),
            "after a save that failed, the file does not hold the old checkpoint")  # fmt: skip


@pytest.mark.cell("save_checkpoint")
def test_the_file_is_replaced_in_one_piece(student, lab):
    """A second save puts a new file in place of the old one, and leaves nothing else in the folder."""
    folder, elsewhere = lab.folder(), lab.folder()
    path, old = folder.keep("joinpath", "run.pt"), elsewhere.keep("joinpath", "old.pt")
    run = lab.run(8)
    run.save(path, 4, 0.5)
    old.keep("hardlink_to", path)  # a second name for the old file: it goes on holding what was not written over
    run.save(path, 5, 0.25)
    require(run.load(path)[0] == 5, "after a second save, the file does not hold the second checkpoint")
    try:
        epoch = run.load(old)[0]
    except StudentFault:
        epoch = None
    names = student.handle("os").keep("listdir", folder)
    names.sort()  # its order is the disk's
    names = names.get()
    require(epoch == 4, "the second save wrote into the old file; a run that dies meanwhile is left with half a file")
    require(names == ["run.pt"], "after saving, the folder should hold the checkpoint and nothing else",
            got=names, expected=["run.pt"])  # fmt: skip
