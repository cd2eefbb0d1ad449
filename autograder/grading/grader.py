"""Grades one submission: reads it, runs it behind walls, checks it, and returns a Result.

This is the unit of work: one `Job` in, one `Result` out. A `Grader` keeps what is shared between
submissions of one assignment: the collected checks and the warm zygote.
"""

import ast
import contextlib
import gc
import hashlib
import platform
import re
import tempfile
import time

from .. import __version__, notebook
from ..assignment import EXPERIMENT, TRAINING
from ..errors import InfraError, SubmissionError
from ..jail import choice
from ..results import CheckResult, QuestionResult, Result
from .engine import run_checks
from .plan import make_plan
from .plugin import serve_checks
from .process import Notebook

MAX_DATA_BYTES = 32 * 2**20


class Grader:
    """Grades submissions of one assignment, one after another.

    Args:
        assignment: what to grade.
        isolation: "namespaces", "container" or "none".
        certified: whether `gradus doctor` found every wall to hold on this machine.
        cpu: number of the core for student code; any, if None.
        gpu: whether student code sees the machine's NVIDIA devices.
    """

    def __init__(self, assignment, isolation="namespaces", certified=False, cpu=None, gpu=False):
        self.assignment, self.isolation, self.certified = assignment, isolation, certified
        self.cpu, self.gpu = cpu, gpu
        self.checks = []
        self.zygote = None
        self.data = _data_files(assignment)

    def session(self, serve):
        """Collect the hidden checks, then call ``serve(self)``; everything is stopped when it returns."""
        try:
            self.zygote = self._launched()  # it imports while the checks are collected
            if not self.assignment.has_checks():
                self._serve([], serve)
                return
            with tempfile.TemporaryDirectory() as scratch:
                serve_checks(self.assignment.checks_folder, scratch, lambda checks: self._serve(checks, serve))
        finally:
            self.close()

    def _serve(self, checks, serve):
        self.checks = checks
        gc.freeze()  # what is imported now stays; the collector need not look at it after every few calls
        gc.enable()  # `jobs.start` has done without it during the imports
        serve(self)

    def close(self):
        if self.zygote is not None:
            self.zygote.stop()
            self.zygote = None

    def grade(self, job):
        """Return the Result of one submission. Never raises for what the submission contains."""
        start = time.perf_counter()
        result = Result(
            assignment=self.assignment.name,
            student=job.student,
            grader_version=__version__,
            checks_sha256=self.assignment.fingerprint,
            key=job.key,
            seed=job.seed,
            isolation=self.isolation,
            certified=self.certified and self.isolation != "none",
            status="graded",
            max_score=self.assignment.max_score,
            late_share=job.late_share,
            notes=list(job.notes),
        )
        try:
            self._grade(job, result)
        except SubmissionError as error:
            result.status, result.score = "unreadable", 0.0
            result.notes.insert(0, f"{error.problem}. {error.remedy[:1].upper()}{error.remedy[1:]}.")
        except InfraError as error:
            result.status, result.score, result.questions = "infra_error", None, []
            result.notes.insert(0, error.problem)
            self.close()
        result.seconds = round(time.perf_counter() - start, 4)
        return result

    def _grade(self, job, result):
        submitted, digest = {}, hashlib.sha256()
        for name, path in sorted(job.files.items()):
            data = notebook.file_bytes(path)
            digest.update(name.encode() + b"\0" + data)
            submitted[name] = notebook.parse(data, path.name)
        result.submission_sha256 = digest.hexdigest()
        found = False
        for source in self.assignment.notebooks:
            own = [q for q in self.assignment.questions if q.notebook == source.name]
            if source.name not in submitted:
                result.questions += [_missing(q, f"the notebook {source.name}.ipynb is not there") for q in own]
                result.notes.append(f"the notebook {source.name}.ipynb was not handed in")
                continue
            found = True
            result.questions += self._grade_notebook(source, submitted[source.name], own, job, result)
        if not found:
            names = ", ".join(f"{nb.name}.ipynb" for nb in self.assignment.notebooks)
            raise SubmissionError("no notebook of this assignment was handed in", remedy=f"hand in {names}")
        result.score = round(sum(q.points for q in result.questions), 6)
        result.environment = {"platform": platform.platform(), **self._environment()}

    def _environment(self):
        report = self.zygote.report if self.zygote else {}
        return {"python": report.get("python", ""), **report.get("versions", {})}

    def _grade_notebook(self, source, submitted, questions, job, result):
        checked = {check.cell for check in self.checks}
        plan = make_plan(source, self.assignment.released[source.name], submitted, checked)
        result.notes += plan.notes
        zygote = self.warm()
        imported = {name for step in plan.steps for name in IMPORTED.findall(step.source)}
        zygote.also(imported & set(self.assignment.settings.frameworks))
        program = Notebook(zygote, plan.steps, self.assignment.settings, self.data)
        try:
            program.run_cells()
            wanted = [c for c in self.checks if job.only is None or job.only & {c.cell, c.function}]
            outcomes = run_checks(wanted, program, job.seed, self.assignment)
        finally:
            program.close()
        result.notes += cell_notes(program, plan)
        for note in dict.fromkeys(note for o in outcomes for note in o.notes):
            result.notes.append(note)
        return [self._question(q, plan, program, [o for o in outcomes if o.cell == q.id]) for q in questions]

    def warm(self):
        """Return a running Zygote with the assignment's frameworks imported."""
        if self.zygote is None or not self.zygote.alive():
            self.close()
            self.zygote = self._launched()
        return self.zygote.ready()

    def branch(self, cpu):
        """Be, in a forked process, a grader of its own: of the same checks, with the same zygote, on another core."""
        self.cpu = cpu
        self.zygote = self.zygote and self.zygote.branch(cpu)

    def _launched(self):
        settings, preload = self.assignment.settings, _imports(self.assignment)
        return choice.launch(
            self.isolation, settings.frameworks, preload, settings.memory_mb, self.cpu, settings.off_limits, self.gpu
        )

    def _question(self, question, plan, program, outcomes):
        states = [plan.answers.get(a, "present") for a in question.answers]
        result = QuestionResult(
            id=question.id, notebook=question.notebook, points=0.0, max_points=question.points, status="failed"
        )
        if question.manual:
            _manual(result, states)
        elif outcomes:
            self._points(result, outcomes)
        else:
            _plain_grade(result, program)
        if result.status != "passed":
            result.reread = self.assignment.settings.reread.get(question.id, "")
        if result.status == "failed" and not question.manual and result.points == 0 and states:
            if all(s == "missing" for s in states):
                result.status, result.message = "missing", "the cell for your answer is missing"
            elif all(s in ("unchanged", "missing") for s in states):
                result.status, result.message = "unchanged", "the cell is as it was handed out"
                for check in result.checks:
                    check.example = None
        return result

    def _points(self, result, outcomes):
        hints = {m.name: m.hint for m in self.assignment.mutants}
        for o in outcomes:
            result.checks.append(
                CheckResult(
                    id=o.id,
                    title=o.title,
                    weight=o.weight,
                    status=o.status,
                    message=o.message,
                    diagnosis=o.diagnosis,
                    hint=hints.get(o.diagnosis, ""),
                    example=o.example,
                    seconds=o.seconds,
                )
            )
        total = sum(o.weight for o in outcomes)
        passed = sum(o.weight for o in outcomes if o.status == "passed")
        result.points = round(result.max_points * passed / total, 6) if total else 0.0
        statuses = {o.status for o in outcomes}
        if statuses == {"passed"}:
            result.status = "passed"
        elif passed:
            result.status = "partial"
        elif "timeout" in statuses:
            result.status = "timeout"
        elif "crashed" in statuses:
            result.status = "crashed"


