"""The page a student reads, and what it may say.

`explain` decides, for one question, which sentences and examples are shown; the HTML page and the
comment in nbgrader's gradebook are both made from it.
"""

from collections import Counter
from dataclasses import dataclass, field

from . import pages, words

MAX_EXAMPLES = 3
MAX_LINES = 14
MAX_CHARACTERS = 1200


@dataclass
class Example:
    """A small failing example: labelled blocks of monospaced text."""

    blocks: list[tuple[str, str]]
    message: str = ""


@dataclass
class Finding:
    """One thing that went wrong, told once, with the checks it stands for."""

    lead: str  # "This looks like" or "" where no known mistake fits
    sentence: str
    titles: list[str] = field(default_factory=list)
    example: Example | None = None


@dataclass
class Explanation:
    """What the student reads about one question."""

    id: str
    status: str
    earned: float
    worth: float
    message: str
    findings: list[Finding]
    checks: list[tuple[str, str, int]]  # (status, title, how many checks say the same)
    reread: str

    @property
    def word(self):
        return words.QUESTION_WORDS[self.status]

    @property
    def tally(self):
        """How many checks passed, in words; "" where there are none."""
        if not self.checks:
            return ""
        passed = sum(number for status, _, number in self.checks if status == "passed")
        return f"{passed} of {words.count(sum(number for *_, number in self.checks), 'check')} passed"


def feedback_page(result, assignment):
    """Return the feedback page of one submission as HTML text.

    Args:
        result: the Result of the submission.
        assignment: the Assignment it belongs to.
    """
    explanations = [explain(question, assignment) for question in result.questions]
    machine = sum(q.max_points for q in result.questions if q.status != "manual")
    return pages.render(
        "feedback.html.j2",
        styles=("base.css", "feedback.css"),
        result=result,
        title=assignment.title,
        questions=explanations,
        machine_points=machine,
        bars=_bars(result.questions),
        warning=words.isolation_warning(result),
        ran=_what_ran(result),
    )


def explain(question, assignment):
    """Return the Explanation of a QuestionResult."""
    return Explanation(
        id=question.id,
        status=question.status,
        earned=question.points,
        worth=question.max_points,
        message=question.message,
        findings=_findings(question),
        checks=_grouped(question.checks),
        reread=question.reread,
    )


def _grouped(checks):
    """Return (status, title, number): checks of one title are told apart only by how they went."""
    counts = Counter((check.status, check.title or check.id) for check in checks)
    return [(*key, number) for key, number in counts.items()]


def _findings(question):
    """Group the failed checks by what there is to say about them; known mistakes first."""
    findings = {}
    for check in question.checks:
        if check.status == "passed":
            continue
        hint = words.hint_text(check.hint) if check.diagnosis or check.hint else ""
        sentence = hint or check.message or f"This check {words.CHECK_WORDS[check.status]}."
        if sentence == question.message and not check.example:
            continue  # the question has said it already
        finding = findings.setdefault(sentence, Finding("This looks like" if hint else "", sentence))
        finding.titles.append(check.title or check.id)
        if finding.example is None and check.example:
            finding.example = _example(check, sentence)
    ordered = sorted(findings.values(), key=lambda finding: not finding.lead)
    seen = []
    for finding in ordered:
        if finding.example is None:
            continue
        if finding.example.blocks in seen or len(seen) == MAX_EXAMPLES:
            finding.example = None
        else:
            seen.append(finding.example.blocks)
    return ordered


def _example(check, sentence):
    blocks = [(label, _short(check.example[key])) for key, label in words.PARTS if check.example.get(key)]
    message = check.example.get("message", "") or check.message
    return Example(blocks, "" if message == sentence else message) if blocks else None


def _short(text):
    """Cut a value that is too long to be read."""
    text = words.clean(text).strip("\n")
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        text = "\n".join([*lines[:MAX_LINES], f"… ({len(lines) - MAX_LINES} more lines)"])
    return text if len(text) <= MAX_CHARACTERS else text[:MAX_CHARACTERS] + " …"


def _bars(questions):
    """Return (x, width, filled width, tone) of each question's piece of the bar, in percent of the whole."""
    total = sum(q.max_points for q in questions)
    counted = [q for q in questions if q.max_points > 0]
    gap = 0.6 if len(counted) < 40 else 0.0
    pieces, x = [], 0.0
    for question in counted:
        width = 100 * question.max_points / total
        inner = width if question is counted[-1] else max(width - gap, width / 2)
        share = min(max(question.points / question.max_points, 0.0), 1.0)
        pieces.append((round(x, 3), round(inner, 3), round(inner * share, 3), words.TONES[question.status]))
        x += width
    return pieces


def _what_ran(result):
    """Return (name, value) pairs of what graded this; the seed is not among them."""
    facts = [("Grader", f"Gradus {result.grader_version}".strip())]
    walls = "none" if result.isolation == "none" else result.isolation
    facts.append(("Isolation", f"{walls}, {'certified' if result.certified else 'not certified'}"))
    if result.environment:
        facts.append(("With", ", ".join(f"{name} {version}" for name, version in result.environment.items())))
    if result.seconds:
        facts.append(("Time", words.seconds(result.seconds)))
    if result.submission_sha256:
        facts.append(("Your file", f"SHA-256 {result.submission_sha256[:16]}…"))
    return facts
