"""What `gradus train` prints."""

from rich.markup import escape
from rich.table import Table

from ..console import err, near, out
from .metrics import shown


class TrainingNews:
    """What is being trained: one line that changes on a terminal, plain lines in a pipe, nothing when quiet."""

    def __init__(self, title, quiet):
        self.title, self.quiet, self.status = title, quiet, None

    def __enter__(self):
        if not self.quiet and err.is_terminal:
            self.status = err.status(self.title)
            self.status.start()
        return self

    def __call__(self, student, words):
        line = f"{self.title}: {escape(student)}: {escape(words)}"
        if self.status:
            self.status.update(line)
        elif not self.quiet:
            err.print(line)

    def __exit__(self, *_):
        if self.status:
            self.status.stop()


def print_training(found, folder):
    """Print the class of a training stage as a table, and where to look."""
    table = Table("student", "points", found[0].metric.replace("_", " "), "from", "to", "epochs", "remark")
    for result in found:
        remarks = [*(run.problem for run in result.runs), *result.notes]
        points = "" if result.points is None else f"{result.points:g} of {result.max_points:g}"
        table.add_row(
            escape(result.student), points, shown(result.metric, result.value), shown(result.metric, result.floor),
            shown(result.metric, result.target), ", ".join(str(run.epochs) for run in result.runs),
            escape("; ".join(dict.fromkeys(filter(None, remarks)))[:100]),
        )  # fmt: skip
    out.print(table)
    out.print(f"{found[0].data}; device: {found[0].device}")
    out.print(f"pages and logs: {near(folder)}; watch the curves with: tensorboard --logdir {near(folder)}")
