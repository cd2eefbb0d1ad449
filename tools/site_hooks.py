"""What the documentation site takes from the code and from files outside ``docs/``. MkDocs calls the ``on_…`` functions.

Pages are written to be read on a code host too, so here, on the way to the site,
- words after a fence's language (``sh run``), which tell the tests what to do, are dropped;
- a link to a file that is not on the site keeps its text only.
"""

import inspect
import json
import posixpath
import re
import typing
from datetime import datetime
from pathlib import Path

from mkdocs.structure.files import File
from syllabus import BEGIN, END

ROOT = Path(__file__).resolve().parent.parent

BORROWED = {  # page of the site: file that is kept elsewhere
    "howto/ci.md": "integrations/README.md",
    "project/contributing.md": "CONTRIBUTING.md",
    "project/changelog.md": "CHANGELOG.md",
}
SHIPPED = ("integrations/github/action.yml", "integrations/github/grade.yml",
           "integrations/gitlab/grade.gitlab-ci.yml", "integrations/Dockerfile")  # fmt: skip
KEYS = "<!-- the keys, made from the code -->"
FENCE = re.compile(r"^```(\w+) [^\n]+$", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


def on_config(config):
    """Replace a folder in the navigation (``decisions/*``) by its pages, sorted by name."""
    config.nav = [_expanded(entry) for entry in config.nav]
    return config


def _expanded(entry):
    if isinstance(entry, dict):
        return {title: _expanded(below) for title, below in entry.items()}
    if isinstance(entry, list):
        return [_expanded(below) for below in entry]
    if entry.endswith("/*"):
        return sorted(path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").glob(f"{entry}.md"))
    return entry


def on_files(files, config):
    """Add the pages that are made from the code, and those that are kept elsewhere."""
    made = {
        "reference/commands.md": commands(),
        "reference/course.md": syllabus(),
        **{page: (ROOT / path).read_text(encoding="utf-8") for page, path in BORROWED.items()},
    }
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    for path in SHIPPED:
        files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Return the page's text as the site needs it."""
    here = page.file.src_uri
    home = posixpath.dirname(BORROWED.get(here, "" if here == "reference/course.md" else f"docs/{here}"))
    moved = {path: uri for uri, path in BORROWED.items()}

    def link(match):
        words, target = match.groups()
        path, hash_sign, anchor = target.partition("#")
        if not path or "://" in target:
            return match[0]
        place = posixpath.normpath(posixpath.join(home, path))
        uri = moved.get(place) or (place if place in SHIPPED else None)
        uri = uri or (place.removeprefix("docs/") if place.startswith("docs/") else None)
        if uri is None and (ROOT / place).exists():
            return words
        return match[0] if uri is None else f"[{words}]({_relative(uri, here)}{hash_sign}{anchor})"

    if KEYS in markdown:
        markdown = markdown.replace(KEYS, settings())
    return LINK.sub(link, FENCE.sub(r"```\1", markdown))


def _relative(uri, here):
    return posixpath.relpath(uri, posixpath.dirname(here) or ".")


def syllabus():
    """Return the page of the course: README.md's table."""
    table = (ROOT / "README.md").read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]
    return f"# The course\n\nEach assignment is one notebook. All data is bundled or generated.\n{table}"


def commands():
    """Return the page of the command line, made from the command line itself."""
    from typer.main import get_command

    from autograder.cli import app

    group = get_command(app)
    lines = [
        "# Commands", "",
        "`gradus COMMAND --help` prints the same. Exit codes: 0 done (also where students fail), 1 a gate was not met, "
        "2 the instructor's input is wrong, 3 some submissions could not be graded.", "",
    ]  # fmt: skip
    for name, command in group.commands.items():
        context = command.make_context(name, [], resilient_parsing=True)
        usage = " ".join(["gradus", name, *command.collect_usage_pieces(context)])
        lines += [f"## gradus {name}", "", command.help, "", f"```text\n{usage}\n```", ""]
        records = [parameter.get_help_record(context) for parameter in command.params]
        lines += ["| | |", "| --- | --- |", *(f"| {_code(option)} | {_cell(words)} |" for option, words in records), ""]
    return "\n".join(lines)


def settings():
    """Return tables of the keys of ``assignment.toml``, made from the model that reads it."""
    from autograder.assignment import Settings

    return "\n".join(_keys(Settings, ""))


def _keys(model, section):
    """Yield Markdown lines for the keys of a pydantic model, then for each table below it."""
    below = {}
    yield from ["", f"## [{section}]" if section else "## Keys", "", inspect.cleandoc(model.__doc__), ""]
    yield from ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field in model.model_fields.items():
        inner = _model(field.annotation)
        if inner:
            below[name] = inner
        else:
            default = "required" if field.is_required() else _code(_toml(field.get_default(call_default_factory=True)))
            yield f"| `{name}` | {_kind(field.annotation)} | {default} | {_cell(field.description)} |"
    for name, inner in below.items():
        yield from _keys(inner, f"{section}.{name}".lstrip("."))


def _model(annotation):
    """Return the model in an annotation (``Late | None``), or None."""
    from pydantic import BaseModel

    parts = [annotation, *typing.get_args(annotation)]
    return next((part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)), None)


def _kind(annotation):
    """Return an annotation in a teacher's words."""
    words = {str: "text", int: "whole number", float: "number", datetime: "date and time"}
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is list:
        return f"list of {_kind(arguments[0])}s"
    if typing.get_origin(annotation) is dict:
        return f"table of {_kind(arguments[-1])}s"
    if typing.get_origin(annotation) is typing.Literal:
        return " or ".join(_code(choice) for choice in arguments)
    return words[annotation]


def _toml(value):
    return "{}" if value == {} else json.dumps(value)


def _code(text):
    return "`" + text.replace("|", "\\|") + "`"


def _cell(text):
    return (text or "").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
