"""The inner walls: what each student's process puts up around itself before it runs any student code.

The outer wall (bubblewrap) has already taken away the network, the disk and the sight of other
processes. Here each child gets namespaces of its own, so that it cannot reach the zygote or another
student's child, then private folders, limits, no capabilities, Landlock and seccomp.
"""

import ctypes
import os
import resource
import struct

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 32, 0x4000, 1 << 18
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 24, 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
SECCOMP_MODE_FILTER = 2
STUDENT_ID = 61_987  # an id that no account has; used only where the grader runs as root
HOME = "/tmp/home"
WORK = "/tmp/work"

libc = ctypes.CDLL(None, use_errno=True)


def _call(name, *args):
    result = getattr(libc, name)(*args)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def drop_root():
    """Where the grader runs as root, become an ordinary user for good."""
    if os.getuid() == 0 and _has_real_root():
        os.setgroups([])
        os.setresgid(STUDENT_ID, STUDENT_ID, STUDENT_ID)
        os.setresuid(STUDENT_ID, STUDENT_ID, STUDENT_ID)
        _call("prctl", PR_SET_DUMPABLE, 1, 0, 0, 0)  # so that /proc/self/uid_map can be written


def _has_real_root():
    with open("/proc/self/uid_map") as file:
        inside, outside, count = (int(part) for part in file.readline().split())
    return inside == 0 and outside == 0 and count > STUDENT_ID


def found_namespaces(control):
    """Become the first process of a user and a pid namespace, in which a child can get namespaces of its own.

    It goes on in a child; what is left behind waits for its end. Returns a descriptor of the pid namespace.
    """
    _own_user_namespace(CLONE_NEWPID)
    pid = os.fork()
    if pid:
        control.close()
        _, code = os.waitpid(pid, 0)
        os._exit(os.waitstatus_to_exitcode(code) & 0xFF)
    return os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)


def fork_into_namespace(own):
    """Fork; the child is the first process of a new pid namespace, below the one of descriptor ``own``."""
    _call("unshare", CLONE_NEWPID)
    pid = None
    try:
        pid = os.fork()
    finally:
        if pid != 0:
            _call("setns", own, CLONE_NEWPID)
    return pid


def enter_namespaces(limits):
    """Take user, mount, network, ipc and uts namespaces; the pid namespace is there already."""
    _write("/proc/self/oom_score_adj", "1000")  # where memory runs out, the kernel takes these first
    _own_user_namespace(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)
    flags = MS_NOSUID | MS_NODEV
    _mount(None, "/", None, MS_REC | MS_PRIVATE, None)
    disk = f"size={limits['disk']},nr_inodes={limits['files']},mode=700"
    _mount("tmpfs", "/tmp", "tmpfs", flags, disk)
    _mount("tmpfs", "/dev/shm", "tmpfs", flags, disk)
    _nearly_empty_proc(flags | MS_NOEXEC)
    os.mkdir(HOME, 0o700)
    os.mkdir(WORK, 0o700)


def _own_user_namespace(others):
    """Take a user namespace that holds this user alone, and with its rights the ``others``."""
    uid, gid = os.getuid(), os.getgid()
    _call("unshare", CLONE_NEWUSER | others)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{uid} {uid} 1")
    _write("/proc/self/gid_map", f"{gid} {gid} 1")


def _nearly_empty_proc(flags):
    """Hide /proc behind a folder that only says which program runs: TensorFlow ends a process that cannot read it."""
    program = os.readlink("/proc/self/exe")
    _mount("tmpfs", "/proc", "tmpfs", flags, "size=8k,nr_inodes=5,mode=755")
    os.mkdir("/proc/self", 0o755)
    os.symlink(program, "/proc/self/exe")
    with open("/proc/self/cmdline", "wb") as file:
        file.write(b"python3\0")
    _mount(None, "/proc", None, flags | MS_REMOUNT | MS_RDONLY, None)


def confine(limits, seccomp, keep):
    """Put up the walls of this process; return the names of those that stand.

    Args:
        limits: bytes, counts and seconds; see `autograder.jail.sandbox.LIMITS`.
        seccomp: a compiled filter, or b"" where libseccomp is missing.
        keep: the file descriptors that stay open.
    """
    _call("prctl", PR_SET_PDEATHSIG, 9, 0, 0, 0)
    _call("prctl", PR_SET_DUMPABLE, 0, 0, 0, 0)
    os.chdir(WORK)
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    _only_descriptors(keep)
    _set_limits(limits)
    _drop_capabilities()
    _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    held = ["rlimits", "no_new_privs"]
    if _landlock(limits["gpu"]):
        held.append("landlock")
    if seccomp:
        _load_seccomp(seccomp)
        held.append("seccomp")
    return held


ENVIRONMENT = {
    "HOME": HOME,
    "PATH": "/usr/bin",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TMPDIR": WORK,
    "MPLBACKEND": "Agg",
    "MPLCONFIGDIR": HOME,
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "GRADUS_OFFLINE": "1",
}


def _only_descriptors(keep):
    null = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    first = 3
    for descriptor in (*sorted(keep), resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        os.closerange(first, descriptor)
        first = descriptor + 1


def _set_limits(limits):
    for name, value in (
        ("DATA", limits["data"]),
        ("FSIZE", limits["disk"]),
        ("NOFILE", limits["descriptors"]),
        ("NPROC", limits["processes"]),
        ("CPU", limits["cpu_seconds"]),
        ("CORE", 0),
        ("MEMLOCK", 2**16),
        ("MSGQUEUE", 0),
    ):
        kind = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def _drop_capabilities():
    _call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break
    header = ctypes.create_string_buffer(struct.pack("<Ii", 0x20080522, 0))
    _call("capset", header, ctypes.create_string_buffer(24))


def _load_seccomp(program):
    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    buffer = ctypes.create_string_buffer(program, len(program))
    value = Program(len(program) // 8, ctypes.addressof(buffer))
    _call("prctl", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(value), 0, 0)


# Landlock (linux/landlock.h) ------------------------------------------------------------------------

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
FS_READ = 0b1101  # execute, read file, read directory
FS_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # number of file-system rights known to each version
FS_WRITE_FILE = 0b10
FS_IOCTL = 1 << 15
NET_TCP = 0b11
SCOPE_ALL = 0b11  # abstract unix sockets, signals


def _landlock(gpu):
    """Allow reading what is mounted and writing below the private folders; return False if not supported.

    A ``gpu`` is spoken to by ioctl on its device file, which needs a right of its own.
    """
    abi = libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if abi < 1:
        return False
    every = (1 << FS_RIGHTS_BY_ABI.get(abi, 16)) - 1
    attributes = struct.pack("<QQQ", every, NET_TCP if abi >= 4 else 0, SCOPE_ALL if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = _call("syscall", CREATE_RULESET, ctypes.create_string_buffer(attributes), ctypes.c_size_t(size), 0)
    devices = FS_READ | FS_WRITE_FILE | (FS_IOCTL if gpu else 0) & every
    for path, rights in (("/", FS_READ), ("/tmp", every), ("/dev/shm", every), ("/dev", devices)):
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = ctypes.create_string_buffer(struct.pack("<Qi", rights, parent))
        _call("syscall", ADD_RULE, ruleset, 1, rule, 0)
        os.close(parent)
    _call("syscall", RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return True


def _mount(source, target, kind, flags, data):
    arguments = [None if a is None else a.encode() for a in (source, target, kind, data)]
    _call("mount", arguments[0], arguments[1], arguments[2], ctypes.c_ulong(flags), arguments[3])


def _write(path, text):
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
