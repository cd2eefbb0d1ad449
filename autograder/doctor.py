"""Tries, in a real student process, everything that the walls should deny, and says what held.

Each probe is a small hostile program. It runs exactly where a submission would run; the verdict is
made here, from what it reports and from what can be seen on this side.
"""

import importlib.metadata
import os
import platform
import secrets
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from course_lib.data import Store

from . import __version__
from .errors import GradusError
from .jail import choice, sandbox

FRAMEWORKS = ("numpy", "torch", "tensorflow", "scikit-learn", "nbgrader", "jupyterlab", "nbval")
SECONDS = 20
CONTAINERS_HAVE = ("/proc/1", "/proc/self/maps", "/proc/self/task", "/etc/passwd")  # of their own; namespaces show none


@dataclass(frozen=True)
class Probe:
    """One denied action. ``code`` defines ``probe()``; it returns None if denied, else what it reached."""

    name: str
    denies: str
    code: str


ATTEMPT = """
def attempt(action, *args):
    try:
        return action(*args)
    except (OSError, MemoryError, ImportError, ValueError) as error:
        return None
"""

PROBES = (
    Probe(
        "secret file",
        "reading a file of the grader's",
        """
def probe():
    return attempt(lambda: open({secret!r}).read() and "the planted file was read")
""",
    ),
    Probe(
        "environment",
        "reading the grader's environment",
        """
def probe():
    import os
    return "the planted variable was read" if {token!r} in " ".join(os.environ.values()) else None
""",
    ),
    Probe(
        "other submissions",
        "listing the course, home folders and processes",
        """
def probe():
    import os
    for path in (*{hidden!r}, {course!r}, "/home", "/root", "/var", "/etc/shadow"):
        if os.path.exists(path) and (not os.path.isdir(path) or os.listdir(path)):
            if path != "/root" or "gradus" in str(os.listdir(path)):
                return "it sees " + path
    others = [name for name in os.listdir("/proc") if name.isdigit() and name != str(os.getpid())]
    return "it sees processes " + " ".join(others) if others else None
""",
    ),
    Probe(
        "tcp",
        "connecting to a server by TCP",
        """
def probe():
    import socket
    s = socket.socket()
    s.settimeout(1)
    return attempt(lambda: s.connect(("127.0.0.1", {port})) or "it connected")
""",
    ),
    Probe(
        "udp",
        "sending by UDP",
        """
def probe():
    import socket
    attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", {udp})))
""",
    ),
    Probe(
        "abstract socket",
        "connecting to an abstract unix socket",
        """
def probe():
    import socket
    return attempt(lambda: socket.socket(socket.AF_UNIX).connect(b"\\0" + {abstract!r}) or "it connected")
""",
    ),
    Probe(
        "signal",
        "signalling the grader",
        """
def probe():
    import os
    return attempt(lambda: os.kill({pid}, 0) or "the grader can be signalled")
""",
    ),
    Probe(
        "ptrace",
        "tracing another process",
        """
def probe():
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    return "ptrace works" if libc.ptrace(0, 0, 0, 0) == 0 else None
""",
    ),
    Probe(
        "namespaces",
        "making new namespaces or mounts",
        """
def probe():
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    for flag in (0x10000000, 0x20000, 0x40000000):
        if libc.unshare(flag) == 0:
            return "unshare works"
    if libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None) == 0:
        return "mount works"
""",
    ),
    Probe(
        "forks",
        "starting more processes than allowed",
        """
def probe():
    import os, time
    for count in range(2 * {processes}):
        try:
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
        except OSError:
            return None
    return "it forked %d times" % (2 * {processes})
""",
    ),
    Probe(
        "memory",
        "taking more memory than allowed",
        """
def probe():
    blocks = []
    for count in range({memory_mb} // 64 + 8):
        if attempt(lambda: blocks.append(bytearray(64 * 2**20)) or True) is None:
            return None
    return "it took %d MB" % (64 * len(blocks))
""",
    ),
    Probe(
        "disk",
        "filling the disk or writing outside its folder",
        FILL := """
def fill(folder):
    block, written = bytes(2**20), 0
    try:
        for number in range(64):
            with open(folder + "/fill%d" % number, "wb") as file:
                for _ in range(64):
                    file.write(block)
                    written += 1
    except OSError:
        return None
    return "it wrote %d MB" % written

def probe():
    for path in ("/", "/usr", "/gradus", "/dev"):
        if attempt(lambda: open(path + "/planted", "w") and True):
            return "it wrote to " + path
    return fill("/tmp/work")
""",
    ),
    Probe(
        "/dev/shm",
        "filling shared memory",
        FILL.split("def probe")[0]
        + """
def probe():
    return fill("/dev/shm")
""",
    ),
    Probe(
        "descriptors",
        "filling the descriptor table",
        """
def probe():
    import os
    opened = []
    for count in range({descriptors} + 8):
        if attempt(lambda: opened.append(os.open("/dev/null", 0)) or True) is None:
            return None
    return "it opened %d files" % len(opened)
""",
    ),
    Probe(
        "daemon",
        "leaving a process behind",
        """
def probe():
    import os, time
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(60)
        os._exit(0)
""",
    ),
    Probe(
        "imports",
        "importing the grader or a framework that is not listed",
        """
def probe():
    for name in ("autograder", "nbgrader", "pytest", "torch", "tensorflow"):
        try:
            __import__(name)
        except ImportError:
            continue
        return name + " can be imported"
""",
    ),
)


