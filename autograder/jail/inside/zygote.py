"""The process inside the outer wall that imports the frameworks once and forks a child per student.

It is started by `autograder.jail.sandbox` with one socket. It first reads its
configuration, imports what the assignment needs, and answers with a report. From then on each
message is one byte with two descriptors: the student's wire and a status socket. For each, it forks
a child that puts up the inner walls and answers requests until its wire closes. The status socket
carries the child's pidfd to the grader, and at the end how the child ended.

One fork makes a child the first process of a pid namespace of its own: the zygote is itself the first of
one, and asks for another, below it, before each fork. (A process of a few hundred megabytes is not forked
for nothing: its page tables alone take the kernel 5 to 10 ms to copy.)

It holds nothing secret: public libraries, no submission, no key. It must stay single-threaded, since
a child of a process with threads may hang and ``unshare`` refuses a user namespace to one.
"""

import contextlib
import gc
import importlib
import os
import select
import socket
import struct
import sys

from . import walls, wire
from .executor import Executor
from .off_limits import take_away


def main(descriptor):
    control = socket.socket(fileno=descriptor)
    walls.drop_root()
    own_namespace = walls.found_namespaces(control)
    configuration = wire.receive(control.recv)
    report = preload(configuration)
    if configuration["cpu"] is not None:
        os.sched_setaffinity(0, {configuration["cpu"]})  # a student's threads share one core, not the machine
    report["threads"] = _thread_count()
    report["uid"] = os.getuid()
    wire.send(control, report)
    if report["threads"] != 1:
        sys.exit("the zygote has more than one thread")
    gc.freeze()  # the children share these pages; do not let their collector touch them
    limits = dict(configuration["limits"])
    limits["data"] = data_bytes() + limits.pop("memory")
    serve(
        control,
        lambda: walls.fork_into_namespace(own_namespace),
        lambda line: _student(line, limits, configuration["seccomp"]),
    )


def serve(control, fork, student):
    """Fork a child for every pair of descriptors that arrives; return when the grader goes away.

    Args:
        control: the socket from the grader.
        fork: what forks; it returns 0 in the child.
        student: what the child does with the socket that is its wire.
    """
    living = {}  # pidfd -> (pid, status socket)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    while True:
        for ready, _ in poll.poll():
            if ready != control.fileno():
                poll.unregister(ready)
                _report_end(ready, *living.pop(ready))
                continue
            data, descriptors, _, _ = socket.recv_fds(control, 1, 2)
            if not data:
                return
            line, status = (socket.socket(fileno=descriptor) for descriptor in descriptors)
            pid = fork()
            if pid == 0:
                try:
                    control.close()
                    status.close()
                    student(line)
                finally:
                    os._exit(0)
            line.close()
            pidfd = os.pidfd_open(pid)
            with contextlib.suppress(OSError):  # the grader has changed its mind
                socket.send_fds(status, [b"P"], [pidfd])
            living[pidfd] = pid, status
            poll.register(pidfd, select.POLLIN)


def _report_end(pidfd, pid, status):
    """Say on the status socket how a child ended."""
    _, code = os.waitpid(pid, 0)
    os.close(pidfd)
    with contextlib.suppress(OSError), status:
        status.sendall(b"S" + struct.pack("<i", code))


def _student(line, limits, seccomp):
    """The student's process: namespaces, inner walls, then requests until the wire closes."""
    try:
        walls.enter_namespaces(limits)
        held = walls.confine(limits, seccomp, keep=(line.fileno(),))
    except BaseException as error:
        wire.send(line, {"failed": f"{error}"[:200]})
        os._exit(71)
    wire.send(line, {"walls": ["namespaces", *held]})
    answer_requests(line, limits["reply_bytes"])


def answer_requests(line, reply_bytes):
    """Answer (number, request) frames with (number, reply) until the other end closes."""
    executor = Executor()
    while True:
        try:
            number, request = wire.receive(line.recv)
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
