"""The path /tmp where the host's own is in place: what programs do there by name, they do in their folder.

No wall, and none is needed: what goes round it, such as libraries that open files themselves, is refused.
"""

import builtins
import functools
import io
import os
from collections.abc import Callable, Sequence
from typing import Any

PLACE = "/tmp"
_ONE = (
    "access chdir chmod listdir lstat mkdir mknod open readlink remove rmdir scandir stat statvfs truncate "
    "unlink utime"
).split()
_TWO = "link rename replace symlink".split()
_NAMED = ("file", "path", "src", "dst")


def lead(folder: str, kept: Sequence[str]) -> None:
    """Have Python's functions for files take paths below /tmp for paths below a folder, in this process.

    Args:
        folder: where to.
        kept: places below /tmp that stay what they are, as the folder does.
    """
    prefixes = tuple(os.path.join(path, "") for path in (folder, *kept) if path.startswith(f"{PLACE}/"))

    def led(path: Any) -> Any:
        if not isinstance(path, str | bytes | os.PathLike):
            return path  # a descriptor, or what is no path and an error
        found = os.fspath(path)
        text = os.fsdecode(found)
        below = text == PLACE or text.startswith(f"{PLACE}/")
        if not below or f"{text}/".startswith(prefixes):
            return path
        moved = folder + text[len(PLACE) :]
        return moved if isinstance(found, str) else os.fsencode(moved)

    def wrapped(function: Callable[..., Any], count: int) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*given: Any, **named: Any) -> Any:
            for name in _NAMED:
                if name in named:
                    named[name] = led(named[name])
            return function(*map(led, given[:count]), *given[count:], **named)

        for able in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
            if function in able:
                able.add(call)
        return call

    for count, names in ((1, _ONE), (2, _TWO)):
        for name in names:
            setattr(os, name, wrapped(getattr(os, name), count))
    builtins.open = io.open = wrapped(io.open, 1)
