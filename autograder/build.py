"""source/ to release/ and solutions/: which files, in what order, written all or none.

`release` and `solve` compute everything first; only when nothing was refused do files change, each of them at once.
`stale` says whether what is committed is what they would write.
"""

import importlib.util
import os
import re
import tempfile
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import find_all_files

from . import leaks, transforms
from .course import Course
from .errors import InputError
from .results import write_atomically

SECONDS_PER_CELL = 600
MAX_SOLUTION_BYTES = 8 * 2**20
SKIP = "skip-execution"  # nbclient's tags
MAY_RAISE = "raises-exception"
ADDRESS = re.compile(r" at 0x[0-9a-f]+")
SHOWABLE = ("text/plain", "text/html", "text/markdown", "text/latex", "image/png", "image/jpeg")


def release(course: Course, name: str) -> list[Path]:
    """Write ``release/<name>/``: what students get. Return the paths of its files.

    Raises:
        InputError: the source is not sound, or the release would show what the source hides. Nothing is written.
    """
    return _replace(course.release / name, _released(course, name))


def solve(course: Course, name: str, *, execute: bool = True) -> list[Path]:
    """Write ``solutions/<name>/``: the solved notebooks, run from top to bottom. Return the paths of its files.

    Args:
        execute: run the cells, each for at most 600 seconds; else the notebooks have no outputs.

    Raises:
        InputError: the source is not sound, or a cell fails. Nothing is written.
    """
    recipe, files = _sources(course, name)
    written = dict(files)
    for path in _notebooks(course, name):
        where = recipe.name_of(path)
        nb = recipe.solution(recipe.assemble(path), where)
        if execute:
            _execute(nb, where, course.root, files)
        data = transforms.write(nb)
        if len(data) > MAX_SOLUTION_BYTES:
            problem = f"its outputs take {len(data) / 2**20:.0f} MB; at most {MAX_SOLUTION_BYTES // 2**20} MB are kept"
            raise InputError(problem, where=where, remedy="draw fewer or smaller figures, print less")
        written[path.name] = data
    return _replace(course.solutions / name, written)


def stale(course: Course, name: str) -> list[str]:
    """Return why release/ and solutions/ are not what the source gives now; [] if they are. Runs no code.

    Release files are compared byte by byte. Solutions are compared cell by cell, outputs aside; each of their code
    cells must have run, without an error.

    Raises:
        InputError: the source itself is not sound.
    """
    reasons = []
    expected = _released(course, name)
    for file, data in _committed(course.release / name, expected):
        reasons += _difference(f"release/{name}/{file}", data, expected.get(file))
    recipe, files = _sources(course, name)
    wanted = {p.name: recipe.solution(recipe.assemble(p), recipe.name_of(p)) for p in _notebooks(course, name)}
    for file, data in _committed(course.solutions / name, {**files, **wanted}):
        where = f"solutions/{name}/{file}"
        if data is not None and file in wanted:
            reasons += _unlike(where, transforms.read(course.solutions / name / file, where), wanted[file])
        else:
            reasons += _difference(where, data, files.get(file, b"" if file in wanted else None))
    return reasons


def _released(course, name):
    """Return {file name: bytes} of a release, checked for leaks."""
    recipe, files = _sources(course, name)
    written = dict(files)
    for path in _notebooks(course, name):
        where = recipe.name_of(path)
        source = recipe.assemble(path)
        nb = recipe.release(source, where)
        leaks.check(source, nb, where, recipe.regions, files)
        written[path.name] = transforms.write(nb)
    return written


def _notebooks(course, name):
    return sorted((course.source / course.require(name)).glob("*.ipynb"))


def _sources(course, name):
    """Return the course's Recipe and {relative name: bytes} of the assignment's files other than notebooks."""
    recipe = transforms.Recipe(course.root)
    folder = (course.source / course.require(name)).resolve()
    ignored = CourseDirectory(config=recipe.config).ignore
    files = {}
    for path in map(Path, find_all_files(str(folder), [*ignored, "*.ipynb"])):
        if not path.resolve().is_relative_to(folder):
            problem = f"it is a link to {path.resolve()}, outside of the assignment"
            raise InputError(problem, where=recipe.name_of(path), remedy="put a copy of the file in its place")
        files[path.relative_to(folder).as_posix()] = path.read_bytes()
    return recipe, files


