"""HTML pages that load nothing, and run nothing but a script of ours that sorts tables.

One inline style, and on the teacher's pages one script, each allowed by its hash, and a policy that forbids
everything else; Jinja2 escapes, and every text that a template prints goes through `clean` first.
"""

import base64
import hashlib
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from . import words

TEMPLATES = Path(__file__).parent / "templates"


def render(template, *, styles, script=None, **context):
    """Render ``template`` with the style sheets named in ``styles`` and one ``script`` inlined; return the page as text."""
    css, js = _inlined(*styles), _inlined(script) if script else ""
    policy = f"default-src 'none'; style-src '{_digest(css)}'; base-uri 'none'; form-action 'none'"
    if js:
        policy += f"; script-src '{_digest(js)}'"
    return _environment().get_template(template).render(css=css, js=js, policy=policy, **context)


def ticks(text):
    """Escape ``text`` and set what stands between `backticks` as code."""
    pieces = words.clean(str(text)).split("`")
    if len(pieces) % 2 == 0:  # the last backtick has no partner
        pieces[-2:] = ["`".join(pieces[-2:])]
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if i % 2 else escape(piece) for i, piece in enumerate(pieces)
    )


@lru_cache
def _inlined(*names):
    return Markup("\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in names))


@lru_cache
def _digest(text):
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@lru_cache
def _environment():
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        ticks=ticks,
        sentence=words.sentence,
        number=words.number,
        points=words.points,
        percent=words.percent,
        seconds=words.seconds,
    )
    environment.globals.update(
        count=words.count,
        TONES=words.TONES,
        QUESTION_WORDS=words.QUESTION_WORDS,
        CHECK_WORDS=words.CHECK_WORDS,
        RESULT_WORDS=words.RESULT_WORDS,
    )
    return environment


def _finalize(value):
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        return words.clean(value)
    return value
