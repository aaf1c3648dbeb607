"""A recipe as it was written: its tables with the settings of the command line, and where each key is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.errors import ConfigError
from hub.mix.config import Source
from hub.options import read_value


@dataclass(frozen=True)
class Written:
    """Tables of a TOML file.

    Args:
        source: the file.
        tables: what it holds, with the settings applied.
        settings: dotted keys that the command line set.
    """

    source: Source
    tables: dict[str, Any]
    settings: frozenset[str] = frozenset()

    @classmethod
    def read(cls, path: str | Path, settings: Sequence[str] = ()) -> "Written":
        """Read a file and apply settings, e.g. "trainer.max_steps=4" or "reward.0.weight=0.5".

        Raises:
            ConfigError: it cannot be read, or a setting has another form.
        """
        source, tables = Source.read(path)
        return cls(source, tables, frozenset(_set(tables, setting) for setting in settings))

    @property
    def folder(self) -> Path:
        """Where relative paths start."""
        return self.source.path.parent if self.source.path is not None else Path()

    def error(self, keys: tuple[str | int, ...], message: str) -> ConfigError:
        """Make the error for a key, with its line, or as a setting of the command line."""
        dotted = ".".join(map(str, keys))
        if dotted in self.settings:
            return ConfigError(f"--set {dotted}: {message}")
        return self.source.error(keys, message)


def _set(tables: dict[str, Any], setting: str) -> str:
    dotted, equals, text = setting.partition("=")
    names = [name.strip() for name in dotted.split(".")]
    if not equals or not all(names):
        raise ConfigError(f"--set {setting}: should be like trainer.max_steps=4")
    at: Any = tables
    for depth, name in enumerate(names):
        here = ".".join(names[:depth])
        if not isinstance(at, dict | list):
            raise ConfigError(f"--set {setting}: {here} is not a table")
        if isinstance(at, list) and not (name.isdecimal() and int(name) < len(at)):
            raise ConfigError(f"--set {setting}: {here} has {len(at)} entries, counted from 0")
        key: Any = int(name) if isinstance(at, list) else name
        if depth == len(names) - 1:
            at[key] = read_value(text.strip())
        elif isinstance(at, dict):
            at = at.setdefault(key, {})
        else:
            at = at[key]
    return ".".join(names)
