"""Which core a grading process and its students share, agreed among all grading processes of a machine.

Several commands, or several workers of a cluster, may grade on one machine and know nothing of each other. A claim is a
name in the kernel's abstract namespace of sockets: it goes with the process that holds it, however that ends.
"""

import os
import socket


class Core:
    """A core that is held until it is released or the process ends.

    Attributes:
        number: the core's number.
    """

    def __init__(self, wanted, name="gradus-core"):
        """Claim the ``wanted``-th core that this process may use, or the next free one; share it if none is free."""
        cores = sorted(os.sched_getaffinity(0))
        start = wanted % len(cores)
        self.number = cores[start]
        for core in cores[start:] + cores[:start]:
            self._claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                self._claim.bind(f"\0{name}-{core}")
            except OSError:
                self._claim.close()
            else:
                self.number = core
                return

    def release(self):
        """Let another process have it; also to be called in a fork, which would hold it, too."""
        self._claim.close()
