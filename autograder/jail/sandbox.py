"""The outer wall and the zygote behind it, as the grader holds them.

`Zygote.start` runs bubblewrap with a view of the disk that has the Python runtime, the packages
the assignment lists and nothing else. `Zygote.fork` returns a `StudentProcess`: a fresh process
behind walls of its own, with a wire to talk over. With isolation "none" the same code runs in a
plain child process; every result and page then says so.
"""

import contextlib
import copy
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ..errors import InfraError, InputError
from . import packages, seccomp
from .choice import BWRAP_FLAGS, bubblewrap
from .inside import wire

INSIDE = Path(__file__).parent / "inside"
START_SECONDS = 120
FORK_SECONDS = 20
DYING_SECONDS = 0.5
REPLY_BYTES = 64 * 2**20
ANY_CORE = 255  # as in `inside.zygote`

LIMITS = {
    "disk": 256 * 2**20,  # bytes of /tmp, of /dev/shm, and of one file
    "files": 4096,
    "descriptors": 256,
    "processes": 64,
    "cpu_seconds": 24 * 3600,  # the grader's own clock is what ends a program
    "reply_bytes": REPLY_BYTES,
    "gpu": False,
}

ENVIRONMENT = {
    "HOME": "/tmp",
    "PATH": "/usr/bin",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "MPLBACKEND": "Agg",
    "MPLCONFIGDIR": "/tmp",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "GRADUS_OFFLINE": "1",
}
BOOT = "import sys; sys.path[:0] = {path!r}; from inside.{module} import main; main({control})"


def command(frameworks, control, *, user_namespace, gpu=False):
    """Return the command line of the outer wall around the zygote.

    Args:
        frameworks: tuple of packages that the student may import.
        control: number of the descriptor of the control socket.
        user_namespace: whether bubblewrap needs a user namespace (an ordinary user) or has real root.
        gpu: whether the NVIDIA devices are to be seen.
    """
    line = [bubblewrap(), *BWRAP_FLAGS, "--unshare-cgroup-try"]
    if user_namespace:
        line += ["--unshare-user", "--uid", "61987", "--gid", "61987"]
    else:
        line += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    line.append("--clearenv")
    for name, value in ENVIRONMENT.items():
        line += ["--setenv", name, value]
    view = file_view(frameworks)
    line += [word for option in _readable_parents(view) + view for word in option]
    line += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/tmp"]
    line += [word for device in sorted(Path("/dev").glob("nvidia*")) if gpu
             for word in ("--dev-bind", str(device), str(device))]  # fmt: skip
    line += ["--remount-ro", "/", "--chdir", "/"]
    boot = BOOT.format(path=["/gradus", "/gradus/site"], module="zygote", control=control)
    return [*line, str(packages.runtime_paths()[0]), "-I", "-S", "-B", "-c", boot]


def file_view(frameworks):
    """Return what a student's process sees of the disk, as bubblewrap's options: a list of tuples of words."""
    return _system_view() + _python_view(frameworks)


def _system_view():
    view: list[tuple[str, ...]] = [("--ro-bind", "/usr/lib", "/usr/lib")]
    for name in ("lib", "lib64", "lib32", "libx32"):
        path = Path("/", name)
        if path.is_symlink():
            view.append(("--symlink", os.readlink(path), str(path)))
        elif path.is_dir():
            view.append(("--ro-bind", str(path), str(path)))
        if name != "lib" and Path("/usr", name).is_dir() and not Path("/usr", name).is_symlink():
            view.append(("--ro-bind", f"/usr/{name}", f"/usr/{name}"))
    for path in Path("/usr/lib").glob("python3*/*-packages"):  # the system's own Python packages stay out
        view.append(("--tmpfs", str(path)))
    if Path("/etc/ld.so.cache").exists():
        view.append(("--ro-bind", "/etc/ld.so.cache", "/etc/ld.so.cache"))
    return view


def _python_view(frameworks):
    view: list[tuple[str, ...]] = []
    for path in packages.runtime_paths():
        if not path.is_relative_to("/usr/lib"):
            view.append(("--ro-bind", str(path), str(path)))
        if path.is_dir():
            view += [("--tmpfs", str(p)) for p in path.glob("*-packages")]
    view.append(("--ro-bind", str(INSIDE), "/gradus/inside"))
    for name, path in packages.visible_packages(frameworks).items():
        view.append(("--ro-bind", str(path), f"/gradus/site/{name}"))
    return view


