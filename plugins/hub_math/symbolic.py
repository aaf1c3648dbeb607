"""The last layer: sympy, for limits, and integrals that numbers do not settle.

Sympy's objects are built from the tree, never from text, and never printed. How much it may do is counted in
function calls and not in seconds, with its caches emptied first, so the verdict does not depend on the load.
"""

import inspect
import sys
import threading
from fractions import Fraction
from typing import Any

import sympy  # noqa: TID253 - this module is imported when no other layer can tell

from hub_math.numeric import points
from hub_math.scalars import Found, stands_for
from hub_math.tree import INFINITY, Node

MOST_CALLS = 120_000
"""Calls of functions that sympy may make for one pair; some tenths of a second."""

_FUNCTIONS = {name: getattr(sympy, name) for name in "sin cos tan cot sec csc sinh cosh tanh erf".split()} | {
    "arcsin": sympy.asin,
    "arccos": sympy.acos,
    "arctan": sympy.atan,
    "ln": sympy.log,
    "abs": sympy.Abs,
    "Gamma": sympy.gamma,
}
_lock = threading.Lock()


class _Enough(BaseException):
    """Sympy has made as many calls as it may."""


class _Unknown(Exception):
    """A node that is not given to sympy."""


def compare_symbolic(one: Node, other: Node) -> Found | None:
    """Compare two expressions with sympy; None where it cannot tell within its limit."""
    with _lock:  # sympy's caches are one for all threads
        sympy.core.cache.clear_cache()
        try:
            return _counted(one, other)
        except (_Enough, _Unknown):
            return None
        except Exception:
            return None  # sympy's answer to what it does not expect


def _counted(one: Node, other: Node) -> Found | None:
    left = [MOST_CALLS]

    def count(_frame: Any, event: str, _argument: Any) -> None:
        if event == "call":
            left[0] -= 1
            if left[0] < 0 and (left[0] < -MOST_CALLS or not _in_generator(_frame)):
                raise _Enough

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        return _compare(one, other)
    finally:
        sys.setprofile(before)


def _in_generator(frame: Any) -> bool:
    """Whether a generator runs: what is raised while one is closed would be lost."""
    while frame is not None:
        if frame.f_code.co_flags & inspect.CO_GENERATOR:
            return True
        frame = frame.f_back
    return False


def _warm() -> None:
    """Have sympy make what it makes once in a process, so that the first pair is counted as any other."""
    x = sympy.Symbol("x")
    sympy.integrate(x * sympy.exp(x) + sympy.sin(x), (x, 0, 1))
    sympy.limit(sympy.sin(x) / x, x, 0)
    sympy.N(sympy.pi + sympy.E, 30)


def _compare(one: Node, other: Node) -> Found | None:
    difference, size = _build(one) - _build(other), _build(other)
    for values in points(one, other)[:3]:
        at = {sympy.Symbol(name): sympy.Rational(v.numerator, v.denominator) for name, v in values.items()}
        off, scale = (sympy.N(side.subs(at), 40) for side in (difference, size))
        if not (off.is_number and scale.is_number and off.is_finite):
            return None
        if not difference.free_symbols and _is_rounded(one, other):
            return Found(True, "symbolic", "rounded")
        if bool(abs(off) > sympy.Float("1e-25") * (1 + abs(scale))):
            return Found(False, "symbolic", "different values")
    return Found(True, "symbolic")


def _is_rounded(one: Node, other: Node) -> bool:
    """Whether one side is a decimal that the other's value is rounded to."""
    for decimal, exact in ((one, other), (other, one)):
        if decimal.kind == "num" and decimal.args[1]:
            value = sympy.N(_build(exact), 40)
            if value.is_real:
                return stands_for(decimal.args[0], Fraction(int(value * 10**30), 10**30))
    return False


def _build(node: Node) -> Any:
    kind, args = node
    if kind == "num":
        return sympy.Rational(args[0].numerator, args[0].denominator)
    if kind == "sym":
        return sympy.Symbol(args[0])
    if kind == "const":
        return {"pi": sympy.pi, "e": sympy.E, "i": sympy.I, "infinity": sympy.oo}.get(args[0]) or _refuse(
            args[0]
        )
    if kind == "opaque":
        return _opaque(args[0], args[1:])
    if kind == "log":
        plain = args[0] == Node("const", ("log",))
        return sympy.log(_build(args[1])) if plain else sympy.log(_build(args[1]), _build(args[0]))
    if kind == "call":
        function = _FUNCTIONS.get(args[0]) or _refuse(args[0])
        return function(*(_build(arg) for arg in args[1:]))
    parts = [_build(arg) for arg in args]
    if kind == "add":
        return sympy.Add(*parts)
    if kind == "mul":
        return sympy.Mul(*parts)
    if kind == "neg":
        return -parts[0]
    if kind == "div":
        return parts[0] / parts[1]
    if kind == "pow":
        return parts[0] ** parts[1]
    if kind == "root":
        return parts[1] ** (1 / parts[0])
    if kind == "factorial":
        return sympy.factorial(parts[0])
    if kind == "binomial":
        return sympy.binomial(*parts)
    return _refuse(kind)


def _opaque(name: str, parts: tuple[Node, ...]) -> Any:
    if name == "lim" and len(parts) == 2 and parts[0].kind == "rel" and parts[0].args[0] == ("->",):
        _, variable, target = parts[0].args
        return sympy.limit(_build(parts[1]), sympy.Symbol(variable.args[0]), _target(target))
    if name == "int":
        *ends, body = parts
        variable, integrand = _integrand(body)
        if len(ends) == 2:
            return sympy.integrate(integrand, (variable, _build(ends[0]), _build(ends[1])))
    return _refuse(name)


def _target(node: Node) -> Any:
    return sympy.oo if node == INFINITY else -sympy.oo if node == Node("neg", (INFINITY,)) else _build(node)


def _integrand(body: Node) -> tuple[Any, Any]:
    """Take "f(x) dx" apart."""
    above = body.args[0] if body.kind == "div" else body
    factors = above.args if above.kind == "mul" else (above,)
    if len(factors) < 2 or factors[-2] != Node("sym", ("d",)) or factors[-1].kind != "sym":
        _refuse("an integral without its variable")
    rest = sympy.Mul(*(_build(factor) for factor in factors[:-2]))
    return sympy.Symbol(factors[-1].args[0]), rest / _build(body.args[1]) if body.kind == "div" else rest


def _refuse(what: str) -> Any:
    raise _Unknown(what)


_warm()