def _replace(folder, files):
    """Make ``folder`` hold exactly ``files``, {relative name: bytes}; return their paths, sorted."""
    for file, data in files.items():
        path = folder / file
        if not path.is_file() or path.read_bytes() != data:
            write_atomically(path, data)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(folder).as_posix() not in files:
            path.unlink()
    return sorted(folder / file for file in files)


def _committed(folder, expected):
    """Yield (name, bytes or None) for each file that is in ``folder`` or expected there."""
    present = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    ignored = {name for name in present if ".ipynb_checkpoints" in name}
    for name in sorted({*present, *expected} - ignored):
        yield name, present[name].read_bytes() if name in present else None


def _difference(where, found, expected):
    if found is None:
        return [f"{where} is missing"]
    if expected is None:
        return [f"{where} has no source any more"]
    return [] if found == expected else [f"{where} is not what its source gives now"]


def _unlike(where, found, wanted):
    """Return how a committed solution differs from the one its source gives, and which cells did not run well."""
    if len(found.cells) != len(wanted.cells):
        return [f"{where} has {len(found.cells)} cells, its source {len(wanted.cells)}"]
    reasons = []
    for index, (cell, model) in enumerate(zip(found.cells, wanted.cells, strict=True)):
        here = f"{where}, {transforms.label(index, model)}"
        if any(cell.get(key) != model.get(key) for key in ("cell_type", "id", "source", "metadata", "attachments")):
            reasons.append(f"{here} is not the cell of its source")
        elif cell.cell_type == "code" and cell.source.strip() and SKIP not in cell.metadata.get("tags", []):
            if cell.execution_count is None:
                reasons.append(f"{here} has not been run")
            elif MAY_RAISE not in cell.metadata.get("tags", []) and _failed(cell):
                reasons.append(f"{here} ended in an error")
    return reasons


def _failed(cell):
    return any(output.output_type == "error" for output in cell.outputs)


def _execute(nb, where, root, files):
    """Run ``nb`` in place, in a fresh folder with ``files`` beside it, by this environment's own kernel."""
    metadata = dict(nb.metadata)
    started = [0]
    with tempfile.TemporaryDirectory(prefix="gradus-solve-") as scratch:
        for file, data in files.items():
            write_atomically(Path(scratch) / file, data)
        client = NotebookClient(
            nb,
            timeout=SECONDS_PER_CELL,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,
            store_widget_state=False,
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": scratch}},
            on_cell_start=lambda cell, cell_index: started.append(cell_index),
        )
        # Without kernel folders to look in, "python3" is this very interpreter, whatever the user has installed.
        client.create_kernel_manager().kernel_spec_manager = KernelSpecManager(kernel_dirs=[])
        try:
            client.execute(env=_environment(root))
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            here = f"{where}, {transforms.label(started[-1], nb.cells[started[-1]])}"
            raise InputError(_why(error), where=here, remedy="mend the solution, then run it again") from None
    nb.metadata.clear()
    nb.metadata.update(metadata)  # the kernel notes its own version there
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs = [_kept(output, scratch) for output in cell.outputs]


def _why(error):
    if isinstance(error, CellExecutionError):
        return f"it raised {error.ename}: {error.evalue}"[:1000]
    if isinstance(error, CellTimeoutError):
        return f"it did not end within {SECONDS_PER_CELL} seconds"
    return "the kernel died (out of memory, perhaps)"


def _environment(root):
    """Return the kernel's environment: course_lib importable, inline figures, the same hashes and data each time."""
    found = importlib.util.find_spec("course_lib")
    places = [str(root)] + ([str(Path(found.origin).parent.parent)] if found and found.origin else [])
    environment = {key: value for key, value in os.environ.items() if key != "MPLBACKEND"}
    path = os.pathsep.join([*dict.fromkeys(places), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {
        **environment,
        "PYTHONPATH": path,
        "PYTHONHASHSEED": "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "GRADUS_OFFLINE": "1",
    }


def _kept(output, scratch):
    """Return an output without what changes from run to run or bloats the file."""
    if "data" in output:
        shown = {kind: data for kind, data in output.data.items() if kind in SHOWABLE}
        output.data = type(output.data)(shown or output.data)
        if "text/plain" in output.data:
            output.data["text/plain"] = ADDRESS.sub(" at 0x0", output.data["text/plain"])
        output.metadata = type(output.metadata)()
    if "text" in output:
        text = output.text.replace(scratch, ".")
        output.text = re.sub(r"\S*ipykernel_\d+/\d+\.py", "<cell>", text)
    return output
