"""Compares two trees that stand for numbers or expressions."""

from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from hub_math import exact
from hub_math.exact import Undefined, constant, is_rational_function, modulo
from hub_math.numeric import (
    CERTAIN_DIGITS,
    DIGITS,
    MORE_DIGITS,
    MOST_DIGITS,
    Evaluator,
    Undecidable,
    context,
    points,
)
from hub_math.policy import Policy
from hub_math.tree import Node, TooComplex, symbols
from hub_math.units import same_unit

LOWEST_DIGITS = 6
"""Significant digits from which a decimal stands for the number that it is rounded or cut from."""
_CLOSE = Fraction(1, 10**12)


class Found(NamedTuple):
    """Whether two trees are equal, the layer that decided, and why where it is not plain."""

    same: bool
    layer: str
    why: str = ""


class Undecided(Exception):
    """No layer here can tell."""


def compare_scalars(one: Node, other: Node, policy: Policy) -> Found:
    """Compare two numbers or expressions, by exact arithmetic if that decides, else numerically.

    Raises:
        Undecided: neither can tell.
        TooComplex: a limit was reached first.
    """
    if one == other:
        return Found(True, "structure")
    special = _special(one, other, policy)
    if special is not None:
        return special
    too_complex = None
    try:
        values = constant(one), constant(other)
        if values[0] is not None and values[1] is not None:
            return _numbers(one, other, values[0], values[1], policy)
    except Undefined as error:
        return Found(False, "exact", str(error))
    except TooComplex as error:
        too_complex = error
    if is_rational_function(one) and is_rational_function(other):
        found = _fields(one, other)
        inexact = policy.tolerance or _is_decimal(one) or _is_decimal(other)
        large = too_complex is not None and not (symbols(one) or symbols(other))
        if found is not None and not (found.same and large) and (found.same or not inexact):
            return found
    if too_complex:
        raise too_complex
    return _sampled(one, other, policy)


def proportional(one: Node, other: Node) -> int:
    """Return the sign, 1 or -1, of the constant factor between two expressions; 0 where there is none.

    A complex factor counts as 1.

    Raises:
        Undecided: it cannot be told.
        TooComplex: a limit was reached first.
    """
    if is_rational_function(one) and is_rational_function(other):
        ratios = set()
        for place in _places(one, other, exact.PRIMES[0]):
            try:
                above, below = (modulo(side, place, exact.PRIMES[0]) for side in (one, other))
                if bool(above) != bool(below):
                    return 0
                if above:
                    ratios.add(above * pow(below, -1, exact.PRIMES[0]) % exact.PRIMES[0])
            except Undefined:
                continue
        if len(ratios) > 1:
            return 0
    factors = []
    for seed, values in enumerate(points(one, other)):
        try:
            sides = [Evaluator(values, seed=seed).value(side) for side in (one, other)]
        except Undefined:
            continue
        except Undecidable as error:
            raise Undecided(str(error)) from error
        if any(abs(side) < 1e-40 for side in sides):
            if all(abs(side) < 1e-40 for side in sides):
                continue
            return 0
        factors.append(sides[0] / sides[1])
    if not factors:
        raise Undecided("no point where both are defined")
    if any(abs(factor - factors[0]) > 1e-30 * abs(factors[0]) for factor in factors):
        return 0
    return -1 if getattr(factors[0], "imag", 0) == 0 and factors[0].real < 0 else 1


def _special(one: Node, other: Node, policy: Policy) -> Found | None:
    """Decide about percents, degrees, units, bases and ratios; None where none of them matters."""
    kinds = {one.kind, other.kind}
    if "quantity" in kinds:
        units = [node.args[1] if node.kind == "quantity" else None for node in (one, other)]
        verdict = same_unit(*units)
        missing = None in units and policy.units == "required"
        if verdict is False or missing:
            return Found(False, "units", f"{units[0] or 'no unit'} against {units[1] or 'no unit'}")
        inner = [node.args[0] if node.kind == "quantity" else node for node in (one, other)]
        return compare_scalars(inner[0], inner[1], policy)
    if "based" in kinds:
        return _bases(one, other)
    if "degree" in kinds:
        inner = [node.args[0] if node.kind == "degree" else node for node in (one, other)]
        if one.kind != other.kind and any(
            part == Node("const", ("pi",)) for node in inner for part in node.walk()
        ):
            return None  # 90 degrees and pi/2
        return compare_scalars(inner[0], inner[1], policy)
    if "percent" in kinds:
        inner = [node.args[0] if node.kind == "percent" else node for node in (one, other)]
        if one.kind == other.kind:
            return compare_scalars(inner[0], inner[1], policy)
        if policy.percent == "either" and not _is_small(inner[0]):  # 0.5 is 50 %, never 0.5 %
            found = compare_scalars(inner[0], inner[1], policy)
            return found if found.same else None
        return None
    if "modulo" in kinds:
        return _residues(one, other, policy)
    if "ratio" in kinds:
        return _ratios(one, other, policy)
    return None


