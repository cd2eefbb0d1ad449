"""The process inside the outer wall that imports the frameworks once and forks a child per student.

It is started by `autograder.jail.sandbox` with one socket. It first reads its configuration, imports what
the assignment needs, and answers with a report. From then on each message is two bytes with descriptors:

    F core, the student's wire, a status socket    fork a child for a student
    I -,    a socket                               import what is asked for there, for all children to come
    C -,    a socket                               listen there too: for another grading process

A child puts up the inner walls and answers requests until its wire closes. Its status socket carries its
pidfd to the grader, and at the end how it ended; a child whose grader is gone is killed.

One fork makes a child the first process of a pid namespace of its own: the zygote is itself the first of
one, and asks for another, below it, before each fork. (A process of a few hundred megabytes is not forked
for nothing: its page tables alone take the kernel 5 to 10 ms to copy.)

It holds nothing secret: public libraries, no submission, no key. It must stay single-threaded, since
a child of a process with threads may hang and ``unshare`` refuses a user namespace to one.
"""

import contextlib
import gc
import importlib
import importlib.util
import itertools
import os
import select
import signal
import socket
import struct
import sys

from . import pages, walls, wire
from .executor import Executor
from .off_limits import take_away

ANY_CORE = 255
FEW = 8  # forks before those that larger pages are made for
EVERY_CORE = os.sched_getaffinity(0)


def main(descriptor):
    control = socket.socket(fileno=descriptor)
    walls.drop_root()
    own_namespace = walls.found_namespaces(control)
    configuration = wire.receive(control.recv)
    report = preload(configuration)
    wire.send(control, report)
    _stay_single()
    limits = dict(configuration["limits"])
    limits["data"] = data_bytes() + limits.pop("memory")

    def learn(names):
        before = data_bytes()
        import_all(names)
        limits["data"] += data_bytes() - before
        _stay_single()

    serve(
        control,
        lambda: walls.fork_into_namespace(own_namespace),
        lambda line: _student(line, limits, configuration["seccomp"]),
        learn,
    )


def serve(control, fork, student, learn):
    """Do what the messages ask for; return when the last grading process goes away.

    Args:
        control: the socket from the first grading process.
        fork: what forks; it returns 0 in the child.
        student: what the child does with the socket that is its wire.
        learn: called with names of modules to import.
    """
    poll = select.poll()
    controls, children, statuses = {}, {}, {}  # by descriptor: sockets; (pid, status socket) by pidfd; pids

    def listen(socket_):
        controls[socket_.fileno()] = socket_
        poll.register(socket_, select.POLLIN)

    def start(core, line, status):
        os.sched_setaffinity(0, EVERY_CORE if core == ANY_CORE else {core})  # a student's threads share one core
        try:
            pid = fork()
        except OSError as error:
            _say(status, b"E" + str(error).encode()[:200])
            return
        if pid == 0:
            try:
                for held in (status, *controls.values(), *(other for _, other in children.values())):
                    held.close()
                student(line)
            finally:
                os._exit(0)
        line.close()
        pidfd = os.pidfd_open(pid)
        children[pidfd], statuses[status.fileno()] = (pid, status), pid
        poll.register(pidfd, select.POLLIN)
        poll.register(status, 0)  # so that its other end is seen to close
        _say(status, b"P", pidfd)

    def finish(pidfd):
        pid, status = children.pop(pidfd)
        if statuses.pop(status.fileno(), None):
            poll.unregister(status)
        poll.unregister(pidfd)
        os.close(pidfd)
        _, code = os.waitpid(pid, 0)
        with status:
            _say(status, b"S" + struct.pack("<i", code))

    listen(control)
    forks, larger_pages = itertools.count(), pages.join()
    gc.freeze()  # the children share these pages; do not let their collector touch them
    while controls:
        ready, _ = poll.poll()[-1]  # one at a time: what it does may close and reuse the descriptors of the others
        if ready in children:
            finish(ready)
        elif ready in statuses:
            os.kill(statuses.pop(ready), signal.SIGKILL)
            poll.unregister(ready)
        else:
            message, sockets = _message(controls[ready])
            if not message:
                poll.unregister(ready)
                controls.pop(ready).close()
            elif message[:1] == b"C":
                listen(*sockets)
            elif message[:1] == b"I":
                with sockets[0] as asking, contextlib.suppress(OSError, EOFError):  # who asks may go
                    learn(wire.receive(asking.recv))
                    gc.freeze()
                    wire.send(asking, True)
            else:
                start(message[1], *sockets)
                if next(forks) >= FEW:
                    next(larger_pages, None)


def _message(control):
    """Return the next message and the sockets that came with it; nothing if the other end has closed."""
    try:
        message, descriptors, _, _ = socket.recv_fds(control, 2, 2)
    except ConnectionError:
        return b"", []
    return message, [socket.socket(fileno=descriptor) for descriptor in descriptors]


def _say(status, data, *descriptors):
    """Send something to a grader that may be gone."""
    with contextlib.suppress(OSError):
        socket.send_fds(status, [data], descriptors)


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
    missing = {name: "it is not installed" for name in configuration["frameworks"] if _not_there(name)}
    missing |= import_all(configuration["preload"])
    for name in take_away(configuration["off_limits"]):
        missing[name] = "off_limits names it, but it does not exist"
    versions = {
        name: str(getattr(sys.modules[name], "__version__", ""))
        for name in ("numpy", "scipy", "sklearn", "torch", "tensorflow", "keras", "matplotlib")
        if name in sys.modules
    }
    return {"missing": missing, "versions": versions, "python": sys.version.split()[0]}


def import_all(names):
    """Import the modules of these names; return why, for those that cannot be."""
    missing = {}
    gc.disable()  # it would take a third of the time
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            missing[name] = f"{type(error).__name__}: {error}"[:300]
    gc.enable()
    return missing


def _not_there(name):
    try:
        return importlib.util.find_spec(name) is None
    except (ImportError, ValueError):
        return name not in sys.modules


def _stay_single():
    if len(os.listdir("/proc/self/task")) != 1:
        sys.exit("the zygote has more than one thread")


def data_bytes():
    """Return the size of this process's own data, to which its memory limit is added."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[5]) * os.sysconf("SC_PAGESIZE")
