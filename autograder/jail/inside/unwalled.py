"""The zygote without walls, for machines that have none and a teacher who asked for it (--isolation none)."""

import os
import socket

from . import wire
from .zygote import answer_requests, import_all, preload, serve


def main(descriptor):
    """Serve like the walled zygote; each student's code runs in a plain child process."""
    control = socket.socket(fileno=descriptor)
    configuration = wire.receive(control.recv)
    wire.send(control, preload(configuration))

    def student(line):
        wire.send(line, {"walls": []})
        answer_requests(line, configuration["limits"]["reply_bytes"])

    serve(control, os.fork, student, import_all)
