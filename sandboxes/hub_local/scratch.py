"""Empties and removes the folder that programs write to, in the tier that cannot mount another."""

import contextlib
import os
import time

MOST_ENTRIES = 8192
"""Files and folders of a program."""


def remove(folder: str) -> None:
    """Remove a folder with all that is in it, as far as it is still there."""
    with contextlib.suppress(OSError):
        empty(folder)
        os.rmdir(folder)


def empty(folder: str, seconds: float = float("inf")) -> bool:
    """Remove what a folder holds, however deep, whatever their rights; whether there was time enough.

    Each folder is read once. Those in it are moved up to one place before it is removed, so that no path gets
    long, nothing recurs, and none is left by its "..", which costs its depth. Nobody else may write there.
    """
    until = time.monotonic() + seconds
    waiting = _without_files(folder)
    if not waiting:
        return True
    pit = f"{folder}/{os.urandom(8).hex()}"
    os.mkdir(pit)
    moved = 0
    while waiting:
        if time.monotonic() > until:
            return False
        path = waiting.pop()
        for inner in _without_files(path):
            moved += 1
            waiting.append(f"{pit}/{moved}")
            os.rename(inner, waiting[-1])
        os.rmdir(path)
    os.rmdir(pit)
    return True


def is_full(folder: str, megabytes: int) -> bool:
    """Tell whether what a folder holds is more than so many MiB, or than `MOST_ENTRIES`.

    What is written meanwhile may be missed, and so is what has no name any more.
    """
    left, entries, waiting = megabytes << 20, MOST_ENTRIES, [folder]
    while waiting:
        try:
            with os.scandir(path := waiting.pop()) as found:
                for entry in found:
                    entries -= 1
                    with contextlib.suppress(FileNotFoundError):
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        else:
                            left -= entry.stat(follow_symlinks=False).st_blocks * 512
                    if entries < 0 or left < 0:
                        return True
        except PermissionError:
            with contextlib.suppress(OSError):
                os.chmod(path, 0o700)  # for the next time
        except OSError:
            pass  # it is gone, or so deep that its path is too long: then there are many of them
    return False


def _without_files(folder: str) -> list[str]:
    """Remove what is no folder; return the paths of the folders, which are then their owner's to change."""
    folders = []
    with os.scandir(folder) as entries:
        for entry in list(entries):
            if entry.is_dir(follow_symlinks=False):
                os.chmod(entry.path, 0o700)
                folders.append(entry.path)
            else:
                os.unlink(entry.path)
    return folders
