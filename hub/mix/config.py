"""Reads a mix from TOML or a mapping; every mistake is named with its file and line, or its key."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from hub.errors import ConfigError, nearest
from hub.mix.gate import Gate
from hub.mix.schedule import Schedule, is_number

T = TypeVar("T")
OnFailure = Literal["mask", "drop", "raise"]
Aggregate = Literal["sum", "normalize_then_sum"]


@dataclass(frozen=True)
class Source:
    """Where a configuration came from, for messages.

    Args:
        path: its file; None for a mapping given in Python.
        text: the file's text.
    """

    path: Path | None = None
    text: str = ""

    @classmethod
    def read(cls, path: str | Path) -> tuple["Source", dict[str, Any]]:
        """Read a TOML file.

        Raises:
            ConfigError: there is no such file, or it is not TOML.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: cannot be read: {error}") from error
        try:
            return cls(Path(path), text), tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path}: not TOML: {error}") from error

    def error(self, keys: tuple[str | int, ...], message: str) -> ConfigError:
        """Make the error for a key, e.g. ("reward", 0, "weight")."""
        name = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")
        line = self._line(keys) if self.path else None
        file = f"{self.path}{f':{line}' if line else ''}" if self.path else ""
        return ConfigError(": ".join(part for part in (file, name, message) if part))

    def _line(self, keys: tuple[str | int, ...]) -> int | None:
        """Find the line of a key: after its table's header, the first line that sets it."""
        best, at, lines = None, 0, self.text.splitlines()
        for key in keys:
            if isinstance(key, int):
                continue
            index = keys[keys.index(key) + 1] if keys.index(key) + 1 < len(keys) else None
            if isinstance(index, int):
                heads = [n for n, line in enumerate(lines) if re.match(rf"\s*\[\[\s*{key}\s*\]\]", line)]
                found = heads[index] if index < len(heads) else None
            else:
                name = re.escape(key)
                form = re.compile(rf"\s*\[.*\b{name}\s*\]|(.*[\s{{,.])?[\"']?{name}[\"']?\s*[=.]")
                found = next((n for n in range(at, len(lines)) if form.match(lines[n])), None)
            if found is not None:
                best, at = found + 1, found
        return best


@dataclass(frozen=True)
class RewardConfig:
    """One `[[reward]]` of a mix.

    Args:
        use: an installed reward's name, "path/to/file.py:name", or in Python a function or class.
        name: what to call it in results and metrics; by default the reward's own name.
        weight: its factor in the total, over training steps.
        when: columns and the values (one, or a list of them) for which it applies to a row.
        gate: another reward's condition; where it does not hold the value is 0.
        options: its own options (`with` in TOML).
        map: which column of the row stands for one that the reward reads, e.g. answer = "solution".
        timeout_s: seconds for one call instead of the reward's own limit.
        on_timeout: the value of a sample that ran past the limit; None: it failed.
    """

    use: Any
    name: str | None = None
    weight: Schedule = Schedule(((0, 1.0),))
    when: Mapping[str, Any] = field(default_factory=dict)
    gate: Gate | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    map: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float | None = None
    on_timeout: float | None = None


@dataclass(frozen=True)
class MixConfig:
    """A whole mix, read but not yet looked up.

    Args:
        rewards: in their order.
        on_failure: "mask" (a sample with a failed reward has no total), "drop" (its total is made of
            the others) or "raise".
        aggregate: "sum", or "normalize_then_sum" (each reward within its group first).
        allow_unrouted: rows that no reward applies to are not an error.
        source: where it came from.
    """

    rewards: tuple[RewardConfig, ...]
    on_failure: OnFailure = "mask"
    aggregate: Aggregate = "sum"
    allow_unrouted: bool = False
    source: Source = Source()


_KEYS = ("reward", "on_failure", "aggregate", "allow_unrouted")
_REWARD_KEYS = ("use", "name", "weight", "when", "gate", "with", "map", "timeout_s", "on_timeout")


def parse_mix(data: Mapping[str, Any], source: Source) -> MixConfig:
    """Read the tables of a mix.

    Raises:
        ConfigError: a key is unknown, or a value is of the wrong kind.
    """
    _check_keys(data, _KEYS, (), source)
    rewards = data.get("reward", [])
    if isinstance(rewards, Mapping):
        raise source.error(("reward",), "write [[reward]], with two brackets: a mix has a list of them")
    if not isinstance(rewards, list | tuple) or not rewards:
        raise source.error(("reward",), "a mix needs at least one [[reward]]")
    return MixConfig(
        tuple(_parse_reward(table, ("reward", i), source) for i, table in enumerate(rewards)),
        _choice(data, "on_failure", ("mask", "drop", "raise"), source),
        _choice(data, "aggregate", ("sum", "normalize_then_sum"), source),
        _value(data, "allow_unrouted", False, (), source, _boolean),
        source,
    )


def _parse_reward(table: object, at: tuple[str | int, ...], source: Source) -> RewardConfig:
    if not isinstance(table, Mapping):
        raise source.error(at, f"should be a table, not {table!r}")
    _check_keys(table, _REWARD_KEYS, at, source)
    if "use" not in table:
        raise source.error(at, "has no `use`: the name of a reward, or path/to/file.py:name")
    return RewardConfig(
        use=_value(table, "use", None, at, source, _use),
        name=_value(table, "name", None, at, source, _text),
        weight=_value(table, "weight", Schedule.of(1.0), at, source, Schedule.of),
        when=_value(table, "when", {}, at, source, _table),
        gate=_value(table, "gate", None, at, source, Gate.of),
        options=_value(table, "with", {}, at, source, _table),
        map=_value(table, "map", {}, at, source, _text_table),
        timeout_s=_value(table, "timeout_s", None, at, source, _positive),
        on_timeout=_value(table, "on_timeout", None, at, source, _finite),
    )


def _check_keys(
    table: Mapping[str, Any], known: tuple[str, ...], at: tuple[str | int, ...], source: Source
) -> None:
    for key in table:
        if key not in known:
            raise source.error((*at, key), f"unknown key{nearest(str(key), known)}")


def _value(
    table: Mapping[str, Any],
    key: str,
    default: Any,
    at: tuple[str | int, ...],
    source: Source,
    read: Callable[[Any], T],
) -> T:
    if key not in table:
        return default  # type: ignore[no-any-return]
    try:
        return read(table[key])
    except ValueError as error:
        raise source.error((*at, key), str(error)) from None


def _choice(data: Mapping[str, Any], key: str, choices: tuple[str, ...], source: Source) -> Any:
    value = data.get(key, choices[0])
    if value not in choices:
        raise source.error((key,), f"should be one of {', '.join(choices)}, not {value!r}")
    return value


def _use(value: object) -> object:
    if isinstance(value, str) or callable(value) or hasattr(value, "bind"):
        return value
    raise ValueError(f"should be the name of a reward, or path/to/file.py:name, not {value!r}")


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"should be text, not {value!r}")
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"should be true or false, not {value!r}")
    return value


def _finite(value: object) -> float:
    if not is_number(value):
        raise ValueError(f"should be a number, not {value!r}")
    return float(value)  # type: ignore[arg-type]


def _positive(value: object) -> float:
    number = _finite(value)
    if number <= 0:
        raise ValueError(f"should be a number of seconds greater than 0, not {value!r}")
    return number


def _table(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"should be a table, not {value!r}")
    return dict(value)


def _text_table(value: object) -> Mapping[str, str]:
    return {key: _text(text) for key, text in _table(value).items()}
