"""Which walls this machine has, and processes behind them."""

import os
import subprocess

from ..errors import InputError
from . import container
from .sandbox import BWRAP_FLAGS, IsolationMissing, Zygote, bubblewrap

KINDS = ("namespaces", "container", "none")
TRY_SECONDS = 20


def settle(wanted):
    """Return the kind of isolation to use: ``wanted``, or a container where namespaces are not to be had.

    Raises InputError for a word that is not known, IsolationMissing if the machine has no such walls.
    """
    if wanted not in KINDS:
        raise InputError(f"--isolation {wanted!r} is not known", remedy=f"use {', '.join(KINDS[:-1])} or {KINDS[-1]}")
    if wanted == "container" and container.engine() is None:
        raise IsolationMissing("neither podman nor docker works here", remedy="install podman, or try `podman info`")
    if wanted == "namespaces" and (problem := _no_namespaces()):
        if container.engine() is None:
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
    if isolation == "container":
        if gpu:
            raise InputError("a container of ours has no GPU", remedy="train on the CPU (--device cpu), or where "
                             "`gradus doctor` finds namespaces")  # fmt: skip
        return container.Containers(frameworks, preload, memory_mb, cpu, off_limits).launch()
    return Zygote(frameworks, preload, memory_mb, isolation, cpu, off_limits, gpu).launch()
