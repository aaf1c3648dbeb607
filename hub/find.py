"""Finds a reward by whatever names it: an installed name, `path/to/file.py:name`, a function, a class."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hub.errors import ConfigError, PluginError, UnknownName
from hub.origin import Origin
from hub.plugins import load
from hub.reward import Reward, as_reward
from hub.target import load_file, missing_dependency


def find_reward(use: str | Callable[..., Any] | Reward, folder: Path | None = None) -> Reward:
    """Return the reward that `use` names.

    Args:
        use: the name of an installed reward, "path/to/file.py:name", a function or class, or a Reward.
        folder: where a relative path starts; the current folder if it is not found there.

    Raises:
        UnknownName: no installed reward, or nothing in the file, has that name.
        ConfigError: there is no such file.
        PluginError: the file cannot be imported.
    """
    if not isinstance(use, str):
        return as_reward(use)
    path, _, name = use.rpartition(":")
    if path.endswith(".py"):
        return _from_file(path, name, folder)
    if use.endswith(".py"):
        raise ConfigError(f"{use!r} names a file but no reward in it: write {use + ':NAME'!r}")
    return load().rewards[use]


def _from_file(path: str, name: str, folder: Path | None) -> Reward:
    places = [Path(path)] if folder is None else [folder / path, Path(path)]
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        raise ConfigError(f"there is no file {path!r} (looked at {', '.join(map(str, places))})")
    origin = Origin(file=str(path), version=hashlib.sha256(file.read_bytes()).hexdigest()[:12])
    try:
        module = load_file(str(file))
    except ModuleNotFoundError as error:
        raise missing_dependency(error, str(path), origin) from error
    except Exception as error:
        raise PluginError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    found = getattr(module, name, None)
    if found is None:
        public = [key for key, value in vars(module).items() if callable(value) and key[0] != "_"]
        raise UnknownName(f"reward in {path}:", name, public)
    return replace(as_reward(found), origin=origin)
