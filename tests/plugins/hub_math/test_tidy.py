r"""Normal-form text: what means nothing is gone, what means something stays."""

import pytest

from hub_math.tidy import key, tidy, without_dollars


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("", ""),
        (" 7 \n", "7"),
        ("7.", "7"),
        (r"\left( \dfrac{1}{2}, \; 3 \right)", r"(\frac{1}{2},3)"),
        (r"\tfrac12 + \cfrac{1}{3}", r"\frac12+\frac{1}{3}"),
        (r"\displaystyle 5", "5"),
        (r"\big( 1 \big)", "(1)"),
        (r"x \quad y", "x y"),
        ("$x$", "x"),
        ("$$x$$.", "x"),
        (r"\( x \)", "x"),
        (r"\[ x \]", "x"),
        (r"\$5", "5"),
        ("1{,}234", "1234"),
        (r"1\,234", "1234"),
        (r"40,\!000", "40000"),
        (r"\textbf{yes}", "yes"),
        (r"\mathrm{cm}", "cm"),
        ("\u2212\u00bd", r"-\frac{1}{2}"),
        ("2\u00d73", r"2\times 3"),
        ("x\u00b2", "x^{2}"),
        ("\uff14\uff12", "42"),
        ("\u0664\u0662", "42"),
        ("4\u200b2", "42"),
        ("\\\\frac{1}{2}", r"\frac{1}{2}"),
    ],
)
def test_normal_form(text: str, normal: str) -> None:
    assert tidy(text) == normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1,2", "1, 2"),
        ("x+1", "x + 1"),
        (r"\frac{1}{2}", r"\dfrac{1}{2}"),
        ("-5", "\u22125"),
        (r"\text{A}", "A"),
    ],
)
def test_two_ways_to_write_it_have_one_form(one: str, other: str) -> None:
    assert tidy(one) == tidy(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1, 234", "1,234"),  # a list and a number
        ("1 2", "12"),
        (r"\sin x", r"\sinx"),
        ("1.5", "15"),
        ("a b", "ab"),
        ("(1,2)", "[1,2]"),
        ("x_1", "x1"),
    ],
)
def test_what_means_something_stays(one: str, other: str) -> None:
    assert tidy(one) != tidy(other)


@pytest.mark.parametrize("text", [r"\left( \frac{1}{2} \right)", "$1{,}234$", "\u22125", "x\u00b2"])
def test_what_is_tidy_stays_as_it_is(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)


def test_a_line_break_before_a_relation_is_mended_only_in_references() -> None:
    assert tidy(r"x \\le 2", is_reference=True) == tidy(r"x \le 2")
    assert tidy(r"x \\le 2") != tidy(r"x \le 2")


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("$x$", "x"),
        (r"\(x\)", "x"),
        ("$x$ and $y$", "$x$ and $y$"),
        (r"\(x\) or \(y\)", r"\(x\) or \(y\)"),
        ("$5", "$5"),
        ("x", "x"),
        ("$$", ""),
    ],
)
def test_one_pair_of_dollars_is_taken_off(text: str, inner: str) -> None:
    assert without_dollars(text) == inner


def test_words_are_compared_without_case_spaces_and_marks() -> None:
    assert key(r"\text{No Solution}.") == key("no solution") == "nosolution"
    assert key("ab") != key("ba")
