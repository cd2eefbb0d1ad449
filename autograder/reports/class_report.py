"""The page a teacher reads: how the class did, which checks and which mistakes, and what is left to do."""

from urllib.parse import quote

from . import pages, statistics, words

NAMED_STUDENTS = 30
UNEXPLAINED = 12


def class_report(results, assignment, *, demo=False, links=True):
    """Return the class report as HTML text.

    Args:
        results: the Results of one class, in any order.
        assignment: the Assignment they belong to.
        demo: say in the title that the class is made up.
        links: link each student to ``<student>/feedback.html``, where `gradus grade` puts it.
    """
    results = sorted(results, key=lambda r: r.student)
    summary = statistics.summarize(results, assignment)
    questions = statistics.question_statistics(results, assignment)
    known, unexplained = statistics.mistakes(results)
    middle, slow = statistics.slowest(results)
    return pages.render(
        "class_report.html.j2",
        styles=("base.css", "report.css"),
        script="sort.js",
        title=assignment.title,
        demo=demo,
        summary=summary,
        findings=_headline(summary),
        histogram=_histogram(results, summary),
        overview=_overview(questions, summary),
        questions=questions,
        few=statistics.FEW,
        known=[(m, _names(m.students)) for m in known],
        unexplained=[(m, _names(m.students)) for m in unexplained[:UNEXPLAINED]],
        left_out=max(0, len(unexplained) - UNEXPLAINED),
        ungraded=[r for r in results if r.status != "graded"],
        manual=statistics.manual_work(results),
        middle=middle,
        slow=slow,
        rows=[_row(r, assignment, links) for r in results],
        columns=assignment.questions,
        warnings=_warnings(results),
        made_by=sorted({r.grader_version for r in results if r.grader_version}),
    )


def _headline(summary):
    """Return (value, label) pairs for the top of the page."""
    machine = words.number(summary.machine_points)
    facts = [(f"{summary.graded:,}", f"graded, of {words.count(summary.submissions, 'submission')}")]
    if summary.graded:
        facts.append((words.number(summary.mean), f"mean, of {machine}"))
        facts.append((words.number(summary.median), f"median, of {machine}"))
        facts.append((words.percent(summary.full / summary.graded), "have every point the grader gives"))
    return facts


def _histogram(results, summary):
    """Return (figure, caption), or None where there is nothing to draw."""
    scores = statistics.machine_scores(results)
    if len(scores) < 2 or summary.machine_points <= 0:
        return None
    half = sum(score < summary.machine_points / 2 for score in scores)
    caption = (
        f"Half of the class has {words.number(summary.median)} of {words.points(summary.machine_points)} or more; "
        f"{words.count(half, 'submission')} {'is' if half == 1 else 'are'} under half of the points."
    )
    from . import figures  # matplotlib, half a second that a single submission does not need

    return figures.score_histogram(scores, summary.machine_points, summary.median), caption


def _overview(questions, summary):
    drawn = [q for q in questions if q.difficulty is not None]
    if len(drawn) < 2 or summary.graded < 2:
        return None
    hardest = min(drawn, key=lambda q: q.difficulty)
    easiest = max(drawn, key=lambda q: q.difficulty)
    if hardest.difficulty == easiest.difficulty:
        caption = f"All questions are alike: {words.percent(hardest.difficulty)} of the points."
    else:
        caption = (
            f"Hardest is `{hardest.id}` with {words.percent(hardest.difficulty)} of its points on average, "
            f"easiest `{easiest.id}` with {words.percent(easiest.difficulty)}."
        )
    from . import figures

    return figures.question_bars(drawn), caption


def _names(students):
    """Return (shown students, number of the others)."""
    return students[:NAMED_STUDENTS], max(0, len(students) - NAMED_STUDENTS)


def _row(result, assignment, links):
    """Return one line of the class table: link, result and (text, tone) of every question."""
    found = {q.id: q for q in result.questions}
    cells = []
    for question in assignment.questions:
        answer = found.get(question.id)
        if answer is None or result.status != "graded":
            cells.append(("–", "empty", "no result"))
        else:
            shown = "open" if answer.status == "manual" else words.number(answer.points)
            cells.append((shown, words.TONES[answer.status], words.QUESTION_WORDS[answer.status]))
    link = f"./{quote(result.student, safe='')}/feedback.html" if links else ""
    return link, result, cells


def _warnings(results):
    """Return one sentence for each kind of missing isolation, with the number of results."""
    kinds = {}
    for result in results:
        if result.status != "infra_error" and (result.isolation == "none" or not result.certified):
            kind = (
                "graded without isolation" if result.isolation == "none" else "graded behind walls not certified here"
            )
            kinds[kind] = kinds.get(kind, 0) + 1
    return [f"{words.count(number, 'submission')} {kind}." for kind, number in kinds.items()]
