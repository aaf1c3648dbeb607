"""Filters of system calls, as programs for the kernel's packet filter (seccomp(2), linux/filter.h).

What a confined program may call is listed; all else does not exist for it (ENOSYS), so that a library that
tries a newer call falls back. What is known and refused is an EPERM. A call of another architecture kills.
"""

import errno
import struct
from collections.abc import Sequence

from hub_local.syscalls import AUDIT_ARCH, MACHINE, NUMBERS

_INSTRUCTION = struct.Struct("HBBI")
_LOAD, _JUMP, _JUMP_EQUAL, _JUMP_SET, _JUMP_GREATER, _RETURN = 0x20, 0x05, 0x15, 0x45, 0x35, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16
CLONE_THREAD = 0x10000
_NEW_NAMESPACES = 0x7E020000
"""Every CLONE_NEW... of clone(2)."""
_O_TRUNC, _O_WRITES = 0x200, 0x3
_MAP_SHARED, _MAP_ANONYMOUS = 0x01, 0x20
"""Together they are memory that no limit of a process counts."""
WORK = 200
"""The descriptor that a program's process gets its program from; a program can have none of this number."""

_FILES = (
    "read write close fstat stat lstat newfstatat statx lseek pread64 pwrite64 readv writev preadv "
    "pwritev preadv2 pwritev2 access faccessat faccessat2 open openat creat pipe pipe2 dup dup2 dup3 "
    "fsync fdatasync truncate ftruncate fallocate getdents getdents64 getcwd chdir fchdir rename "
    "renameat mkdir mkdirat rmdir unlink unlinkat readlink readlinkat umask statfs fstatfs"
)
_OWNED = (
    "link linkat symlink symlinkat chmod fchmod fchmodat fchmodat2 utime utimes utimensat futimesat flock"
)
"""File calls that Landlock does not cover: only where every writable file is the program's own."""
_MEMORY = "mmap mprotect munmap mremap brk madvise msync"
_TIME = (
    "nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time times getitimer setitimer "
    "alarm pause restart_syscall"
)
_SIGNALS = "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend sigaltstack"
_PROCESS = (
    "getpid gettid getppid getpgrp getpgid getsid getuid geteuid getgid getegid getresuid getresgid "
    "getgroups getrlimit getrusage getpriority uname sysinfo getcpu getrandom sched_yield "
    "sched_getaffinity sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min "
    "capget exit exit_group wait4 waitid set_tid_address set_robust_list get_robust_list futex rseq "
    "membarrier arch_prctl"
)
_WAITING = (
    "select pselect6 poll ppoll epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait "
    "epoll_pwait2 eventfd eventfd2 recvfrom shutdown getsockname getpeername getsockopt setsockopt"
)
_REFUSED = (
    "fork vfork execve execveat socket connect bind listen accept accept4 sendmsg recvmsg memfd_create "
    "memfd_secret ptrace process_vm_readv process_vm_writev mount umount2 unshare setns keyctl add_key "
    "request_key bpf perf_event_open userfaultfd io_uring_setup shmget shmat personality mknod mknodat "
    "chown fchown lchown fchownat setxattr lsetxattr fsetxattr seccomp prctl pidfd_open pidfd_getfd "
    "open_by_handle_at name_to_handle_at clock_settime reboot syslog mlock sched_setaffinity setsid "
    "setpgid tkill"
)
_COMMAND = "execve setpgid setsid prctl sendfile copy_file_range kill tkill tgkill"
"""What compilers and their programs need besides: only inside a namespace of processes of their own."""
_STARTING = "fork vfork execveat"
"""What compilers need in order to start the programs that they are made of."""

_DANGEROUS = (
    "ptrace process_vm_readv process_vm_writev keyctl add_key request_key bpf perf_event_open "
    "userfaultfd io_uring_setup io_uring_enter io_uring_register init_module finit_module delete_module "
    "kexec_load kexec_file_load open_by_handle_at reboot syslog setns memfd_secret personality kcmp "
    "pidfd_getfd"
)

