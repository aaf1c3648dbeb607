"""The reward `final-answer`."""

from typing import Any

import pytest

import hub
from hub.testing import RewardSuite
from hub_benchmarks.final_answer import FinalAnswer, find_answer

CASES: list[tuple[str, str, str, float, str]] = [
    ("as asked", "Hm. So the answer is True.", "True", 1.0, ""),
    ("another", "So the answer is False.", "True", 0.0, "different"),
    ("another case", "The Answer Is true", "True", 1.0, ""),
    ("bold", "So **the answer is: Yes.**", "Yes", 1.0, ""),
    ("bold answer", "The answer is **Yes**.", "Yes", 1.0, ""),
    ("in quotation marks", 'The answer is "valid".', "valid", 1.0, ""),
    ("the last phrase counts", "The answer is 1. No, the answer is 2.", "2", 1.0, ""),
    ("the first phrase does not", "The answer is 1. No, the answer is 2.", "1", 0.0, "different"),
    ("on the next line", "The answer is:\n\n42\n\nGlad to help.", "42", 1.0, ""),
    ("no phrase, the last line", "We count.\n42\n", "42", 1.0, ""),
    ("no phrase, a sentence", "There are 42 of them", "42", 0.0, "different"),
    ("a number with a sign", "the answer is -35", "-35", 1.0, ""),
    ("a longer number", "the answer is 350", "35", 0.0, "different"),
    ("more than the answer", "the answer is 35 apples", "35", 0.0, "different"),
    ("a hedge", "the answer is 35 or 36", "35", 0.0, "different"),
    ("words with other spaces", "the answer is  barn   damp dot", "barn damp dot", 1.0, ""),
    ("words in another order", "the answer is damp barn dot", "barn damp dot", 0.0, "different"),
    ("brackets", "the answer is ) ] }", ") ] }", 1.0, ""),
    ("a choice", "the answer is (B)", "(B)", 1.0, ""),
    ("a choice without parentheses", "the answer is B.", "(B)", 1.0, ""),
    ("a choice and its text", "the answer is (B) 05/01/2021.", "(B)", 1.0, ""),
    ("a choice with a colon", "the answer is B: a dog", "(B)", 1.0, ""),
    ("another choice", "the answer is (C)", "(B)", 0.0, "different"),
    ("two choices", "the answer is (B) or (C)", "(B)", 0.0, "several"),
    ("a choice that is denied", "the answer is not (B)", "(B)", 0.0, "different"),
    ("choices that are denied", "the answer is not (A) or (B).", "(B)", 0.0, "different"),
    ("denied without parentheses", "the answer is neither A nor B", "(B)", 0.0, "different"),
    ("a choice and not another", "the answer is (B), not (A) or (C).", "(B)", 1.0, ""),
    ("not one but another", "the answer is not (A) but (B)", "(B)", 1.0, ""),
    ("one rather than another", "the answer is C rather than B", "(B)", 0.0, "different"),
    ("all choices", "the answer is (A) (B) (C) (D)", "(B)", 0.0, "several"),
    ("the same choice twice", "the answer is (B), that is (B)", "(B)", 1.0, ""),
    ("a word that begins with the letter", "the answer is Big", "(B)", 0.0, "different"),
    ("a letter's text alone", "the answer is a dog", "(B)", 0.0, "different"),
    ("nothing", "", "True", 0.0, "no_answer"),
    ("nothing after the phrase", "The answer is", "True", 0.0, "no_answer"),
    ("only thoughts", "<think>the answer is True", "False", 0.0, "different"),
    ("thoughts do not count", "<think>the answer is False</think>the answer is True", "True", 1.0, ""),
]


@pytest.mark.parametrize(
    ("text", "answer", "value", "reason"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_answers(text: str, answer: str, value: float, reason: str) -> None:
    score = FinalAnswer()(hub.Sample("", text, {"answer": answer}))
    assert (score.value, score.reason) == (value, reason)


@pytest.mark.parametrize("reference", [None, 7, "", " "])
def test_a_reference_that_is_no_text_has_failed(reference: Any) -> None:
    score = FinalAnswer()(hub.Sample("", "the answer is 7", {"answer": reference}))
    assert score.reason == hub.Failure.BAD_REFERENCE


def test_long_texts_take_no_time() -> None:
    for text in ("the answer is " * 50_000, "answer is\n" * 50_000, "(A)" * 100_000, "*" * 300_000):
        assert find_answer(text) is not None
        assert FinalAnswer()(hub.Sample("", text, {"answer": "(B)"})).value == 0.0


class TestFinalAnswer(RewardSuite):
    reward = "final-answer"
    gold = [hub.Sample("", text, {"answer": answer}) for _, text, answer, value, _ in CASES if value]
    wrong = [hub.Sample("", text, {"answer": answer}) for _, text, answer, value, _ in CASES if not value]
