"""The walls hold, and the probes that say so can tell when they do not."""

import subprocess

import pytest
from conftest import BIN, command_environment

from autograder import certificate, doctor
from autograder.errors import InputError
from autograder.jail.sandbox import Zygote

REACHABLE = ("secret file", "other submissions", "tcp", "udp", "abstract socket", "signal", "imports")


def test_every_wall_holds():
    """Each denied action, tried in a real student process, is denied."""
    broken = {f.name: f.detail for f in doctor.examine() if not f.held}
    assert broken == {}


@pytest.fixture(scope="module")
def tried_without_walls():
    """Try the probe of a name in a process without walls; returns the Finding."""
    zygote = Zygote(("numpy",), ("numpy",), 512, "none").start()
    with doctor._World("namespaces") as world:
        yield lambda name: doctor._try(next(p for p in doctor.PROBES if p.name == name), zygote, world, 512)
    zygote.stop()


@pytest.mark.parametrize("name", REACHABLE)
def test_the_probes_notice_a_missing_wall(name, tried_without_walls):
    """Without walls the same probes reach what they should not; so a held wall is evidence."""
    assert not tried_without_walls(name).held


@pytest.mark.parametrize("path", doctor.CONTAINERS_HAVE)
def test_each_hidden_file_is_looked_for(path, tried_without_walls, monkeypatch):
    """What /proc says of processes and memory, and the accounts: namespaces show none of it."""
    monkeypatch.setattr(doctor, "CONTAINERS_HAVE", (path,))
    assert tried_without_walls("other submissions").detail == f"it sees {path}"


@pytest.mark.parametrize("held", [True, False])
def test_walls_are_tried_once_for_a_course(held, tmp_path, monkeypatch):
    """What was found is remembered, for this kind of walls on this machine; one that does not hold is enough."""
    tried = []
    found = [doctor.Finding("a", "", True, ""), doctor.Finding("b", "", held, "")]
    monkeypatch.setattr(doctor, "examine", lambda isolation: tried.append(isolation) or found)
    assert [certificate.certified(tmp_path, "namespaces") for _ in range(3)] == [held] * 3
    assert certificate.certified(tmp_path, "none") is False
    assert tried == ["namespaces"]
    assert certificate.certified(tmp_path, "container") is held
    monkeypatch.setattr(certificate, "_boot", lambda: "after a restart")
    assert certificate.certified(tmp_path, "container") is held
    assert tried == ["namespaces", "container", "container"]


def test_a_framework_that_is_not_there_is_the_instructors():
    """A preload that fails stops with its reason; it is never a student's zero."""
    with pytest.raises(InputError, match=r"cannot import what the assignment lists \(no_such_module"):
        Zygote(("numpy",), ("no_such_module",), 512).start()


def test_without_bubblewrap_grading_stops_with_the_command_to_type(tmp_path, tiny):
    """No walls, no grading: exit 2, what to install, and the flag that grades without."""
    environment = {**command_environment(), "PATH": str(BIN)}
    line = [str(BIN / "gradus"), "grade", "tiny", str(tiny.release / "tiny"), "--out", str(tmp_path)]
    done = subprocess.run(line, cwd=tiny.root, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "apt-get install bubblewrap" in done.stderr
    assert "--isolation none" in done.stderr
    assert "Traceback" not in done.stderr


def test_all_walls_are_reported():
    """A student process says which walls it put up; all five are expected here."""
    zygote = Zygote(("numpy",), ("numpy",), 512).start()
    try:
        process = zygote.fork()
        process.kill()
        assert process.walls == ["namespaces", "rlimits", "no_new_privs", "landlock", "seccomp"]
    finally:
        zygote.stop()


def test_tensorflow_computes_behind_the_walls():
    """Eager operations, variables, random numbers, graphs and datasets run in a student's process."""
    zygote = Zygote(("numpy", "tensorflow"), ("numpy", "tensorflow"), 4096).start()
    source = (
        "import tensorflow as tf\n"
        "v = tf.Variable(tf.random.Generator.from_seed(1).normal((2, 3)))\n"
        "with tf.GradientTape() as tape:\n"
        "    loss = tf.reduce_sum(v * v)\n"
        "double = tf.function(lambda x: 2 * x)\n"
        "batches = len(list(tf.data.Dataset.range(5).shuffle(5).batch(2)))\n"
        "float(tf.reduce_max(tf.abs(tape.gradient(loss, v) - double(v)))) + batches"
    )
    try:
        process = zygote.fork()
        assert process.exchange(1, {"op": "score", "cell": "a", "source": source}, 30)[1][:2] == ("ok", 3.0)
        process.kill()
    finally:
        zygote.stop()


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("np.convolve([1, 2], [3, 4])", "OffLimits"),
        ("from numpy import convolve as c\nc([1, 2], [3, 4])", "OffLimits"),
        ("getattr(np._core.numeric, 'con' + 'volve')([1, 2], [3, 4])", "OffLimits"),
        ("np.random.RandomState(0)", "OffLimits"),
        ("import numpy.fft", "ModuleNotFoundError"),
        ("import json.tool", "ModuleNotFoundError"),
        ("np.fft.fft([1.0])", "ModuleNotFoundError"),
    ],
)
def test_what_is_off_limits_is_not_there(source, kind):
    """A function, a class or a module that the assignment keeps for the student cannot be used under any name."""
    names = ("numpy.convolve", "numpy.random.RandomState", "numpy.fft", "json.tool")
    zygote = Zygote(("numpy",), ("numpy",), 512, off_limits=names).start()
    try:
        process = zygote.fork()
        _, reply = process.exchange(1, {"op": "exec", "cell": "a", "source": f"import numpy as np\n{source}"}, 5)
        assert (reply[0], reply[1]["type"]) == ("error", kind)
    finally:
        zygote.stop()


def test_a_name_off_limits_that_does_not_exist_is_the_instructors():
    """A slip in the list is said before anybody is graded."""
    with pytest.raises(InputError, match=r"numpy\.convolv: off_limits names it, but it does not exist"):
        Zygote(("numpy",), ("numpy",), 512, off_limits=("numpy.convolv",)).start()