_PRCTL_ALLOWED = (15, 16)
"""PR_SET_NAME, PR_GET_NAME."""
_FCNTL_ALLOWED = (0, 1, 2, 3, 4, 5, 6, 7, 1030, 1032)
"""Duplicates, flags, record locks, the size of a pipe: no leases, no signals to others."""
_IOCTL_ALLOWED = (0x5401, 0x5450, 0x5451, 0x5421, 0x541B, 0x5413)
"""TCGETS, FIONCLEX, FIOCLEX, FIONBIO, FIONREAD, TIOCGWINSZ."""


_PID = 0x7EADBEE0
"""Stands for the program's own process until it is known."""


def strict(own_files: bool = True, keeps_sizes: bool = True) -> tuple[bytes, list[int]]:
    """Return the filter for a Python program: no new process, no network, signals to itself alone.

    Args:
        own_files: every file that it can write is its own (see `_OWNED`).
        keeps_sizes: something else keeps it from cutting files that it cannot write: Landlock does so from
            its version 3 on.

    Returns:
        The filter, and the places in it where the number of the program's process must be put.
    """
    names = f"{_FILES} {_MEMORY} {_TIME} {_SIGNALS} {_PROCESS} {_WAITING}".split()
    checks = [
        _argument("kill", 0, (_PID,)),
        _argument("tgkill", 0, (_PID,)),
        _argument("prctl", 0, _PRCTL_ALLOWED),
        *_checked(),
        _argument("recvmsg", 0, (WORK,)),
        _flag("clone", 0, CLONE_THREAD),
    ]
    allowed = names + (_OWNED.split() if own_files else [])
    if not keeps_sizes:
        allowed.remove("truncate")
        cut = ((_O_TRUNC, True), (_O_WRITES, False))
        checks += [_unless("open", 1, *cut), _unless("openat", 2, *cut)]
    program = _program(checks, allowed, _REFUSED.split(), errno.ENOSYS)
    pid = struct.pack("I", _PID)
    return program, [
        place + 4 for place in range(0, len(program), 8) if program[place + 4 : place + 8] == pid
    ]


def command(starts: bool, own_files: bool) -> bytes:
    """Return the filter for compilers and what they make.

    Args:
        starts: it may start processes, in its namespace; else it is one process, and may be another program.
        own_files: as for `strict`.
    """
    allowed = f"{_FILES} {_MEMORY} {_TIME} {_SIGNALS} {_PROCESS} {_WAITING} {_COMMAND}".split()
    if own_files:
        allowed += _OWNED.split()
    if starts:
        allowed += _STARTING.split()
    checks = [
        *_checked(),
        _argument("sched_setaffinity", 0, (0,)),
        _unless("clone", 0, (_NEW_NAMESPACES, True)) if starts else _flag("clone", 0, CLONE_THREAD),
    ]
    return _program(checks, allowed, [n for n in _REFUSED.split() if n not in allowed], errno.ENOSYS)


def server() -> bytes:
    """Return the filter of the process that programs are forked from: all but attacks on others."""
    return _program([], [], _DANGEROUS.split(), None)


Code = list[tuple[int, int, int, int]]
Check = tuple[int, Code] | None
"""The number of a call, and what decides about its arguments; None where this machine has no such call."""


