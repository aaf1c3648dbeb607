r"""`parse` and `verify` as math-verify has them."""

import pytest

from hub_math.like_math_verify import parse, verify


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("${1,3} \\cup {2,4}$", ["{1,3} \\cup {2,4}"]),
        (r"So it is \boxed{7}.", ["7"]),
        ("There is nothing to see.", []),
        ("", []),
    ],
)
def test_parse(text: str, found: list[str]) -> None:
    assert parse(text, extraction_config=["ignored"]) == found


@pytest.mark.parametrize(
    ("gold", "target", "same"),
    [
        (parse("$\\frac12$"), parse("0.5"), True),
        (parse("$\\frac12$"), parse("0.6"), False),
        ("1/2", ["0.5"], True),
        (["7", "8"], ["8"], True),
        (["7"], [], False),
        ([], ["7"], False),
        (r"\frac{1}{", "7", False),
        (b"7", "7", False),
    ],
)
def test_verify(gold: object, target: object, same: bool) -> None:
    assert verify(gold, target, float_rounding=6, strict=True, timeout_seconds=5) is same
