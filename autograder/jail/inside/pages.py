"""Larger pages for what the zygote holds, so that forking it copies fewer entries of its page tables.

A framework's objects fill some hundred megabytes in pages of 4 KB. Linux (6.1 and newer) joins them into pages of
2 MB when asked to; a fork then copies one entry where it copied 512, and the child's end frees as many fewer. It costs
a copy of the memory, which a class of a few students would not gain back, so it is done piece by piece between the
forks of a larger one. Where the kernel cannot do it, nothing changes.
"""

import ctypes

MADV_COLLAPSE = 25
HUGE = 2 * 2**20
PIECE = 8 * HUGE

libc = ctypes.CDLL(None)


def join():
    """Join the pages of this process's own memory; yield after each piece of it."""
    with open("/proc/self/maps") as file:
        ranges = [_own_memory(line) for line in file]
    for low, high in ranges:
        for start in range(low, high, PIECE):
            length = min(PIECE, high - start)
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), MADV_COLLAPSE)
            yield


def _own_memory(line):
    """Return the whole huge pages (first, end) within one line of /proc/self/maps that is private and no file's."""
    place, rights, _, _, _, *name = line.split()
    low, high = (int(number, 16) for number in place.split("-"))
    if rights != "rw-p" or name not in ([], ["[heap]"]):
        return 0, 0
    return -(-low // HUGE) * HUGE, high // HUGE * HUGE
