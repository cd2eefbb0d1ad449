"""The project about itself: imports flow one way, commands are documented, nothing points at a machine."""

import ast
import re
import subprocess
import sys

import pytest
from conftest import ROOT

# A module may import from layers below its own, and from its own folder.
LAYERS = (
    ("errors", "mutation", "compare", "times", "archives", "jail.inside"),
    ("course", "notebook", "results", "roster", "seeds", "seen", "jail"),
    ("assignment", "leaks", "transforms"),
    ("build", "specimens", "grading", "reports", "scaffold", "bundle", "otter_import"),
    ("doctor", "certificate", "verify", "console", "similarity"),
    ("pipeline", "training"),
    ("demo", "exports", "nbgrader_plugin"),
    ("overview", "merge"),
    ("cli",),
)


def layer(module):
    """Return the layer of a dotted module name inside autograder."""
    for number, names in enumerate(LAYERS):
        if any(module == name or module.startswith(name + ".") for name in names):
            best = number
            if module.startswith("jail.inside"):
                return 0
            return best
    return None


def imports(path):
    """Yield the dotted names inside autograder that the file at ``path`` imports."""
    package = path.relative_to(ROOT / "autograder").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            for alias in node.names:
                yield ".".join([*base, *([node.module] if node.module else [alias.name])])
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("autograder."):
            yield node.module.removeprefix("autograder.")


MODULES = [
    p
    for p in sorted((ROOT / "autograder").rglob("*.py"))
    if "checks" not in p.parts and "templates" not in p.parts and p.name != "__init__.py"
]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT / "autograder")))
def test_imports_flow_one_way(path):
    """Nothing imports from a layer above its own."""
    own = ".".join(path.relative_to(ROOT / "autograder").with_suffix("").parts)
    assert layer(own) is not None, f"{own} has no place in LAYERS"
    for target in imports(path):
        if target and layer(target) is not None:
            assert layer(target) <= layer(own), f"{own} imports {target}, which stands above it"


def test_the_command_starts_without_what_only_grading_needs():
    """A cold start and a regrade do not wait for numpy's and pytest's imports."""
    code = "import sys, autograder.cli, autograder.jail.choice, autograder.pipeline; print(sorted({'numpy', 'pytest', 'nbgrader'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_course_lib_never_imports_the_grader():
    """What students install does not know the staff package."""
    for path in (ROOT / "course_lib").rglob("*.py"):
        assert "autograder" not in path.read_text(), path


def tracked():
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in names.decode().split("\0") if name]


def test_nothing_names_a_machine():
    """No committed file has a path of somebody's machine in it."""
    pattern = re.compile(r"(?<![\w.])/(?:work|farm|root|home/\w+)/")
    for path in tracked():
        if path.suffix in (".py", ".md", ".toml", ".ipynb", ".lock", "") and path.is_file():
            found = pattern.search(path.read_text(errors="replace"))
            assert not found, f"{path.name}: {found and found.group()}"


def test_every_command_is_in_the_readme():
    """The README names each command that exists."""
    from typer.main import get_command

    from autograder.cli import app

    text = (ROOT / "README.md").read_text()
    for name in get_command(app).commands:
        assert f"gradus {name}" in text, f"README.md does not mention `gradus {name}`"


def test_files_stay_small():
    """A newcomer should find their way: no module of ours is longer than 400 lines."""
    for path in [*MODULES, *(ROOT / "course_lib").rglob("*.py")]:
        assert len(path.read_text().splitlines()) <= 400, path
