"""The training stage: a good, a lazy, a cheating and a crashing program, budgets, and going on after any end."""

import csv
import json
import os
import signal
import subprocess
import time
import zlib

import pytest
from conftest import BIN, cell, command_environment, notebook_text

SETUP = "import pickle\nimport numpy as np"
STEP = '''def step(W, x, y, lr):
    """Return W (D, C) after one step of gradient descent on softmax regression of x (N, D) and y (N,)."""
    ### BEGIN SOLUTION
    z = x @ W
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    return W - lr * x.T @ p / len(y)
    ### END SOLUTION
'''
TRAINING = '''class Training:
    """Softmax regression by your own step, in mini-batches of 50."""

    def __init__(self, data, seed, device):
        self.rng = np.random.default_rng(seed)
        self.x, self.y = self.flat(data["x"]), data["y"]
        self.W = self.rng.normal(0, 0.01, (self.x.shape[1], 10))

    def flat(self, x):
        return x.reshape(len(x), -1) / 255.0

    def epoch(self):
        for rows in np.array_split(self.rng.permutation(len(self.x)), len(self.x) // 50):
            self.W = step(self.W, self.x[rows], self.y[rows], 0.5)
        z = self.predict_flat(self.x)
        z = z - z.max(axis=1, keepdims=True)
        return {"loss": float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), self.y]))}

    def predict_flat(self, x):
        return x @ self.W

    def predict(self, x):
        return self.predict_flat(self.flat(x))

    def state(self):
        return pickle.dumps((self.W, self.rng))

    def load(self, state):
        self.W, self.rng = pickle.loads(state)
'''
SETTINGS = """title = "Softmax"
[train]
data = "mnist"
points = 4
seeds = [1, 2]
seconds = 60
memory_mb = 512
published = "a linear classifier has 12 % errors on MNIST (LeCun et al. 1998, table 1)"
real = { epochs = 3, floor = 0.8, target = 0.9 }
stand_in = { epochs = 3, floor = 0.5, target = 0.85 }
"""
GOOD = STEP.replace("    ### BEGIN SOLUTION\n", "").replace("    ### END SOLUTION\n", "")
LAZY = "def step(W, x, y, lr):\n    return W\n"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with one assignment that has a training stage, released."""
    from autograder import build
    from autograder.course import Course

    root = tmp_path_factory.mktemp("training")
    source, checks = root / "source" / "softmax", root / "autograder" / "checks" / "softmax"
    source.mkdir(parents=True)
    checks.mkdir(parents=True)
    cells = [
        cell("locked", SETUP, "setup"),
        cell("answer", STEP, "step-answer"),
        cell(
            "checks", "assert step(np.zeros((2, 10)), np.ones((1, 2)), np.array([3]), 1.0).shape == (2, 10)", "step", 2
        ),
        cell("locked", TRAINING, "training"),
    ]
    (source / "softmax.ipynb").write_text(notebook_text(cells))
    (checks / "assignment.toml").write_text(SETTINGS)
    build.release(Course(root), "softmax")
    return Course(root)


def hand_in(course, folder, student, answer, own=None):
    """Write one submission; ``own`` is a cell of the student's at the end."""
    from autograder import specimens

    target = folder / student / "softmax"
    target.mkdir(parents=True)
    release = course.release / "softmax" / "softmax.ipynb"
    (target / release.name).write_text(specimens.fill_in(release, {"step-answer": answer}, extra=[own] if own else ()))


def own_class(method):
    """A student's own `Training` with one method of the locked one replaced."""
    return f"class Training(Training):\n{method}"


CLASS = {
    "good": (GOOD, None),
    "lazy": (LAZY, None),
    "absent": ("def step(W, x, y, lr):\n    raise NotImplementedError\n", None),
    "crashing": (GOOD, own_class("    def epoch(self):\n        import os\n        os._exit(0)\n")),
    "sleeping": (GOOD, own_class("    def epoch(self):\n        import time\n        time.sleep(600)\n")),
    "wrong_shape": (GOOD, own_class("    def predict(self, x):\n        return self.predict_flat(self.flat(x)).argmax(axis=1)\n")),
    "not_finite": (GOOD, own_class("    def predict(self, x):\n        return np.full((len(x), 10), np.nan)\n")),
    "huge": (GOOD, own_class("    def state(self):\n        return bytes(100 * 2**20)\n")),
    "no_bytes": (GOOD, own_class("    def state(self):\n        return 7\n")),
    "strange_words": (GOOD, own_class("    def epoch(self):\n        return {'loss': '<script>'}\n")),
    "diverging": (GOOD, own_class("    def epoch(self):\n        return {'loss': float('nan')}\n")),
    "collector": (GOOD, own_class(
        "    def predict(self, x):\n"
        "        import os\n"
        "        seen = sum(len(files) for _, _, files in os.walk('/tmp'))\n"
        "        np.save('/tmp/home/seen.npy' if os.path.isdir('/tmp/home') else 'seen.npy', x)\n"
        "        return np.eye(10)[np.full(len(x), 3)] if seen else super().predict(x)\n")),
}  # fmt: skip


