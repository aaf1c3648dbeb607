r"""`verify`, from a completion to a verdict: which layer decides, which reason is given, what a hedge earns."""

import pytest

from hub_math import Policy, verify


@pytest.mark.parametrize(
    ("reference", "answer", "layer"),
    [
        ("9c+6", "9c + 6", "text"),
        ("$x$", r"\boxed{x}", "text"),
        ("9" * 10_000, rf"\boxed{{{'9' * 10_000}}}", "text"),
        (r"10^{10^{10}}", r"\boxed{10^{10^{10}}}", "text"),
        (r"\text{yes}", "Yes.", "words"),
        (r"\text{no solution}", r"\boxed{\emptyset}", "words"),
        (r"\text{4:30 p.m.}", r"\boxed{4:30 \text{ p.m.}}", "words"),
        ("five", r"\boxed{5}", "words"),
        ("5", r"\boxed{five}", "words"),
        (r"\mathbb{R}", r"\boxed{\text{all real numbers}}", "words"),
        ("1,234", "1234", "structure"),
        ("1,234", "1{,}234", "structure"),
        ("(1,2)", r"\boxed{(1,2.0)}", "exact"),
        (r"\{1,2\}", r"\boxed{2, 1}", "structure"),
        ("2", "x = 2", "structure"),
        ("9c+6", r"\boxed{3(3c+2)}", "exact"),
        ("0.75", r"\boxed{\frac{3}{4}}", "exact"),
        (r"2\sqrt3", r"\boxed{\sqrt{12}}", "numeric"),
        (r"\frac{\pi^2}{6}", r"\boxed{\sum_{n=1}^{\infty} \frac{1}{n^2}}", "numeric"),
        ("2", r"\boxed{\sum_{n=0}^{\infty} \frac{1}{2^n}}", "numeric"),
        ("1", r"\boxed{\int_0^\infty e^{-x} dx}", "numeric"),
        ("1", r"\boxed{\lim_{x\to0} \frac{\sin x}{x}}", "symbolic"),
        ("1011_2", r"\boxed{1011}", "number"),
    ],
)
def test_correct(reference: str, answer: str, layer: str) -> None:
    verdict = verify(reference, answer)
    assert (verdict.correct, verdict.layer, verdict.reason) == (True, layer, "")


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("4ab", "2a(2b)"),
        (r"\tfrac{1}{2} +\! \frac1{72}", r"\frac{37}{72}"),
        ("3 1/2", "3.5"),
        ("3.54e-07", r"3.54 \times 10^{-7}"),
        ("10", r"\$10"),
        ("10", r"10 \text{ cm}"),
        (r"12\text{ m}", "12"),
        ("74", "74\u00b0"),
        ("-5", "\u22125"),
        ("1234", "1 234"),
        ("5.5", "5,5"),
        ("t", "2t - t"),
        (r"\frac{2^{2005}+1}{3 \cdot 2^{2006}}", r"\frac{1}{6} + \frac{1}{3 \cdot 2^{2006}}"),
        (r"x \in [0.5, \infty)", r"[1/2, \infty)"),
        ("A", r"\textbf{(A)}"),
        ("C", r"\text{(C)}\ 5"),
        ("5", r"\text{(C)}\ 5"),
        ("12:30", "12:30"),
        ("1", r"\lim_{x \to 0} \frac{\sin x}{x} = 1"),
        ("10", r"\binom{5}{2} = 10"),
        (r"x \equiv 2 \pmod 5", r"2 \pmod 5"),
        (r"\frac12", r"\frac{1}{2} \text{ of the cake}"),
        ("0.5", r"50\%"),
        (["7", "x=8"], "8"),
    ],
)
def test_same(reference: object, answer: str) -> None:
    assert verify(reference, rf"So the answer is $\boxed{{{answer}}}$.").correct


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("9c+6", "9"),
        ("9", "9c+6"),
        ("4ab", "4"),
        ("12345", "12346"),
        ("5", "5,000"),
        ("1.234", "1,234"),
        ("0.0000001", "0.0000002"),
        ("50", "0.5"),
        ("3 1/2", "31/2"),
        ("20", "2^10"),
        (r"\frac{1}{2004!}", r"\frac{1}{2006!}"),
        (r"1-\frac{1}{\mathrm{e}}", r"1+\frac{1}{\mathrm{e}}"),
        ("12 m", "12 cm"),
        (r"12\text{ m}", r"12\text{ cm}"),
        ("ELBOW", "BELOW"),
        ("BACD", "ABCD"),
        ("A", "ABCD"),
        ("A", "B"),
        ("yes", "no"),
        (r"\text{4:30 p.m.}", "4:30 a.m."),
        ("0", r"\text{no solution}"),
        (r"\text{no solution}", "0"),
        ("-2", "|2|"),
        ("4", r"4\sqrt{2}"),
        ("5", r"5\mathrm{i}"),
        ("5", "5!"),
        (r"x \equiv 2 \pmod 5", r"x \equiv 3 \pmod 5"),
        ("10000000000000000000000001", "10000000000000000000000002"),
        ("9" * 10_000, "9" * 9_999 + "8"),
        (r"10^{10^{10}}", r"10^{10^{10}}+1"),
        (["7", "8"], "78"),
    ],
)
def test_different(reference: object, answer: str) -> None:
    verdict = verify(reference, rf"So the answer is $\boxed{{{answer}}}$.")
    assert not verdict.correct
    assert verdict.reason in ("different", "too_complex")


