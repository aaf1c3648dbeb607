r"""Reads references: an answer, never a text to search.

A reference is taken as it stands, out of its `$`, its box or its `####` line: `9c+6`, `$9c+6$`,
`\boxed{9c+6}` and a solution that ends in `#### 18` or in "the answer is 18" are all read.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from math import isfinite
from numbers import Rational
from typing import Any

from hub_math.extract import find_announced, last_boxes, marked
from hub_math.tidy import without_dollars

_OPEN_BOX = re.compile(r"\\+boxed\s*\{")


class BadReference(ValueError):
    """A reference that cannot be used: the row is at fault, not the completion."""


def read_references(value: Any) -> tuple[str, ...]:
    """Return the answers that a reference allows: one, or those of a list.

    Raises:
        BadReference: it is empty, or nothing that could be an answer.
    """
    if type(value) is str:
        return (_read_text(value),)
    value = getattr(value, "tolist", lambda: value)()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        found = tuple(answer for one in value for answer in read_references(one))
        if not found:
            raise BadReference("the reference is an empty list")
        return found
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal | Rational):
        raise BadReference(f"the reference is {value!r:.100} ({type(value).__name__}), not text or a number")
    if isinstance(value, float | Decimal):
        if not isfinite(value):
            raise BadReference(f"the reference is {value}")
        digits = format(Decimal(repr(value)) if isinstance(value, float) else value, "f")
        return (digits.rstrip("0").rstrip(".") if "." in digits else digits,)
    if isinstance(value, int) and value.bit_length() > 12_000:
        raise BadReference("the reference is an integer of more than 3,600 digits; give it as text")
    return (_read_text(str(value)),)


def _read_text(text: str) -> str:
    found = marked(text)
    if not found:
        box = last_boxes(text)
        if box is None and _OPEN_BOX.match(text):
            box = _OPEN_BOX.sub("", text)  # cut off before its end
        if box is None:
            box = find_announced(text)
        found = text if box is None else box.strip()
    found = without_dollars(found)
    if not found:
        raise BadReference("the reference is empty")
    return found