def _is_small(node: Node) -> bool:
    try:
        value = constant(node)
    except (TooComplex, Undefined):
        return False
    return value is not None and 0 < abs(value) < 1


def _bases(one: Node, other: Node) -> Found:
    if one.kind == other.kind:
        return Found(one.args == other.args, "number", "" if one.args == other.args else "digits and base")
    based, plain = (one, other) if one.kind == "based" else (other, one)
    same = plain.kind == "num" and plain.args[0].denominator == 1 and str(plain.args[0]) == based.args[0]
    return Found(same, "number", "the digits, with the base on one side only")


def _residues(one: Node, other: Node, policy: Policy) -> Found:
    """Compare 3 (mod 7) with 10 (mod 7), or with 3 alone."""
    if one.kind != other.kind:
        inner = [node.args[0] if node.kind == "modulo" else node for node in (one, other)]
        return compare_scalars(inner[0], inner[1], policy)
    if not compare_scalars(one.args[1], other.args[1], policy).same:
        return Found(False, "exact", "different moduli")
    values, modulus = [constant(node.args[0]) for node in (one, other)], constant(one.args[1])
    if values[0] is None or values[1] is None or not modulus:
        return compare_scalars(one.args[0], other.args[0], policy)
    return Found((values[0] - values[1]) % modulus == 0, "exact")


def _ratios(one: Node, other: Node, policy: Policy) -> Found | None:
    if one.kind == other.kind:
        if len(one.args) != len(other.args):
            return Found(False, "structure", "ratios of different length")
        first = one.args[0], other.args[0]
        for left, right in zip(one.args[1:], other.args[1:], strict=True):
            products = Node("mul", (left, first[1])), Node("mul", (right, first[0]))
            if not compare_scalars(*products, policy).same:
                return Found(False, "exact", "ratios that are not proportional")
        return Found(True, "exact")
    quotients = [Node("div", node.args) if node.kind == "ratio" else node for node in (one, other)]
    if any(node.kind == "div" and len(node.args) != 2 for node in quotients):
        return Found(False, "structure", "a ratio of several numbers against one number")
    return compare_scalars(quotients[0], quotients[1], policy)


# Numbers


def _numbers(one: Node, other: Node, first: Fraction, second: Fraction, policy: Policy) -> Found:
    if first == second:
        return Found(True, "exact")
    off, size = abs(first - second), max(abs(first), abs(second))
    if policy.tolerance and off <= Fraction(policy.tolerance) * size:
        return Found(True, "exact", "within the tolerance")
    decimals = _is_decimal(one), _is_decimal(other)
    if all(decimals) and off <= _CLOSE * size and min(_digits(first), _digits(second)) >= 12:
        return Found(True, "exact", "the same to twelve digits")
    if decimals == (True, False) and stands_for(first, second):
        return Found(True, "exact", "rounded")
    if decimals == (False, True) and stands_for(second, first):
        return Found(True, "exact", "rounded")
    return Found(False, "exact")


def _digits(value: Fraction) -> int:
    """How many significant digits a decimal shows."""
    places = 0
    while (value * 10**places).denominator != 1 and places < 40:
        places += 1
    return len(str(abs(int(value * 10**places))).rstrip("0"))


def stands_for(decimal: Fraction, value: Fraction) -> bool:
    """Whether a decimal of at least six significant digits is a number rounded or cut to its places."""
    places = 0
    while (decimal * 10**places).denominator != 1:
        places += 1
        if places > 40:
            return False
    shown = abs(int(decimal * 10**places))
    while shown and shown % 10 == 0:
        shown, places = shown // 10, places - 1
    if len(str(shown)) < LOWEST_DIGITS:
        return False
    scaled = abs(value) * Fraction(10) ** places
    if (value < 0) != (decimal < 0) or scaled.denominator == 1:
        return False
    return shown in (int(scaled), round(scaled))


def _is_decimal(node: Node) -> bool:
    return any(part.kind == "num" and part.args[1] for part in node.walk())


# Rational functions


def _fields(one: Node, other: Node) -> Found | None:
    """Compare rational functions modulo primes, at several points; None where they are not defined."""
    compared = 0
    for prime in exact.PRIMES:
        for values in _places(one, other, prime):
            try:
                if modulo(one, values, prime) != modulo(other, values, prime):
                    return Found(False, "exact", "different at a point")
                compared += 1
            except Undefined:
                continue
    return Found(True, "exact", "equal at points of two prime fields") if compared >= 3 else None


