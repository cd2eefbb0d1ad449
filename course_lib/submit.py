"""Looks over a notebook before it is handed in, and writes the copy to hand in.

    python -m course_lib.submit adam.ipynb          look it over, run it from top to bottom, write handin/adam.ipynb
    python -m course_lib.submit adam.ipynb --no-run look it over only

It says everything for which the grader would refuse a file or take no points from it, and changes nothing in the
notebook itself. What to expect in each notebook comes from ``manifest.json`` in the student kit.
"""

import argparse
import ast
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

MAX_BYTES = 64 * 2**20
KEPT_OUTPUT = 4 * 2**20  # bytes; a larger notebook is handed in without its outputs, which the grader never reads
RUN_SECONDS = 600
MANIFEST = "manifest.json"


@dataclass
class Findings:
    """What was found: ``refused`` means that the file cannot be graded, ``doubts`` that points may be missing."""

    refused: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def look_over(path):
    """Return (Findings, notebook as a dict or None) for the file at ``path``."""
    path, found = Path(path), Findings()
    tree = _read(path, found)
    if tree is None:
        return found, None
    cells = [cell for cell in tree["cells"] if isinstance(cell, dict)]
    expected = _expected(path)
    ids = [_grade_id(cell) for cell in cells]
    for name in sorted({name for name in ids if name and ids.count(name) > 1}):
        found.doubts.append(
            f"the cell `{name}` is there {ids.count(name)} times; only the last one counts. Delete the others."
        )
    if expected is None:
        found.doubts.append(f"{path.name} is not a notebook of this course, or {MANIFEST} is missing beside it; "
                            "what should be in it is not known.")  # fmt: skip
    else:
        _compare(cells, expected, found)
    for cell in cells:
        _read_code(cell, found)
    return found, tree


def _read(path, found):
    try:
        if path.is_symlink() or not path.is_file():
            found.refused.append("there is no such file, or it is a link. Save the notebook and give its path.")
            return None
        if path.stat().st_size > MAX_BYTES:
            found.refused.append(f"the file has more than {MAX_BYTES // 2**20} MB. In Jupyter: Kernel, Restart and "
                                 "Clear Outputs, then save.")  # fmt: skip
            return None
        tree = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        found.refused.append(
            "it is not a notebook (not JSON). Open it in Jupyter and save it again; do not edit it as text."
        )
        return None
    if not isinstance(tree, dict) or tree.get("nbformat") != 4 or not isinstance(tree.get("cells"), list):
        found.refused.append("it is not a notebook of format 4. Open it in a current Jupyter and save it.")
        return None
    return tree


def _compare(cells, expected, found):
    present = {_grade_id(cell): _source(cell) for cell in cells}
    for name, stub in expected["answers"].items():
        if name not in present:
            found.doubts.append(f"the cell `{name}` is missing, so its answer cannot be graded. Copy it from a fresh notebook "
                                "and put your answer into it.")  # fmt: skip
        elif present[name].strip() == stub.strip():
            found.doubts.append(f"the cell `{name}` is as it was handed out.")
        elif "raise NotImplementedError" in present[name]:
            found.doubts.append(f"the cell `{name}` still raises NotImplementedError somewhere.")
    for name, source in expected["locked"].items():
        if name not in present or present[name].strip() != source.strip():
            found.doubts.append(f"the cell `{name}` was changed or deleted. It is graded as it was handed out, so your code must "
                                "work with the original.")  # fmt: skip


def _read_code(cell, found):
    if cell.get("cell_type") != "code":
        return
    lines = ["pass" if line.lstrip().startswith(("%", "!", "?")) else line for line in _source(cell).split("\n")]
    try:
        ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError) as error:
        name = _grade_id(cell) or "a cell of your own"
        where = f" in line {error.lineno}" if isinstance(error, SyntaxError) else ""
        found.doubts.append(f"`{name}` is not Python{where}, so nothing in this cell will run.")


def run(path, seconds=RUN_SECONDS):
    """Run the notebook from top to bottom in a fresh kernel; return what went wrong first, or ""."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=seconds, resources={"metadata": {"path": str(Path(path).resolve().parent)}}
    )
    try:
        client.execute()
    except CellTimeoutError:
        return f"a cell ran for more than {seconds} s"
    except DeadKernelError:
        return "a cell ended Python itself"
    except CellExecutionError as error:
        return f"{error.ename}: {error.evalue}".strip()
    return ""


def submit(path, *, execute=True, out="handin"):
    """Look over a notebook, run it, and write the copy to hand in; return its path, or None if it would be refused.

    Args:
        path: the notebook, or its name without ``.ipynb``.
        execute: run it from top to bottom as well.
        out: folder for the copy, beside the notebook.
    """
    path = Path(path)
    path = path if path.suffix == ".ipynb" else path.with_name(path.name + ".ipynb")
    found, tree = look_over(path)
    for problem in found.refused:
        print(f"The grader would refuse {path.name}: {problem}")
    if tree is None:
        return None
    for doubt in found.doubts:
        print(f"  {doubt[0].upper()}{doubt[1:]}")
    if execute:
        print("Running it from top to bottom …", flush=True)
        problem = run(path)
        print(f"  It stops: {problem}" if problem else "  It runs, and the visible checks hold.")
    if path.stat().st_size > KEPT_OUTPUT:
        print("  The copy has no outputs: they are large, and the grader does not read them.")
        for cell in tree["cells"]:
            if isinstance(cell, dict) and "outputs" in cell:
                cell["outputs"] = []
    copy = path.parent / out / path.name
    copy.parent.mkdir(exist_ok=True)
    copy.write_text(json.dumps(tree, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    doubts = f"{len(found.doubts)} things to look at above; " if found.doubts else ""
    print(f"{doubts}hand in {copy}")
    return copy


def _expected(path):
    """Return what the kit's manifest says of this notebook, or None."""
    for folder in list(path.resolve().parents)[:3]:
        try:
            return json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["notebooks"][path.name]
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def _grade_id(cell):
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = marks.get("grade_id") if isinstance(marks, dict) else None
    return name if isinstance(name, str) else ""


def _source(cell):
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def main():
    """The command line; exit code 1 if the grader would refuse the file."""
    parser = argparse.ArgumentParser(
        prog="python -m course_lib.submit", description="Look over a notebook and pack it."
    )
    parser.add_argument("notebook")
    parser.add_argument("--no-run", action="store_true", help="do not run it")
    options = parser.parse_args()
    sys.exit(0 if submit(options.notebook, execute=not options.no_run) else 1)


if __name__ == "__main__":
    main()
