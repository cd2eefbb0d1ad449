"""Pages that tell somebody what to do, and a reader who does it.

A fence says by the words after its language what to do with it:

    ```sh run                a command, or several; ``exit=2`` if it should end so
    ```text expect           what the command before it says, line by line
    ```csv file=class.csv    a file to write
    ```python append=a.py    lines for the end of a file
    ```python notebook=…     a cell for a notebook; see ``add_cell``

A fence of commands without ``run`` has a comment above it, ``<!-- not run: the reason -->``.
"""

import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import nbformat
from conftest import cell, command_environment

FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]*?) -->\n)?```(?P<language>\w+)(?: (?P<words>[^\n]+))?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
SHELLS = ("sh", "bash", "shell", "console")


@dataclass(frozen=True)
class Fence:
    """One fenced block: its language, the words after it as {"run": "", "exit": "2"}, its text, why it is not run."""

    language: str
    options: dict[str, str]
    text: str
    reason: str

    @property
    def is_commands(self):
        return self.language in SHELLS


def fences(text):
    """Return the Fences of a page."""
    return [
        Fence(found["language"], _options(found["words"] or ""), found["text"], found["reason"] or "")
        for found in FENCE.finditer(text)
    ]


def _options(words):
    return {key: value for key, _, value in (word.partition("=") for word in shlex.split(words))}


class Reader:
    """Somebody who does what a page says, and nothing else."""

    def __init__(self, folder):
        self.folder, self.said = folder, ""

    def follow(self, fence):
        """Do what one fence says; nothing if it is only to be looked at."""
        options = fence.options
        if "expect" in options:
            self.expect(fence.text)
        elif "run" in options:
            if "undo" in options:
                self.delete(options["undo"])
            self.run(fence.text, int(options.get("exit", 0)))
        elif "file" in options:
            (self.folder / options["file"]).write_text(fence.text)
        elif "append" in options:
            with open(self.folder / options["append"], "a") as file:
                file.write(fence.text)
        elif "notebook" in options:
            self.add_cell(fence.language, options, fence.text.rstrip("\n"))
        else:
            assert not options, f"nobody can follow this fence: {fence.language} {options}"

    def run(self, text, code=0):
        """Run commands in one shell; go on in the folder where they end."""
        place = self.folder.with_name(f"{self.folder.name}.place")
        shell = ["bash", "-ec", f"trap 'pwd > \"$PLACE\"' EXIT\n{text}"]
        environment = {**command_environment(), "PLACE": str(place)}
        done = subprocess.run(shell, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300)
        self.said = done.stdout + done.stderr
        assert done.returncode == code, f"exit {done.returncode}\n{text}\n{self.said}"
        self.folder = Path(place.read_text().strip())

    def expect(self, text):
        """Require each line in what was said last."""
        for line in filter(str.strip, text.splitlines()):
            assert _plain(line) in _plain(self.said), f"{line!r} is not in:\n{self.said}"

    def add_cell(self, language, options, text):
        """Put a cell of a ``kind``, with ``id`` and ``points``, above the cell that starts with ``above``."""
        kind = {"markdown": "markdown", "python": "code"}[language]
        points = float(options["points"]) if "points" in options else None
        made = cell(options.get("kind", "free"), text, options.get("id", ""), points, cell_type=kind)
        path, nb = self.notebook(options["notebook"])
        place = next(i for i, c in enumerate(nb.cells) if c.source.startswith(options["above"]))
        made["id"] = f"new-{len(nb.cells)}"
        nb.cells.insert(place, nbformat.from_dict(made))
        nbformat.write(nb, path)

    def delete(self, grade_id):
        """Delete a cell from the course's only notebook."""
        (path,) = self.folder.glob("source/*/*.ipynb")
        nb = nbformat.read(path, as_version=4)
        nb.cells = [c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") != grade_id]
        nbformat.write(nb, path)

    def notebook(self, name):
        """Return (path, notebook)."""
        return self.folder / name, nbformat.read(self.folder / name, as_version=4)


def _plain(text):
    """Return a text without the lines of a table, and with single spaces."""
    return " ".join(re.sub(r"[│┃|━─┏┳┓┡╇┩└┴┘]", " ", text).split())