@lru_cache(maxsize=256)
def _coordinate(name: str, number: int, prime: int) -> int:
    value = points(Node("sym", (name,)))[number][name]
    return value.numerator * pow(value.denominator, 15 + number, prime) * 0x9E3779B97F4A7C15 % prime


def _places(one: Node, other: Node, prime: int) -> list[dict[str, int]]:
    names = symbols(one) | symbols(other)
    return [{name: _coordinate(name, number, prime) for name in names} for number in range(3)]


# Everything else


def _sampled(one: Node, other: Node, policy: Policy) -> Found:
    """Compare by values: at six points, or once where there are no variables."""
    has_log = any(part == Node("const", ("log",)) for node in (one, other) for part in node.walk())
    for logarithm in (None, 10) if has_log else (None,):
        found = _sample(one, other, policy, logarithm)
        if found.same:
            break
    return found


def _sample(one: Node, other: Node, policy: Policy, logarithm: int | None) -> Found:
    """Compare by values, real ones where nothing is complex and two points have them."""
    constants = not (symbols(one) or symbols(other))
    places = points(one, other)[: 1 if constants else 6]
    imaginary = any(part == Node("const", ("i",)) for node in (one, other) for part in node.walk())
    for real in (False,) if constants or imaginary else (True, False):
        compared = 0
        for seed, values in enumerate(places):
            makers = [Evaluator(values, DIGITS, logarithm, real, seed) for _ in range(2)]
            try:
                sides = [maker.value(side) for maker, side in zip(makers, (one, other), strict=True)]
            except Undefined:
                continue
            except Undecidable as error:
                raise Undecided(str(error)) from error
            try:
                same = _same_values(one, other, sides, makers, policy)
            except Undefined:  # to more digits it is not
                continue
            if not same:
                return Found(False, "numeric", "different values" if constants else "different at a point")
            compared += 1
        if compared >= (1 if constants else 2):
            return Found(True, "numeric")
    raise Undecided("no points where both are defined")


def _same_values(one: Node, other: Node, sides: list[Any], makers: list[Evaluator], policy: Policy) -> bool:
    off = abs(sides[0] - sides[1])
    size = max(abs(sides[0]), abs(sides[1]))
    if policy.tolerance and off <= policy.tolerance * size:
        return True
    if any(maker.approximate for maker in makers):
        return bool(off <= size * 1e-12) or _close_decimals(one, other, sides, off, size)
    if (_is_decimal(one) or _is_decimal(other)) and _close_decimals(one, other, sides, off, size):
        return True
    lost = max(maker.span for maker in makers) * 0.302 + 20  # digits between the terms of a sum
    if lost < DIGITS - 20:
        if off <= size * 1e-45 and (symbols(one) or symbols(other)):
            return True
        if off > size * 1e-3 and size > 1e-20 and not _cancels(one, other):
            return False
    constant_sides = off <= size * 1e-45
    digits = max(CERTAIN_DIGITS if constant_sides else MORE_DIGITS, int(lost) + 40)
    if digits > MOST_DIGITS:
        raise TooComplex(f"more than {MOST_DIGITS} digits are needed")
    more = [Evaluator({}, digits, maker.logarithm, maker.real, maker.seed, maker.exact) for maker in makers]
    again = [maker.value(side) for maker, side in zip(more, (one, other), strict=True)]
    mp = context(digits)
    scale = max(*map(abs, again), *(mp.mpf(2) ** maker.peak for maker in more))
    rest = abs(again[0] - again[1])  # a true difference does not shrink as digits are added
    return bool(rest <= abs(off) * 1e-40 or rest <= scale * mp.mpf(10) ** (30 - digits))


def _close_decimals(one: Node, other: Node, sides: list[Any], off: Any, size: Any) -> bool:
    if off <= size * 1e-10:
        return True
    for node, value in ((one, sides[1]), (other, sides[0])):
        if getattr(value, "imag", 0) != 0:
            continue
        try:
            decimal = constant(node)
        except (TooComplex, Undefined):
            continue
        if decimal is not None and _is_decimal(node):
            exact_value = Fraction(int(value * 10**45), 10**45) if abs(value) < 10**30 else None
            if exact_value is not None and stands_for(decimal, exact_value):
                return True
    return False


def _cancels(one: Node, other: Node) -> bool:
    """Whether digits may have been lost: a sum or a function stands somewhere."""
    return any(part.kind in ("add", "call", "big", "mod") for node in (one, other) for part in node.walk())
