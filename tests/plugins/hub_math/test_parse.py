r"""Trees: what binds how, what stands beside what, and what cannot be read."""

from typing import Any

import pytest

from hub_math.parse import parse
from hub_math.tidy import tidy
from hub_math.tree import Node, TooComplex, Unreadable


def spell(part: Any) -> str:
    """Write a tree as one line; a decimal is marked with d."""
    if type(part) is tuple:
        return "".join(map(str, part))
    if type(part) is not Node:
        return str(part)
    if part.kind == "num":
        return f"{part.args[0]}{'d' if part.args[1] else ''}"
    if part.kind in ("sym", "const"):
        return str(part.args[0])
    return f"({' '.join([part.kind, *map(spell, part.args)])})"


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        # What binds tighter
        ("2+3*4", "(add 2 (mul 3 4))"),
        ("2-3-4", "(add 2 (neg 3) (neg 4))"),
        ("2/3/4", "(div (div 2 3) 4)"),
        ("2^3^2", "(pow 2 (pow 3 2))"),
        ("-x^2", "(neg (pow x 2))"),
        ("(-x)^2", "(pow (neg x) 2)"),
        ("1/2x", "(mul (div 1 2) x)"),
        ("e^{-x}", "(pow e (neg x))"),
        ("2 - -3", "(add 2 (neg (neg 3)))"),
        (r"-\infty", "(neg infinity)"),
        # What stands beside what
        ("2x^2y", "(mul 2 (pow x 2) y)"),
        ("2(x)(y)", "(mul 2 x y)"),
        ("x(y+1)", "(mul x (add y 1))"),
        ("ab", "(mul a b)"),
        ("2pi", "(mul 2 pi)"),
        (r"3\frac{1}{2}", "(add 3 (div 1 2))"),
        ("3 1/2", "(add 3 (div 1 2))"),
        (r"3\frac{3}{2}", "(mul 3 (div 3 2))"),
        (r"\frac{1}{2}x", "(mul (div 1 2) x)"),
        # Arguments of commands
        (r"\frac12", "(div 1 2)"),
        (r"\frac1{72}", "(div 1 72)"),
        (r"\sqrt2x", "(mul (root 2 2) x)"),
        (r"\sqrt[3]{8}", "(root 3 8)"),
        ("sqrt(3)", "(root 2 3)"),
        (r"\binom52", "(binomial 5 2)"),
        # Functions
        (r"\sin x y", "(call sin (mul x y))"),
        (r"\sin 2x\cos x", "(mul (call sin (mul 2 x)) (call cos x))"),
        (r"\sin^2 x", "(pow (call sin x) 2)"),
        (r"\sin^{-1}x", "(call arcsin x)"),
        (r"\ln(x)(y)", "(mul (call ln x) y)"),
        (r"\log_2 8", "(log 2 8)"),
        ("f(x)", "(apply f x)"),
        (r"\gcd(4,6)", "(call gcd 4 6)"),
        ("|x-1|", "(call abs (add x (neg 1)))"),
        ("|x||y|", "(mul (call abs x) (call abs y))"),
        (r"\lfloor x\rfloor", "(call floor x)"),
        # What follows a value
        ("5!", "(factorial 5)"),
        (r"50\%", "(percent 50)"),
        (r"90^{\circ}", "(degree 90)"),
        ("10^{th}", "10"),
        (r"5\text{ cm}", "(quantity 5 cm)"),
        ("1011_2", "(based 1011 2)"),
        ("a_n", "(at a n)"),
        ("a_1", "a_1"),
        # Numbers
        ("1,234", "1234"),
        ("(1,234)", "(seq ( ) 1 234)"),
        (".5", "1/2d"),
        ("1.5e3", "1500d"),
        (r"0.\overline{3}", "1/3"),
        # Lists, sets, intervals
        ("1,2", "(list 1 2)"),
        ("1,2;3,4", "(list (list 1 2) (list 3 4))"),
        (r"1 \text{ or } 2", "(list 1 2)"),
        ("(1)", "1"),
        ("[1,2)", "(seq [ ) 1 2)"),
        (r"\{1,2\}", "(set 1 2)"),
        (r"\{\}", "(set)"),
        (r"\emptyset", "(set)"),
        (r"(1,2)\cup(3,4)", "(union (seq ( ) 1 2) (seq ( ) 3 4))"),
        (r"\{x\mid x>1\}", "(builder x (rel > x 1))"),
        (r"1\pm\sqrt2", "(add 1 (plusminus True (root 2 2)))"),
        # Relations
        ("x=1", "(rel = x 1)"),
        (r"1<x\le2", "(rel <<= 1 x 2)"),
        (r"x\in(1,2)", "(member x (seq ( ) 1 2))"),
        ("1:2:3", "(ratio 1 2 3)"),
        ("1=", "1"),
        # Environments and what has bounds
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "(matrix (row 1 2) (row 3 4))"),
        (r"\begin{cases}x=1\\y=2\end{cases}", "(list (rel = x 1) (rel = y 2))"),
        (r"\sum_{k=1}^{n}k", "(big sum k 1 n k)"),
    ],
)
def test_tree(text: str, tree: str) -> None:
    assert spell(parse(text)) == tree


@pytest.mark.parametrize(("turned", "plain"), [("]1,2[", "(1,2)"), ("[0,1[", "[0,1)"), ("]0,1]", "(0,1]")])
def test_open_intervals_with_brackets_turned_round(turned: str, plain: str) -> None:
    assert parse(tidy(turned)) == parse(plain)


def test_a_double_factorial_is_not_two_factorials() -> None:
    assert parse("n!!") != parse("(n!)!")


@pytest.mark.parametrize(
    "text",
    [
        *["", "(", "(1", "1)", "(1,2}", "[1,2", "]", "{", "}", "|x", "&"],
        *["1+", "*2", "x^", "1 2", "5 ?", "<", "1/"],
        *[r"\frac", r"\frac{1}", r"\sqrt", r"\left", r"\lfloor x", r"\end{pmatrix}", r"\\", r"\int", r"\sum"],
        *[r"\begin{pmatrix}1", r"\begin{foo}1\end{foo}", r"\begin"],
    ],
)
def test_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        parse(text)


@pytest.mark.parametrize("text", [r"{}^\prime", r"\mathbb{}", r"5\text{ cm}^{}"])
def test_empty_braces_are_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 300 + "1" + ")" * 300,
        "-" * 300 + "1",
        "2^{" * 150 + "1" + "}" * 150,
        r"\sqrt{" * 190 + "1" + "}" * 190,
        r"\{" * 250 + "1" + r"\}" * 250,
        "x+" * 600 + "x",
    ],
    ids=lambda text: text[:6],
)
def test_too_deep_or_too_long(text: str) -> None:
    with pytest.raises(TooComplex):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [r"\sin" * 300 + "x", r"\frac" * 250 + "1" * 10, "5" + "!" * 400, "5" + r"\%" * 400, "1" + "/2" * 290],
)
def test_what_is_deep_without_brackets(text: str) -> None:
    with pytest.raises(TooComplex):
        parse(text)
