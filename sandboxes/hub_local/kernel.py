"""The kernel's calls that Python's standard library does not have, through ctypes."""

import ctypes
import os
import signal
import struct
from collections.abc import Sequence
from pathlib import Path

from hub_local.syscalls import NUMBERS

CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID = 0x10000000, 0x00020000, 0x20000000
CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP = 0x40000000, 0x08000000, 0x04000000, 0x02000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_NOATIME, MS_NODIRATIME, MS_BIND, MS_REC, MS_PRIVATE = 32, 1024, 2048, 4096, 16384, 1 << 18
MS_RELATIME = 1 << 21
MNT_DETACH = 2
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _PR_CAP_AMBIENT = 38, 22, 47

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]
_libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
_libc.syscall.restype = ctypes.c_long
_capset = _libc.capset  # looked up once, not in every process that is forked


class Refused(OSError):
    """The kernel refused a call; its `filename` is the call's name."""


def _check(result: int, call: str) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise Refused(number, os.strerror(number), call)
    return result


def unshare(flags: int) -> None:
    """Leave the namespaces of these flags for new ones."""
    _check(_libc.unshare(flags), "unshare")


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """Mount a file system, or change one that is mounted."""
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind, data)]
    _check(_libc.mount(texts[0], texts[1], texts[2], flags, texts[3]), f"mount {target}")


def unmount(target: str) -> None:
    """Take a file system away at once."""
    _check(_libc.umount2(os.fsencode(target), MNT_DETACH), f"umount2 {target}")


def pivot_root(new: str, old: str) -> None:
    """Make a folder the root of all paths."""
    number = 155 if NUMBERS["read"] == 0 else 41
    _check(_libc.syscall(number, os.fsencode(new), os.fsencode(old)), "pivot_root")


def mount_flags(path: str) -> int:
    """Return the flags that a mount already has and that may not be taken from it."""
    flags = os.statvfs(path).f_flag
    kept = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY | MS_NOATIME | MS_NODIRATIME
    relative = MS_RELATIME if flags & 4096 else 0
    return (flags & kept) | relative


def die_with_parent() -> None:
    """Have this process killed when the thread that forked it ends."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl PR_SET_PDEATHSIG")


def hide_memory() -> None:
    """Let no other process of the same user look into this one."""
    _check(_libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl PR_SET_DUMPABLE")


def gain_nothing() -> None:
    """Let no program that is executed gain privileges."""
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl PR_SET_NO_NEW_PRIVS")


def empty_bounding_set() -> None:
    """Let no program that is executed have a capability."""
    for capability in range(64):
        if _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == -1:
            break


def is_gvisor() -> bool:
    """Tell whether gVisor answers the system calls of this process (it shows its own memory in this file)."""
    return os.path.exists("/proc/sentry-meminfo")


_NO_CAPABILITIES = struct.pack("IIIIII", *[0] * 6)
_CAPABILITY_HEAD = struct.pack("Ii", 0x20080522, 0)


def drop_capabilities() -> None:
    """Give up every capability for good."""
    _check(_capset(_CAPABILITY_HEAD, _NO_CAPABILITIES), "capset")


class Filter:
    """A filter of system calls (see `seccomp`), laid out once for all processes that will be under it.

    Args:
        program: the filter.
        pid_places: where in it the number of the process stands that is put under it.
    """

    def __init__(self, program: bytes, pid_places: Sequence[int] = ()) -> None:
        self._places = pid_places
        self._buffer = ctypes.create_string_buffer(program, len(program))
        head = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(self._buffer))
        self._head = ctypes.create_string_buffer(head, len(head))
        self._address = ctypes.addressof(self._head)

    def install(self, pid: int = 0) -> None:
        """Put this process, of this number, and all that it starts under the filter."""
        for place in self._places:
            struct.pack_into("I", self._buffer, place, pid)
        _check(_libc.prctl(_PR_SET_SECCOMP, 2, self._address, 0, 0), "seccomp")


_fork = ctypes.PyDLL(None, use_errno=True).fork


def fork() -> int:
    """Fork this process, which has one thread, without what `os.fork` does for those that had more.

    Resetting locks and the records of threads costs as much as the fork itself; here is nothing to reset.
    """
    return _check(_fork(), "fork")


# Landlock (landlock(7)); file rights by ABI: 13 bits in 1, refer in 2, truncate in 3, ioctl in 5.

_EXECUTE, _WRITE, _READ, _READ_DIR = 1, 2, 4, 8
_ALL_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_LATEST = (1 << 16) - 1


def landlock_abi() -> int:
    """Return the version of Landlock that this kernel has, 0 for none."""
    version: int = _libc.syscall(NUMBERS["landlock_create_ruleset"], None, 0, 1)
    return max(0, version)


def landlock(abi: int, listed: list[str], readable: list[str], writable: list[str]) -> int:
    """Return a ruleset: only these folders and files, no TCP ports, no signals or sockets to outside.

    Args:
        abi: the version of Landlock to use, at most the kernel's.
        listed: folders of which programs see what is in them, and no more.
        readable: what programs can read and map.
        writable: what they can also write.
    """
    if not abi:
        raise Refused(38, os.strerror(38), "landlock_create_ruleset")
    rights = _ALL_BY_ABI.get(abi, _LATEST)
    network = 3 if abi >= 4 else 0
    scoped = 3 if abi >= 6 else 0
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    attributes = struct.pack("QQQ", rights, network, scoped)[:size]
    ruleset = _check(
        _libc.syscall(NUMBERS["landlock_create_ruleset"], attributes, size, 0), "landlock_create_ruleset"
    )
    for paths, granted in (
        (listed, _READ_DIR),
        (readable, _EXECUTE | _READ | _READ_DIR),
        (writable, rights),
    ):
        for path in paths:
            _allow_path(ruleset, path, granted & rights)
    return ruleset


def restrict(ruleset: int) -> None:
    """Put this process behind a ruleset for good."""
    _check(_libc.syscall(NUMBERS["landlock_restrict_self"], ruleset, 0), "landlock_restrict_self")


def _allow_path(ruleset: int, path: str, rights: int) -> None:
    if not Path(path).exists():
        return
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not Path(path).is_dir():
            rights &= _EXECUTE | _WRITE | _READ | (1 << 14)
        rule = struct.pack("=Qi", rights, descriptor)
        _check(_libc.syscall(NUMBERS["landlock_add_rule"], ruleset, 1, rule, 0), f"landlock_add_rule {path}")
    finally:
        os.close(descriptor)