def _readable_parents(view):
    """Make the folders above each mounted path; bubblewrap's own would be closed to an ordinary user."""
    targets = [Path(option[2]) for option in view if option[0] == "--ro-bind"]
    parents = {parent for target in targets for parent in target.parents} - {Path("/")}
    return [("--perms", "0755", "--dir", str(parent)) for parent in sorted(parents)]


class Zygote:
    """A warm process behind the outer wall, from which students' processes are forked.

    Args:
        frameworks: packages the student may import.
        preload: modules to import once, before any student code.
        memory_mb: memory of one student's process, beyond what the imports take.
        isolation: "namespaces" or "none".
        cpu: number of the core that its students' processes may use; any, if None or beyond 254.
        off_limits: dotted names that are taken away after the imports.
        gpu: whether its students' processes see the NVIDIA devices.
    """

    def __init__(self, frameworks, preload, memory_mb, isolation="namespaces", cpu=None, off_limits=(), gpu=False):
        self.frameworks, self.preload = tuple(frameworks), tuple(preload)
        self.memory_mb, self.isolation, self.cpu = memory_mb, isolation, cpu
        self.off_limits, self.gpu = tuple(off_limits), gpu
        self.process: subprocess.Popen | None = None
        self.control: socket.socket | None = None
        self.report: dict | None = None
        self.imported = set(preload)

    def start(self):
        """Start it and wait until its imports are done; raise InfraError with its last words if it fails."""
        return self.launch().ready()

    def launch(self):
        """Start it without waiting, so that it imports while the grader does other things."""
        ours, theirs = socket.socketpair()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        try:
            self.process = subprocess.Popen(
                self._command(theirs.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self.errors,
                pass_fds=(theirs.fileno(),),
                close_fds=True,
                env={} if self.isolation == "namespaces" else {**ENVIRONMENT, "PATH": os.environ.get("PATH", "")},
                cwd="/",
            )
        finally:
            theirs.close()
        self.control = ours
        program = seccomp.program() if self.isolation == "namespaces" else b""
        limits = {**LIMITS, "memory": self.memory_mb * 2**20, "gpu": self.gpu}
        configuration = {"frameworks": list(self.frameworks), "preload": list(self.preload),
                         "off_limits": list(self.off_limits), "limits": limits, "seccomp": program}  # fmt: skip
        ours.settimeout(START_SECONDS)
        with contextlib.suppress(OSError):  # it is dead already; `ready` says why
            wire.send(ours, configuration)
        return self

    def ready(self):
        """Wait until its imports are done; raise InfraError with its last words if it failed."""
        if self.report is not None:
            return self
        if self.control is None:
            raise InfraError("the warm process was not started")
        try:
            self.report = wire.receive(self.control.recv)
        except (OSError, EOFError, wire.WireError) as error:
            words = self._last_words()
            self.stop()
            remedy = "`gradus doctor` says which walls this machine has; `--isolation none` grades without them"
            raise InfraError(f"the student process could not be started ({error}): {words}", remedy=remedy) from None
        if self.report["missing"]:
            missing = self.report["missing"]
            self.stop()
            raise missing_packages(missing)
        return self

    def _command(self, control):
        if self.isolation == "none":
            boot = BOOT.format(path=[str(INSIDE.parent), *_import_path()], module="unwalled", control=control)
            return [sys.executable, "-I", "-B", "-c", boot]
        return command(self.frameworks, control, user_namespace=os.getuid() != 0, gpu=self.gpu)

    def fork(self):
        """Return a StudentProcess; raise InfraError if the zygote does not answer."""
        (ours, theirs), (status, their_status) = socket.socketpair(), socket.socketpair()
        self._tell(b"F", theirs, their_status)
        return StudentProcess(ours, status)

    def also(self, modules):
        """Have it import more modules, once for all students to come."""
        modules = sorted(set(modules) - self.imported)
        if modules:
            ours, theirs = socket.socketpair()
            self._tell(b"I", theirs)
            self.imported |= set(modules)
            ours.settimeout(START_SECONDS)
            with ours, contextlib.suppress(OSError, EOFError):  # if it dies of it, the next fork says so
                wire.send(ours, modules)
                wire.receive(ours.recv)

    def branch(self, cpu):
        """Return another Zygote object for the same process, for a grading process of its own."""
        ours, theirs = socket.socketpair()
        self._tell(b"C", theirs)
        other = copy.copy(self)
        other.control, other.process, other.cpu, other.imported = ours, None, cpu, set(self.imported)
        return other

    def _tell(self, what, *sockets):
        """Send a message with the other ends of sockets, which are closed here."""
        if self.control is None:
            raise InfraError("the warm process was not started")
        core = ANY_CORE if self.cpu is None else min(self.cpu, ANY_CORE)
        try:
            socket.send_fds(self.control, [what + bytes([core])], [s.fileno() for s in sockets])
        except OSError as error:
            raise InfraError(f"the warm process is gone ({error}): {self._last_words()}") from None
        finally:
            for theirs in sockets:
                theirs.close()

    def alive(self):
        """Return whether it can fork: its end of the control socket is open."""
        if self.control is None:
            return False
        poll = select.poll()
        poll.register(self.control, 0)
        return not poll.poll(0)

    def stop(self):
        """Let go of it; it ends, with everything behind its wall, when the object that launched it does this."""
        if self.control is not None:
            self.control.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.errors.close()
        self.process = self.control = None

    def _last_words(self):
        self.errors.seek(0)
        text = self.errors.read(4000).decode("utf-8", "replace").strip()
        return text.splitlines()[-1] if text else "it said nothing"


def missing_packages(missing):
    """Return the error for what the assignment lists and the student process has not, {name: why}."""
    words = "; ".join(f"{name}: {why}" for name, why in missing.items())
    return InputError(f"the student process cannot import what the assignment lists ({words})",
                      where="assignment.toml", remedy="install it, or correct frameworks and off_limits")  # fmt: skip


def _import_path():
    return [p for p in sys.path if p]


class StudentProcess:
    """One student's process: a wire to it, and the means to end it and all it started."""

    def __init__(self, line, status):
        self.line, self.status, self.pidfd = line, status, None
        status.settimeout(FORK_SECONDS)
        try:
            kind, descriptors, _, _ = socket.recv_fds(status, 200, 1)
            if kind[:1] != b"P" or len(descriptors) != 1:
                words = kind[1:].decode("utf-8", "replace") or "the zygote did not answer"
                raise InfraError(f"a student process could not be walled in: {words}")
            self.pidfd = descriptors[0]
            line.settimeout(FORK_SECONDS)
            greeting = wire.receive(line.recv)  # no student code has run yet
            if "failed" in greeting:
                raise InfraError(f"a student process could not be walled in: {greeting['failed']}")
            self.walls = greeting["walls"]
        except (OSError, EOFError, wire.WireError) as error:
            self.kill()
            raise InfraError(f"a student process did not start ({error})") from None
        except InfraError:
            self.kill()
            raise

    def exchange(self, number, request, seconds):
        """Send one request, return its reply; raise TimeoutError, EOFError or WireError."""
        deadline = time.monotonic() + seconds
        frame = wire.encode((number, request))
        self.line.settimeout(seconds)
        self.line.sendall(struct.pack("<I", len(frame)) + frame)

        def recv(count):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.line.settimeout(left)
            return self.line.recv(count)

        return wire.receive(recv, REPLY_BYTES)

    def died(self):
        """Return how the process ended if it is dead already (a moment is allowed for that), else None."""
        if self.pidfd is None:
            return "unknown"
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return self.kill() if poll.poll(DYING_SECONDS * 1000) else None

    def kill(self):
        """End the process and, with its pid namespace, all it started; return how it ended ("signal 11", …)."""
        if self.pidfd is not None:
            try:
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
            except ProcessLookupError:
                pass
            poll = select.poll()
            poll.register(self.pidfd, select.POLLIN)
            if not poll.poll(FORK_SECONDS * 1000):
                raise InfraError("a student process did not die")
            os.close(self.pidfd)
            self.pidfd = None
        self.line.close()
        ended = self._ended()
        self.status.close()
        return ended

    def _ended(self):
        try:
            self.status.settimeout(FORK_SECONDS)
            data = self.status.recv(5)
        except OSError:
            return "unknown"
        if len(data) != 5 or data[:1] != b"S":
            return "unknown"
        code = struct.unpack("<i", data[1:])[0]
        if os.WIFSIGNALED(code):
            return f"signal {os.WTERMSIG(code)}"
        return f"exit code {os.WEXITSTATUS(code)}"
