"""Options given to a class or function by name, checked against its signature."""

import inspect
import json
import tomllib
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from hub.errors import OptionError, nearest


def check_options(constructor: Callable[..., Any], options: Mapping[str, Any], whose: str) -> None:
    """Raise unless the constructor takes these options.

    Args:
        constructor: the class (its `__init__` parameters are the options) or function.
        options: by name, as read from a file or given in Python.
        whose: what to call the owner in messages, e.g. "reward 'code' of posttrain-hub 0.1".

    Raises:
        OptionError: one is unknown, a required one is missing, or a plain type does not fit.
    """
    parameters = describe_options(constructor)
    if any(p.kind is p.VAR_KEYWORD for p in inspect.signature(constructor).parameters.values()):
        return
    for name in options:
        if name not in parameters:
            raise OptionError(f"{whose} has no option {name!r}{nearest(name, parameters)}")
    hints = _hints(constructor)
    for name, parameter in parameters.items():
        if name not in options:
            if parameter.default is parameter.empty:
                raise OptionError(f"{whose} needs the option {name!r}")
        elif not _fits(options[name], hints.get(name, Any)):
            kind = inspect.formatannotation(hints[name])
            form = ", a table such as {name = 1}" if kind.startswith("dict") else ""
            raise OptionError(f"{whose}: option {name!r} is {options[name]!r}, but should be {kind}{form}")


def describe_options(constructor: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the constructor's named parameters, which are a plugin's options."""
    if isinstance(constructor, type) and inspect.getattr_static(constructor, "__init__") is object.__init__:
        return {}
    keep = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    signature = inspect.signature(constructor)
    return {name: p for name, p in signature.parameters.items() if p.kind in keep}


def read_value(text: str) -> Any:
    """Read an option of the command line as TOML would (3, 0.5, true, ["a"], {a = 1}); else as JSON or text.

    >>> read_value("3"), read_value("three"), read_value('{a = [1]}'), read_value('{"a": [1]}')
    (3, 'three', {'a': [1]}, {'a': [1]})
    """
    try:
        read = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return _read_json(text)
    plain = isinstance(read["value"], str | int | float | bool | list | dict)
    return read["value"] if plain and len(read) == 1 else text


def _read_json(text: str) -> Any:
    """A list or an object; anything else is text."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return read if isinstance(read, list | dict) else text


def _hints(constructor: Callable[..., Any]) -> dict[str, Any]:
    try:
        if isinstance(constructor, type):
            return typing.get_type_hints(inspect.getattr_static(constructor, "__init__"))
        return typing.get_type_hints(constructor)
    except (NameError, TypeError):
        return {}


def _fits(value: object, hint: Any) -> bool:
    """Whether a value fits a plain type hint; what is not plain is left to the constructor."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, option) for option in typing.get_args(hint))
    if origin is typing.Literal:
        return value in typing.get_args(hint)
    if hint in (None, type(None)):
        return value is None
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if origin is dict:
        return isinstance(value, Mapping)
    if origin is list:
        return isinstance(value, list | tuple)
    if hint in (str, bool, list, dict):
        return isinstance(value, hint)
    return True
