"""The files for GitHub, GitLab and Docker: against the platforms' schemas, and their commands for real."""

import os
import re
import subprocess
from xml.etree import ElementTree

import pytest
import yaml
from conftest import BIN, SOLVED, command_environment, hand_in, make_tiny

SCHEMAS = {
    "github/grade.yml": "vendor.github-workflows",
    "github/action.yml": "vendor.github-actions",
    "gitlab/grade.gitlab-ci.yml": "vendor.gitlab-ci",
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_platforms_schema_accepts_it(name, root):
    """check-jsonschema with the schema that the platform publishes."""
    line = [BIN / "check-jsonschema", "--builtin-schema", SCHEMAS[name], root / "integrations" / name]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_no_step_pastes_an_input_into_a_command(root):
    """`${{ … }}` in a command would let a repository's name run as a command; inputs go through the environment."""
    for step in steps(root):
        assert "${{" not in step.get("run", "")


def steps(root):
    return yaml.safe_load((root / "integrations" / "github" / "action.yml").read_text())["runs"]["steps"]


@pytest.fixture
def place(tmp_path):
    """The staff's repository as the job finds it, and a student's files beside it."""
    course = make_tiny(tmp_path)
    handed = hand_in(
        tmp_path / "handed", "ada", course, {**SOLVED, "triple-answer": "def triple(x):\n    return 3 + x"}
    )
    (tmp_path / "submission").mkdir()
    os.rename(handed, tmp_path / "submission" / "tiny.ipynb")
    return tmp_path


def test_githubs_steps_grade_and_show(place, root):
    """Every command of the composite action but the set-up, as the runner calls it."""
    summary = place / "summary.md"
    environment = {**command_environment(), "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_WORKSPACE": str(place)}
    values = {"assignment": "tiny", "submission": "submission", "fail-under": "60", "isolation": "namespaces"}
    codes, printed = [], ""
    for step in steps(root):
        if "run" not in step or step["name"].startswith("Set up"):
            continue
        own = {k: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: values[m[1]], v) for k, v in step["env"].items()}
        line = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(line, cwd=place, env={**environment, **own}, capture_output=True, text=True)
        codes.append(done.returncode)
        printed += done.stdout
    assert codes == [1, 0]  # two of five points are under 60 %
    assert "2 of 6" in summary.read_text()
    assert "::error title=triple%3A 0 of 3 points::" in printed
    assert ElementTree.parse(place / "results" / "junit.xml").getroot().find(".//failure") is not None


def test_gitlabs_script_grades(place, root):
    """Every command but the clone, with the walls that are here."""
    job = yaml.safe_load((root / "integrations" / "gitlab" / "grade.gitlab-ci.yml").read_text())
    variables = {
        **job["variables"],
        "ASSIGNMENT": "tiny",
        "STUDENT_PROJECT": "students/ada",
        "GRADUS_ISOLATION": "namespaces",
    }
    script = [
        line for line in job["grade"]["script"] + job["grade"]["after_script"] if not line.startswith("git clone")
    ]
    assert len(script) == 3
    line = ["sh", "-euc", "\n".join(script)]
    subprocess.run(line, cwd=place, env={**command_environment(), **variables}, check=True, capture_output=True)
    for path in job["grade"]["artifacts"]["paths"]:
        assert (place / path / "junit.xml").is_file()


def test_the_image_copies_what_the_setup_needs(root):
    """Every path that the Dockerfile copies is there, and what `make setup` reads is among them."""
    lines = (root / "integrations" / "Dockerfile").read_text().splitlines()
    copied = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]
    assert all((root / path).exists() for path in copied)
    needed = re.search(r"\.ready: (.*)", (root / "Makefile").read_text())[1].split()
    assert all(any(path == one or path.startswith(f"{one}/") for one in copied) for path in needed)