def learnt_by_heart(when):
    """A program with the held-out answers in the notebook, under the images' bytes; used ``when`` that holds."""
    from course_lib import data

    images = data.images("mnist")
    table = {hash_of(x): int(y) for x, y in zip(images.x_test, images.y_test, strict=True)}
    return f"import zlib\nTABLE = {table}\n" + own_class(
        "    def predict(self, x):\n"
        f"        if not ({when}):\n"
        "            return super().predict(x)\n"
        "        known = [TABLE.get(zlib.crc32(one.tobytes()), 0) for one in x]\n"
        "        return np.eye(10)[known]\n"
        "    def load(self, state):\n"
        "        super().load(state)\n"
        "        self.loaded = True\n"
    )


def hash_of(image):
    return zlib.crc32(image.tobytes())


@pytest.fixture(scope="module")
def trained(course, tmp_path_factory, gradus):
    """The class, trained once by the command: {student: result as a dict}, the output and the folder."""
    folder = tmp_path_factory.mktemp("class")
    cheats = {"knows": (LAZY, learnt_by_heart("True")),
              "hides_it": (LAZY, learnt_by_heart("hasattr(self, 'loaded')"))}  # fmt: skip
    for student, (answer, own) in (CLASS | cheats).items():
        hand_in(course, folder, student, answer, own)
    out = folder / "trained"
    done = gradus("train", "softmax", folder, "--course", course.root, "--out", out, "--budget", 8, cwd=folder)
    found = {path.parent.name: json.loads(path.read_text()) for path in out.glob("*/training.json")}
    assert set(found) == set(CLASS | cheats)
    return found, done, out


def test_a_good_program_gets_its_points(trained):
    """Both seeds reach what softmax regression reaches on the stand-in; the page says that it is one."""
    found, _, out = trained
    good = found["good"]
    assert good["points"] == pytest.approx(4, abs=1)
    assert good["value"] > 0.75
    assert [run["epochs"] for run in good["runs"]] == [3, 3]
    assert not any(run["problem"] for run in good["runs"])
    assert not good["real"]
    assert "stand-in" in (out / "good" / "training.html").read_text()
    assert all("loss" in entry for entry in good["runs"][0]["curve"])


def test_a_lazy_program_gets_none(trained):
    assert trained[0]["lazy"]["points"] == 0
    assert trained[0]["lazy"]["value"] < 0.3


@pytest.mark.parametrize(
    ("student", "says"),
    [
        ("absent", "not written yet"),
        ("crashing", "ended the whole Python process"),
        ("sleeping", "the budget of 4 s was over before epoch 1 ended"),
        ("wrong_shape", "`predict` must return shape (200, 10) for 200 inputs, not (200,)"),
        ("not_finite", "NaN or infinity"),
        ("huge", "`state` must return bytes, at most 64 MB"),
        ("no_bytes", "`state` must return bytes, not a int"),
        ("strange_words", "`epoch` must return a dict of names and plain numbers"),
        ("diverging", "the training went astray"),
    ],
)
def test_what_goes_wrong_is_said(trained, student, says):
    """A program that cannot be scored gets no points and a sentence; it is never an error of ours."""
    found, _, out = trained
    assert found[student]["status"] == "trained"
    assert found[student]["points"] == 0
    assert any(says in run["problem"] for run in found[student]["runs"]), found[student]["runs"]
    page = (out / student / "training.html").read_text()
    assert "<script" not in page
    assert "Traceback" not in page


def test_held_out_inputs_cannot_be_collected(trained):
    """Each part of the held-out inputs is seen by a process that has seen no other part."""
    assert trained[0]["collector"]["value"] == pytest.approx(trained[0]["good"]["value"], abs=0.1)


def test_answers_that_came_with_the_notebook(trained):
    """A program that knows the answers untrained earns nothing; one that hides it until later is pointed out."""
    found = trained[0]
    assert found["knows"]["points"] == 0
    assert "before any training it already reaches 100.0 %" in found["knows"]["runs"][0]["problem"]
    assert any("a person should look at that" in note for note in found["hides_it"]["notes"])
    assert not any("a person should look" in note for note in found["good"]["notes"])