def _missing(question, message):
    return QuestionResult(
        id=question.id,
        notebook=question.notebook,
        points=0.0,
        max_points=question.points,
        status="missing",
        message=message,
    )


def _manual(result, states):
    """A written answer waits for a person; one that is as it was handed out scores 0, as in nbgrader."""
    if states and all(s == "unchanged" for s in states):
        result.status, result.message = "unchanged", "nothing was written here"
    elif states and all(s == "missing" for s in states):
        result.status, result.message = "missing", "the cell for your answer is missing"
    else:
        result.status, result.message = "manual", "a person will read this"


def _plain_grade(result, program):
    """nbgrader's rule for a grade cell that has no hidden checks, with points only for positive evidence."""
    reply = program.scores.get(result.id)
    if reply is None:
        result.message = "the test did not run, so it earns nothing"
    elif reply[0] == "error":
        fault = reply[1]
        result.status = {"Timeout": "timeout", "Crash": "crashed"}.get(fault["type"], "failed")
        result.message = _fault_sentence("the test", fault)
    else:
        value = reply[1]
        if type(value) is bool or type(value) not in (int, float):
            result.points = 0.0 if value is False else result.max_points
        elif 0 <= value <= result.max_points:
            result.points = float(value)
        else:
            result.message = f"the test's last line gave {value}, which is not between 0 and {result.max_points:g}"
        if result.points:
            result.status = "passed" if result.points == result.max_points else "partial"


