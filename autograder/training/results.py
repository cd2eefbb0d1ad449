"""The result of the training stage for one submission, as it stands in ``training.json``."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

SCHEMA = 1


class Run(BaseModel):
    """One seed. ``value`` is the metric on held-out data, None where there is no prediction to score.

    ``curve`` has a dict for each epoch: "epoch", "seconds" and what the student's ``epoch()`` said.
    """

    seed: int
    value: float | None = None
    epochs: int = 0
    seconds: float = 0.0
    resumed_at: int = 0
    problem: str = ""
    curve: list[dict[str, float]] = Field(default_factory=list)


class TrainingResult(BaseModel):
    """One submission. ``status`` is "trained", "unreadable" (0 points) or "infra_error" (ours: no points at all).

    ``value`` is the mean of the runs; a run without a value counts as the floor.
    """

    schema_version: int = Field(default=SCHEMA, alias="schema")
    assignment: str
    student: str
    key: str = ""
    submission_sha256: str = ""
    grader_version: str = ""
    isolation: str = "namespaces"
    certified: bool = False
    status: Literal["trained", "unreadable", "infra_error"]
    points: float | None = None
    max_points: float
    metric: str = ""
    value: float | None = None
    floor: float = 0.0
    target: float = 0.0
    published: str = ""
    data: str = ""
    real: bool = False
    device: str = "cpu"
    seconds: float = 0.0
    runs: list[Run] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)

    model_config = {"populate_by_name": True}

    def text(self):
        """Return the result as JSON text, as it is written to disk."""
        return self.model_dump_json(by_alias=True, indent=1) + "\n"


def read(path):
    """Return the TrainingResult in the file at ``path``, or None if there is none or it is of another schema."""
    try:
        result = TrainingResult.model_validate_json(Path(path).read_bytes())
    except (OSError, ValueError):
        return None
    return result if result.schema_version == SCHEMA else None
