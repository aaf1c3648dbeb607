r"""Finding the answer in a completion."""

import pytest

from hub_math.extract import find_announced, find_answer, last_boxes, marked
from hub_math.policy import Source


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        # Boxes
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"First \boxed{1}. After all it is \boxed{2}.", "2"),
        (r"\boxed{1} \boxed{2", "1"),
        (r"\boxed{\{1,2\}}", r"\{1,2\}"),
        (r"\boxed{185\}", "185\\"),
        ("\\boxed {\n7 }", "7"),
        (r"\fbox{7}", "7"),
        (r"\boxed{5}. Check: 7 > 3.", "5"),
        (r"\boxed{} The answer is 7.", "7"),
        (r"\boxed{The answer is 5}", "5"),
        (r"\boxed{\text{The answer is } 5}", "5"),
        # Boxes beside each other are one answer
        (r"\boxed{41}, \boxed{42}, \boxed{43}", "41, 42, 43"),
        (r"either \boxed{2} or \boxed{3}", "2, 3"),
        (r"$\boxed{42}$ or maybe $\boxed{43}$", "42, 43"),
        (r"\boxed{42}\boxed{43}", "42, 43"),
        (r"$\boxed{x=1}$ and $\boxed{y=2}$", "x=1, y=2"),
        # Thoughts
        (r"<think>\boxed{1}</think>It is \boxed{2}.", "2"),
        (r"<think>\boxed{1}</think>It is 2", "2"),
        (r"<think>It is \boxed{1}</think>", None),
        # GSM8K
        ("3 + 4 = 7\n#### 7", "7"),
        ("#### 7\n#### 8\nthanks", "8"),
        ("So 9 it is.\nA: 7", "7"),
        # What is announced
        ("The answer is 7. It is odd.", "7"),
        ("The answer is 7, since 3 + 4 = 7.", "7"),
        ("The answer is 3.14", "3.14"),
        ("the answer is -5.", "-5"),
        ("The final answer is: $x^2$.", "x^2"),
        ("Final answer: **73**", "73"),
        ("The answer: \\(\\frac{3}{4}\\) of 100", r"\frac{3}{4}"),
        ("Answer:\n\n12", "12"),
        ("Final Answer: The final answer is $7$. I hope it is correct.", "7"),
        ("Is the answer 5? The answer is 6.", "6"),
        ("The answer is $12$ or $13$", "12, 13"),
        ("\u7b54\u6848:7\u3002", "7"),
        ("La respuesta es 7.", "7"),
        # What is denied
        ("The answer is not 42.", None),
        ("The answer isn't 42.", None),
        ("It's not 42.", None),
        # The last formula or number
        ("It was 5, then $7$", "7"),
        ("It was $5$, then 7", "7"),
        ("They have 1,234 sheep.", "1,234"),
        ("the ratio is 13/28", "13/28"),
        ("it is 25%", "25%"),
        ("It is 12 or 13", "12 or 13"),
        ("\u6240\u4ee5\u4e00\u5171\u67093 + 10 = 13\u53ea\u9e1f\u3002", "13"),
        ("No number here.", None),
        # Bare answers
        ("x^2", "x^2"),
        ("1", "1"),
        ("x = 1/2", "x = 1/2"),
        ("", None),
        (" \n", None),
    ],
)
def test_answer(text: str, answer: str | None) -> None:
    assert find_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "source", "answer"),
    [
        ("It is 7.", "boxed", None),
        (r"It is \boxed{7}, not 8.", "boxed", "7"),
        (r"\boxed{ }", "boxed", None),
        ("It is 7.\nThat was all of it.\n", "final-line", None),
        ("It was 6.\nIt is 7\n\n", "final-line", "7"),
        ("", "final-line", None),
        (r"\boxed{6} <answer>7</answer>", "tag", "7"),
        ("<answer>6</answer><answer>7</answer>", "tag", "7"),
        (r"<answer>It is \boxed{7}.</answer>", "tag", "7"),
        (r"<answer></answer>", "tag", None),
        ("It is 7.", "tag", None),
        ("<think><answer>6</answer></think>", "tag", None),
    ],
)
def test_sources(text: str, source: Source, answer: str | None) -> None:
    assert find_answer(text, source) == answer


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("no box", None),
        (r"\boxed{}", ""),
        (r"\boxed{a{b}c}", "a{b}c"),
        (r"\boxed{a} {\boxed{b", "a"),
        (r"} \boxed{a}", "a"),
        (r"\boxed{\boxed{7}}", r"\boxed{7}"),
    ],
)
def test_boxes(text: str, content: str | None) -> None:
    assert last_boxes(text) == content


def test_many_boxes_in_each_other_are_scanned_once() -> None:
    depth = 50_000
    inner = r"\boxed{" * (depth - 1) + "7" + "}" * (depth - 1)
    assert last_boxes(rf"\boxed{{{inner}}}") == inner


def test_of_ten_thousand_boxes_the_last_count() -> None:
    found = last_boxes(r"\boxed{1} " * 10_000 + r"\boxed{2}")
    assert found is not None
    assert found.endswith(", 2")
    assert found.count("1") < 200


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("#### 7", "7"),
        ("x\n  #### 5,000 \ny", "5,000"),
        ("A: 7", "7"),
        ("A: 7\nB: 8", ""),
        ("####", ""),
        ("7", ""),
    ],
)
def test_marked(text: str, found: str) -> None:
    assert marked(text) == found


def test_what_a_solution_announces() -> None:
    solution = "We add the two numbers and get seven. The answer is $7$. This is what was asked for."
    assert find_announced(solution) == "7"
    assert find_announced("9c+6") is None
    assert (
        find_announced(
            r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \cdot \begin{pmatrix} 1 \\ 2 \end{pmatrix}"
        )
        is None
    )
