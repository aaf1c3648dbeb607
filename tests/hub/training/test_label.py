"""A label as columns."""

from typing import Any

import pytest

from hub.training.label import columns_of_label


@pytest.mark.parametrize(
    ("label", "columns"),
    [
        ("4", {"gold": "4"}),
        (4, {"gold": 4}),
        ("", {}),
        (None, {}),
        ('{"answer": 4, "task": "x"}', {"answer": 4, "task": "x"}),
        ({"answer": 4}, {"answer": 4}),
        (' {"answer": "4"}', {"answer": "4"}),
        ('{"a": ' * 100_000, {"gold": '{"a": ' * 100_000}),
        ("{1, 2}", {"gold": "{1, 2}"}),
        ("[1, 2]", {"gold": "[1, 2]"}),
        (["a"], {"gold": ["a"]}),
        ("{" * 5000, {"gold": "{" * 5000}),
    ],
)
def test_labels(label: Any, columns: dict[str, Any]) -> None:
    assert columns_of_label(label, "gold") == columns
