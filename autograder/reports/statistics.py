"""The numbers behind the class report: pass rates, difficulty, discrimination, mistakes, outliers.

Only graded submissions count, and only the points that the grader gives; manual questions wait for a person.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np

from . import words

FEW = 10  # below this many submissions a correlation says nothing
TELLING = 0.2  # a rest correlation under this does not tell strong from weak


@dataclass
class CheckStatistics:
    """One hidden check: how many passed, and how well passing it goes with the rest of the score."""

    title: str
    passed: int
    seen: int
    discrimination: float | None

    @property
    def rate(self):
        return self.passed / self.seen if self.seen else None


@dataclass
class QuestionStatistics:
    """One question over the class; ``difficulty`` is the mean share of its points (1 is easy)."""

    id: str
    worth: float
    manual: bool
    statuses: Counter
    difficulty: float | None
    discrimination: float | None
    checks: list[CheckStatistics]

    @property
    def seen(self):
        return sum(self.statuses.values())

    @property
    def groups(self):
        """Numbers of submissions with all, some and none of the points, and without an attempt."""
        untouched = self.statuses["unchanged"] + self.statuses["missing"]
        full, some = self.statuses["passed"], self.statuses["partial"]
        return full, some, self.seen - full - some - untouched, untouched

    @property
    def remark(self):
        """One thing to look at, or ""."""
        if self.difficulty is None or self.seen < FEW:
            return ""
        if self.difficulty >= 0.98:
            return "nearly everybody has it all"
        if self.difficulty <= 0.2:
            return "too hard, or its checks ask for something the text does not say"
        if self.discrimination is not None and self.discrimination < TELLING:
            return "does not go with the rest of the score: read its checks again"
        return ""


@dataclass
class Mistake:
    """Failures of one question that have one explanation, or one message where no mutant explains them."""

    question: str
    name: str
    sentence: str
    students: list[str] = field(default_factory=list)
    titles: dict[str, None] = field(default_factory=dict)


@dataclass
class Summary:
    """The headline."""

    submissions: int
    graded: int
    machine_points: float
    manual_points: float
    mean: float | None
    median: float | None
    full: int
    seconds: float


def summarize(results, assignment):
    """Return the Summary of a class."""
    scores = machine_scores(results)
    machine = sum(q.points for q in assignment.questions if not q.manual)
    return Summary(
        submissions=len(results),
        graded=len(scores),
        machine_points=machine,
        manual_points=assignment.max_score - machine,
        mean=float(np.mean(scores)) if scores else None,
        median=float(np.median(scores)) if scores else None,
        full=sum(score >= machine - 1e-9 for score in scores),
        seconds=sum(r.seconds for r in results),
    )


def machine_scores(results):
    """Return the automatic scores of the graded submissions."""
    return [r.score or 0.0 for r in results if r.status == "graded"]


def question_statistics(results, assignment):
    """Return a QuestionStatistics for each question, in the order of the assignment."""
    graded = [r for r in results if r.status == "graded"]
    scores = np.array(machine_scores(results))
    by_student = [{q.id: q for q in r.questions} for r in graded]
    return [_one_question(q, [found.get(q.id) for found in by_student], scores) for q in assignment.questions]


def _one_question(question, answers, scores):
    present = [(a, s) for a, s in zip(answers, scores, strict=True) if a is not None]
    statuses = Counter(a.status for a, _ in present)
    if question.manual or not present or not question.points:
        return QuestionStatistics(question.id, question.points, question.manual, statuses, None, None, [])
    points = np.array([a.points for a, _ in present])
    totals = np.array([s for _, s in present])
    checks = _checks(question, present)
    return QuestionStatistics(
        question.id,
        question.points,
        False,
        statuses,
        float(np.mean(points) / question.points),
        correlation(points, totals - points),
        checks,
    )


def _checks(question, present):
    """Statistics of each check that reported; the rest score is the total without the check's own points."""
    rows = defaultdict(list)
    titles = {}
    for answer, total in present:
        weights = sum(check.weight for check in answer.checks) or 1.0
        for check in answer.checks:
            passed = check.status == "passed"
            own = question.points * check.weight / weights if passed else 0.0
            rows[check.id].append((passed, total - own))
            titles[check.id] = check.title or check.id
    found = []
    for name, pairs in rows.items():
        passed = np.array([p for p, _ in pairs], dtype=float)
        rest = np.array([r for _, r in pairs])
        found.append(CheckStatistics(titles[name], int(passed.sum()), len(pairs), correlation(passed, rest)))
    return found


def correlation(values, rest):
    """Return the Pearson (for pass or fail: point-biserial) correlation, or None where it says nothing."""
    if len(values) < FEW or np.ptp(values) < 1e-12 or np.ptp(rest) < 1e-12:
        return None
    return float(np.corrcoef(values, rest)[0, 1])


def mistakes(results):
    """Return (known, unexplained): Mistakes by diagnosis and by message, the most common first."""
    known, unexplained = {}, {}
    for result in results:
        for question in result.questions:
            for check in question.checks:
                if check.status in ("passed", "not_run"):
                    continue
                if check.diagnosis:
                    sentence = words.hint_text(check.hint) or check.diagnosis.replace("_", " ")
                    group, key = known, (question.id, check.diagnosis)
                else:
                    sentence = check.message or words.CHECK_WORDS[check.status]
                    group, key = unexplained, (question.id, sentence)
                entry = group.setdefault(key, Mistake(question.id, check.diagnosis or "", sentence))
                entry.titles[check.title or check.id] = None
                if not entry.students or entry.students[-1] != result.student:
                    entry.students.append(result.student)
    return [sorted(group.values(), key=lambda m: (-len(m.students), m.question)) for group in (known, unexplained)]


WARMING_UP_SECONDS = 1.0  # a grading process takes longer for its first submissions, which is no fault of theirs


def slowest(results, limit=5):
    """Return (median seconds, Results that took far longer than the others, the slowest first)."""
    timed = [r for r in results if r.status != "infra_error"]
    if len(timed) < 4:
        return None, []
    low, middle, high = np.percentile([r.seconds for r in timed], [25, 50, 75])
    far = high + max(3 * (high - low), WARMING_UP_SECONDS)
    return float(middle), sorted((r for r in timed if r.seconds > far), key=lambda r: -r.seconds)[:limit]


def manual_work(results):
    """Return [(question id, open answers, points each)] of what people still have to read."""
    waiting = {}
    for result in results:
        for question in result.questions:
            if question.status == "manual":
                number, _ = waiting.get(question.id, (0, 0.0))
                waiting[question.id] = (number + 1, question.max_points)
    return [(name, number, worth) for name, (number, worth) in waiting.items()]
