"""Finding the answer in a completion, and reading the reference."""

from decimal import Decimal
from fractions import Fraction

import pytest

from hub_math.extract import find_answer, last_box, read_references


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"\boxed{1} and then \boxed{2}", "2"),
        (r"\boxed{41}, \boxed{42}, \boxed{43}", "43"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed{\boxed{7}}", r"\boxed{7}"),
        (r"\boxed{1} \boxed{2", "1"),
        (r"\boxed{\{1,2\}}", r"\{1,2\}"),
        (r"\boxed{185\}", "185\\"),
        ("\\boxed {\n7 }", "7"),
        (r"\boxed{} The answer is 7.", "7"),
        (r"\boxed{\text{The answer is 7}}", "7}"),
        (r"<think>\boxed{1}</think>It is \boxed{2}.", "2"),
        (r"<think>\boxed{1}</think>It is 2.", "2"),
        (r"<think>It is \boxed{1}</think>", None),
        ("3 + 4 = 7\n#### 7", "7"),
        ("#### 7\n#### 8\nthanks", "8"),
        ("So 9 it is.\nA: 7", "7"),
        ("A: 7\nB: 8\nI take 8", "8"),
        ("The answer is 7. It is odd.", "7"),
        ("The answer is 7, since 3 + 4 = 7.", "7"),
        ("The final answer is: $x^2$.", "x^2"),
        ("Final answer: **73**", "73"),
        ("The answer: \\(\\frac{3}{4}\\) of 100", r"\frac{3}{4}"),
        ("The answer is 3.14", "3.14"),
        ("The answer is that all 42 of the apples are red", "42"),
        ("答案:7。", "7"),
        ("所以一共有3 + 10 = 13只鸟。", "13"),
        ("It was 5, then $7$", "7"),
        ("It was $5$, then 7", "7"),
        ("He pays $5 and $7", "7"),
        ("They have 1,234 sheep.", "1,234"),
        ("the ratio is 13/28", "13/28"),
        ("it is 25%.", "25%"),
        ("5-3 is 2", "2"),
        ("No number here.", None),
        ("", None),
    ],
)
def test_answer(text: str, answer: str | None) -> None:
    assert find_answer(text) == answer


@pytest.mark.parametrize(
    ("reference", "answers"),
    [
        ("9c+6", ["9c+6"]),
        ("  $9c+6$ ", ["9c+6"]),
        ("$$x$$", ["x"]),
        (r"\(x\)", ["x"]),
        (r"\[x\]", ["x"]),
        (r"\boxed{9c+6}", ["9c+6"]),
        (r"So we have $\boxed{\frac12}$.", [r"\frac12"]),
        ("2 + 3 = <<2+3=5>>5\n#### 5,000", ["5,000"]),
        ("2 + 3 = 5\nA: 5", ["5"]),
        ("$x$ and $y$", ["$x$ and $y$"]),
        ("The answer is 7", ["The answer is 7"]),
        (7, ["7"]),
        (7.0, ["7"]),
        (-0.5, ["-0.5"]),
        (1e-7, ["0.0000001"]),
        (100.0, ["100"]),
        (Decimal("1.10"), ["1.1"]),
        (Fraction(1, 2), ["1/2"]),
        (["1", 2, ["3"]], ["1", "2", "3"]),
    ],
)
def test_reference(reference: object, answers: list[str]) -> None:
    assert read_references(reference) == answers


def test_many_boxes_in_each_other_are_scanned_once() -> None:
    depth = 50_000
    assert last_box(r"\boxed{" * depth + "7" + "}" * depth) == r"\boxed{" * (depth - 1) + "7" + "}" * (
        depth - 1
    )
