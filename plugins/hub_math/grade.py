"""The rewards `math` and `math-boxed`: whether the completion's answer equals the reference answer."""

from typing import Literal

import hub
from hub.errors import OptionError
from hub_math.policy import Policy, Source
from hub_math.reference import BadReference
from hub_math.verdict import verify


class Math:
    r"""1.0 where the completion's final answer equals the reference answer as mathematics, else 0.0.

    The column `answer` is the reference: text (LaTeX with or without `$`, a `\boxed{}`, a GSM8K solution
    with `#### 18`), a number, or a list of these of which any may match. A reference that cannot be read has
    failed with `bad_reference`. What counts as the same is told in docs/math.md; how the answer is found in
    the completion, in `hub_math.extract`.

    The score's `reason` says why a value is 0.0 (see `hub_math.verdict.Verdict`), `info` what was compared
    (`reference`, `answer`) and the `layer` that decided.

    Args:
        source: where the answer is taken from: "auto", "boxed", "final-line" or "tag" (`<answer>…</answer>`).
        ordered: lists without brackets and sets must have the reference's order.
        tolerance: relative difference at which numbers are the same; 0.01 is one percent.
        percent: "either" (50% matches 50 and 0.5) or "strict" (only 0.5).
        units: "optional" (a unit that one side lacks is looked over) or "required".
        several: the completion may offer several answers, of which any may match.

    >>> Math()(hub.Sample("", r"So it is \boxed{6 + 9c}.", {"answer": "9c+6"})).value
    1.0
    """

    def __init__(
        self,
        source: Source = "auto",
        ordered: bool = False,
        tolerance: float = 0.0,
        percent: Literal["either", "strict"] = "either",
        units: Literal["optional", "required"] = "optional",
        several: bool = False,
    ) -> None:
        if tolerance < 0:
            raise OptionError(f"math: tolerance is {tolerance}, but should be at least 0")
        self.policy = Policy(source, ordered, tolerance, percent, units, several)

    def __call__(self, sample: hub.Sample) -> hub.Score:
        """Score one completion."""
        try:
            verdict = verify(sample["answer"], sample.text, self.policy)
        except BadReference as error:
            return hub.Score.failed("bad_reference", str(error))
        info = {"reference": verdict.reference, "answer": verdict.answer, "layer": verdict.layer}
        return hub.Score(float(verdict.correct), verdict.reason, verdict.detail, info)


class MathBoxed(Math):
    r"""The same, but the answer counts only in a `\boxed{}`; without one the value is 0.0 (`no_answer`).

    Args:
        ordered: see `math`, as the others.
        tolerance: relative difference at which numbers are the same.
        percent: "either" or "strict".
        units: "optional" or "required".
    """

    def __init__(
        self,
        ordered: bool = False,
        tolerance: float = 0.0,
        percent: Literal["either", "strict"] = "either",
        units: Literal["optional", "required"] = "optional",
    ) -> None:
        super().__init__("boxed", ordered, tolerance, percent, units)