def _program(
    checks: Sequence[Check], allowed: Sequence[str], refused: Sequence[str], otherwise: int | None
) -> bytes:
    """Assemble a filter; `otherwise` is the error of every other call, None to allow it.

    The numbers are searched by halves: the kernel runs a new filter once for each of them.
    """
    actions: dict[int, Code] = {}
    for check in checks:
        if check:
            actions[check[0]] = check[1]
    for names, result in ((allowed, _ALLOW), (refused, _error(errno.EPERM))):
        for name in names:
            if name in NUMBERS:
                actions.setdefault(NUMBERS[name], [(_RETURN, 0, 0, result)])
    default: Code = [(_RETURN, 0, 0, _ALLOW if otherwise is None else _error(otherwise))]
    code: Code = [
        (_LOAD, 0, 0, _ARCH),
        (_JUMP_EQUAL, 1, 0, AUDIT_ARCH),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if MACHINE == "x86_64":  # the numbers of the x32 interface
        code += [(_JUMP_GREATER, 0, 1, 0x40000000), (_RETURN, 0, 0, _error(errno.ENOSYS))]
    code += _search(_ranges(actions, default))
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in code)


def _ranges(actions: dict[int, Code], default: Code) -> list[tuple[int, Code]]:
    """Return where each stretch of numbers with the same action begins, from 0 on."""
    found = [(0, default)]
    for number in sorted(actions):
        for start, action in ((number, actions[number]), (number + 1, default)):
            while found and found[-1][0] >= start:
                found.pop()
            if not found or found[-1][1] != action:
                found.append((start, action))
    return found


def _search(ranges: list[tuple[int, Code]]) -> Code:
    if len(ranges) == 1:
        return ranges[0][1]
    middle = len(ranges) // 2
    left, right = _search(ranges[:middle]), _search(ranges[middle:])
    return [(_JUMP_GREATER, 0, 1, ranges[middle][0]), (_JUMP, 0, 0, len(left)), *left, *right]


def _checked() -> list[Check]:
    """Return what every program may call with some arguments only."""
    return [
        _argument("fcntl", 1, _FCNTL_ALLOWED),
        _argument("ioctl", 1, _IOCTL_ALLOWED, errno.ENOTTY),
        _argument("prlimit64", 0, (0,)),
        _argument("socketpair", 0, (1,)),
        _null("sendto", 4),
        _unless("mmap", 3, (_MAP_ANONYMOUS, True), (_MAP_SHARED, True)),
    ]


def _argument(name: str, place: int, values: Sequence[int], error: int = errno.EPERM) -> Check:
    """Allow a call where an argument of 32 bits is one of these values."""
    if name not in NUMBERS:
        return None
    body: Code = [(_LOAD, 0, 0, _ARGUMENTS + 8 * place)]
    for value in values:
        body += [(_JUMP_EQUAL, 0, 1, value & 0xFFFFFFFF), (_RETURN, 0, 0, _ALLOW)]
    return NUMBERS[name], [*body, (_RETURN, 0, 0, _error(error))]


def _null(name: str, place: int) -> Check:
    """Allow a call where an argument is a null pointer: both halves are 0."""
    return NUMBERS[name], [
        (_LOAD, 0, 0, _ARGUMENTS + 8 * place),
        (_JUMP_EQUAL, 0, 3, 0),
        (_LOAD, 0, 0, _ARGUMENTS + 8 * place + 4),
        (_JUMP_EQUAL, 0, 1, 0),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _error(errno.EPERM)),
    ]


def _flag(name: str, place: int, flag: int) -> Check:
    """Allow a call where an argument has a flag."""
    return _unless(name, place, (flag, False))


def _unless(name: str, place: int, *flags: tuple[int, bool]) -> Check:
    """Refuse a call where, for each of these flags, an argument has it (True) or lacks it (False)."""
    if name not in NUMBERS:
        return None
    code: Code = [(_LOAD, 0, 0, _ARGUMENTS + 8 * place)]
    for number, (flag, refused) in enumerate(flags):
        allow = len(flags) - number
        code.append((_JUMP_SET, 0, allow, flag) if refused else (_JUMP_SET, allow, 0, flag))
    return NUMBERS[name], [*code, (_RETURN, 0, 0, _error(errno.EPERM)), (_RETURN, 0, 0, _ALLOW)]


def _error(number: int) -> int:
    return 0x00050000 | number
