"""Opens a dataset of reasoning-gym."""

import contextlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from hub.errors import OptionError, nearest

FIXED = ("seed", "size")
"""Fields of a configuration that have an option of their own."""


def open_dataset(task: str, seed: int, size: int, level: int | None, config: Mapping[str, Any]) -> Any:
    """Return a dataset of the package.

    Args:
        task: one of `hub_reasoning_gym.names.names()`.
        seed: which rows, 0 to 2**32 - 1.
        size: how many, at least 1.
        level: of the task's curriculum, from 0; None: the task's own defaults.
        config: fields of the task's configuration to change from that.

    Raises:
        OptionError: an option is out of range, or the task has no such field or no curriculum.
    """
    from reasoning_gym.factory import CURRICULA, DATASETS

    name = f"reasoning-gym/{task}"
    if size < 1 or not 0 <= seed < 2**32:
        raise OptionError(
            f"{name}: size should be at least 1, and seed from 0 to {2**32 - 1}: {size}, {seed}"
        )
    dataset, kind = DATASETS[task]
    known = [field.name for field in fields(kind) if field.name not in FIXED]
    for field in config:
        if field not in known:
            raise OptionError(f"{name}: its configuration has no {field!r}{nearest(field, known)}")
    given = {field: _as_tuples(value) for field, value in config.items()}
    with quiet():
        try:
            if level is None:
                made = kind(seed=seed, size=size, **given)
            else:
                curriculum = _curriculum(name, CURRICULA.get(task), level)
                made = replace(curriculum.generate_configuration({"seed": seed, "size": size}), **given)
            made.validate()
            return dataset(made)
        except (AssertionError, TypeError, ValueError) as error:
            raise OptionError(f"{name}: {dict(config)} will not do: {error}") from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what the package's libraries print (dots, mostly) from standard output."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _curriculum(name: str, kind: Any, level: int) -> Any:
    if kind is None:
        raise OptionError(f"{name} has no curriculum: leave out the level, and give config instead")
    curriculum = kind()
    highest = max(len(attribute.levels) for attribute in curriculum.attributes.values()) - 1
    if not 0 <= level <= highest:
        raise OptionError(f"{name}: its levels are 0 to {highest}, not {level}")
    curriculum.set_global_level(level)
    return curriculum


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value
