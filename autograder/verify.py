"""Checks the checks: the solution scores full, the stub zero, variants full, and every mutant is caught.

All programs are graded as submissions are, behind the same walls. A mutant first meets only the checks of its
question and the one that must catch it; all of them, if it is not caught or not told from others by those.
"""

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import build, specimens
from .assignment import Assignment
from .grading.grader import Grader
from .grading.jobs import Job, Setting
from .grading.plan import make_plan
from .grading.pool import grade_all
from .grading.process import Notebook
from .results import Result

SOLUTION, STUB = "solution", "stub"


@dataclass
class Verification:
    """What `verify` found for one assignment; ``problems`` is empty if all is well."""

    name: str
    mutants: int = 0
    killed: int = 0
    survivors: list[str] = field(default_factory=list)
    variants: int = 0
    accepted: int = 0
    rejected: list[str] = field(default_factory=list)
    stub_score: float = 0.0
    solution_score: float = 0.0
    max_score: float = 0.0
    diagnosed: int = 0
    matrix: dict[str, list[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self):
        return not self.problems

    def as_json(self):
        keys = "name mutants killed survivors variants accepted rejected stub_score solution_score max_score diagnosed"
        return {**{key: getattr(self, key) for key in keys.split()}, "problems": self.problems, "ok": self.ok}


def verify(course, name, *, isolation, seeds=(1,), jobs=None, progress=None, every=1):
    """Return the Verification of assignment ``name``.

    Args:
        seeds: seeds of hidden inputs; every program is graded once with each.
        progress: called as progress(done, total, Result or None).
        every: take each so-manieth mutant only, for a quick look; then no check is called idle.
    """
    found = Verification(name)
    found.problems += [f"not up to date: {reason}" for reason in build.stale(course, name)]
    assignment = Assignment.load(course, name)
    mutants = assignment.mutants[::every]
    found.mutants, found.variants = len(mutants), len(assignment.variants)
    found.max_score = sum(q.points for q in assignment.questions if not q.manual)
    _agreement(assignment, found)
    with tempfile.TemporaryDirectory(prefix="gradus-verify-") as scratch:
        programs = _write_programs(Path(scratch), assignment, mutants)
        setting = Setting(course.root, name, isolation, False, Path(scratch, "graded"))
        limit = assignment.settings.total_seconds * len(assignment.notebooks)
        for seed in seeds:
            results: dict[str, Result] = {}
            waiting = [replace(job, seed=seed) for job in programs]
            while waiting:
                for result in grade_all(waiting, setting, limit, jobs):
                    results[result.student] = result
                    if progress:
                        progress(len(results), len(programs), result)
                doubtful = {f"mutant {m.name}" for m in mutants if _problem(m, results[f"mutant {m.name}"])}
                waiting = [replace(job, only=None) for job in waiting if job.only and job.student in doubtful]
            _judge(assignment, mutants, results, seed, found)
            if every == 1:
                _idle_checks(results[SOLUTION], found)
    found.killed = found.mutants - len(found.survivors)
    found.accepted = found.variants - len(found.rejected)
    _visible_checks(course, assignment, isolation, found)
    return found


def _agreement(assignment, found):
    """Points and checks must agree: no check without a question, no question without a check."""
    cells = {q.id for q in assignment.questions if not q.manual}
    for mutant in assignment.mutants:
        if not mutant.hint or not mutant.caught_by:
            found.problems.append(f"mutant {mutant.name} has no hint or does not say which check catches it")
    if assignment.has_checks() and len(assignment.notebooks) != 1:
        found.problems.append("an assignment with hidden checks has one notebook")
    if not cells:
        found.problems.append("no question is graded automatically")


def _write_programs(scratch, assignment, mutants):
    """Write every program as a submission; return the list of Job."""
    answers = {nb.name: specimens.solution(assignment, nb.name) for nb in assignment.notebooks}
    everything = {SOLUTION: answers, STUB: {}}
    asked = {f"mutant {m.name}": frozenset({m.cell, m.caught_by}) for m in mutants}
    only = assignment.notebooks[0].name
    for prefix, edits in (("mutant", mutants), ("variant", assignment.variants)):
        for edit in edits:
            everything[f"{prefix} {edit.name}"] = {only: specimens.changed(assignment, edit)}
    found = []
    for student, filled in everything.items():
        folder = specimens.write(scratch / "submitted", student, assignment, filled)
        files = {nb.name: folder / f"{nb.name}.ipynb" for nb in assignment.notebooks}
        found.append(Job(student, files, seed=0, only=asked.get(student)))
    return found


def _judge(assignment, mutants, results, seed, found):
    for result in results.values():
        if result.status != "graded":
            found.problems.append(f"{result.student}: {result.status}: {' '.join(result.notes)}")
            return
    found.solution_score, found.stub_score = results[SOLUTION].score, results[STUB].score
    if found.solution_score != found.max_score:
        found.problems.append(f"seed {seed}: the solution loses points: {_losses(results[SOLUTION])}")
    if found.stub_score != 0:
        found.problems.append(f"seed {seed}: the untouched release scores {found.stub_score:g}")
    for variant in assignment.variants:
        result = results[f"variant {variant.name}"]
        if result.score != found.max_score:
            found.problems.append(f"seed {seed}: variant {variant.name} is rejected: {_losses(result)}")
            found.rejected = sorted({*found.rejected, variant.name})
    for mutant in mutants:
        _judge_mutant(mutant, results[f"mutant {mutant.name}"], seed, found)


def _judge_mutant(mutant, result, seed, found):
    functions = sorted({_function(c.id) for c in _failed(result)})
    found.matrix[mutant.name] = sorted({*found.matrix.get(mutant.name, []), *functions})
    problem = _problem(mutant, result)
    if problem:
        found.problems.append(f"seed {seed}: mutant {mutant.name} {problem}")
    if not functions:
        found.survivors = sorted({*found.survivors, mutant.name})
    elif "diagnosed" not in problem:
        found.diagnosed += 1


def _problem(mutant, result):
    """Return what is wrong with how a mutant fared, in words; "" if all is well."""
    failed = _failed(result)
    if not failed:
        return "survives"
    if mutant.caught_by not in {_function(c.id) for c in failed}:
        return f"is not caught by {mutant.caught_by}"
    named = {c.diagnosis for c in failed if c.diagnosis}
    if named and named <= {mutant.name, *mutant.also}:
        return ""
    return f"is diagnosed as {', '.join(sorted(named)) or 'nothing'}"


def _failed(result):
    return [c for q in result.questions for c in q.checks if c.status != "passed"]


def _idle_checks(solved, found):
    killers = {function for functions in found.matrix.values() for function in functions}
    for function in sorted({_function(c.id) for q in solved.questions for c in q.checks} - killers):
        problem = f"no mutant fails {function}"
        if problem not in found.problems:
            found.problems.append(problem)


def _visible_checks(course, assignment, isolation, found):
    """Run the grade cells themselves on the solution: what students see must pass too."""
    grader = Grader(assignment, isolation)
    try:
        for nb in assignment.notebooks:
            plan = make_plan(nb, assignment.released[nb.name], nb, checked=set())
            program = Notebook(grader.warm(), plan.steps, assignment.settings, grader.data)
            program.run_cells()
            program.close()
            for name, fault in program.faults.items():
                text = f"{fault.get('type')} {fault.get('message')}"
                found.problems.append(f"cell {name} fails on the solution: {text}")
    finally:
        grader.close()


def _losses(result):
    return "; ".join(f"{c.id}: {c.message}" for q in result.questions for c in q.checks if c.status != "passed")


def _function(check_id):
    return check_id.split("::")[1].split("[")[0]
