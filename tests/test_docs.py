"""The documentation site: it builds, asks nobody else for anything, and every command on its pages is run."""

import io
import re
import shlex
import shutil
import subprocess
import sys
import typing
import zipfile
from contextlib import redirect_stderr, redirect_stdout
from html.parser import HTMLParser
from importlib.util import find_spec
from urllib.parse import unquote, urlsplit

import pytest
import typer
from conftest import BIN, ROOT, SOLVED, command_environment, hand_in, make_tiny
from guides import Reader, fences
from typer.main import get_command

from autograder import build, bundle, cli
from autograder.assignment import Settings
from autograder.grading.plugin import HiddenChecks

DOCS = ROOT / "docs"
PAGES = {p.relative_to(ROOT).as_posix(): p for p in [*DOCS.rglob("*.md"), ROOT / "integrations" / "README.md"]}
ELSEWHERE = ("docs/write-an-assignment.md",)  # followed by tests/test_scaffold.py
FOLLOWED = sorted(
    name for name, page in PAGES.items()
    if name not in ELSEWHERE and any("run" in f.options for f in fences(page.read_text()))
)  # fmt: skip
COMMANDS = get_command(cli.app).commands

# The site


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site's folder. (With --quiet MkDocs does not count its warnings, and --strict means nothing.)"""
    place = tmp_path_factory.mktemp("site")
    line = [str(BIN / "mkdocs"), "build", "--strict", "--site-dir", str(place)]
    done = subprocess.run(line, cwd=ROOT, env=command_environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return place


class Addresses(HTMLParser):
    """Collects the ids of a page, its links, and what a browser loads for it."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loaded = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif tag != "a":
            self.loaded += [found[name] for name in ("src", "srcset", "href", "data") if found.get(name)]


@pytest.fixture(scope="module")
def read(site):
    """Every page of the site: {path: Addresses}."""
    return {path: Addresses(path.read_text()) for path in site.rglob("*.html")}


def test_the_site_has_every_page(site):
    """Each page below docs/ but the fragments, and those made from the code."""
    for name in PAGES:
        if name not in ("docs/performance-notes.md", "integrations/README.md"):
            assert (site / name.removeprefix("docs/")).with_suffix(".html").is_file(), name
    for name in ("reference/commands", "reference/course", "howto/ci", "project/changelog"):
        assert (site / f"{name}.html").is_file(), name


def test_no_link_is_broken(read, site):
    """Every address within the site leads to a file of it, and every anchor to an id."""
    for page, found in read.items():
        for address in [*found.links, *found.loaded]:
            parts = urlsplit(address)
            if parts.scheme or address.startswith("/"):  # the 404 page's own begin with /
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            assert target.is_relative_to(site), f"{page.name}: {address}"
            assert target.is_file() or (target / "index.html").is_file(), f"{page.name}: {address}"
            if parts.fragment and target in read:
                assert unquote(parts.fragment) in read[target].ids, f"{page.name}: {address}"


def test_no_page_asks_another_server(read, site):
    """No script, style, font, picture or frame comes from elsewhere."""
    for page, found in read.items():
        for address in found.loaded:
            assert not urlsplit(address).netloc, f"{page.name}: {address}"
    for sheet in site.rglob("*.css"):
        for address in re.findall(r"url\(\s*[\"']?([^\"')]+)", sheet.read_text()):
            assert address.startswith("data:") or not urlsplit(address).netloc, f"{sheet.name}: {address}"
        assert "@import" not in sheet.read_text()


def test_a_browser_asks_for_nothing_else(site, browser):
    """Opened from the folder, with its scripts running, the site requests files of its own only."""
    asked = []
    tab = browser.new_page()
    tab.on("request", lambda request: asked.append(request.url))
    for name in ("index", "quickstart/instructor", "reference/commands"):
        tab.goto((site / f"{name}.html").as_uri(), wait_until="networkidle")
    tab.close()
    assert len(asked) > 6
    assert [url for url in asked if not url.startswith((site.as_uri(), "data:"))] == []


def test_no_page_scrolls_sideways(site, browser):
    """On a phone, wide tables and commands scroll inside themselves."""
    tab = browser.new_page(viewport={"width": 360, "height": 800})
    too_wide = []
    for page in site.rglob("*.html"):
        tab.goto(page.as_uri(), wait_until="domcontentloaded")
        if tab.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            too_wide.append(page.relative_to(site).as_posix())
    tab.close()
    assert too_wide == []


def test_the_reference_names_every_option_and_key(site):
    """Each option of each command, and each key of assignment.toml with a meaning."""
    commands = (site / "reference" / "commands.html").read_text()
    for name, command in COMMANDS.items():
        section = commands.split(f'id="gradus-{name}"')[1].split("<h2")[0]
        for option in options(command):
            assert option in section, f"gradus {name} {option}"
    keys = (site / "reference" / "assignment-toml.html").read_text()
    for model in models(Settings):
        for name, field in model.model_fields.items():
            assert f"<code>{name}</code>" in keys or f"{name}]" in keys, name
            assert field.description or f"{name}]" in keys, f"{model.__name__}.{name} has no docstring"


def test_the_reference_names_every_fixture():
    """What a hidden check can ask for."""
    page = (DOCS / "reference" / "hidden-checks.md").read_text()
    fixtures = [
        name for name, value in vars(HiddenChecks).items() if type(value).__name__ == "FixtureFunctionDefinition"
    ]
    assert len(fixtures) >= 4
    assert all(f"| `{name}` |" in page for name in fixtures)


def options(command):
    """Return the options of a command: {"--out", …}."""
    return {option for parameter in command.params for option in parameter.opts if option.startswith("-")}


def models(model):
    """Yield a pydantic model and those in its fields."""
    yield model
    for field in model.model_fields.values():
        for part in (field.annotation, *typing.get_args(field.annotation)):
            if hasattr(part, "model_fields"):
                yield from models(part)


# The commands


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """What lies on the desk of whoever follows a page: a small course named adam, graded once, and downloads."""
    root = tmp_path_factory.mktemp("desk") / "gradus"
    course = make_tiny(root, name="adam")
    build.solve(course, "adam")
    half = {**SOLVED, "triple-answer": "def triple(x):\n    return 3 + x"}
    handed = {name: hand_in(root / "handed", name, course, answers, assignment="adam")
              for name, answers in {"ada": SOLVED, "emmy": half}.items()}  # fmt: skip
    with zipfile.ZipFile(root / "submissions.zip", "w") as download:
        download.write(handed["ada"], "lovelaceada_1001_5001_adam.ipynb")
        download.write(handed["emmy"], "noetheremmy_1002_5002_adam.ipynb")
    (root / "submission").mkdir()
    shutil.copyfile(handed["emmy"], root / "submission" / "adam.ipynb")
    shutil.rmtree(root / "handed")
    (root / "class.csv").write_text('student,name,canvas\nada,"Lovelace, Ada",1001\nemmy,"Noether, Emmy",1002\n'
                                    "kurt,Kurt Nobody,1003\n")  # fmt: skip
    (root / "canvas.csv").write_text("Student,ID,SIS Login ID,Section,Tiny (77)\n    Points Possible,,,,6\n"
                                     '"Lovelace, Ada",1001,ada,A,\n"Noether, Emmy",1002,emmy,A,\n')  # fmt: skip
    (root / "worksheet.csv").write_text("Identifier,Full name,Grade,Maximum Grade\nParticipant 1001,ada,,6\n"
                                        "Participant 1002,emmy,,6\n")  # fmt: skip
    bundle.bundle(course, root)
    shutil.copytree(ROOT / "integrations", root / "integrations")
    QuickReader(root).run("gradus grade adam submissions.zip --roster class.csv --quiet")
    return root


def clone(folder):
    """Lay out ``adam`` of the real course as a clone has it, with a download of two students' answers."""
    for part in ("source", "release", "solutions", "autograder/checks"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / part / "adam", folder / part / "adam", ignore=ignored, dirs_exist_ok=True)
    with zipfile.ZipFile(folder / "submissions.zip", "w") as download:
        download.write(ROOT / "solutions" / "adam" / "adam.ipynb", "lovelaceada_1001_5001_adam.ipynb")
        download.write(ROOT / "release" / "adam" / "adam.ipynb", "noetheremmy_1002_5002_adam.ipynb")


class QuickReader(Reader):
    """Runs blocks of plain ``gradus`` commands in this process, which has paid for the imports already."""

    def run(self, text, code=0):
        lines = [shlex.split(line, comments=True) for line in text.splitlines()]
        if any(words[0] != "gradus" for words in lines):
            super().run(text, code)
            return
        stream = io.TextIOWrapper(io.BytesIO(), write_through=True)
        for number, words in enumerate(lines, start=1):
            with pytest.MonkeyPatch.context() as patch, redirect_stdout(stream), redirect_stderr(stream):
                patch.chdir(self.folder)
                patch.setattr(sys, "argv", words)
                ended = 0
                try:
                    cli.main()
                except SystemExit as end:
                    ended = end.code or 0
            self.said = stream.buffer.getvalue().decode()
            assert ended == (code if number == len(lines) else 0), self.said


@pytest.mark.parametrize("name", FOLLOWED)
def test_the_page_works_as_written(name, desk, tmp_path):
    """Every command of the page ends as it should and says what the page says, in a course of its own."""
    folder = tmp_path / "gradus"
    shutil.copytree(desk, folder)
    if name == "docs/quickstart/instructor.md":
        for made in ("source", "release", "solutions", "autograder", "graded", "gradebook.db", ".gradus"):
            shutil.rmtree(folder / made) if (folder / made).is_dir() else (folder / made).unlink()
        clone(folder)
    reader = QuickReader(folder)
    for fence in fences(PAGES[name].read_text()):
        reader.follow(fence)


def test_the_quick_starts_and_how_tos_are_followed():
    """None of them has lost its commands."""
    at_least = {"quickstart/instructor", "quickstart/student", "quickstart/ci", "howto/first-course",
                "howto/weekly-routine", "lms", "security"}  # fmt: skip
    assert {f"docs/{name}.md" for name in at_least} <= set(FOLLOWED)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_what_is_not_run_says_why_and_exists(name):
    """Commands are run, or marked with a reason; those that are not run name subcommands and options that exist."""
    text = PAGES[name].read_text()
    for fence in fences(text):
        if fence.is_commands and "run" not in fence.options:
            assert len(fence.reason.split()) >= 2, f"neither run nor marked with a reason:\n{fence.text}"
            for line in fence.text.splitlines():
                exists(line)
        else:
            assert not fence.reason, f"marked as not run, and run:\n{fence.text}"
    assert text.count("```") == 2 * len(fences(text)), "a fence that nobody reads"
    assert not re.search(rf"^(    )+({'|'.join(FIRST_WORDS)}) ", text, re.MULTILINE), "commands belong into fences"


FIRST_WORDS = ("gradus", "make", "nbgrader", "pip", "jupyter", "dask", "git")


def test_the_readme_names_commands_that_exist():
    """Each line of its blocks of commands."""
    found = [line for fence in fences((ROOT / "README.md").read_text()) if fence.is_commands
             for line in fence.text.splitlines()]  # fmt: skip
    assert len(found) > 10
    for line in found:
        exists(line)


def exists(line):
    """Require that a command line could be run: its subcommand, options and arguments are known."""
    words = [word for word in shlex.split(line, comments=True) if word != "&"]
    if not words:
        return
    program, *rest = words
    if program == "gradus":
        assert rest[0] in COMMANDS, line
        try:
            COMMANDS[rest[0]].make_context(rest[0], rest[1:])
        except typer.TyperException as error:
            raise AssertionError(f"{line}: {error}") from None
    elif program == "make":
        assert all(re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE) for target in rest), line
    elif rest[:1] == ["-m"]:
        assert find_spec(rest[1]), line
    elif "/" in program:
        assert (ROOT / program).is_file(), line
    for word in rest:  # files of this repository
        if word.startswith(("benchmarks/", "tests/", "tools/")):
            assert (ROOT / word).exists(), line


@pytest.mark.parametrize(
    "line", ["gradus graed adam", "gradus grade adam --faster", "gradus grade", "make everything", "python -m no_such"]
)
def test_a_wrong_command_is_found(line):
    """The two tests above can fail."""
    with pytest.raises(AssertionError):
        exists(line)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_options_in_the_text_exist(name):
    """`gradus COMMAND --option` in a sentence names what there is."""
    prose = re.sub(r"^```.*?^```$", "", PAGES[name].read_text(), flags=re.MULTILINE | re.DOTALL)
    for code in re.findall(r"`(gradus [^`]+)`", prose):
        words = " ".join(code.split()).split()
        assert words[1] in COMMANDS, code
        assert {word for word in words if word.startswith("--")} <= options(COMMANDS[words[1]]), code
