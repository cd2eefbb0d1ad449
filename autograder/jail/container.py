"""Walls from a container engine, for machines that let no program make user namespaces of its own.

Each student's process is a container of podman or docker: no network, a read-only view of the same files
that bubblewrap would show, memory for /tmp and /dev/shm, no capabilities, and inside it the limits,
Landlock and seccomp of `inside.walls`. There is no warm process to fork from, since a container may not
make namespaces either, so every start imports the frameworks anew. A slower way, with the same outcome.
"""

import copy
import functools
import hashlib
import io
import os
import secrets
import socket
import subprocess
import tarfile
import tempfile

from ..errors import InfraError
from . import packages, seccomp
from .choice import ENGINE_SECONDS, engine, run_engine
from .inside import wire
from .sandbox import ENVIRONMENT, LIMITS, START_SECONDS, StudentProcess, file_view, missing_packages

IMAGE = "gradus-empty"
BOOT = "import sys; sys.path[:0] = ['/gradus', '/gradus/site']; from inside.contained import main; main()"
SIGNALLED = 128  # a container that a signal ended exits with 128 + its number
ENGINE_FAILED = (125, 126, 127)


@functools.cache
def image():
    """Return the name of an image with nothing in it but this system's links (/lib to usr/lib and so on)."""
    content = _empty_system()
    name = f"localhost/{IMAGE}:{hashlib.sha256(content).hexdigest()[:12]}"
    if run_engine(engine(), "image", "inspect", name).returncode:
        made = run_engine(engine(), "import", "-", name, data=content)
        if made.returncode:
            raise InfraError(f"{engine()} cannot make an image: {_last_line(made.stderr)}")
    return name


def _empty_system():
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for folder in ("usr", "gradus", "tmp", "proc", "dev", "sys", "etc"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            archive.addfile(entry)
        for path in ("lib", "lib64", "lib32", "libx32"):
            if os.path.islink(f"/{path}"):
                entry = tarfile.TarInfo(path)
                entry.type, entry.linkname = tarfile.SYMTYPE, os.readlink(f"/{path}")
                archive.addfile(entry)
    return content.getvalue()


def command(frameworks, name, memory_mb, cpu):
    """Return the command line that runs one student's process as the container ``name``."""
    user = 61_000 + secrets.randbelow(4_000)  # limits on processes count by user
    disk = f"rw,nosuid,nodev,size={LIMITS['disk']},mode=1777"
    if engine() == "docker":  # podman knows no such option
        disk += f",nr_inodes={LIMITS['files']}"
    line = [engine(), "run", "--rm", "--interactive", "--name", name, "--network", "none", "--read-only"]
    line += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", f"{user}:{user}"]
    line += ["--ulimit", "core=0", "--ulimit", f"nofile={LIMITS['descriptors']}", "--ulimit", "nproc=4096"]
    line += ["--pids-limit", str(LIMITS["processes"]), "--tmpfs", f"/tmp:{disk}", "--shm-size", str(LIMITS["disk"])]
    line += ["--hostname", "student", "--workdir", "/tmp"]
    if engine() == "podman":
        line += ["--read-only-tmpfs=false", "--no-hosts", "--pull", "never"]
    if os.geteuid() == 0:  # an ordinary user's engine may not set these
        line += ["--memory", f"{LIMITS['disk'] * 2 + (memory_mb + 2048) * 2**20}b"]
    if cpu is not None and os.geteuid() == 0:
        line += ["--cpuset-cpus", str(cpu)]
    for variable, value in ENVIRONMENT.items():
        line += ["--env", f"{variable}={value}"]
    for option, *paths in file_view(frameworks):
        if option == "--ro-bind":
            line += ["--volume", f"{paths[0]}:{paths[1]}:ro"]
        elif option == "--tmpfs":
            empty = ",notmpcopyup" if engine() == "podman" else ""  # docker's is empty anyway
            line += ["--mount", f"type=tmpfs,destination={paths[0]},tmpfs-size=4096{empty}"]
    return [*line, "--entrypoint", str(packages.runtime_paths()[0]), image(), "-I", "-S", "-B", "-c", BOOT]


class Containers:
    """Starts students' processes as containers; to the grader it is what `sandbox.Zygote` is.

    Args:
        frameworks, preload, memory_mb, cpu, off_limits: as for `sandbox.Zygote`.
    """

    def __init__(self, frameworks, preload, memory_mb, cpu=None, off_limits=()):
        self.frameworks, self.preload = tuple(frameworks), tuple(preload)
        self.memory_mb, self.cpu, self.off_limits = memory_mb, cpu, tuple(off_limits)
        self.report = None

    def launch(self):
        """Nothing is kept between processes, so there is nothing to start."""
        return self

    def ready(self):
        """Try one container, for the versions in it; raise InfraError if it does not start or lacks a package."""
        if self.report is not None:
            return self
        process = self.fork()
        process.kill()
        self.report = process.report
        if self.report["missing"]:
            raise missing_packages(self.report["missing"])
        return self

    def fork(self):
        """Return a StudentProcess in a container of its own; raise InfraError if the engine fails."""
        configuration = {
            "frameworks": list(self.frameworks),
            "preload": list(self.preload),
            "off_limits": list(self.off_limits),
            "limits": {**LIMITS, "memory": self.memory_mb * 2**20},
            "seccomp": seccomp.program(),
        }
        name = f"gradus-{secrets.token_hex(8)}"
        return Contained(command(self.frameworks, name, self.memory_mb, self.cpu), name, configuration)

    def also(self, modules):
        """Nothing is kept between processes; a program imports what it needs."""

    def branch(self, cpu):
        """Return what makes containers on another core."""
        other = copy.copy(self)
        other.cpu = cpu
        return other

    def alive(self):
        return True

    def stop(self):
        """Nothing is kept between processes."""


class Contained(StudentProcess):
    """A student's process in a container: the engine's client carries the wire on its standard streams."""

    def __init__(self, line, name, configuration):
        self.name = name
        self.line, theirs = socket.socketpair()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        try:
            self.client = subprocess.Popen(line, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=self.errors)
        finally:
            theirs.close()
        try:
            self.line.settimeout(START_SECONDS)
            wire.send(self.line, configuration)
            self.report = wire.receive(self.line.recv)
            self.walls = ["container", *self.report.pop("walls")]
        except (OSError, EOFError, wire.WireError, LookupError, TypeError) as error:
            self.kill()
            self.errors.seek(0)
            words = _last_line(self.errors.read(4000))
            raise InfraError(f"a container could not be started ({error}): {words}") from None

    def died(self):
        """Return how the process ended if it is dead already (a moment is allowed for that), else None."""
        try:
            self.client.wait(timeout=ENGINE_SECONDS / 10)
        except subprocess.TimeoutExpired:
            return None
        return self.kill()

    def kill(self):
        """End the container and all in it; return how its first process ended."""
        if self.client.poll() is None:
            self.line.close()
            run_engine(engine(), "kill", self.name)
            try:
                self.client.wait(timeout=ENGINE_SECONDS)
            except subprocess.TimeoutExpired:
                self.client.kill()
                raise InfraError("a container did not end", remedy=f"try `{engine()} rm --force {self.name}`") from None
        self.line.close()
        code = self.client.returncode
        if code in ENGINE_FAILED or code < 0:
            return "unknown"
        return f"signal {code - SIGNALLED}" if code > SIGNALLED else f"exit code {code}"


def _last_line(data):
    lines = data.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else "it said nothing"
