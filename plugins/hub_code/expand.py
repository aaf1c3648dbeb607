"""Long columns that a row spells out as an expression, e.g. `"1 " * 500000`, so that its file stays short."""

import ast
from collections.abc import Mapping
from dataclasses import replace

import hub
from hub_code.columns import BadReference

LONGEST = 1 << 24
"""Characters of an expanded column, at most."""
DEEPEST = 100
"""How deep an expression may be nested, at most."""


def expand(sample: hub.Sample) -> hub.Sample:
    """Return the sample with the columns that its column `expand` spells out.

    `expand` is a mapping from columns to expressions of texts, whole numbers, `+` and `*`, as in Python.
    Nothing is called and no name is read. Columns that the row does not have are left out: they are somebody
    else's.

    Raises:
        BadReference: an expression holds something else, or makes a text that is too long.
    """
    given = sample.get("expand")
    if given is None:
        return sample
    if not isinstance(given, Mapping):
        raise BadReference(f"the column 'expand' is {type(given).__name__}, not a mapping of columns")
    made = {column: _text(column, text) for column, text in given.items() if column in sample.columns}
    return replace(sample, columns={**sample.columns, **made})


def _text(column: str, expression: object) -> str:
    try:
        value = _value(ast.parse(str(expression), mode="eval").body, DEEPEST)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise BadReference(f"'expand' of {column!r} cannot be read: {error}") from None
    if not isinstance(value, str):
        raise BadReference(f"'expand' of {column!r} makes {type(value).__name__}, not text")
    return value


def _value(node: ast.expr, left: int) -> str | int:
    if not left:
        raise ValueError("it is nested too deeply")
    if isinstance(node, ast.Constant) and type(node.value) in (str, int):
        return node.value  # type: ignore[return-value]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mult):
        one, other = _value(node.left, left - 1), _value(node.right, left - 1)
        if isinstance(node.op, ast.Add):
            _check_length(_length(one) + _length(other))
            return one + other  # type: ignore[operator]
        if isinstance(one, int) and isinstance(other, int):
            raise ValueError("it multiplies numbers")
        _check_length(_length(one) * _length(other))
        return one * other  # type: ignore[operator]
    raise ValueError("it may hold texts, whole numbers, + and * only")


def _length(value: str | int) -> int:
    return len(value) if isinstance(value, str) else max(value, 0)


def _check_length(length: int) -> None:
    if length > LONGEST:
        raise ValueError(f"it makes more than {LONGEST} characters")
