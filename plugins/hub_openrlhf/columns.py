"""From OpenRLHF's label, the only column that it hands to rewards, to columns."""

import json
from collections.abc import Mapping
from typing import Any


def columns_of(label: Any, name: str) -> dict[str, Any]:
    """Return a label's columns.

    Args:
        label: a mapping, or the text of a JSON object: columns by name. Anything else is one column.
        name: what that column is called. An empty label, which OpenRLHF gives where there is no
            `--data.label_key`, is none.

    >>> columns_of('{"answer": "4", "task": "math"}', "answer")
    {'answer': '4', 'task': 'math'}
    >>> columns_of("4", "answer"), columns_of("", "answer")
    ({'answer': '4'}, {})
    """
    if isinstance(label, str) and label.lstrip().startswith("{"):
        try:
            read = json.loads(label)
        except ValueError:
            return {name: label}
        return dict(read) if isinstance(read, dict) else {name: label}
    if isinstance(label, Mapping):
        return {str(key): value for key, value in label.items()}
    return {} if label is None or label == "" else {name: label}
