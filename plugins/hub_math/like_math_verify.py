r"""`parse` and `verify` in the shape of math-verify's calls, to try this verifier in a minute.

Replace `from math_verify import parse, verify` by `from hub_math.like_math_verify import parse, verify`.
Options are taken and looked over: nothing here is configured by regular expressions or seconds.
"""

from typing import Any

from hub_math.extract import find_answer
from hub_math.policy import DEFAULT
from hub_math.reference import BadReference, read_references
from hub_math.verdict import compare_answers


def parse(pred: str, extraction_config: Any = None, **_: Any) -> list[str]:
    """Return the answer of a text, as a list of one; an empty list where there is none."""
    found = find_answer(pred)
    return [found] if found else []


def verify(gold: Any, target: Any, **_: Any) -> bool:
    """Decide whether the target is the gold answer; both as `parse` gives them, or as text.

    Unlike `hub_math.verify` it raises nothing: a gold answer that cannot be read is never met.
    """
    golds, targets = ([side] if isinstance(side, str) else list(side) for side in (gold, target))
    try:
        references = tuple(text for one in golds for text in read_references(one))
        return any(compare_answers(references, str(one), DEFAULT).correct for one in targets)
    except BadReference:
        return False