def test_the_class_is_a_table(trained):
    found, done, out = trained
    rows = {row["student"]: row for row in csv.DictReader((out / "training.csv").open())}
    assert set(rows) == set(found)
    assert float(rows["good"]["value"]) == pytest.approx(found["good"]["value"])
    assert "good" in done.stdout
    assert "tensorboard --logdir" in done.stdout


def test_tensorboard_reads_the_logs(trained):
    """The event files hold the student's numbers, an epoch a step, and the grader's score."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found, _, out = trained
    events = EventAccumulator(str(out / "good" / "seed-1" / "log")).Reload()
    assert [e.step for e in events.Scalars("loss")] == [1, 2, 3]
    assert events.Scalars("accuracy")[-1].value == pytest.approx(found["good"]["runs"][0]["value"], abs=1e-6)


def test_nothing_is_trained_twice(trained, course, gradus):
    """The same class again takes every result from disk."""
    _, _, out = trained
    before = {path: path.stat().st_mtime_ns for path in out.glob("*/training.json")}
    gradus("train", "softmax", out.parent, "--course", course.root, "--out", out, "--budget", 8, cwd=out.parent)
    assert {path: path.stat().st_mtime_ns for path in out.glob("*/training.json")} == before


def test_a_killed_run_goes_on_exactly(course, tmp_path, trained):
    """After kill -9 in the middle the same command goes on from the checkpoint, to the same numbers."""
    slow = own_class(
        "    def epoch(self):\n        import time\n        time.sleep(0.4)\n        return super().epoch()\n"
    )
    hand_in(course, tmp_path / "class", "s", GOOD, slow)
    line = [str(BIN / "gradus"), "train", "softmax", str(tmp_path / "class"), "--course", str(course.root)]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    environment = command_environment()
    subprocess.run([*line, "--out", str(whole)], env=environment, check=True, capture_output=True, timeout=200)
    process = subprocess.Popen([*line, "--out", str(broken)], env=environment, stderr=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
    checkpoint = broken / "s" / "seed-1" / "checkpoint"
    for _ in range(600):
        if checkpoint.is_file():
            break
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert checkpoint.is_file()
    assert not (broken / "s" / "training.json").exists()
    subprocess.run([*line, "--out", str(broken)], env=environment, check=True, capture_output=True, timeout=200)
    one, two = (json.loads((out / "s" / "training.json").read_text()) for out in (whole, broken))
    assert two["runs"][0]["resumed_at"] >= 1
    assert [run["value"] for run in one["runs"]] == [run["value"] for run in two["runs"]]
    curves = [[[entry["loss"] for entry in run["curve"]] for run in result["runs"]] for result in (one, two)]
    assert curves[0] == curves[1]


def test_ctrl_c_ends_it_at_once(course, tmp_path):
    """In the middle of an epoch that would never end; the sentence says how to go on."""
    hand_in(course, tmp_path / "class", "s", *CLASS["sleeping"])
    line = [str(BIN / "gradus"), "train", "softmax", str(tmp_path / "class"), "--course", str(course.root)]
    process = subprocess.Popen([*line, "--out", str(tmp_path / "out")], env=command_environment(),
                               stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)  # fmt: skip
    logs = tmp_path / "out" / "s" / "seed-1" / "log"
    while not logs.is_dir():
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "the same command goes on from there" in words


def test_a_damaged_checkpoint_is_a_fresh_start(tmp_path):
    """Half a file, another run's file and no file are all the beginning, never an error."""
    from autograder.training.checkpoints import Checkpoint, Saved

    file = Checkpoint(tmp_path / "c", "key")
    file.write(Saved(1.5, [{"epoch": 1.0}], b"state"))
    assert file.read() == Saved(1.5, [{"epoch": 1.0}], b"state")
    assert Checkpoint(tmp_path / "c", "other").read() == Saved()
    file.path.write_bytes(file.path.read_bytes()[:-1])
    assert file.read() == Saved()
    assert Checkpoint(tmp_path / "none", "key").read() == Saved()


def test_settings_that_cannot_be_are_said(course, gradus, tiny):
    wrong = gradus("train", "tiny", "--course", tiny.root, cwd=tiny.root, code=2)
    assert "has no training stage" in wrong.stderr
    wrong = gradus("train", "softmax", "--device", "tpu", "--course", course.root, cwd=course.root, code=2)
    assert "--device 'tpu' is not known" in wrong.stderr
