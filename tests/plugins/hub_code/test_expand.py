"""Columns that a row spells out as expressions."""

from typing import Any

import pytest

import hub
from hub_code.columns import BadReference
from hub_code.expand import LONGEST, expand


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'1 ' * 3", "1 1 1 "),
        ("3 * ('a' + 'b' * 2) + '\\n'", "abbabbabb\n"),
        ("'a' * 0", ""),
        ("'a' * (2 + 1)", "aaa"),
        ("'x'", "x"),
    ],
)
def test_expressions_of_texts(expression: str, text: str) -> None:
    columns = {"stdin": "", "tests": "t", "expand": {"stdin": expression, "code": "'left alone'"}}
    assert expand(hub.Sample("", "", columns)).columns == {**columns, "stdin": text}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("stdin", "is str, not a mapping"),
        ({"stdin": "open('x').read()"}, "texts, whole numbers"),
        ({"stdin": "stdin"}, "texts, whole numbers"),
        ({"stdin": "f'{1}'"}, "texts, whole numbers"),
        ({"stdin": "'a' 5"}, "cannot be read"),
        ({"stdin": "1 + 1"}, "makes int, not text"),
        ({"stdin": "'a' + 1"}, "cannot be read"),
        ({"stdin": "9 * 9"}, "multiplies numbers"),
        ({"stdin": f"'a' * {LONGEST + 1}"}, "more than"),
        ({"stdin": "'a' * 9999 * 9999 * 9999"}, "more than"),
        ({"stdin": "(" * 5000 + "'a'" + ")" * 5000}, "cannot be read"),
        ({"stdin": "'a'" + " + 'a'" * 2000}, "cannot be read"),
        ({"stdin": None}, "cannot be read"),
    ],
)
def test_anything_else_is_the_rows_fault(given: Any, message: str) -> None:
    with pytest.raises(BadReference, match=message):
        expand(hub.Sample("", "", {"stdin": "", "expand": given}))
