"""A mix file in a trainer's process: read once, and the same as when it was exported."""

import hashlib
import os
import threading
from pathlib import Path

from hub.errors import ConfigError
from hub.mix.mix import Mix
from hub.training.gather import Gatherer
from hub.training.waiting import SURE_S


def digest(path: str | Path) -> str:
    """Return the SHA-256 of a mix file and of what it names: reward files, versions of installed plugins.

    Raises:
        ConfigError: it cannot be read, or is wrong.
    """
    return read(path)[1]


def mix_of(path: str | Path, sha256: str | None = None) -> Mix:
    """Read a mix file.

    A worker that starts late must not train on another mix than those that started before: what was exported
    holds its digest.

    Raises:
        ConfigError: it, or a reward in it, has changed since it was exported; it cannot be read, or is wrong.
    """
    mix, found = read(path)
    if sha256 is not None and found != sha256:
        raise ConfigError(
            f"{path}, or a reward that it names, has changed since it was exported: run `hub export` again, "
            "and start anew"
        )
    return mix


def read(path: str | Path) -> tuple[Mix, str]:
    """Return the mix and its digest.

    Raises:
        ConfigError: it cannot be read, or is wrong.
    """
    try:
        content = hashlib.sha256(Path(path).read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: the mix cannot be read: {error.strerror}") from error
    mix = Mix.load(path)
    for reward in mix.rewards:
        target = reward.bound.target
        version = target.identity.rpartition("@")[2]  # without the path, which may differ between machines
        content.update(f"\n{target.name}@{version}".encode())
    return mix, content.hexdigest()


def gatherer_of(
    path: str | Path, sha256: str | None = None, group_size: int | None = None, *, wait_s: float = SURE_S
) -> Gatherer:
    """Return this process's gatherer for a mix file; the same one for the same arguments, from any thread.

    Args:
        path: the mix file.
        sha256: its digest when it was exported; None: whatever it is now.
        group_size: as for `Gatherer`.
        wait_s: as for `Gatherer` (see `hub.training.waiting`).

    Raises:
        ConfigError: as `mix_of` and `Gatherer`.
    """
    key = (str(path), sha256, group_size, wait_s, os.getpid())
    with _making:  # two would each wait for the other's half of a group
        if key not in _gatherers:
            _gatherers[key] = Gatherer(mix_of(path, sha256), group_size=group_size, wait_s=wait_s)
        return _gatherers[key]


_gatherers: dict[tuple[str, str | None, int | None, float, int], Gatherer] = {}
_making = threading.Lock()
