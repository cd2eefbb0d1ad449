"""Results as continuous integration shows them: JUnit XML, and GitHub's job summary and annotations."""

import html
import re
from xml.etree import ElementTree

from ..reports.words import CHECK_WORDS, QUESTION_WORDS, clean, number, one_line, sentence

XML_FORBIDDEN = re.compile("[\ud800-\udfff\ufffe\uffff]")
MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~>@:$])")
MOST_ANNOTATIONS = 10  # GitHub shows no more of one kind for a step


def junit_xml(marks, assignment):
    """Return JUnit XML: a test suite for each submission, a test case for each check or question without checks.

    A wrong answer is a ``failure``; a submission that could not be graded, or a file that cannot be read, an ``error``.
    """
    root = ElementTree.Element("testsuites", name=assignment.name)
    for mark in marks:
        suite = ElementTree.SubElement(root, "testsuite", name=_xml(mark.student), hostname="localhost")
        counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
        for name, question, kind, message, seconds in _cases(mark):
            case = ElementTree.SubElement(
                suite, "testcase", name=_xml(name), classname=f"{assignment.name}.{question}", time=f"{seconds:.3f}"
            )
            counts["tests"] += 1
            if kind:
                counts["skipped" if kind == "skipped" else f"{kind}s"] += 1
                ElementTree.SubElement(case, kind, message=_xml(message))
        for key, value in counts.items():
            suite.set(key, str(value))
        suite.set("time", f"{mark.result.seconds:.3f}")
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _cases(mark):
    """Yield (name, question, element or "", message, seconds) for all that a submission is asked."""
    result = mark.result
    if result.status != "graded":
        yield "submission", "file", "error", " ".join(result.notes), 0.0
        return
    for question in result.questions:
        for check in question.checks:
            failed = check.status != "passed"
            words = sentence(check.message) or CHECK_WORDS[check.status]
            yield check.title or check.id, question.id, "failure" if failed else "", words, check.seconds
        if not question.checks:
            kind = {"passed": "", "manual": "skipped"}.get(question.status, "failure")
            yield question.id, question.id, kind, question.message or QUESTION_WORDS[question.status], 0.0


def _xml(text):
    return XML_FORBIDDEN.sub("", clean(text))


def github_summary(marks, assignment):
    """Return Markdown for a job's summary: one table, a row for each question or, for a class, each student."""
    lines = [f"## {_markdown(assignment.title)}", ""]
    if len(marks) == 1:
        mark = marks[0]
        lines += [f"**{_points(mark)}** {_waits(mark)}".rstrip(), "", "| question | points | | what to look at |",
                  "| --- | --- | --- | --- |"]  # fmt: skip
        for question in mark.result.questions:
            points = f"{number(question.points)} of {number(question.max_points)}"
            lines.append(
                f"| {_markdown(question.id)} | {points} | {QUESTION_WORDS[question.status]} | {_advice(question)} |"
            )
        lines += [f"\n{_markdown(sentence(note))}" for note in mark.result.notes]
    else:
        lines += ["| student | points | |", "| --- | --- | --- |"]
        lines += [f"| {_markdown(mark.student)} | {_points(mark)} | {_waits(mark)} |" for mark in marks]
    return "\n".join(lines) + "\n"


def github_annotations(marks, assignment):
    """Return GitHub's workflow commands, a line each: an error for each question that is not right."""
    lines = []
    for mark in marks:
        for question in mark.result.questions:
            if question.status in ("passed", "manual"):
                continue
            words = _first_words(question) or QUESTION_WORDS[question.status]
            title = f"{question.id}: {number(question.points)} of {number(question.max_points)} points"
            lines.append(f"::error title={_property(title)}::{_data(words)}")
        if mark.result.status != "graded":
            lines.append(f"::error title={_property(mark.student)}::{_data(' '.join(mark.result.notes))}")
    return "".join(line + "\n" for line in lines[:MOST_ANNOTATIONS])


def _first_words(question):
    """The most telling sentence about a question: a mistake's hint, else what a check or the question says."""
    wrong = [check for check in question.checks if check.status != "passed"]
    texts = [check.hint for check in wrong] + [check.message for check in wrong] + [question.message]
    return sentence(next((text for text in texts if text), ""))


def _advice(question):
    words = _first_words(question)
    return _markdown(" ".join(part for part in (words, question.reread and f"Reread: {question.reread}") if part))


def _points(mark):
    return "not graded yet" if mark.score is None else f"{number(mark.score)} of {number(mark.max_score)}"


def _waits(mark):
    return f"{number(mark.waits)} points wait for a person" if mark.waits else ""


def _markdown(text):
    """Return ``text`` on one line, with nothing in it that Markdown or HTML would read as markup."""
    return MARKDOWN.sub(r"\\\1", html.escape(one_line(text), quote=False))


def _data(text):
    return one_line(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text):
    return _data(text).replace(":", "%3A").replace(",", "%2C")
