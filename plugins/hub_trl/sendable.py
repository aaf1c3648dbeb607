"""Reward functions that another process can find again.

pickle sends a plain function as two names, of its module and of itself in there, whatever it closes over.
So a function of a mix says that it is an attribute of this module, under a name of its own; and its module's
name is a text that pickle sends as a call: of what makes the functions where they are not, and returns the
name.
"""

import re
import threading
import uuid
import zlib
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakValueDictionary

import cloudpickle

_lock = threading.RLock()
_made: "WeakValueDictionary[str, Callable[..., Any]]" = WeakValueDictionary()
_kept = threading.local()
"""Holds the functions that were named until pickle asks for one, which it does next in the same thread."""


class _Here(str):
    """This module's name, for the functions of one mix; pickled, it makes them before it names the module."""

    names: Sequence[str]
    packed: bytes

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_here, (self.names, self.packed)


def make(
    functions: Sequence[Callable[..., Any]], maker: Callable[..., Any], *arguments: Any, **options: Any
) -> None:
    """Let functions be pickled (protocol 4 or later), unless what they are made of cannot be.

    Args:
        functions: plain functions; their `__module__` and `__qualname__` are set, their `__name__` is kept.
        maker: returns such functions again, in the same order.
        arguments: of the maker.
        options: of the maker.
    """
    try:
        packed = zlib.compress(cloudpickle.dumps((maker, arguments, options)))
    except Exception:  # whatever an option of a reward raises; pickle says what is wrong if it is asked
        return
    token = uuid.uuid4().hex[:12]
    plain = [re.sub(r"\W", "_", function.__name__) for function in functions]
    _register(functions, tuple(f"{name}_{token}_{index}" for index, name in enumerate(plain)), packed)


def _register(functions: Sequence[Callable[..., Any]], names: Sequence[str], packed: bytes) -> None:
    here = _Here(__name__)
    here.names, here.packed = names, packed
    with _lock:
        for function, name in zip(functions, names, strict=True):
            function.__module__, function.__qualname__ = here, name
            _made[name] = function


def _made_here(names: Sequence[str], packed: bytes) -> str:
    """Return this module's name, once it has these functions."""
    with _lock:
        found = [_made.get(name) for name in names]
        if None in found:
            maker, arguments, options = cloudpickle.loads(zlib.decompress(packed))
            made = maker(*arguments, **options)
            _register(made, names, packed)
            found = list(made)
        _kept.functions = found
    return __name__


def __getattr__(name: str) -> Any:
    found = _made.get(name)
    _kept.functions = None  # one of them holds all: they share what scores
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r:.80}")
    return found
