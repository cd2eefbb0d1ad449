"""Words for people: safe text, numbers, and the names of every status.

`clean` is the one door for text that a student may have had a hand in: names, notes, messages, sources.
"""

import re

ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: titles and links of a terminal
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor
    r"|\x1b[ -/]*[0-~]?"
)
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
DIRECTIONS = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
LINES = re.compile("\r\n?|[\u2028\u2029\x85]")
SUSPICIOUS = re.compile(r"[^\n\t\x20-\x7e\xa0-\xff]")
LOOKS_LIKE = re.compile(r"(?i)^this looks like:?\s*")

QUESTION_WORDS = {
    "passed": "Right",
    "partial": "Partly right",
    "failed": "Not right yet",
    "missing": "Missing",
    "unchanged": "Not started",
    "timeout": "Took too long",
    "crashed": "Stopped",
    "manual": "Read by a person",
}
CHECK_WORDS = {
    "passed": "passed",
    "failed": "failed",
    "error": "could not be read",
    "timeout": "took too long",
    "crashed": "stopped the program",
    "not_run": "not run",
}
TONES = {
    "passed": "good",
    "partial": "part",
    "failed": "bad",
    "error": "bad",
    "timeout": "bad",
    "crashed": "bad",
    "missing": "none",
    "unchanged": "none",
    "not_run": "none",
    "manual": "wait",
}
RESULT_WORDS = {"graded": "graded", "unreadable": "could not be read", "infra_error": "not graded yet"}
PARTS = (("call", "Call"), ("expected", "Expected"), ("got", "Got"), ("where", "First difference"))


def clean(text):
    """Return ``text`` without escape sequences, control characters, direction marks and lone surrogates."""
    if not SUSPICIOUS.search(text):
        return text
    text = ESCAPES.sub("", LINES.sub("\n", text))
    text = DIRECTIONS.sub("", CONTROLS.sub("", text))
    return text.encode("utf-8", "replace").decode("utf-8")


def one_line(text):
    """Return cleaned ``text`` with every run of white space as one blank."""
    return " ".join(clean(text).split())


def number(value):
    """Write a number of points: at most two decimals and no trailing zeros; "–" for None.

    >>> number(2.5), number(10.0), number(1 / 3), number(None)
    ('2.5', '10', '0.33', '–')
    """
    if value is None:
        return "–"
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def points(value):
    """Return "1 point" or "2.5 points"."""
    return f"{number(value)} point{'' if number(value) == '1' else 's'}"


def count(amount, noun, plural=None):
    """Return "1 student", "3 students"."""
    return f"{amount:,} {noun if amount == 1 else plural or noun + 's'}"


def percent(share):
    """Return a share as whole percent, without rounding to 0 or 100 what is neither; "–" for None."""
    if share is None:
        return "–"
    whole = round(100 * share)
    if whole == 100 and share < 1:
        whole = 99
    if whole == 0 and share > 0:
        whole = 1
    return f"{whole} %"


def seconds(value):
    """Return a duration as a person would say it."""
    if value < 0.0005:
        return "0 ms"
    if value < 1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.1f} s" if value < 120 else f"{value / 60:.0f} min"


def hint_text(hint):
    """Return the hint without a leading "This looks like:", which the pages say themselves."""
    return LOOKS_LIKE.sub("", hint.strip())


def sentence(text):
    """Return ``text`` with a capital first letter and a full stop; code in front stays as it is."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?:…" else ".")


def question_lines(question):
    """Return what plain text says of a question: its points, each check, what is wrong and why, what to reread."""
    lines = [f"{question.id}: {number(question.points)} of {number(question.max_points)}"]
    if question.message:
        lines.append(sentence(question.message))
    for check in question.checks:
        lines.append(f"{'ok ' if check.status == 'passed' else 'not'} {check.title}")
        if check.status != "passed":
            lines += [f"    {sentence(text)}" for text in dict.fromkeys((check.message, check.hint)) if text]
    if question.reread:
        lines.append(f"Reread: {question.reread}")
    return clean("\n".join(lines)).splitlines()


def isolation_warning(result):
    """Return one sentence if the result was not made behind certified walls, else ""."""
    if result.isolation == "none":
        return "This was graded without isolation: the program was not walled off from the grader's machine."
    if not result.certified:
        return f"The isolation of this run ({result.isolation}) was not certified on the machine that graded it."
    return ""
