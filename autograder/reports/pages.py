"""HTML pages that load nothing and run nothing.

One inline style, allowed by its hash, and a policy that forbids everything else; Jinja2 escapes, and
every text that a template prints goes through `clean` first.
"""

import base64
import hashlib
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from . import words

TEMPLATES = Path(__file__).parent / "templates"


def render(template, *, styles, **context):
    """Render ``template`` with the style sheets named in ``styles`` inlined; return the page as text."""
    css, policy = _style(styles)
    return _environment().get_template(template).render(css=css, policy=policy, **context)


def ticks(text):
    """Escape ``text`` and set what stands between `backticks` as code."""
    pieces = words.clean(str(text)).split("`")
    if len(pieces) % 2 == 0:  # the last backtick has no partner
        pieces[-2:] = ["`".join(pieces[-2:])]
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if i % 2 else escape(piece) for i, piece in enumerate(pieces)
    )


@lru_cache
def _style(names):
    css = "\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in names)
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return Markup(css), policy


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