@dataclass(frozen=True)
class Finding:
    """What one probe found: ``held`` is whether the wall stood."""

    name: str
    denies: str
    held: bool
    detail: str


class _World:
    """The planted secret, the listening sockets: what the probes try to reach behind walls of this kind."""

    def __init__(self, isolation):
        self.isolation = isolation

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="gradus-doctor-")
        self.token = secrets.token_hex(16)
        self.secret = Path(self.folder.name, "secret.txt")
        self.secret.write_text(self.token)
        os.environ["GRADUS_DOCTOR_TOKEN"] = self.token
        self.tcp, self.udp, self.unix = socket.socket(), socket.socket(type=socket.SOCK_DGRAM), socket.socket(1)
        self.tcp.bind(("127.0.0.1", 0))
        self.tcp.listen()
        self.udp.bind(("127.0.0.1", 0))
        self.udp.settimeout(0.2)
        self.abstract = f"gradus-doctor-{self.token}".encode()
        self.unix.bind(b"\0" + self.abstract)
        self.unix.listen()
        return self

    def __exit__(self, *_):
        for one in (self.tcp, self.udp, self.unix):
            one.close()
        os.environ.pop("GRADUS_DOCTOR_TOKEN", None)
        self.folder.cleanup()

    def fill_in(self, code, memory_mb):
        values = {
            "secret": str(self.secret), "token": self.token, "course": os.getcwd(), "pid": os.getpid(),
            "port": self.tcp.getsockname()[1], "udp": self.udp.getsockname()[1], "abstract": self.abstract,
            "hidden": () if self.isolation == "container" else CONTAINERS_HAVE, "memory_mb": memory_mb,
            **sandbox.LIMITS,
        }  # fmt: skip
        for name, value in values.items():
            code = code.replace("{" + name + "}", str(value)).replace("{" + name + "!r}", repr(value))
        return ATTEMPT + code

    def heard(self):
        """Whether anything arrived by UDP."""
        try:
            return bool(self.udp.recv(10))
        except OSError:
            return False


def examine(isolation="namespaces", memory_mb=512):
    """Run every probe in a student process of its own; return a list of Finding."""
    with _World(isolation) as world:
        zygote = choice.launch(isolation, ("numpy",), ("numpy",), memory_mb).ready()
        try:
            return [_try(probe, zygote, world, memory_mb) for probe in PROBES]
        finally:
            zygote.stop()


CALL = {"op": "call", "target": "probe", "args": ()}


def _try(probe, zygote, world, memory_mb):
    process = zygote.fork()
    try:
        code = world.fill_in(probe.code, memory_mb)
        process.exchange(1, {"op": "exec", "cell": "probe", "source": code}, SECONDS)
        _, reply = process.exchange(2, CALL, SECONDS)
        reached = reply[1] if reply[0] == "ok" else f"the probe failed: {reply[1].get('type')}"
    except (TimeoutError, EOFError, OSError) as error:
        reached = None if isinstance(error, EOFError) else "it did not come back"
    if probe.name == "udp" and world.heard():
        reached = "a packet arrived"
    survivors = _ends_with_everything(process)
    if survivors:
        reached = survivors
    return Finding(probe.name, probe.denies, reached is None, reached or "")


def _ends_with_everything(process):
    """Kill the process; return what is wrong if something it started still holds the wire."""
    line = process.line.dup()
    process.kill()
    line.settimeout(2)
    try:
        return None if line.recv(1) == b"" else "the wire still speaks"
    except ConnectionError:
        return None
    except OSError:
        return "a process it started is still alive"
    finally:
        line.close()


def report(isolation="namespaces"):
    """Return what works on this machine, as plain data for ``doctor --json``."""
    try:
        findings, problem = examine(isolation), ""
    except GradusError as error:
        findings, problem = [], str(error)
    return {
        "version": __version__,
        "platform": platform.platform(),
        "user": "root" if os.getuid() == 0 else "ordinary user",
        "isolation": isolation,
        "problem": problem,
        "walls": [{"name": f.name, "denies": f.denies, "held": f.held, "detail": f.detail} for f in findings],
        "certified": bool(findings) and isolation != "none" and all(f.held for f in findings),
        "frameworks": {name: _version(name) for name in FRAMEWORKS},
        "gpu": Path("/dev/nvidiactl").exists(),
        "data": {name: state for name, state, _ in Store().status()},
    }


def _version(name):
    for candidate in (name, f"{name}-cpu"):
        try:
            return importlib.metadata.version(candidate)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None