def cell_notes(program, plan):
    """Return a sentence for each cell that raised or was ended, but for stubs as they were handed out."""
    roles = {step.id: step.role for step in plan.steps}
    notes = []
    for name, fault in program.faults.items():
        stub = fault.get("type") == "NotImplementedError" and "unchanged" in plan.answers.values()
        if roles.get(name) != "grade" and not stub:
            notes.append(_fault_sentence(f"cell `{name}`", fault) + "; grading went on")
    return notes


def _fault_sentence(what, fault):
    kind, line, text = str(fault.get("type"))[:40], fault.get("line"), str(fault.get("message") or "")[:300]
    if kind == "Timeout":
        return f"{what} did not end within {text}"
    if kind == "Crash":
        return f"{what} ended the whole Python process ({text})"
    where = f" in line {line}" if type(line) is int else ""
    if kind == "OffLimits":
        return f"{what} uses `{text}`{where}, which is off limits in this assignment"
    return f"{what} raised {kind}{where}" + (f": {text}" if text else "")


IMPORTED = re.compile(r"^[ \t]*(?:import|from)[ \t]+(\w+)", re.MULTILINE)  # `ast` on a student's text could end us

# What a framework imports only at first use; in every submission anew if the zygote has not done it before.
LATE_IMPORTS = {"torch": {"torch.fx.experimental.symbolic_shapes"}}
LATE_WITH = {"torch.optim.": "torch._dynamo"}  # the first optimizer that is made loads it


def _imports(assignment):
    """Return the modules that our own solution uses, to be imported once for the whole class."""
    cells = [cell.source for source in assignment.notebooks for cell in source.cells
             if cell.cell_type == "code" and cell.id != TRAINING and EXPERIMENT not in cell.tags]  # fmt: skip
    modules = _imported(cells)
    if assignment.settings.off_limits:  # a framework may need at its import what is taken away after it
        modules |= set(assignment.settings.frameworks)
    modules |= {late for text, late in LATE_WITH.items() if any(text in cell for cell in cells)}
    for framework in modules & LATE_IMPORTS.keys():
        modules |= LATE_IMPORTS[framework]
    return sorted(modules)


def _imported(sources):
    """Return the names of the modules that the instructor's cells import."""
    found = set()
    for source in sources:
        with contextlib.suppress(SyntaxError):
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Import):
                    found |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module)
                    found |= {f"course_lib.{alias.name}" for alias in node.names if node.module == "course_lib"}
    return found


def _data_files(assignment):
    """Return {relative name: bytes} of the files handed out beside the notebooks."""
    files, total = {}, 0
    folder = assignment.release_folder
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and path.suffix != ".ipynb" and ".ipynb_checkpoints" not in path.parts:
            total += path.stat().st_size
            if total <= MAX_DATA_BYTES:
                files[str(path.relative_to(folder))] = path.read_bytes()
    return files