HEDGES = [
    r"\boxed{5} or \boxed{6}",
    r"\boxed{6}, \boxed{5}",
    r"\boxed{4} \boxed{5} \boxed{6}",
    r"$\boxed{5}$ or maybe $\boxed{6}$",
    r"\boxed{5 \text{ or } 6}",
    r"\boxed{5 \lor 6}",
    r"\boxed{5, 6}",
    r"\boxed{5; 6}",
    r"\boxed{\{5, 6\}}",
    r"\boxed{5 \text{ (or } 6)}",
    r"\boxed{5 \text{ or } 5.5}",
    r"\boxed{x = 5 \text{ or } x = 6}",
    r"\boxed{x=5, y=6}",
    r"\boxed{5 \pm 1}",
    r"\boxed{\pm 5}",
    r"\boxed{\begin{cases} 5 \\ 6 \end{cases}}",
    r"\boxed{5 = 6}",
    r"\boxed{6 = 5}",
    r"\boxed{5 \ne 6}",
    r"\boxed{x \ne 5}",
    r"\boxed{\neq 5}",
    r"\boxed{\text{not } 5}",
    r"\boxed{not 5}",
    r"\boxed{\neg 5}",
    r"\boxed{4 < 5}",
    r"\boxed{x > 4}",
    r"\boxed{5?}",
    r"\boxed{5 \, 6}",
    r"\boxed{\mathbb{R}}",
    r"\boxed{\text{any number}}",
    r"\boxed{x}",
    "The answer is 5 or 6.",
    "The answer is either 5 or 6",
    "It is 6 or 5",
    "The answer is not 5.",
    "The answer isn't 5",
    "It is not 5",
    "The answer is $5$ or $6$.",
    "The answer is between 4 and 5",
    r"The answer is 5/6",
]


@pytest.mark.parametrize("text", HEDGES)
def test_a_hedge_earns_nothing(text: str) -> None:
    assert not verify("5", text).correct


@pytest.mark.parametrize(
    "text",
    [
        r"\boxed{5} or \boxed{5}",
        r"\boxed{5}, \boxed{5.0}",
        r"\boxed{5 = 5}",
        r"\boxed{2+3=5}",
        r"\boxed{6-1}. \boxed{5}",
    ],
)
def test_to_say_the_same_twice_is_no_hedge(text: str) -> None:
    assert verify("5", text).correct


@pytest.mark.parametrize(
    ("reference", "answer", "reason"),
    [
        ("2", r"\boxed{3}", "different"),
        ("2", r"\boxed{5 = 2}", "different"),
        ("2", r"\boxed{1} or \boxed{2}", "several"),
        ("2", r"\boxed{1,2,3}", "several"),
        ("2", "", "no_answer"),
        ("2", " \n", "no_answer"),
        ("2", "It cannot be known.", "no_answer"),
        ("2", r"\boxed{2 +}", "no_answer"),
        ("2", "The answer is not 2.", "no_answer"),
        ("2", r"\boxed{9^{9^{9^{9}}}}", "too_complex"),
        ("2", r"\boxed{" + "(" * 500 + "2" + ")" * 500 + "}", "too_complex"),
        ("2", r"\boxed{" + "x+" * 5000 + "x}", "too_complex"),
        ("2", r"\boxed{\int \sin(x^2) f(x) dx}", "undecided"),
    ],
)
def test_reasons(reference: str, answer: str, reason: str) -> None:
    verdict = verify(reference, answer)
    assert (verdict.correct, verdict.reason) == (False, reason)


