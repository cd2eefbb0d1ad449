"""The command line: arguments, progress, tables and exit codes; no logic of its own.

Exit codes: 0 done, 1 a gate was not met (--fail-under, verify, doctor), 2 the instructor's input is wrong,
3 some submissions could not be graded.
"""

import gc
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from . import __version__
from .console import ProgressBar, err, near, out, print_changes, print_class, print_preview
from .course import Course
from .errors import GradusError, InfraError
from .exports import FORMATS

app = typer.Typer(
    name="gradus", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Build, verify and grade an autograded course.",
)  # fmt: skip

Names = Annotated[list[str] | None, typer.Argument(metavar="[A]...", help="Assignments; all if none is named.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print results only.")]
Isolation = Annotated[
    str, typer.Option(help="namespaces, container (slower), or none: no walls, and every page says so.")
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Worker processes; one a core by default.")]
Database = Annotated[str | None, typer.Option(help="Gradebook: any SQLAlchemy URL; gradebook.db by default.")]
Root = Annotated[Path, typer.Option("--course", help="The course's folder.")]

COLLECT_EVERY = 50_000  # objects; with the usual 700 a third of an import is the collector's
DONE, NOT_MET, WRONG_INPUT, UNGRADED, INTERRUPTED = 0, 1, 2, 3, 130


def main():
    """Run the command line; turn our errors into a sentence and an exit code."""
    gc.set_threshold(COLLECT_EVERY)
    # jsonschema would build grammars for a second, to check addresses (IRIs) that no notebook has
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    try:
        app()
    except InfraError as error:
        err.print(f"[red]grader:[/red] {escape(str(error))}")
        sys.exit(UNGRADED)
    except GradusError as error:
        err.print(f"[red]gradus:[/red] {escape(str(error))}")
        sys.exit(WRONG_INPUT)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        err.print(f"[red]grader:[/red] {escape(place)}{error.strerror}; what was written before is kept")
        sys.exit(UNGRADED)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # Typer has turned Ctrl-C into it
            err.print("stopped; what was done is kept, and the same command goes on from there")
        raise
    finally:
        gc.freeze()  # the interpreter's last collection would look through all of nbgrader, for a second


def _version(value: bool):
    if value:
        out.print(f"gradus {__version__}")
        raise typer.Exit


@app.callback()
def common(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False):
    """Build, verify and grade an autograded course."""


@app.command()
def release(names: Names = None, course: Root = Path(), quiet: Quiet = False):
    """Make what students get from the source notebooks; refuses to leak a solution."""
    from . import build

    where = Course.find(course)
    for name in names or where.assignments():
        paths = build.release(where, where.require(name))
        if not quiet:
            out.print(f"{name}: {', '.join(near(p) for p in paths)}")


@app.command()
def solve(names: Names = None, course: Root = Path(), quiet: Quiet = False):
    """Run the source notebooks and keep them, with outputs, as solutions."""
    from . import build

    where = Course.find(course)
    for name in names or where.assignments():
        paths = build.solve(where, where.require(name))
        if not quiet:
            out.print(f"{name}: {', '.join(near(p) for p in paths)}")


@app.command()
def new(name: str, course: Root = Path()):
    """Start an assignment NAME that verifies at once."""
    from . import build, scaffold

    for path in scaffold.new(course.resolve(), name):
        out.print(near(path))
    where = Course.find(course)
    build.release(where, name)
    build.solve(where, name)
    out.print(f"Its release and solution are built. Next: gradus verify {name}")


@app.command()
def verify(
    names: Names = None,
    course: Root = Path(),
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Grade every program with this many seeds.")] = 1,
    every: Annotated[int, typer.Option(min=1, help="Take each N-th mutant only, for a quick look.")] = 1,
    matrix: Annotated[bool, typer.Option(help="Print which checks catch which mutant.")] = False,
    isolation: Isolation = "namespaces",
    jobs: Jobs = None,
    quiet: Quiet = False,
):
    """Check the checks: solution full, stub zero, variants accepted, mutants caught, release clean."""
    from .verify import verify as run

    where = Course.find(course)
    table = Table("assignment", "mutants caught", "variants accepted", "stub", "solution", "diagnosed", "")
    found = []
    for name in names or where.assignments():
        with ProgressBar(f"verify {name}", quiet) as progress:
            one = run(where, where.require(name), isolation=_isolation(isolation), seeds=range(1, seeds + 1),
                      jobs=jobs, progress=progress, every=every)  # fmt: skip
        found.append(one)
        table.add_row(
            name, f"{one.killed} of {one.mutants}", f"{one.accepted} of {one.variants}", f"{one.stub_score:g}",
            f"{one.solution_score:g} of {one.max_score:g}", f"{one.diagnosed} of {one.mutants * seeds}",
            "ok" if one.ok else "NOT OK",
        )  # fmt: skip
        if matrix:
            _print_matrix(one)
        for problem in one.problems:
            err.print(f"{name}: {escape(problem)}")
    out.print(table)
    if json_file:
        json_file.write_text(json.dumps([one.as_json() for one in found], indent=1) + "\n")
    raise typer.Exit(DONE if all(one.ok for one in found) else NOT_MET)


def _print_matrix(one):
    table = Table("mutant", "fails")
    for mutant, functions in one.matrix.items():
        table.add_row(mutant, ", ".join(functions) or "nothing: it survives")
    out.print(table)


@app.command()
def grade(
    assignment: str,
    path: Annotated[Path | None, typer.Argument(help="submitted/ by default; a folder, a zip or a notebook.")] = None,
    course: Root = Path(),
    out_dir: Annotated[Path | None, typer.Option("--out", help="Folder for the results; graded/A by default.")] = None,
    jobs: Jobs = None,
    seed: Annotated[int | None, typer.Option(help="One seed for all, instead of each student's own.")] = None,
    isolation: Isolation = "namespaces",
    db: Database = None,
    roster: Annotated[
        Path | None, typer.Option(help="Class list (CSV) that says how each student of a download is called here.")
    ] = None,
    cluster: Annotated[str | None, typer.Option(help="Address of a dask scheduler; its workers grade.")] = None,
    fail_under: Annotated[
        float | None, typer.Option(help="Exit 1 if the class's mean is under this percentage.")
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Say whose marks would change, and write nothing.")
    ] = False,
    quiet: Quiet = False,
):
    """Grade submissions: results, feedback pages, class report, CSV and nbgrader's gradebook."""
    from .pipeline import grade_and_report

    where = Course.find(course)
    name = where.require(assignment)
    with ProgressBar(f"grade {name}", quiet) as progress:
        graded = grade_and_report(
            where, name, path or where.submitted, out=out_dir, jobs=jobs, seed=seed,
            isolation=_isolation(isolation), db=db, progress=progress, cluster=cluster, roster=roster,
            announce=None if quiet or preview else print_changes, preview=preview,
        )  # fmt: skip
    if preview:
        print_preview(graded)
    elif not quiet:
        print_class(graded)
    if graded.ungraded:
        for result in graded.ungraded:
            err.print(f"not graded: {escape(result.student)}: {escape(' '.join(result.notes))}")
        raise typer.Exit(UNGRADED)
    if fail_under is not None and graded.mean_percent() < fail_under:
        err.print(f"the mean is {graded.mean_percent():.1f} %, under {fail_under:g} %")
        raise typer.Exit(NOT_MET)


@app.command()
def train(
    assignment: str,
    path: Annotated[Path | None, typer.Argument(help="As for grade.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    budget: Annotated[float | None, typer.Option(min=1, help="Seconds for one submission, all its seeds.")] = None,
    out_dir: Annotated[Path | None, typer.Option("--out", help="Folder for the results; trained/A by default.")] = None,
    jobs: Jobs = None,
    isolation: Isolation = "namespaces",
    roster: Annotated[Path | None, typer.Option(help="Class list (CSV), as for grade.")] = None,
    cluster: Annotated[str | None, typer.Option(help="Address of a dask scheduler; its workers train.")] = None,
    course: Root = Path(),
    quiet: Quiet = False,
):
    """Train each submission's program on the real data and score it on labels that it never sees."""
    from .training.console import TrainingNews, print_training
    from .training.run import train_class

    where = Course.find(course)
    name = where.require(assignment)
    with TrainingNews(f"train {name}", quiet) as progress:
        found, folder = train_class(
            where, name, path or where.submitted, out=out_dir, isolation=_isolation(isolation), device=device,
            budget=budget, jobs=jobs, roster=roster, cluster=cluster, progress=progress,
        )  # fmt: skip
    if not quiet:
        print_training(found, folder)
    ungraded = [result for result in found if result.status == "infra_error"]
    for result in ungraded:
        err.print(f"not trained: {escape(result.student)}: {escape(' '.join(result.notes))}")
    raise typer.Exit(UNGRADED if ungraded else DONE)


@app.command()
def merge(
    assignment: str,
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER", help="Each like graded/A.")],
    course: Root = Path(),
    out_dir: Annotated[Path | None, typer.Option("--out", help="Folder to merge into; graded/A by default.")] = None,
    db: Database = None,
    quiet: Quiet = False,
):
    """Bring results of shards, machines or graders into one class; refuses where they differ and cannot be decided."""
    from .merge import merge as bring_together

    where = Course.find(course)
    name = where.require(assignment)
    merged = bring_together(where, name, folders, out=out_dir, db=db, announce=None if quiet else print_changes)
    if not quiet:
        out.print(f"{len(merged.results)} submissions, {merged.taken} of them from the folders given")
    for student in merged.no_notebook:
        err.print(f"not in the gradebook: {escape(student)}: the notebook that was graded is not in submitted/")
    for result in merged.ungraded:
        err.print(f"not graded: {escape(result.student)}: {escape(' '.join(result.notes))}")
    raise typer.Exit(UNGRADED if merged.ungraded else DONE)


@app.command()
def report(
    assignment: Annotated[str | None, typer.Argument(help="Without one, the page on the whole course.")] = None,
    course: Root = Path(),
    out_dir: Annotated[Path | None, typer.Option("--out", help="Folder of the results; graded/A or graded.")] = None,
    db: Database = None,
):
    """Write the class report and the CSV again from the results on disk, or the page on the whole course."""
    where = Course.find(course)
    if assignment is None:
        from .overview import report_on_course

        out.print(near(report_on_course(where, out_dir, db)))
        return
    from .pipeline import report_again

    for path in report_again(where, where.require(assignment), out_dir):
        out.print(near(path))


@app.command()
def export(
    assignment: str,
    wanted: Annotated[str, typer.Option("--format", help=" | ".join(FORMATS))] = "csv",
    to: Annotated[Path | None, typer.Option(help="File to write; the terminal by default.")] = None,
    roster: Annotated[Path | None, typer.Option(help="The list that the platform exports, to be filled in.")] = None,
    results: Annotated[Path | None, typer.Option(help="Folder of the results; graded/A by default.")] = None,
    db: Database = None,
    course: Root = Path(),
):
    """Write grades as other systems take them in; marks given by hand in the gradebook are in them."""
    from .exports.formats import exported
    from .results import write_atomically

    where = Course.find(course)
    name = where.require(assignment)
    content, strangers = exported(where, name, wanted, results=results, roster=roster, db=db)
    if to is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    else:
        write_atomically(to, content)
        err.print(f"written: {near(to)}")
    for student in strangers:
        err.print(f"not in {roster}: {escape(student)}; this grade is not in the file")
    raise typer.Exit(NOT_MET if strangers else DONE)


@app.command()
def import_otter(name: str, notebook: Annotated[Path, typer.Argument(help="The source notebook for otter assign.")],
                 course: Root = Path()):  # fmt: skip
    """Make assignment NAME from a notebook written for otter-grader, and list what could not be carried over."""
    from .otter_import import import_otter as bring_in

    path, left_out = bring_in(Course(course.resolve()), name, notebook)
    out.print(f"{near(path)}; next: gradus release {name}")
    for sentence in left_out:
        out.print(f"not carried over: {escape(sentence)}")


@app.command()
def similar(
    assignment: str,
    path: Annotated[Path | None, typer.Argument(help="As for grade.")] = None,
    roster: Annotated[Path | None, typer.Option(help="Class list (CSV), as for grade.")] = None,
    out_dir: Annotated[Path | None, typer.Option("--out", help="Folder of the page; graded/A by default.")] = None,
    course: Root = Path(),
):
    """Show pairs of submissions that share code beyond the starter code, side by side; never a verdict."""
    from .similarity import similar as compare

    where = Course.find(course)
    name = where.require(assignment)
    pairs, page = compare(where, name, path or where.submitted, out_dir, roster)
    out.print(f"{len(pairs)} pairs to look at: {near(page)}")


@app.command()
def bundle(out_dir: Annotated[Path, typer.Option("--out", help="Folder for the zip.")] = Path(), course: Root = Path()):
    """Pack the student kit: release notebooks, course_lib as a wheel, requirements and a guide."""
    from .bundle import bundle as pack

    out.print(near(pack(Course.find(course), out_dir)))


@app.command()
def demo(course: Root = Path(), quiet: Quiet = False, jobs: Jobs = None, isolation: Isolation = "namespaces"):
    """The whole story on a made-up class: build, grade, report."""
    from .demo import run

    run(Course.find(course), quiet=quiet, jobs=jobs, isolation=_isolation(isolation))


@app.command()
def doctor(
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the findings to this file.")] = None,
    isolation: Isolation = "namespaces",
):
    """Try every denied action in a real student process and say what works on this machine."""
    from .doctor import report as examine

    found = examine(_isolation(isolation))
    table = Table("wall", "denies", "", "found")
    for wall in found["walls"]:
        table.add_row(wall["name"], wall["denies"], "held" if wall["held"] else "BROKEN", escape(wall["detail"]))
    out.print(table)
    for name, version in found["frameworks"].items():
        out.print(f"{name} {version or 'is not installed'}")
    out.print("data: " + ", ".join(f"{name} ({state})" for name, state in found["data"].items()))
    out.print(f"gpu: {'present' if found['gpu'] else 'none'}; user: {found['user']}; {found['platform']}")
    if json_file:
        json_file.write_text(json.dumps(found, indent=1) + "\n")
    if found["problem"]:
        err.print(escape(found["problem"]))
    out.print("certified: every wall held" if found["certified"] else "NOT certified: do not trust grades made here")
    raise typer.Exit(DONE if found["certified"] else NOT_MET)


def _isolation(wanted):
    """Return the isolation to use; say so where it is not the one that was asked for."""
    from .jail import choice

    found = choice.settle(wanted)
    if found != wanted:
        err.print(f"this machine has no namespaces to wall programs in; each runs in a {choice.engine()} container")
    return found
