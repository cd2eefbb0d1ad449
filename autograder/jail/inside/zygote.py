"""The process inside the outer wall that imports the frameworks once and forks a child per student.

It is started by `autograder.jail.sandbox` with one socket. It first reads its
configuration, imports what the assignment needs, and answers with a report. From then on each
message is one byte with two descriptors: the student's wire and a status socket. For each, it forks
a child that puts up the inner walls and answers requests until its wire closes.

It holds nothing secret: public libraries, no submission, no key. It must stay single-threaded, since
a child of a process with threads may hang and ``unshare`` refuses a user namespace to one.
"""

import gc
import importlib
import os
import signal
import socket
import struct
import sys

from . import walls, wire
from .executor import Executor
from .off_limits import take_away


def main(descriptor):
    control = socket.socket(fileno=descriptor)
    walls.drop_root()
    configuration = wire.receive(control)
    report = preload(configuration)
    if configuration["cpu"] is not None:
        os.sched_setaffinity(0, {configuration["cpu"]})  # a student's threads share one core, not the machine
    report["threads"] = _thread_count()
    report["uid"] = os.getuid()
    wire.send(control, report)
    if report["threads"] != 1:
        sys.exit("the zygote has more than one thread")
    gc.freeze()  # the children share these pages; do not let their collector touch them
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    limits = dict(configuration["limits"])
    limits["data"] = data_bytes() + limits.pop("memory")
    serve(control, limits, configuration["seccomp"])


def serve(control, limits, seccomp):
    """Fork a child for every pair of descriptors that arrives; return when the grader goes away."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, 1, 2)
        if not data:
            return
        if len(descriptors) != 2:
            continue
        if os.fork() == 0:
            try:
                control.close()
                _guardian(*descriptors, limits, seccomp)
            finally:
                os._exit(70)
        for descriptor in descriptors:
            os.close(descriptor)


def _guardian(wire_descriptor, status_descriptor, limits, seccomp):
    """Make the namespaces, start the student's process as their first, and report how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = socket.socket(fileno=status_descriptor)
    try:
        walls.enter_namespaces(limits)
    except OSError as error:
        status.sendall(b"E" + str(error).encode()[:200])
        return
    ready, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        status.close()
        os.close(go)
        os.read(ready, 1)
        os.close(ready)
        _student(wire_descriptor, limits, seccomp)
        os._exit(0)
    os.close(wire_descriptor)
    os.close(ready)
    socket.send_fds(status, [b"P"], [os.pidfd_open(pid)])
    os.write(go, b"g")
    os.close(go)
    _, code = os.waitpid(pid, 0)
    status.sendall(b"S" + struct.pack("<i", code))
    status.close()
    os._exit(0)


def _student(descriptor, limits, seccomp):
    """The student's process: inner walls, then requests until the wire closes."""
    try:
        line = socket.socket(fileno=descriptor)
        held = walls.confine(limits, seccomp, keep=(descriptor,))
        wire.send(line, {"walls": ["namespaces", *held]})
    except BaseException as error:
        sys.stderr.write(f"walls: {error!r}\n")
        os._exit(71)
    answer_requests(line, limits["reply_bytes"])


def answer_requests(line, reply_bytes):
    """Answer (number, request) frames with (number, reply) until the other end closes."""
    executor = Executor()
    while True:
        try:
            number, request = wire.receive(line)
        except (EOFError, OSError):
            return
        reply = executor.answer(request)
        try:
            frame = wire.encode((number, reply), reply_bytes)
        except BaseException as error:
            text = str(error) if isinstance(error, wire.WireError) else ""
            fault = {"type": "NotPlainData", "cell": None, "line": None, "message": text}
            frame = wire.encode((number, ("error", fault)))
        line.sendall(struct.pack("<I", len(frame)) + frame)


def preload(configuration):
    """Import what is listed, take away what is off limits, and report versions; what is missing is ours to mend."""
    missing = {}
    for name in configuration["preload"]:
        try:
            importlib.import_module(name)
        except Exception as error:
            missing[name] = f"{type(error).__name__}: {error}"[:300]
    for name in take_away(configuration["off_limits"]):
        missing[name] = "off_limits names it, but it does not exist"
    versions = {
        name: str(getattr(sys.modules[name], "__version__", ""))
        for name in ("numpy", "scipy", "sklearn", "torch", "tensorflow", "keras", "matplotlib")
        if name in sys.modules
    }
    return {"missing": missing, "versions": versions, "python": sys.version.split()[0]}


def _thread_count():
    return len(os.listdir("/proc/self/task"))


def data_bytes():
    """Return the size of this process's own data, to which its memory limit is added."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[5]) * os.sysconf("SC_PAGESIZE")
