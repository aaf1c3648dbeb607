"""Empties and removes the folder that programs write to, in the tier that cannot mount another."""

import contextlib
import os


def remove(folder: str) -> None:
    """Remove a folder with all that is in it, as far as it is still there."""
    with contextlib.suppress(OSError):
        empty(folder)
        os.rmdir(folder)


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
