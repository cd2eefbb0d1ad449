"""The system-call filter of student processes, compiled once by libseccomp.

It is a deny list: everything that ordinary numerical Python needs stays, and what could
reach out of the process, the kernel's corners or new namespaces answers EPERM.
"""

import errno
import functools
import io
import tempfile

DENIED = """
    mount umount2 pivot_root chroot unshare setns mount_setattr move_mount open_tree fsopen fsconfig fsmount fspick
    ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd process_madvise
    bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register
    add_key request_key keyctl name_to_handle_at open_by_handle_at fanotify_init fanotify_mark
    kexec_load kexec_file_load init_module finit_module delete_module reboot swapon swapoff
    acct quotactl nfsservctl sethostname setdomainname syslog lookup_dcookie vhangup
    iopl ioperm personality modify_ldt clock_settime clock_adjtime settimeofday adjtimex
    sched_setaffinity sched_setscheduler sched_setparam sched_setattr
    mbind migrate_pages move_pages set_mempolicy vmsplice uselib ustat sysfs _sysctl
    landlock_create_ruleset mq_open shmget semget msgget memfd_secret
""".split()
NAMESPACE_FLAGS = 0x7E020000 | 0x80  # every CLONE_NEW*
ALLOWED_SOCKETS = (1, 2, 10)  # unix, IPv4, IPv6: all of them in an empty network namespace
TIOCSTI = 0x5412


@functools.cache
def program():
    """Return the filter as the kernel's bytes; b"" where libseccomp is not installed."""
    try:
        import pyseccomp as seccomp
    except (ImportError, RuntimeError, OSError):
        return b""
    rules = seccomp.SyscallFilter(defaction=seccomp.ALLOW)
    denied = seccomp.ERRNO(errno.EPERM)
    for name in DENIED:
        _add(rules, denied, name)
    _add(rules, seccomp.ERRNO(errno.ENOSYS), "clone3")  # its flags are in memory; glibc falls back to clone
    for bit in range(32):
        if NAMESPACE_FLAGS >> bit & 1:
            _add(rules, denied, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, 1 << bit, 1 << bit))
    for family in range(46):
        if family not in ALLOWED_SOCKETS:
            _add(rules, denied, "socket", seccomp.Arg(0, seccomp.EQ, family))
    _add(rules, denied, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, 0xFFFFFFFF, TIOCSTI))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0, io.SEEK_SET)
        return file.read()


def _add(rules, action, name, *arguments):
    try:
        rules.add_rule(action, name, *arguments)
    except (RuntimeError, OSError, ValueError):
        return  # this kernel or architecture has no such call
