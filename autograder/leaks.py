"""Reads a release once more, as a curious student would, before it is written.

This check shares no code with the steps that strip a notebook: it starts from what the source holds between its
markers, and looks for it everywhere a release could carry it: cells, metadata, attachments, outputs, other files.
"""

import ast
import base64
import re
from dataclasses import dataclass

from IPython.core.inputtransformer2 import TransformerManager
from nbgrader import utils

from . import transforms
from .errors import InputError

SHOWN = "shown"  # tag of a cell that may repeat lines of a solution
SHORT = 8  # characters without spaces; a shorter line says nothing (`return x`, `else:`)
LONG = 16  # a solution of one line counts as repeated only if it has this many
SHARE = 0.6  # of a solution's lines in one visible place: that place repeats it
LEFTOVER = re.compile(  # a marker that no step knows, as people misspell it; and Otter's
    r"^\W*((begin|end)\s+(solution|hidden\s+tests?|mark\s+scheme))\W*$|(?-i:#\s*SOLUTION(\s+NO\s+PROMPT)?\s*$)",
    re.IGNORECASE | re.MULTILINE,
)
STAFF_ONLY = re.compile(r"\bautograder[/\\]|\bautograder\.\w|\b(import|from)\s+autograder\b|\b(mutants|variants)\.py\b")
STAFF_NAMES = re.compile(r"\b(MUTANTS|VARIANTS)\b")


@dataclass(frozen=True)
class Secret:
    """What one source cell holds and the release must not.

    Attributes:
        owner: the cell's name in messages.
        lines: its hidden lines, normalised.
        core: those of them that are code or prose worth hiding, not comments.
    """

    owner: str
    lines: frozenset[str]
    core: frozenset[str]


def check(source, release, where, regions, files=None):
    """Raise InputError if ``release`` shows what ``source`` hides, or is not a faithful, runnable copy of the rest.

    Args:
        source: the assembled source notebook.
        release: what is about to be written.
        where: the notebook's name in messages.
        regions: {kind: (begin marker, end marker)}.
        files: {name: bytes} of the other files that go with it.
    """
    secrets, visible = _secrets(source, regions)
    markers = [marker for pair in regions.values() for marker in pair]
    _check_faithful(source, release, where)
    for index, cell in enumerate(release.cells):
        here = f"{where}, {transforms.label(index, cell)}"
        _check_words(cell.source, here, markers)
        _check_emptied(cell, here)
        _check_lines(cell.source, here, secrets, visible)
        if SHOWN not in cell.metadata.get("tags", []):
            _check_repeats(cell.source, here, secrets)
        for place, text in _around(cell):
            _check_words(text, f"{here}, {place}", markers)
            _check_contains(text, f"{here}, {place}", secrets, visible)
        _check_attachments(cell, here)
        _check_compiles(cell, here, release)
    text = "\n".join(_strings(release.metadata))
    _check_words(text, f"{where}, notebook metadata", markers)
    _check_contains(text, f"{where}, notebook metadata", secrets, visible)
    for name, data in (files or {}).items():
        text = _text(data)
        here = f"{where.rpartition('/')[0]}/{name}"
        _check_words(text, here, markers)
        _check_repeats(text, here, secrets)


def _secrets(source, regions):
    """Return the list of Secrets, and the set of normalised lines that the source shows anyway."""
    secrets, visible = [], set()
    for index, cell in enumerate(source.cells):
        hidden = [line for pair in regions.values() for part in transforms.inside(cell.source, *pair) for line in part]
        if utils.is_solution(cell) and not transforms.inside(cell.source, *regions["solution"]):
            hidden = cell.source.split("\n")  # without markers the whole cell is the answer
        code = cell.cell_type == "code"
        lines = frozenset(filter(_telling, (_normal(line, code) for line in hidden)))
        core = frozenset(line for line in lines if not (code and line.startswith("#")))
        if lines:
            secrets.append(Secret(transforms.label(index, cell), lines, core))
        rest = _without(cell.source.split("\n"), hidden)
        visible.update(_normal(line, code) for line in rest)
    return secrets, visible


def _without(lines, hidden):
    """Return ``lines`` less one occurrence of each line in ``hidden``."""
    rest = list(lines)
    for line in hidden:
        rest.remove(line)
    return rest


def _normal(line, code=True):
    """Return a line without spaces and, in code, without the comment after it."""
    if code and not line.lstrip().startswith("#"):
        line = line.partition("  #")[0]
    return re.sub(r"\s+", "", line)


def _telling(line):
    return len(line) >= SHORT and any(c.isalpha() for c in line)


