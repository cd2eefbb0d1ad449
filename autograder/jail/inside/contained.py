"""A student's process in a container: it talks over the standard streams that the engine carries.

It is started by `autograder.jail.container`. The engine has made the namespaces and the view of the disk;
the limits of this process, Landlock and seccomp are put up here, before any student code.
"""

import os
import sys

from . import walls, wire
from .zygote import answer_requests, data_bytes, preload


class Streams:
    """Two descriptors with the methods of a socket that the wire uses."""

    def __init__(self, reading, writing):
        self.reading, self.writing = reading, writing

    def recv(self, count):
        return os.read(self.reading, count)

    def sendall(self, data):
        view = memoryview(data)
        while view:
            view = view[os.write(self.writing, view) :]


def main():
    line = Streams(os.dup(0), os.dup(1))
    configuration = wire.receive(line.recv)
    report = preload(configuration)
    limits = dict(configuration["limits"])
    limits["data"] = data_bytes() + limits.pop("memory")
    for folder in (walls.HOME, walls.WORK):
        os.mkdir(folder, 0o700)
    try:
        held = walls.confine(limits, configuration["seccomp"], keep=(line.reading, line.writing))
    except OSError as error:
        sys.exit(f"walls: {error}")
    wire.send(line, {**report, "walls": held})
    answer_requests(line, limits["reply_bytes"])
