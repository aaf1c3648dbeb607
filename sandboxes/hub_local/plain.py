"""Plain data as text: what two processes that do not trust each other may exchange.

Numbers, text, bytes, None, the built-in containers, and some well-known value types, in JSON with type tags.
Nothing that is decoded can run code, compare as it likes, or be nested past a limit. Subclasses of the
built-in types arrive as their base type. What is not plain becomes a handle: a number that its maker knows.
"""

import json
import re
from collections.abc import Callable
from typing import Any

_DTYPE = re.compile(r"[<>|=]?[biufc]\d{1,2}")
MOST_BYTES = 64 << 20
DEEPEST = 150


class NotPlain(Exception):
    """A value that cannot be sent, or a text that is no plain data."""


def encode(value: Any, handle: Callable[[Any], int] | None = None) -> bytes:
    """Return a value as text.

    Args:
        value: what to send.
        handle: gives a number to what is not plain; None: that is an error.

    Raises:
        NotPlain: it is nested too deeply, too large, or not plain.
    """
    try:
        text = json.dumps(_pack(value, handle, 0), allow_nan=False, separators=(",", ":"))
        data = text.encode("utf-8", "surrogatepass")
    except (RecursionError, ValueError, UnicodeError) as error:
        raise NotPlain(f"{type(error).__name__}: {error}") from None
    if len(data) > MOST_BYTES:
        raise NotPlain(f"more than {MOST_BYTES} bytes of data")
    return data


def decode(data: bytes, handle: Callable[[int], Any] | None = None) -> Any:
    """Return the value that a text stands for.

    Args:
        data: see `encode`.
        handle: what stands for a number that the other side gave to something.

    Raises:
        NotPlain: the text is no plain data.
    """
    if len(data) > MOST_BYTES:
        raise NotPlain(f"more than {MOST_BYTES} bytes of data")
    try:
        return _unpack(json.loads(data.decode("utf-8", "surrogatepass")), handle, 0)
    except NotPlain:
        raise
    except Exception as error:  # whatever a hostile text makes a constructor raise
        raise NotPlain(f"{type(error).__name__}: {error}"[:300]) from None


def _pack(value: Any, handle: Callable[[Any], int] | None, depth: int) -> Any:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        return value if -(2**63) < value < 2**63 else {"t": "int", "v": hex(value)}
    if kind is float:
        return value if value - value == 0 else {"t": "float", "v": repr(value)}
    if depth > DEEPEST:
        raise NotPlain("data nested too deeply")
    if issubclass(kind, list):
        plain = list.__iter__(value)
        return [_pack(item, handle, depth + 1) for item in plain]
    if issubclass(kind, tuple):
        return {"t": "tuple", "v": [_pack(item, handle, depth + 1) for item in tuple.__iter__(value)]}
    if issubclass(kind, dict):
        pairs = dict.items(value)
        return {
            "t": "dict",
            "v": [[_pack(k, handle, depth + 1), _pack(v, handle, depth + 1)] for k, v in pairs],
        }
    if issubclass(kind, set | frozenset):
        base = set if issubclass(kind, set) else frozenset
        plain = base.__iter__(value)
        return {"t": base.__name__, "v": [_pack(item, handle, depth + 1) for item in plain]}
    return _pack_other(value, handle, depth)


def _pack_other(value: Any, handle: Callable[[Any], int] | None, depth: int) -> Any:
    kind = type(value)
    if issubclass(kind, bytes | bytearray):
        base = bytes if issubclass(kind, bytes) else bytearray
        return {"t": base.__name__, "v": base.hex(value)}
    for plain, convert in ((int, int.__int__), (float, float.__float__), (str, str.__str__)):
        if issubclass(kind, plain):
            return _pack(convert(value), handle, depth)
    if isinstance(value, type) and value in _TYPES:
        return {"t": "type", "v": _TYPES[value]}
    name = f"{type(value).__module__}.{type(value).__name__}"
    if name in _VALUES:
        return {"t": name, "v": [_pack(item, handle, depth + 1) for item in _VALUES[name](value)]}
    if issubclass(kind, complex):
        return {"t": "complex", "v": [_pack(value.real, None, depth), _pack(value.imag, None, depth)]}
    if issubclass(kind, range):
        return {"t": "range", "v": [_pack(n, None, depth) for n in (value.start, value.stop, value.step)]}
    if name.startswith("numpy."):
        found = _pack_numpy(value, handle, depth)
        if found is not None:
            return found
    if handle is None:
        raise NotPlain(f"a {type(value).__name__} is not plain data")
    return {"t": "handle", "v": handle(value)}


