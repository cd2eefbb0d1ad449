"""The training stage on a real dask scheduler with workers on loopback."""

import pytest
from test_train import CLASS, course, hand_in  # noqa: F401 - a fixture

from autograder.errors import InputError
from autograder.training.run import train_class

pytest.importorskip("distributed", reason="dask.distributed is not installed")


def test_workers_train(course, tmp_path):  # noqa: F811
    """A class on two workers gets the results that this machine gives, a broken file included."""
    from distributed import LocalCluster

    for student in ("good", "crashing"):
        hand_in(course, tmp_path / "class", student, *CLASS[student])
    hand_in(course, tmp_path / "class", "broken", *CLASS["good"])
    (tmp_path / "class" / "broken" / "softmax" / "softmax.ipynb").write_text("{")
    here, _ = train_class(
        course, "softmax", tmp_path / "class", out=tmp_path / "here", isolation="namespaces", device="cpu"
    )
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, resources={"GPU": 1}) as cluster:
        there, _ = train_class(course, "softmax", tmp_path / "class", out=tmp_path / "there", isolation="namespaces",
                               device="cpu", cluster=cluster.scheduler_address)  # fmt: skip
    for one, other in zip(here, there, strict=True):
        assert (one.student, one.status, one.points) == (other.student, other.status, other.points)
        assert [run.value for run in one.runs] == [run.value for run in other.runs]
    assert [r.status for r in there] == ["unreadable", "trained", "trained"]
    assert (tmp_path / "there" / "good" / "training.html").is_file()


def test_no_scheduler_is_said(course, tmp_path):  # noqa: F811
    hand_in(course, tmp_path / "class", "good", *CLASS["good"])
    with pytest.raises(InputError, match="no dask scheduler"):
        train_class(course, "softmax", tmp_path / "class", out=tmp_path / "out", isolation="namespaces",
                    cluster="tcp://127.0.0.1:9")  # fmt: skip
