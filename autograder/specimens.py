"""Made-up submissions: the release with answers filled in. `verify` and `demo` grade them like any other."""

import json

from .errors import InputError


def fill_in(release_path, answers, *, extra=()):
    """Return the text of a notebook: the release at ``release_path`` with some cells' sources replaced.

    Args:
        release_path: a release notebook.
        answers: {grade_id: new source}.
        extra: sources of code cells to put after all others.
    """
    tree = json.loads(release_path.read_text())
    for cell in tree["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id in answers:
            cell["source"] = answers[grade_id]
    for number, source in enumerate(extra):
        tree["cells"].append(
            {"cell_type": "code", "id": f"own-{number}", "metadata": {}, "execution_count": None, "outputs": [],
             "source": source}
        )  # fmt: skip
    return json.dumps(tree, indent=1)


def solution(assignment, notebook_name):
    """Return {grade_id: the instructor's answer} for one notebook."""
    return {
        cell.id: cell.source for cell in assignment.notebook(notebook_name).cells if cell.kind in ("answer", "manual")
    }


def changed(assignment, edit):
    """Return the solution's answers with one of them changed by a Mutant or Variant."""
    source = assignment.notebooks[0]
    answers = solution(assignment, source.name)
    where = assignment.answer_to(edit.cell)
    answers[where] = edit.apply(answers[where])
    return answers


def write(folder, student, assignment, answers_by_notebook):
    """Write one submission in nbgrader's layout below ``folder`` and return its folder."""
    target = folder / student / assignment.name
    target.mkdir(parents=True)
    for nb in assignment.notebooks:
        release = assignment.release_folder / f"{nb.name}.ipynb"
        if not release.is_file():
            raise InputError("the release is missing", where=str(release), remedy="run `gradus release` first")
        (target / release.name).write_text(fill_in(release, answers_by_notebook.get(nb.name, {})))
    return target
