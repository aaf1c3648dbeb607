"""Opens a dataset of reasoning-gym."""

import contextlib
import io
import random
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from importlib.metadata import version
from typing import Any

from hub.errors import MissingDependency, OptionError, nearest
from hub.sources import tell_source

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
        MissingDependency: reasoning-gym is not installed.
    """
    name = f"reasoning-gym/{task}"
    try:
        from reasoning_gym.factory import CURRICULA, DATASETS
    except ModuleNotFoundError as error:
        raise MissingDependency(
            f"{name} needs {error.name!r}, which is not installed: pip install 'posttrain-hub[reasoning-gym]'"
        ) from error
    tell_source(package="reasoning-gym", version=version("reasoning-gym"))
    if size < 1 or not 0 <= seed < 2**32:
        raise OptionError(f"{name}: size is at least 1 and seed 0 to {2**32 - 1}, not {size} and {seed}")
    dataset, kind = DATASETS[task]
    known = [field.name for field in fields(kind) if field.name not in FIXED]
    for field in config:
        if field not in known:
            raise OptionError(f"{name}: its configuration has no {field!r}{nearest(field, known)}")
    given = {field: _as_tuples(value) for field, value in config.items()}
    curriculum = None if level is None else _curriculum(name, CURRICULA.get(task), level)
    with apart(seed):
        try:
            if curriculum is None:
                made = kind(seed=seed, size=size, **given)
            else:
                made = replace(curriculum.generate_configuration({"seed": seed, "size": size}), **given)
            return dataset(made)
        except (AssertionError, TypeError, ValueError) as error:
            raise OptionError(f"{name}: the configuration {dict(config)} will not do: {error}") from error


@contextlib.contextmanager
def apart(seed: int = 0) -> Iterator[None]:
    """Run the package's code so that it changes nothing outside, and does the same each time.

    Its libraries print dots and leave files open; some tasks draw from the global random state.

    Args:
        seed: for the global random state while it runs.
    """
    numpy: Any = sys.modules.get("numpy")
    before = random.getstate(), numpy and numpy.random.get_state()
    random.seed(seed)
    if numpy:
        numpy.random.seed(seed)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(before[0])
        if numpy:
            numpy.random.set_state(before[1])


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
