"""What a verifier needs of a row, as one text: Python literals survive JSON, CSV, Parquet and any trainer.

Entries hold tuples, sets and numbers as keys, which JSON would turn into other things.
"""

import ast
from collections.abc import Mapping
from math import isfinite
from typing import Any

from hub.errors import BadInput


def write_entry(entry: Mapping[str, Any]) -> str:
    """Write an entry of a dataset, without its question.

    >>> write_entry({"question": "2 + 2?", "answer": "4", "metadata": {"terms": (2, 2)}})
    "{'answer': '4', 'metadata': {'terms': (2, 2)}}"
    """
    return repr({key: _plain(value) for key, value in entry.items() if key != "question"})


def read_entry(text: str) -> dict[str, Any]:
    """Read what `write_entry` wrote.

    Raises:
        BadInput: it is no such text.
    """
    try:
        entry = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise BadInput(f"the column 'entry' cannot be read: {type(error).__name__}: {error}") from error
    if not isinstance(entry, dict) or not {"answer", "metadata"} <= entry.keys():
        raise BadInput(f"the column 'entry' has no answer and metadata: {text!r:.100}")
    return entry


def _plain(value: Any) -> Any:
    """Turn values that no literal can write into those that one can: NumPy's, fractions, infinity."""
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        kind = next(kind for kind in (list, tuple, set) if isinstance(value, kind))
        return kind(map(_plain, value))
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    return value if type(value) in (bool, int, str, bytes, type(None)) else str(value)
