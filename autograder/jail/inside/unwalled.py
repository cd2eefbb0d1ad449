"""The zygote without walls, for machines that have none and a teacher who asked for it (--isolation none)."""

import os
import signal
import socket
import struct

from . import wire
from .zygote import answer_requests, preload


def main(descriptor):
    """Serve like the walled zygote; each student's code runs in a plain child process."""
    control = socket.socket(fileno=descriptor)
    configuration = wire.receive(control)
    report = preload(configuration)
    wire.send(control, {**report, "threads": 1, "uid": os.getuid()})
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, 1, 2)
        if not data:
            return
        if os.fork() == 0:
            control.close()
            _guardian(*descriptors, configuration["limits"])
            os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)


def _guardian(wire_descriptor, status_descriptor, limits):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = socket.socket(fileno=status_descriptor)
    pid = os.fork()
    if pid == 0:
        status.close()
        line = socket.socket(fileno=wire_descriptor)
        wire.send(line, {"walls": []})
        answer_requests(line, limits["reply_bytes"])
        os._exit(0)
    os.close(wire_descriptor)
    socket.send_fds(status, [b"P"], [os.pidfd_open(pid)])
    _, code = os.waitpid(pid, 0)
    status.sendall(b"S" + struct.pack("<i", code))
