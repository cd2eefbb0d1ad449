"""The student kit: release notebooks, the course's library as a wheel, requirements and a guide, in one zip.

Nothing of the staff package is in it: no checks, no mutants, no solutions.
"""

import json
import shutil
import tempfile
from pathlib import Path

import course_lib

from .archives import packed, tree
from .assignment import Assignment
from .errors import InputError
from .notebook import Notebook
from .results import write_atomically

LIBRARY = Path(course_lib.__file__).parent
ALWAYS = ("numpy", "scipy", "scikit-learn", "matplotlib", "tqdm", "pooch", "jupyterlab", "nbclient", "nbformat")
FRAMEWORKS = {"torch": ("torch",), "tensorflow": ("tensorflow", "tensorflow-cpu")}
PROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "course_lib"
version = "{version}"
description = "What the course's notebooks import"
requires-python = ">=3.11"
dependencies = ["numpy", "scikit-learn", "matplotlib", "tqdm", "pooch>=1.8", "nbclient", "nbformat"]

[tool.hatch.build.targets.wheel]
packages = ["course_lib"]
"""
GUIDE = """# Your course kit

You need Python 3.11, 3.12 or 3.13. Once, in this folder:

```sh
python3 -m venv .venv
. .venv/bin/activate              # on Windows: .venv\\Scripts\\activate
pip install -r requirements.txt {wheel}
```

Then, for each assignment:

1. `jupyter lab` and open the notebook, for example `{example}`.
2. Read, and fill in the cells that say so. Leave the locked cells as they are: they are graded as handed out.
3. Run the check below each cell. If it fails, it says what it wanted and what it got.
4. Kernel, Restart and Run All: a notebook should work from a fresh start.
5. `python -m course_lib.submit {example}` looks it over once more and writes a copy into `handin/`.
   Hand in that copy the way your teacher asks.

The grader tries other inputs and sizes than the checks that you see, and runs your functions without a network and
without your other files. Its page tells you what was right, and which mistake a wrong answer looks like.

{table}
"""


def bundle(course, out):
    """Write ``student-kit.zip`` into the folder ``out``; return its path.

    Raises InputError if a release is missing.
    """
    files, notebooks, rows, frameworks = {}, {}, [], set()
    for name in course.assignments():
        assignment = Assignment.load(course, name)
        frameworks.update(assignment.settings.frameworks)
        files |= tree(course.release / name, name)
        for nb in assignment.notebooks:
            notebooks[f"{nb.name}.ipynb"] = expected(assignment.released[nb.name])
        hours = f"{assignment.settings.hours:g}" if assignment.settings.hours else ""
        rows.append(f"| {assignment.title} | `{name}/` | {hours} | {assignment.max_score:g} |")
    if not notebooks:
        raise InputError(
            "the course has no assignments", where=str(course.source), remedy="write one: `gradus new NAME`"
        )
    wheel, content = course_lib_wheel()
    files[wheel] = content
    files["manifest.json"] = json.dumps({"notebooks": notebooks}, indent=1).encode()
    files["requirements.txt"] = requirements(frameworks).encode()
    example = next(name for name in files if name.endswith(".ipynb"))
    table = "\n".join(["| assignment | folder | hours | points |", "| --- | --- | --- | --- |", *rows])
    files["README.md"] = GUIDE.format(wheel=wheel, example=example, table=table).encode()
    path = Path(out) / "student-kit.zip"
    write_atomically(path, packed({f"student-kit/{name}": data for name, data in files.items()}))
    return path


def expected(release: Notebook):
    """Return what `course_lib.submit` looks for: the stubs of the answers and the text of the locked cells."""
    return {
        "answers": {cell.id: cell.source for cell in release.cells if cell.kind in ("answer", "manual")},
        "locked": {cell.id: cell.source for cell in release.cells if cell.kind in ("locked", "checks")},
    }


def course_lib_wheel():
    """Return (file name, content) of the course library as a wheel of its own."""
    from hatchling.builders.wheel import WheelBuilder

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(LIBRARY, root / "course_lib", ignore=ignored)
        (root / "pyproject.toml").write_text(PROJECT.format(version=course_lib.__version__))
        built = next(iter(WheelBuilder(str(root)).build(directory=str(root / "dist"))))
        return Path(built).name, Path(built).read_bytes()


def requirements(frameworks):
    """Return pinned requirements: the versions that the grader runs, of what notebooks may import."""
    from importlib.metadata import PackageNotFoundError, version

    names = [*ALWAYS, *(name for framework in sorted(frameworks) for name in FRAMEWORKS.get(framework, ()))]
    lines = []
    for name in names:
        try:
            lines.append(f"{name}=={version(name).partition('+')[0]}")
        except PackageNotFoundError:
            continue
    return "\n".join(lines) + "\n"
