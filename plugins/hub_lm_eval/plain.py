"""What lm-eval and its tasks give, as plain data for JSON."""

from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Return numbers of numpy as Python's, arrays and tuples as lists; what is no data as text.

    >>> plain({"a": (1, 2.5), 3: {"b"}})
    {'a': [1, 2.5], '3': "{'b'}"}
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if hasattr(value, "tolist"):  # numpy's arrays and numbers
        return plain(value.tolist())
    return str(value)
