"""What the commands print: the class as a table, one progress bar, short paths."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from .reports.words import count

MOST_NAMES = 30
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_class(graded):
    """Print the class as a table and where to look."""
    table = Table("student", "score", "status", "what it looks like")
    for result in graded.results:
        hints = [c.diagnosis for q in result.questions for c in q.checks if c.diagnosis]
        words = ", ".join(dict.fromkeys(hints)) or "; ".join(result.notes[:1])
        score = "" if result.score is None else f"{result.score:g} of {result.max_score:g}"
        table.add_row(escape(result.student), score, result.status, escape(words[:80]))
    out.print(table)
    waiting = sum(1 for r in graded.results if r.manual_open)
    out.print(f"{len(graded.results)} submissions, {graded.fresh} graded now, {waiting} wait for a person to read")
    found = graded.found
    for words, names in (("not taken", found.ignored), ("not in the roster", found.strangers),
                         ("handed in nothing", found.absent)):  # fmt: skip
        if names:
            more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
            out.print(f"{words}: {escape(', '.join(names[:MOST_NAMES]))}{more}")
    out.print(f"report: {near(graded.out / 'report.html')}")


def print_changes(changed):
    """Say whose marks a regrade changes, from what to what, and in which questions."""
    out.print(f"{count(len(changed), 'submission')} changed since the last time:")
    for one in changed:
        questions = ", ".join(f"{name} {_score(before)} → {_score(now)}" for name, before, now in one.questions)
        where = f" ({questions})" if questions else ""
        out.print(escape(f"changed: {one.student} from {_score(one.before)} to {_score(one.now)}{where}"))


def print_preview(graded):
    """Say what grading would change; nothing has been written."""
    print_changes(graded.changed)
    same = len(graded.results) - graded.first - len(graded.changed)
    out.print(f"{same} stay as they are, {graded.first} have no result yet; nothing was written")


def _score(value):
    return "nothing" if value is None else f"{value:g}"


def near(path):
    """Return a path as short as it can be said from here."""
    try:
        return str(Path(path).resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


class ProgressBar:
    """One progress bar on a terminal, plain lines in a pipe, nothing when quiet."""

    def __init__(self, title, quiet):
        self.title, self.quiet, self.failed, self.bar = title, quiet, 0, None
        self.step = 0

    def __enter__(self):
        if not self.quiet and err.is_terminal:
            columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
            self.bar = Progress(*columns, TextColumn("{task.fields[failed]}"), console=err, transient=True)
            self.bar.start()
            self.task = self.bar.add_task(self.title, failed="")
        return self

    def __call__(self, done, total, result):
        self.failed += result is not None and result.status == "infra_error"
        if self.bar:
            words = f"{self.failed} could not be graded" if self.failed else ""
            self.bar.update(self.task, completed=done, total=total, failed=words)
        elif not self.quiet and done * 10 // max(total, 1) > self.step:
            self.step = done * 10 // max(total, 1)
            err.print(f"{self.title}: {done} of {total}")

    def __exit__(self, *_):
        if self.bar:
            self.bar.stop()


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


def print_training(found, shown, folder):
    """Print the class of a training stage as a table; ``shown`` writes a metric's value for people."""
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
