"""The reward `numeric`: whether the completion's number is close to the reference's."""

from fractions import Fraction
from typing import Any

import hub
from hub.errors import OptionError
from hub_math.exact import Undefined, constant
from hub_math.extract import find_answer
from hub_math.numeric import DIGITS, Evaluator, Undecidable, context
from hub_math.parse import parse
from hub_math.policy import Source
from hub_math.reference import BadReference, read_references
from hub_math.tidy import tidy
from hub_math.tree import Node, TooComplex, Unreadable


class Numeric:
    r"""1.0 where the completion's number is within a tolerance of the reference's, else 0.0.

    The column `answer` is a number, or text that is one (`18`, `1,234.5`, `\frac{3}{4}`, `2\pi`), or a list
    of these. The completion's number is found as by `math`. Units and percent signs are left out on both
    sides. The reasons for 0.0: `different`, `no_answer` (there is no number), `too_complex`.

    Args:
        relative: largest difference as a part of the reference; 0.01 is one percent.
        absolute: largest difference itself. Either is enough.
        source: where the answer is taken from (see `math`).

    >>> Numeric(relative=0.01)(hub.Sample("", "It is about 3.14.", {"answer": 3.14159})).value
    1.0
    """

    def __init__(self, relative: float = 1e-6, absolute: float = 0.0, source: Source = "auto") -> None:
        for name, value in (("relative", relative), ("absolute", absolute)):
            if not 0 <= value < float("inf"):
                raise OptionError(f"numeric: {name} is {value}, but should be at least 0")
        self.relative, self.absolute, self.source = relative, absolute, source

    def __call__(self, sample: hub.Sample) -> hub.Score:
        """Score one completion."""
        try:
            references = read_references(sample["answer"])
            wanted = [_number(reference, is_reference=True) for reference in references]
        except (BadReference, ValueError, TooComplex) as error:
            return hub.Score.failed("bad_reference", str(error))
        found = find_answer(sample.text, self.source)
        info: dict[str, Any] = {"reference": " | ".join(references)[:200], "answer": (found or "")[:200]}
        try:
            given = _number(found or "")
        except TooComplex as error:
            return hub.Score(0.0, "too_complex", str(error), info)
        except ValueError as error:
            return hub.Score(0.0, "no_answer", str(error), info)
        mp = context(DIGITS)
        given, *wanted = (
            mp.mpf(one.numerator) / one.denominator if isinstance(one, Fraction) else one
            for one in (given, *wanted)
        )
        close = any(abs(given - one) <= max(self.absolute, self.relative * abs(one)) for one in wanted)
        return hub.Score(float(close), "" if close else "different", info=info)


def _number(text: str, is_reference: bool = False) -> Any:
    """Read a number: a Fraction, or a number of many digits.

    Raises:
        ValueError: the text is no number.
        TooComplex: a limit was reached first.
    """
    try:
        node = _bare(parse(tidy(text, is_reference)))
        exact = constant(node)
        if exact is not None:
            return exact
        value = Evaluator({}).value(node)
    except (Unreadable, Undefined, Undecidable) as error:
        raise ValueError(f"not a number: {text[:100]!r} ({error})") from error
    if getattr(value, "imag", 0) != 0:
        raise ValueError(f"not a real number: {text[:100]!r}")
    return value


def _bare(node: Node) -> Node:
    while node.kind in ("quantity", "percent", "degree") or (
        node.kind == "rel" and set(node.args[0]) <= {"=", "≈"}
    ):
        node = node.args[-1] if node.kind == "rel" else node.args[0]
    return node