def _check_words(text, here, markers):
    if found := LEFTOVER.search(text) or next((m for m in markers if m in text), None):
        word = found if isinstance(found, str) else found[0].strip()
        remedy = f"write the markers exactly as `{markers[0]}` and `{markers[1]}` (and so on), in capitals, in pairs"
        raise InputError(f"`{word}` would be in the release", where=here, remedy=remedy)
    if found := STAFF_ONLY.search(text) or STAFF_NAMES.search(text):
        problem = f"it mentions the staff side (`{found[0]}`), which students do not have"
        raise InputError(problem, where=here, remedy="take the mention out; notebooks import course_lib only")


def _check_emptied(cell, here):
    if cell.get("outputs") or cell.get("execution_count") is not None:
        remedy = "leave ClearOutput enabled in nbgrader_config.py"
        raise InputError("outputs would be in the release", where=here, remedy=remedy)


def _check_lines(text, here, secrets, visible):
    """Refuse a line that the source has only between its markers."""
    lines = {_normal(line) for line in text.split("\n")} - visible
    for secret in secrets:
        if found := sorted(secret.lines & lines):
            problem = f"a line hidden in {secret.owner} would be in the release (`{found[0][:60]}`)"
            remedy = "leave ClearSolutions and its kin enabled in nbgrader_config.py"
            raise InputError(problem, where=here, remedy=remedy)


def _check_repeats(text, here, secrets):
    """Refuse a visible text that repeats most of a solution."""
    lines = {_normal(line) for line in text.split("\n")}
    for secret in secrets:
        shared = secret.core & lines
        enough = max(2, SHARE * len(secret.core)) if len(secret.core) > 1 else 1
        if len(shared) < enough or sum(map(len, shared)) < LONG:
            continue
        problem = f"it repeats {len(shared)} of {len(secret.core)} lines hidden in {secret.owner}"
        remedy = f"take the copy out, or, where students may see it, give the cell the tag `{SHOWN}`"
        raise InputError(problem, where=here, remedy=remedy)


def _check_contains(text, here, secrets, visible):
    """Refuse a solution line anywhere inside a text that is not a cell's source."""
    packed = re.sub(r"\s+", "", text.replace("\\n", "\n"))
    for secret in secrets:
        for line in sorted(secret.lines - visible):
            if line in packed:
                problem = f"a line hidden in {secret.owner} would be in the release (`{line[:60]}`)"
                raise InputError(problem, where=here, remedy="remove that entry from the source notebook")


def _around(cell):
    """Yield (place, text) of all that a cell carries besides its source."""
    yield "metadata", "\n".join(_strings(cell.metadata))
    for name, bundle in cell.get("attachments", {}).items():
        for data in bundle.values():
            try:
                yield f"attachment {name}", _text(base64.b64decode(data, validate=True))
            except (ValueError, TypeError):
                yield f"attachment {name}", "\n".join(_strings(data))


def _check_attachments(cell, here):
    for name in cell.get("attachments", {}):
        if f"attachment:{name}" not in cell.source:
            problem = f"the attachment {name} stays in the file, but the text that shows it does not"
            raise InputError(problem, where=here, remedy="delete the attachment; keep model answers' figures elsewhere")


def _check_compiles(cell, here, nb):
    language = nb.metadata.get("kernelspec", {}).get("language", "python")
    if cell.cell_type != "code" or language != "python" or not utils.is_solution(cell):
        return
    try:
        code = TransformerManager().transform_cell(cell.source)
        compile(code, "<stub>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        problem = f"without its solution the cell is not valid Python: {error}"
        remedy = "put the markers around whole statements, indented like them"
        raise InputError(problem, where=here, remedy=remedy) from None


def _check_faithful(source, release, where):
    """Require the same cells, ids, kinds and points, in the same order."""
    keys = ("grade_id", "grade", "solution", "locked", "task", "points")

    def outline(nb):
        return [(c.cell_type, {k: transforms.marks_of(c).get(k) for k in keys}) for c in nb.cells]

    before, after = outline(source), outline(release)
    if before != after:
        pairs = enumerate(zip(before, after, strict=False))
        index = next((i for i, (a, b) in pairs if a != b), min(len(before), len(after)))
        problem = f"cell {index + 1} does not have the kind, grade_id and points it has in the source"
        raise InputError(problem, where=where, remedy="leave nbgrader's own steps as they are")


def _strings(value):
    """Yield every text in nested metadata, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield str(key)
            yield from _strings(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _strings(part)


def _text(data):
    try:
        return data.decode()
    except UnicodeDecodeError:
        return ""