@pytest.mark.parametrize(
    ("reference", "answer", "policy"),
    [
        ("1,2", r"\boxed{1},\boxed{2}", Policy(ordered=True)),
        (r"\pi", "3.14", Policy(tolerance=0.01)),
        ("5", r"\boxed{5} or \boxed{6}", Policy(several=True)),
        ("5", r"\boxed{\{5, 6\}}", Policy(several=True)),
        ("7", "<answer>7</answer> and 8", Policy(source="tag")),
        ("7", "It was 8.\nThe result is 7.", Policy(source="final-line")),
        ("5 cm", r"\boxed{5\text{ cm}}", Policy(units="required")),
    ],
)
def test_same_by_policy(reference: str, answer: str, policy: Policy) -> None:
    assert verify(reference, answer, policy).correct


@pytest.mark.parametrize(
    ("reference", "answer", "policy"),
    [
        ("1,2", r"\boxed{2},\boxed{1}", Policy(ordered=True)),
        (r"\pi", "3.2", Policy(tolerance=0.01)),
        ("5", r"\boxed{4} or \boxed{6}", Policy(several=True)),
        ("50", r"\boxed{50\%}", Policy(percent="strict")),
        ("7", "The answer is 7", Policy(source="boxed")),
        ("7", r"\boxed{7}", Policy(source="tag")),
        ("5 cm", r"\boxed{5}", Policy(units="required")),
    ],
)
def test_different_by_policy(reference: str, answer: str, policy: Policy) -> None:
    assert not verify(reference, answer, policy).correct


def test_a_verdict_says_what_was_compared() -> None:
    verdict = verify("$7$", r"It is \boxed{x = 9}.")
    assert (verdict.reference, verdict.answer, verdict.layer) == ("7", "x = 9", "exact")
    assert verify("2", r"\boxed{5 = 2}").detail


@pytest.mark.parametrize("answer", [None, b"7", 7, ["7"], object()])
def test_what_is_no_text_is_no_answer(answer: object) -> None:
    verdict = verify("7", answer)  # type: ignore[arg-type]
    assert (verdict.correct, verdict.reason) == (False, "no_answer")


def test_an_empty_box_is_no_answer() -> None:
    assert verify("2", r"\boxed{}").reason == "no_answer"
    assert not verify(r"\emptyset", r"\boxed{}").correct


@pytest.mark.parametrize(
    ("reference", "answer"),
    [("9" * 4_000, "It is 1" + "9" * 4_000), ("9" * 500, "The answer is " + "9" * 6_000)],
    ids=["tail", "announced"],
)
def test_a_number_is_never_cut(reference: str, answer: str) -> None:
    assert not verify(reference, answer).correct


@pytest.mark.parametrize("text", ["Therefore, x = 5", "So x = 5.", "Thus the answer is 5."])
def test_a_sentence_around_a_value(text: str) -> None:
    assert verify("5", text).correct


@pytest.mark.parametrize("text", ["The answer is about 5", "The answer is not 3 but 5"])
def test_prose_around_a_value(text: str) -> None:
    assert verify("5", text).correct


def test_a_decimal_stands_for_an_infinite_sum() -> None:
    assert verify(r"\sum_{n=1}^{\infty} \frac{1}{n^2}", r"\boxed{1.644934}").correct


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("1", r"\boxed{\int_0^1 \int_0^1 xy dx dy}"),
        ("4", r"\boxed{2ab+3cd+4ef}"),
        ("3", r"\boxed{\text{all real numbers except } 3}"),
    ],
)
def test_a_formula_with_many_letters_is_no_sentence_around_a_number(reference: str, answer: str) -> None:
    assert not verify(reference, answer).correct
