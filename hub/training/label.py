"""From the label, where it is all that a trainer hands over of a row, to columns."""

import json
from collections.abc import Mapping
from typing import Any


def columns_of_label(label: Any, name: str) -> dict[str, Any]:
    """Return the columns that a label stands for.

    Args:
        label: a mapping, or the text of a JSON object: columns by name. Anything else is one column.
        name: what that column is called. An empty label, which trainers give where the data has none, is no
            column.

    >>> columns_of_label('{"answer": "4", "task": "math"}', "answer")
    {'answer': '4', 'task': 'math'}
    >>> columns_of_label("4", "answer"), columns_of_label("", "answer")
    ({'answer': '4'}, {})
    """
    if isinstance(label, str) and label.lstrip().startswith("{"):
        try:
            read = json.loads(label)
        except (ValueError, RecursionError):
            return {name: label}
        return dict(read) if isinstance(read, dict) else {name: label}
    if isinstance(label, Mapping):
        return {str(key): value for key, value in label.items()}
    return {} if label is None or label == "" else {name: label}
