"""Folders that programs write to, in the tier that cannot mount one: made, emptied, and never left behind.

Whoever makes a folder holds a lock on it, which ends with its process, however that ends. The zygote removes
the folder when its host is gone; what neither lived to remove is removed when the next one is made.
"""

import contextlib
import fcntl
import os
import tempfile

_PREFIX = "hub-programs-"


class Folder:
    """A new, empty folder; `close` removes it."""

    def __init__(self) -> None:
        _remove_leftovers()
        while True:
            self.path = tempfile.mkdtemp(prefix=_PREFIX)
            self._lock = _locked(self.path)
            if self._lock is not None:
                return
            # Another process has taken it for a leftover, between two calls.

    def close(self) -> None:
        """Remove it with all that is in it."""
        if self._lock is not None:
            remove(self.path)
            os.close(self._lock)
            self._lock = None


def remove(folder: str) -> None:
    """Remove a folder with all that is in it, as far as it is still there."""
    with contextlib.suppress(OSError):
        empty(folder)
        os.rmdir(folder)


def _remove_leftovers() -> None:
    """Remove the folders of this user that nobody holds any more."""
    with os.scandir(tempfile.gettempdir()) as entries:
        found = [entry.path for entry in entries if entry.name.startswith(_PREFIX)]
    for path in found:
        lock = _locked(path)
        if lock is not None:
            remove(path)
            os.close(lock)


def _locked(path: str) -> int | None:
    """Return a lock on a folder of this user; None if it is another's, or gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held, there = os.fstat(descriptor), os.stat(path, follow_symlinks=False)
        if held.st_uid == os.geteuid() and (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino):
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def empty(folder: str) -> None:
    """Remove what a folder holds, with folders in it however deep, and whatever their rights.

    Folders inside folders are moved up before they are emptied, so that no path gets long and nothing recurs.
    """
    prefix = f"{folder}/{os.urandom(8).hex()}"
    moved = 0
    while True:
        with os.scandir(folder) as entries:
            found = list(entries)
        if not found:
            return
        for entry in found:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            os.chmod(entry.path, 0o700)
            with os.scandir(entry.path) as inner:
                for item in list(inner):
                    if item.is_dir(follow_symlinks=False):
                        os.chmod(item.path, 0o700)
                        moved += 1
                        os.rename(item.path, f"{prefix}-{moved}")
                    else:
                        os.unlink(item.path)
            os.rmdir(entry.path)