_TYPES: dict[type, str] = {
    kind: kind.__name__
    for kind in (
        *(int, float, str, bool, list, tuple, dict, set, frozenset, bytes, bytearray, complex, range, object),
        *(type(None), Exception, ValueError, TypeError, KeyError, IndexError, ZeroDivisionError),
    )
}
_NAMED = {name: kind for kind, name in _TYPES.items()}
_VALUES: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "decimal.Decimal": lambda v: (str(v),),
    "fractions.Fraction": lambda v: (v.numerator, v.denominator),
    "datetime.date": lambda v: (v.year, v.month, v.day),
    "datetime.datetime": lambda v: (v.isoformat(),),
    "datetime.time": lambda v: (v.isoformat(),),
    "datetime.timedelta": lambda v: (v.days, v.seconds, v.microseconds),
    "collections.deque": lambda v: (list(v), v.maxlen),
    "pathlib.PosixPath": lambda v: (str(v),),
    "uuid.UUID": lambda v: (v.hex,),
}


def _pack_numpy(value: Any, handle: Callable[[Any], int] | None, depth: int) -> Any:
    kind = type(value).__name__
    if kind == "ndarray" and value.dtype.kind in "biufc":
        return {
            "t": "numpy.ndarray",
            "v": [_pack(value.tolist(), handle, depth), value.dtype.str, list(value.shape)],
        }
    if hasattr(value, "dtype") and hasattr(value, "item") and value.dtype.kind in "biufc":
        return {"t": "numpy.scalar", "v": [_pack(value.item(), handle, depth), value.dtype.str]}
    return None


def _unpack(value: Any, handle: Callable[[int], Any] | None, depth: int) -> Any:
    kind = type(value)
    if kind is list:
        if depth > DEEPEST:
            raise NotPlain("data nested too deeply")
        return [_unpack(item, handle, depth + 1) for item in value]
    if kind is not dict:
        return value
    if depth > DEEPEST or set(value) != {"t", "v"}:
        raise NotPlain("data nested too deeply, or of no known form")
    name, content = value["t"], value["v"]
    if name == "int":
        return int(content, 16)
    if name == "float":
        return float(content)
    if name == "type":
        return _NAMED[content]
    if name == "handle":
        if handle is None or type(content) is not int:
            raise NotPlain("a handle where there can be none")
        return handle(content)
    if name in ("bytes", "bytearray"):
        return bytes.fromhex(content) if name == "bytes" else bytearray.fromhex(content)
    if type(content) is not list:
        raise NotPlain("data of no known form")
    items = [_unpack(item, handle, depth + 1) for item in content]
    if name == "dict":
        return dict(items)
    if name in _MADE:
        return _MADE[name](items)
    return _unpack_value(name, items)


_MADE: dict[str, Callable[[list[Any]], Any]] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "complex": lambda v: complex(*v),
    "range": lambda v: range(*v),
}


def _unpack_value(name: str, items: list[Any]) -> Any:
    module, _, kind = name.rpartition(".")
    if module == "numpy" and not (len(items) > 1 and type(items[1]) is str and _DTYPE.fullmatch(items[1])):
        raise NotPlain("an array of what are no numbers")
    if name == "numpy.ndarray":
        import numpy  # only where it was sent

        return numpy.array(items[0], dtype=items[1]).reshape(items[2])
    if name == "numpy.scalar":
        import numpy  # only where it was sent

        return numpy.dtype(items[1]).type(items[0])
    if name not in _VALUES:
        raise NotPlain(f"data of the kind {name[:50]!r}")
    import importlib

    made = getattr(importlib.import_module(module), kind)
    if name in ("datetime.datetime", "datetime.time"):
        return made.fromisoformat(items[0])
    return made(items[0], items[1]) if name == "collections.deque" else made(*items)
