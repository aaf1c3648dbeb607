"""Reward functions that another process can find again.

pickle sends a plain function as two names, of its module and of itself in there, whatever it closes over. So
a function of a mix says that it is an attribute of this module, under a name that holds what it is made of:
in the process that made it the attribute is that function, in another one it is made anew.
"""

import base64
import threading
import uuid
import zlib
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakValueDictionary

import cloudpickle

_PREFIX = "made_"
_lock = threading.RLock()
_made: "WeakValueDictionary[str, Callable[..., Any]]" = WeakValueDictionary()


def make(
    functions: Sequence[Callable[..., Any]], maker: Callable[..., Any], *arguments: Any, **options: Any
) -> None:
    """Let functions be pickled, unless what they are made of cannot be.

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
    _register(functions, f"{uuid.uuid4().hex}_{base64.urlsafe_b64encode(packed).decode()}")


def _register(functions: Sequence[Callable[..., Any]], made_of: str) -> None:
    with _lock:
        for index, function in enumerate(functions):
            function.__module__ = __name__
            function.__qualname__ = f"{_PREFIX}{index}_{made_of}"
            _made[function.__qualname__] = function


def __getattr__(name: str) -> Any:
    if not name.startswith(_PREFIX):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r:.80}")
    with _lock:
        found = _made.get(name)
        if found is None:
            index, token, packed = name.removeprefix(_PREFIX).split("_", 2)
            maker, arguments, options = cloudpickle.loads(zlib.decompress(base64.urlsafe_b64decode(packed)))
            functions = maker(*arguments, **options)
            _register(functions, f"{token}_{packed}")
            found = functions[int(index)]
        return found
