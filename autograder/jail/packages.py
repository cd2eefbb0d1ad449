"""Which files of the Python installation a student's process may see.

Only the packages an assignment lists, with what those need, and the standard library: a framework
that is not listed is not there to be imported, and neither is anything of the grader's.
"""

import functools
import importlib.metadata
import re
import sys
import sysconfig
from pathlib import Path

import course_lib

from ..errors import InputError

ALWAYS = ("numpy", "matplotlib", "matplotlib-inline", "tqdm")
DISTRIBUTIONS = {"sklearn": ("scikit-learn",), "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-intel")}


@functools.cache
def visible_packages(frameworks):
    """Return {name in site-packages: path} of every file or folder that ``frameworks`` (a tuple) need."""
    entries = {}
    for name in ALWAYS + frameworks:
        entries.update(_closure(name))
    entries["course_lib"] = Path(course_lib.__file__).parent
    return entries


def _closure(framework):
    pending, seen, entries = [_distribution(framework)], set(), {}
    while pending:
        distribution = pending.pop()
        name = _normal(distribution.name)
        if name in seen:
            continue
        seen.add(name)
        entries.update(_top_level(distribution))
        for requirement in distribution.requires or ():
            text, _, marker = requirement.partition(";")
            if "extra" in marker:
                continue
            needed = _find(re.split(r"[^A-Za-z0-9._-]", text.strip())[0])
            if needed is not None:
                pending.append(needed)
    return entries


def _distribution(framework):
    for name in DISTRIBUTIONS.get(framework, (framework,)):
        found = _find(name)
        if found is not None:
            return found
    raise InputError(
        f"the framework {framework!r} is not installed here",
        where="assignment.toml",
        remedy=f"install it into this environment (pip install {framework}) or correct `frameworks`",
    )


@functools.cache
def _find(name):
    try:
        return importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def _top_level(distribution):
    """Return the distribution's entries directly below site-packages."""
    entries = {}
    for file in distribution.files or ():
        top = file.parts[0]
        if top in ("..", "__pycache__") or top.endswith((".pth", ".dist-info")) or top in entries:
            continue
        path = Path(distribution.locate_file(top))
        if path.exists():
            entries[top] = path
    return entries


def runtime_paths():
    """Return the paths of the interpreter itself: its executable, standard library and shared library."""
    paths = [Path(getattr(sys, "_base_executable", sys.executable)).resolve()]
    paths.append(Path(sysconfig.get_path("stdlib")))
    library = Path(sysconfig.get_config_var("LIBDIR") or "/nonexistent")
    version = sysconfig.get_config_var("LDVERSION") or ""
    paths += sorted(library.glob(f"libpython{version}*.so*"))
    base = Path(sys.base_prefix)
    stdlib = base / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return list(dict.fromkeys(p for p in [*paths, stdlib] if p.exists()))
