"""The page that shows a student how the training of their program went."""

from ..reports import words
from ..reports.figures import learning_curves
from ..reports.pages import render
from .metrics import SHOWN, shown


def training_page(result, assignment):
    """Return the page of one TrainingResult as HTML text."""
    metric = result.metric
    return render(
        "training.html.j2",
        styles=("base.css", "feedback.css", "training.css"),
        title=assignment.title,
        result=result,
        metric=SHOWN[metric],
        value=shown(metric, result.value),
        floor=shown(metric, result.floor),
        target=shown(metric, result.target),
        runs=[(run, shown(metric, run.value)) for run in result.runs],
        figure=_figure(result.runs),
        warning=words.isolation_warning(result),
        ran=_what_ran(result),
    )


def _figure(runs):
    """Draw the first number that the program said after each epoch; None if it said nothing."""
    names = [name for run in runs for entry in run.curve for name in entry if name not in ("epoch", "seconds")]
    if not names:
        return None
    name = "loss" if "loss" in names else names[0]
    curves = [([e["epoch"] for e in run.curve if name in e], [e[name] for e in run.curve if name in e]) for run in runs]
    return learning_curves([curve for curve in curves if curve[0]], words.one_line(name))


def _what_ran(result):
    """Return (name, value) pairs of what trained this."""
    facts = [("Data", result.data), ("Device", result.device), ("Time", words.seconds(result.seconds))]
    walls = "none" if result.isolation == "none" else result.isolation
    facts.append(("Isolation", f"{walls}, {'certified' if result.certified else 'not certified'}"))
    facts.append(("Grader", f"Gradus {result.grader_version}"))
    if result.submission_sha256:
        facts.append(("Your file", f"SHA-256 {result.submission_sha256[:16]}…"))
    return facts
