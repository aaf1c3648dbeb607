r"""The reward `multiple-choice`: the letter that a completion chooses."""

import numpy
import pytest

import hub
from hub.errors import OptionError
from hub.testing import RewardSuite
from hub_math.choice import MultipleChoice, choose

CITIES = ["Rome", "Paris", "$x^2$"]


def asked(reference: object, text: str, choices: object = None) -> hub.Sample:
    return hub.Sample("", text, {"answer": reference} | ({"choices": choices} if choices is not None else {}))


class TestMultipleChoice(RewardSuite):
    reward = "multiple-choice"
    gold = [
        asked("B", "It is not A, so the answer is (B)."),
        asked("(B)", r"\boxed{\text{B}}"),
        asked("B", "The answer is Paris.", CITIES),
        asked("Paris", "B", CITIES),
        asked(1, "B. Paris", CITIES),
    ]
    wrong = [
        asked("B", "The answer is A or B."),
        asked("B", "The answer is not B."),
        asked("B", r"\boxed{A} or \boxed{B}"),
        asked("B", "A, B, C, D"),
        asked("B", "It cannot be known."),
        asked("B", "The answer is A. I am sure that it is not B."),
    ]


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("C", "C"),
        ("(C)", "C"),
        ("C.", "C"),
        ("C) its text", "C"),
        ("**C**", "C"),
        ("**Answer: C**", "C"),
        ("Option C", "C"),
        ("The answer is C", "C"),
        ("The answer is (C).", "C"),
        ("The answer is: \n\nC", "C"),
        (r"Final answer: \(\boxed{C}\)", "C"),
        (r"\boxed{\text{(C)}\ 5}", "C"),
        ("A is wrong. The answer is C.", "C"),
        ("Answer: A\nAnswer: C", "C"),
        ("The correct option is C because A is wrong", "C"),
        ("The answer is C (not A)", "C"),
        ("<think>A</think>C", "C"),
        # Several
        ("The answer is C or D", "CD"),
        ("The answer is either C or D", "CD"),
        ("The answer is (C) or (D)", "CD"),
        ("the answers are A, B, and C", "ABC"),
        ("Both A and B", "AB"),
        ("A/B", "AB"),
        (r"\boxed{C} or \boxed{D}", "CD"),
        # None
        ("", ""),
        ("The answer is not C", ""),
        ("ABC", ""),
        ("Z", ""),
        ("42", ""),
        ("c", ""),
        ("It cannot be known.", ""),
    ],
)
def test_choose(text: str, letters: str) -> None:
    assert "".join(choose(text, "ABCDEFGHIJ")) == letters


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("The answer is Paris", "B"),
        ("paris.", "B"),
        (r"\boxed{Paris}", "B"),
        ("B. Paris", "B"),
        (r"The answer is $x^2$", "C"),
        ("The answer is E", ""),
        ("London", ""),
    ],
)
def test_choose_by_text(text: str, letters: str) -> None:
    assert "".join(choose(text, "ABC", CITIES)) == letters


@pytest.mark.parametrize(
    ("text", "letters"),
    [("I think A", "A"), ("I choose B.", "B"), ("I do not know", ""), ("The answer is I", "I")],
)
def test_the_word_i_is_no_choice(text: str, letters: str) -> None:
    assert "".join(choose(text, "ABCDEFGHIJ")) == letters


def test_the_article_a_is_no_choice() -> None:
    assert choose("A careful look shows that none fits.", "ABCD") == []


@pytest.mark.parametrize(
    ("reference", "choices"),
    [
        (0, numpy.array(CITIES)),
        ("A", {"text": CITIES, "label": ["A", "B", "C"]}),
        ("Rome", tuple(CITIES)),
        ("(A)", CITIES),
    ],
)
def test_choices_as_data_sets_have_them(reference: object, choices: object) -> None:
    assert MultipleChoice()(asked(reference, "A", choices)).value == 1.0
    assert MultipleChoice()(asked(reference, "B", choices)).value == 0.0


@pytest.mark.parametrize(
    ("reference", "choices"),
    [
        ("", None),
        ("Z", None),
        ("A or B", None),
        (0, None),
        (3, CITIES),
        (-1, CITIES),
        (True, CITIES),
        (None, CITIES),
        ("London", CITIES),
        ("D", CITIES),
    ],
)
def test_bad_reference(reference: object, choices: object) -> None:
    score = MultipleChoice()(asked(reference, "A", choices))
    assert (score.value, score.reason) == (None, "bad_reference")


def test_reasons() -> None:
    reasons = [MultipleChoice()(asked("A", text)).reason for text in ("A", "B", "A or B", "none of them")]
    assert reasons == ["", "different", "several", "no_answer"]


def test_letters_beyond_the_option_are_none() -> None:
    assert MultipleChoice(letters=4)(asked("A", "The answer is E")).reason == "no_answer"
    assert MultipleChoice(letters=26)(asked("Z", "The answer is Z")).value == 1.0


@pytest.mark.parametrize("letters", [0, 1, 27])
def test_letters_out_of_range(letters: int) -> None:
    with pytest.raises(OptionError, match="letters"):
        MultipleChoice(letters)
