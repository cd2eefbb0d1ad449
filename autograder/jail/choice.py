"""Which walls this machine has, and processes behind them."""

import functools
import os
import shutil
import subprocess

from ..errors import GradusError, InfraError, InputError

KINDS = ("namespaces", "container", "none")
ENGINES = ("podman", "docker")
TRY_SECONDS, ENGINE_SECONDS = 20, 60
BWRAP_FLAGS = "--die-with-parent --new-session --unshare-pid --unshare-net --unshare-ipc --unshare-uts".split()


class IsolationMissing(GradusError):
    """The walls cannot be put up on this machine."""


def bubblewrap():
    """Return the path of bwrap; raise IsolationMissing with the command that installs it."""
    path = shutil.which("bwrap")
    if path is None:
        raise IsolationMissing(
            "bubblewrap (bwrap) is not installed, so student code cannot be walled in",
            remedy="apt-get install bubblewrap (or your system's package manager), then `gradus doctor`; "
            "`--isolation none` grades without walls, and every page will say so",
        )
    return path


@functools.cache
def engine():
    """Return the name of a container engine that works here, or None."""
    for name in ENGINES:
        if shutil.which(name) and run_engine(name, "info").returncode == 0:
            return name
    return None


def run_engine(*line, data=None):
    """Run an engine's command with ``data`` (bytes) as its input; return the CompletedProcess."""
    try:
        return subprocess.run(line, input=data, capture_output=True, timeout=ENGINE_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InfraError(f"{line[0]} does not work ({error})", remedy=f"try `{line[0]} info`") from None


def settle(wanted):
    """Return the kind of isolation to use: ``wanted``, or a container where namespaces are not to be had.

    Raises InputError for a word that is not known, IsolationMissing if the machine has no such walls.
    """
    if wanted not in KINDS:
        raise InputError(f"--isolation {wanted!r} is not known", remedy=f"use {', '.join(KINDS[:-1])} or {KINDS[-1]}")
    if wanted == "container" and engine() is None:
        raise IsolationMissing("neither podman nor docker works here", remedy="install podman, or try `podman info`")
    if wanted == "namespaces" and (problem := _no_namespaces()):
        if engine() is None:
            raise problem
        return "container"
    return wanted


def _no_namespaces():
    """Return why bubblewrap cannot work here, as an IsolationMissing; None if it can."""
    try:
        line = [bubblewrap(), *BWRAP_FLAGS, *(["--unshare-user"] if os.getuid() else []), "--ro-bind", "/", "/", "true"]
    except IsolationMissing as missing:
        return missing
    tried = subprocess.run(line, capture_output=True, text=True, timeout=TRY_SECONDS)
    if tried.returncode == 0:
        return None
    words = tried.stderr.strip().splitlines()[-1:] or ["it said nothing"]
    return IsolationMissing(
        f"this machine lets no program make namespaces of its own ({words[0]})",
        remedy="allow user namespaces, or install podman or docker, then `gradus doctor`; "
        "`--isolation none` grades without walls, and every page will say so",
    )


def launch(isolation, frameworks, preload, memory_mb, cpu=None, off_limits=(), gpu=False):
    """Return what starts students' processes with this kind of isolation: a Zygote or Containers, not yet `ready`."""
    from .container import Containers  # these import numpy, which only grading needs
    from .sandbox import Zygote

    if isolation == "container":
        if gpu:
            raise InputError("a container of ours has no GPU", remedy="train on the CPU (--device cpu), or where "
                             "`gradus doctor` finds namespaces")  # fmt: skip
        return Containers(frameworks, preload, memory_mb, cpu, off_limits).launch()
    return Zygote(frameworks, preload, memory_mb, isolation, cpu, off_limits, gpu).launch()
