r"""The rewards `math` and `math-boxed` through the engine."""

from typing import Any

import pytest

import hub
from hub.errors import OptionError
from hub.testing import RewardSuite
from hub_math.grade import Math, MathBoxed


def boxed(gold: object, answer: str) -> hub.Sample:
    return hub.Sample("", rf"So the answer is $\boxed{{{answer}}}$.", {"answer": gold})


def said(gold: object, text: str) -> hub.Sample:
    return hub.Sample("", text, {"answer": gold})


class TestMath(RewardSuite):
    reward = "math"
    gold = [
        boxed("9c+6", "6 + 9c"),
        boxed("$9c+6$", "3(3c + 2)"),
        boxed(r"\boxed{\frac{1}{2}}", "0.5"),
        boxed(18, "18.0"),
        boxed(0.5, r"\frac12"),
        boxed(["7", "x=8"], "8"),
        boxed("1", r"\lim_{x \to 0} \frac{\sin x}{x}"),
        said("She has 3 + 15 = <<3+15=18>>18.\n#### 18", "3 + 15 = 18\n#### 18"),
        said("18", "Half of 36 is 18."),
    ]
    wrong = [
        boxed("9c+6", "9"),
        boxed("2", "5 = 2"),
        boxed("2", r"\{1, 2, 3\}"),
        boxed("2", r"1 \text{ or } 2"),
        boxed("1", r"9^{9^{9^{9}}}"),
        said("2", r"\boxed{2} or \boxed{3}"),
        said("2", "It cannot be known."),
        said("2", "The answer is not 2."),
    ]


class TestMathBoxed(RewardSuite):
    reward = "math-boxed"
    gold = [
        boxed("9c+6", "6 + 9c"),
        boxed(18, "18.0"),
        said("3", r"<think>\boxed{2}</think>It is \boxed{3}."),
    ]
    wrong = [
        boxed("9c+6", "9"),
        said("18", "The answer is 18."),
        said("18", "#### 18"),
        said("18", r"<think>\boxed{18}</think>It is 18."),
        said("18", r"\boxed{18} or \boxed{19}"),
        said("18", r"\boxed{18"),
    ]


class TestMathWithOptions(RewardSuite):
    reward = "math"
    options = {
        "source": "tag",
        "ordered": True,
        "tolerance": 0.01,
        "percent": "strict",
        "units": "required",
        "several": True,
    }
    gold = [
        said("3.14", "<answer>3.15</answer>"),
        said("5 cm", r"<answer>\boxed{6 cm} or \boxed{5 cm}</answer>"),
    ]
    wrong = [said("3.14", "3.14"), said("1,2", "<answer>2,1</answer>"), said("50", r"<answer>50\%</answer>")]


def test_a_score_says_what_was_compared_and_what_decided() -> None:
    score = Math()(boxed("$7$", "x = 9"))
    assert (score.value, score.reason) == (0.0, "different")
    assert score.info == {"reference": "7", "answer": "x = 9", "layer": "exact"}
    assert Math()(boxed("7", "7")).info == {"reference": "7", "answer": "7", "layer": "text"}


@pytest.mark.parametrize(
    ("reference", "detail"),
    [
        ("", "empty"),
        ([], "empty list"),
        (None, "NoneType"),
        (b"1", "bytes"),
        (float("nan"), "nan"),
        (r"\frac{1}{", "read"),
    ],
)
def test_a_reference_that_cannot_be_used_is_no_zero(reference: object, detail: str) -> None:
    for reward in (Math(), MathBoxed()):
        score = reward(boxed(reference, "42"))
        assert (score.value, score.reason) == (None, "bad_reference")
        assert detail in score.detail


def test_the_reason_for_a_zero() -> None:
    reasons = {answer: Math()(boxed("2", answer)).reason for answer in ("3", "2,3", "2+", "9^{9^9}")}
    assert reasons == {"3": "different", "2,3": "several", "2+": "no_answer", "9^{9^9}": "too_complex"}
    assert MathBoxed()(said("2", "The answer is 2.")).reason == "no_answer"


@pytest.mark.parametrize(
    ("reward", "options"),
    [
        ("math", {"unknown": 1}),
        ("math", {"source": "anywhere"}),
        ("math", {"percent": "no"}),
        ("math", {"units": 1}),
        ("math-boxed", {"source": "auto"}),
        ("math-boxed", {"several": True}),
    ],
)
def test_options_that_it_does_not_have(reward: str, options: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        hub.find_reward(reward).bind(options)


@pytest.mark.parametrize("reward", [Math, MathBoxed])
def test_a_tolerance_is_not_negative(reward: type[Math] | type[MathBoxed]) -> None:
    with pytest.raises(OptionError, match="tolerance"):
        reward(tolerance=-0.1)
