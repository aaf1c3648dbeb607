"""Puts the server process behind walls, once; programs are then forked behind them.

Two tiers. `namespaces`: user, mount, process, network, IPC and host name namespaces of its own, a root that
holds nothing but the interpreter and libraries, read-only, and a small /tmp. `landlock`: where namespaces are
refused (inside a default container), the file system stays visible but only the interpreter can be read, and
only a scratch folder written; there is no new process, so no tree to lose.
"""

import contextlib
import os
import re
import socket
import stat
from typing import Any

from hub_local import kernel, scratch

_NAMESPACES = (
    kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWNS
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWCGROUP
)
INNER_ID = 1000
# Not /dev/zero: mapped as shared, it is memory that no limit of a process counts.
_DEVICES = ("null", "full", "random", "urandom")
_ROOT = "/tmp"


def enter_namespaces(control: socket.socket, config: dict[str, Any]) -> None:
    """Leave the host's namespaces. Returns in a new process, the first of its own process namespace.

    The host maps the user (it may be root, who gives the programs the rights of nobody).
    """
    kernel.unshare(_NAMESPACES)
    control.send(b'{"unshared":true}')
    if control.recv(64) != b"mapped":
        os._exit(1)
    # In the new namespace, or they cannot be bound; before nobody is who asks, or they cannot be reached.
    sources, packages = (
        [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in config[which]]
        for which in ("readable", "packages")
    )
    covered = [
        path + folder.removeprefix(real)
        for path in config["readable"]
        for folder in config["covered"]
        if folder.startswith(f"{(real := os.path.realpath(path))}/")
    ]
    os.setresgid(INNER_ID, INNER_ID, INNER_ID)
    os.setresuid(INNER_ID, INNER_ID, INNER_ID)
    child = os.fork()
    if child:
        control.close()
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0x7F)
    kernel.die_with_parent()
    _build_root(sources, covered, packages, config)
    socket.sethostname("sandbox")
    kernel.empty_bounding_set()


Source = tuple[str, int]
"""A path and a descriptor of what is there."""


def _build_root(
    sources: list[Source], covered: list[str], packages: list[Source], config: dict[str, Any]
) -> None:
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    devices = [(name, os.open(f"/dev/{name}", os.O_PATH | os.O_CLOEXEC)) for name in _DEVICES]
    kernel.mount("tmpfs", _ROOT, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=1m,mode=755")
    for path, descriptor in sources:
        _bind(descriptor, path)
    covers = [_ROOT + path for path in covered]
    for target in covers:
        kernel.mount("tmpfs", target, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=4k,mode=755")
    for path, descriptor in packages:
        _bind(descriptor, path)
    for path, _ in (*sources, *packages):  # what lies beside the libraries' folders is not to be listed
        folder = os.path.dirname(path)
        while folder not in ("", "/") and not os.path.ismount(_ROOT + folder):
            with contextlib.suppress(OSError):
                os.chmod(_ROOT + folder, 0o111)
            folder = os.path.dirname(folder)
    _make_read_only([*covers, *(_ROOT + path for path, _ in (*sources, *packages))])
    os.mkdir(f"{_ROOT}/dev")
    for name, descriptor in devices:
        target = f"{_ROOT}/dev/{name}"
        with open(target, "w"):
            pass
        kernel.mount(f"/proc/self/fd/{descriptor}", target, None, kernel.MS_BIND)
        os.close(descriptor)
        flags = kernel.mount_flags(target) | kernel.MS_NOSUID
        if not config["gvisor"]:  # where no device can then be written to: programs may change no times there
            flags |= kernel.MS_RDONLY
        kernel.mount(None, target, None, kernel.MS_REMOUNT | kernel.MS_BIND | flags)
    for name in ("tmp", "old"):
        os.makedirs(f"{_ROOT}/{name}", exist_ok=True)
    kernel.pivot_root(_ROOT, f"{_ROOT}/old")
    os.chdir("/")
    kernel.unmount("/old")
    os.rmdir("/old")
    mount_scratch(config)
    flags = kernel.MS_REMOUNT | kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount(None, "/", None, flags)
    os.chdir("/tmp")


def _bind(descriptor: int, path: str) -> None:
    """Show a file or folder of the host, with all that is mounted there, at the same place."""
    target = _ROOT + path
    os.makedirs(os.path.dirname(target), exist_ok=True)
    source = f"/proc/self/fd/{descriptor}"
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.makedirs(target, exist_ok=True)
    else:
        with open(target, "a"):
            pass
    kernel.mount(source, target, None, kernel.MS_BIND | kernel.MS_REC)
    os.close(descriptor)


def _make_read_only(targets: list[str]) -> None:
    """Have no mount written to that is at one of these places or below: each has flags of its own."""
    with open("/proc/self/mountinfo", "rb") as mounts:
        spelled = [line.split(b" ")[4] for line in mounts]
    places = [os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda n: bytes([int(n[1], 8)]), s)) for s in spelled]
    for place in places:
        if any(place == target or place.startswith(f"{target}/") for target in targets):
            with contextlib.suppress(PermissionError):  # in a folder that programs cannot enter either
                flags = kernel.mount_flags(place) | kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV
                kernel.mount(None, place, None, kernel.MS_REMOUNT | kernel.MS_BIND | flags)


