"""Pairs of submissions that share code beyond what everyone was given: a reason to look, never a verdict.

Fingerprints are copydetect's (winnowing: Schleimer, Wilkerson and Aiken, 2003): names, comments and layout do not
matter. What the starter code holds, the model solution, and what many of the class wrote alike, is left out.
"""

import io
import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations

from . import notebook
from .assignment import EXPERIMENT, Assignment
from .errors import SubmissionError
from .grading.grade import found_submissions
from .reports import pages
from .results import write_atomically
from .roster import Roster

NOISE = 20  # tokens: a shorter passage tells nothing
COMMON = 0.2  # of the class: what more than this share wrote alike is an idiom
FEWEST_COMMON, MOST_COMMON = 4, 25  # students: fewer are never an idiom, more always are, so that pairs stay few
LEAST_SHARED = 0.3  # of the smaller one's own code
MOST_PAIRS = 100


@dataclass(frozen=True)
class Pair:
    """Two submissions with shared passages.

    Attributes:
        students: their names.
        shared: the larger of the two shares of own code that the other one has as well, from 0 to 1.
        texts: for each, a list of (text, whether it is shared) that makes up the code.
    """

    students: tuple[str, str]
    shared: float
    texts: tuple[list[tuple[str, bool]], list[tuple[str, bool]]]


def similar(course, name, path, out=None, roster=None):
    """Compare the submissions of an assignment and write ``similar.html``; return (list of Pair, path of the page)."""
    assignment = Assignment.load(course, name)
    with found_submissions(path, assignment, Roster.read(roster) if roster else None) as found:
        texts = {s.student: own_code(s, assignment) for s in found.submissions}
    given = [_joined(nb.cells) for nb in (*assignment.released.values(), *assignment.notebooks)]
    pairs = shared_pairs({student: text for student, text in texts.items() if text.strip()}, given)
    page = pages.render("similar.html.j2", styles=("base.css", "similar.css"), title=assignment.title, pairs=pairs,
                        compared=len(texts))  # fmt: skip
    target = (out or course.graded / name) / "similar.html"
    write_atomically(target, page)
    return pairs, target


def own_code(submission, assignment):
    """Return the code that a student wrote: changed answers and cells of their own, one after the other."""
    parts = []
    for name, path in sorted(submission.files.items()):
        released = assignment.released[name].by_id()
        try:
            cells = notebook.read(path).cells
        except SubmissionError:
            continue
        for cell in cells:
            handed_out = released.get(cell.id)
            if cell.cell_type == "code" and cell.source.strip() and (
                handed_out is None or (handed_out.kind in ("answer", "manual") and handed_out.source != cell.source)
            ):  # fmt: skip
                parts.append(cell.source.strip())
    return "\n\n".join(parts) + "\n"


def _joined(cells):
    code = [c.source for c in cells if c.cell_type == "code" and EXPERIMENT not in c.tags]
    return "\n\n".join(code)


def shared_pairs(texts, given):
    """Return the Pairs with the most in common, by how much.

    Args:
        texts: {student: code}.
        given: codes that everybody has or may have come to: the starter code, the model solution.
    """
    import numpy as np

    known = {value for text in given for value in _hashes(_fingerprint(text))}
    counts = Counter(value for text in texts.values() for value in _hashes(_fingerprint(text)))
    limit = min(max(FEWEST_COMMON, COMMON * len(texts)), MOST_COMMON)
    common = np.array(sorted(known | {value for value, count in counts.items() if count > limit}), dtype=np.int64)
    prints = {student: _fingerprint(text, common) for student, text in texts.items()}
    holders = defaultdict(set)
    for student, found in prints.items():
        for value in _hashes(found):
            holders[value].add(student)
    candidates = {pair for students in holders.values() for pair in combinations(sorted(students), 2)}
    pairs = [pair for a, b in sorted(candidates) if (pair := _pair((a, b), texts, prints)) is not None]
    return sorted(pairs, key=lambda pair: (-pair.shared, pair.students))[:MOST_PAIRS]


def _pair(students, texts, prints):
    from copydetect import compare_files

    a, b = students
    _, shares, slices = compare_files(prints[a], prints[b])
    shared = min(1.0, float(max(shares)))
    if shared < LEAST_SHARED:
        return None
    return Pair(students, shared, (_marked(texts[a], slices[0]), _marked(texts[b], slices[1])))


def _fingerprint(text, common=None):
    from copydetect import CodeFingerprint

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an empty text has no fingerprint
        return CodeFingerprint("answers.py", NOISE, 1, boilerplate=common, language="python", fp=io.StringIO(text))


def _hashes(found):
    return {int(value) for value in found.hashes}


def _marked(text, slices):
    """Split ``text`` into (piece, whether it is shared)."""
    pieces, at = [], 0
    if len(slices) == 2:
        for start, end in zip(*slices, strict=True):
            start, end = max(int(start), at), min(int(end), len(text))
            if start < end:
                pieces += [(text[at:start], False), (text[start:end], True)]
                at = end
    return [piece for piece in [*pieces, (text[at:], False)] if piece[0]]
