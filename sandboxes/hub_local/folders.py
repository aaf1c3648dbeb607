"""Folders that programs write to, in the tier that cannot mount one: made, and never left behind.

Whoever makes a folder holds a lock on it, which ends with its process, however that ends. The zygote removes
the folder when its host is gone; what neither lived to remove is removed when the next one is made.
"""

import fcntl
import os
import tempfile

from hub_local.scratch import remove

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
