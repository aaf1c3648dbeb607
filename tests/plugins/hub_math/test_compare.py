r"""Trees with parts: lists, sets, points, matrices, equations, names and plus-minus."""

import pytest

from hub_math.compare import compare
from hub_math.parse import parse
from hub_math.policy import DEFAULT, Policy
from hub_math.tidy import tidy
from hub_math.tree import TooComplex


def same(reference: str, answer: str, policy: Policy = DEFAULT) -> bool:
    return compare(parse(tidy(reference)), parse(tidy(answer)), policy).same


SAME = [
    # Lists and sets: order does not count
    ("1,2", "2,1"),
    ("1,2", r"\{2,1\}"),
    ("1,2", r"1 \text{ and } 2"),
    (r"\{1,2\}", r"\{1,2,2.0\}"),
    (r"\{2\}", "2"),
    (r"(1,2),(3,4)", "(3,4),(1,2)"),
    (r"\frac12, \sqrt2", r"\frac{2}{\sqrt2}, 0.5"),
    # Points and matrices
    ("(1,2)", "(1.0, 4/2)"),
    ("(1,2)", "1,2"),
    ("(1,2)", r"\begin{pmatrix}1\\2\end{pmatrix}"),
    (r"\langle 1,2\rangle", "(1,2)"),
    (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{bmatrix}1&2\\3&4\end{bmatrix}"),
    (r"\begin{pmatrix}2&4\\6&8\end{pmatrix}", r"2\begin{pmatrix}1&2\\3&4\end{pmatrix}"),
    (
        r"\begin{pmatrix}7&10\\15&22\end{pmatrix}",
        r"\begin{pmatrix}1&2\\3&4\end{pmatrix}\begin{pmatrix}1&2\\3&4\end{pmatrix}",
    ),
    # Names
    ("5", "x=5"),
    ("5", "5=x"),
    ("(1,2)", "(x,y)=(1,2)"),
    ("(1,2)", "x=1, y=2"),
    ("x=1, y=2", "y=2, x=1"),
    ("2x", "f(x)=2x"),
    ("f(x)=2x", "f(t)=2t"),
    ("2^n", "a_n=2^n"),
    ("5", "AB=5"),
    ("30", r"\angle ABC = 30"),
    ("5", "2+3=5"),
    ("0.5", r"\frac12=0.5"),
    (r"\frac{\sqrt3}{3}", r"\frac{\sqrt3}{3} \approx 0.577"),
    # Equations: sides swapped, moved over, scaled
    ("y=2x+1", "2x+1=y"),
    ("y=2x+1", "2x-y+1=0"),
    ("x+y=5", "2x+2y=10"),
    ("x^2+y^2=25", "y^2=5^2-x^2"),
    # Inequalities
    ("x>3", "3<x"),
    ("x>3", "2x>6"),
    ("x<-3", "-2x>6"),
    ("x+y>3", "3<y+x"),
    ("[1,2)", r"1 \le x < 2"),
    # Plus-minus
    (r"\pm5", "5,-5"),
    (r"1\pm\sqrt2", r"1+\sqrt2, 1-\sqrt2"),
    (r"x=\pm5", r"x=5 \text{ or } x=-5"),
    (r"\frac{-b\pm c}{2}", r"-\frac{b}{2} \pm \frac{c}{2}"),
    # Infinity and nothing
    (r"+\infty", r"\infty"),
    (r"\emptyset", r"\{\}"),
]

DIFFERENT = [
    # Several for one
    ("2", r"x=2 \text{ or } x=3"),
    ("2", r"\{1,2,3\}"),
    ("2", "1,2,3"),
    ("2", r"2\pm1"),
    ("5", r"\pm5"),
    (r"\pm5", "5"),
    ("1,2,3", "1,2"),
    ("1,2", "1,2,3"),
    # Brackets and order
    ("(1,2)", "(2,1)"),
    ("(1,2)", r"\{1,2\}"),
    ("(1,2)", "[1,2]"),
    ("[0,1)", "[0,1]"),
    ("(1,2),(3,4)", "(2,1),(3,4)"),
    ("(1,2),(3,4)", "(1,2)"),
    (r"\{1,2,3\}", r"\{1,\{2,3\}\}"),
    (r"\{\emptyset\}", r"\emptyset"),
    (r"\emptyset", "0"),
    (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{pmatrix}1&3\\2&4\end{pmatrix}"),
    (r"\begin{pmatrix}1&2\end{pmatrix}", r"\begin{pmatrix}1&2&3\end{pmatrix}"),
    # Names
    ("x=1", "y=1"),
    ("x=1, y=2", "x=2, y=1"),
    ("(1,2)", "x=2, y=1"),
    ("f(x)=2x", "g(x)=2x"),
    ("f(x)=2x", "2t"),
    ("x=2", "x"),
    # Equations
    ("x+y=5", "x+y"),
    ("x+y=5", "x+y=6"),
    ("y=x", "y=-x"),
    ("x^2+y^2=25", "25"),
    # Statements are no answers
    ("2", "5=2"),
    ("2", "2=5"),
    ("2", "1+1=3=2"),
    ("2", r"2 \neq 3"),
    ("2", r"x \neq 2"),
    ("2", "2<3"),
    # Inequalities
    ("x>3", r"x\ge3"),
    ("x>3", "x<3"),
    ("x>3", "y>3"),
    ("x>-3", "-2x>6"),
    ("x>1", "1"),
    (r"x \neq 1", "1"),
    # Infinity
    (r"\infty", r"-\infty"),
    (r"\infty", "10^{100}"),
]


@pytest.mark.parametrize(("reference", "answer"), SAME)
def test_same(reference: str, answer: str) -> None:
    assert same(reference, answer)
    assert same(answer, reference)


@pytest.mark.parametrize(("reference", "answer"), DIFFERENT)
def test_different(reference: str, answer: str) -> None:
    assert not same(reference, answer)


def test_of_a_chain_that_begins_with_a_name_the_last_side_is_the_answer() -> None:
    """Wrong working before it is no second answer: only the last can match."""
    assert same("11", "x=5+5+1=7=11")
    assert not same("7", "x=5+5+1=7=11")
    assert not same("2", "5=2")


def test_order_may_be_asked_for() -> None:
    ordered = Policy(ordered=True)
    assert same("1,2", "1,2.0", ordered)
    assert not same("1,2", "2,1", ordered)
    assert not same(r"\{1,2\}", r"\{2,1\}", ordered)


def test_an_answer_with_several_values_says_so() -> None:
    assert compare(parse("2"), parse("2,3"), DEFAULT).why.startswith("several")
    assert not compare(parse("2"), parse("3"), DEFAULT).why.startswith("several")


@pytest.mark.parametrize("text", [",".join(map(str, range(1000, 1250))), "1" + r"\pm x" * 9])
def test_too_complex(text: str) -> None:
    with pytest.raises(TooComplex):
        compare(parse("1,2"), parse(text), DEFAULT)