def mount_scratch(config: dict[str, Any]) -> None:
    """Give programs an empty /tmp, of limited size; gVisor does not limit how many files it holds."""
    options = f"size={config['scratch_mb']}m,mode=1777"
    if not config["gvisor"]:
        options += f",nr_inodes={scratch.MOST_ENTRIES}"
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOATIME
    kernel.mount("tmpfs", "/tmp", "tmpfs", flags, options)


State = tuple[bool, int, int, int, int]


def scratch_state() -> State:
    """Return what of /tmp a program can change and leave so: what is in it, its rights, its times."""
    with os.scandir("/tmp") as entries:
        empty = next(entries, None) is None
    found = os.stat("/tmp")
    return empty, found.st_mode, found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns


def renew_scratch(config: dict[str, Any]) -> None:
    """Give programs another /tmp, new and empty."""
    os.chdir("/")
    kernel.unmount("/tmp")
    mount_scratch(config)
    os.chdir("/tmp")


def enter_landlock(control: socket.socket, config: dict[str, Any]) -> int:
    """Go behind the second tier's walls, in a new process; the old one removes the folder after its end.

    What is forked is behind them as well: putting each process there costs as much as it has rules. Only
    version 1 of Landlock would not let the server empty the folder, which moves what is in it.

    Returns:
        With version 1 the ruleset, for every program's process to go behind; else -1.
    """
    kernel.empty_bounding_set()
    os.chdir(config["scratch"])
    ruleset = _ruleset(config)
    child = os.fork()
    if child:
        control.close()
        _, status = os.waitpid(child, 0)
        if config["own_scratch"]:
            scratch.remove(config["scratch"])
        os._exit(os.waitstatus_to_exitcode(status) & 0x7F)
    kernel.die_with_parent()
    if config["landlock_abi"] == 1:
        return ruleset
    kernel.gain_nothing()
    kernel.restrict(ruleset)
    os.close(ruleset)
    return -1


def _ruleset(config: dict[str, Any]) -> int:
    """Return a ruleset of Landlock: the interpreter, its libraries, and a folder to write to."""
    writable = [config["scratch"], "/dev/null", "/dev/full"]
    readable = [*config["packages"], "/dev/random", "/dev/urandom"]
    listed: list[str] = []
    for path in dict.fromkeys(map(os.path.realpath, config["readable"])):
        _around(path, config["covered"], listed, readable)
    return kernel.landlock(config["landlock_abi"], listed, readable, writable)


def _around(path: str, covered: list[str], listed: list[str], readable: list[str]) -> None:
    """Add all that is below a path, but what is covered; folders that hold such are only listed."""
    if path in covered:
        return
    if not any(folder.startswith(f"{path}/") for folder in covered):
        readable.append(path)
        return
    listed.append(path)
    with os.scandir(path) as entries:
        for entry in entries:
            if not entry.is_symlink():  # it leads to what is readable, or it is not
                _around(entry.path, covered, listed, readable)
