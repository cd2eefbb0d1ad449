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
