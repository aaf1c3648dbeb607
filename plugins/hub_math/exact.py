r"""Exact arithmetic: constants as fractions, and rational functions modulo a prime.

Two rational functions that agree at a random point of a large prime field are equal but with probability
degree / p (Schwartz 1980, doi 10.1145/322217.322225). So (x+1)^60 - (x+1)^60 + 2 is read without being
multiplied out, and a number never grows beyond 61 bits.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import comb, factorial, gcd, isqrt, lcm, prod

from hub_math.tree import Node, TooComplex

MOST_BITS = 60_000
"""Bits of numerator or denominator of a constant."""
LARGEST_FACTORIAL = 2_000
LARGEST_EXPONENT = 10**9
"""Of a power that is only read modulo a prime."""
PRIMES = (2305843009213693951, 2305843009213693921)

RATIONAL = frozenset({"num", "sym", "add", "mul", "neg", "div", "pow", "percent"})


class Undefined(Exception):
    """A division by zero, or a function outside its domain."""


def is_rational_function(node: Node) -> bool:
    """Whether a tree holds only numbers, variables, + - * / and powers with plain integers above."""
    for part in node.walk():
        if part.kind not in RATIONAL:
            return False
        if part.kind == "pow" and _exponent(part.args[1]) is None:
            return False
    return True


def modulo(node: Node, values: Mapping[str, int], prime: int) -> int:
    """Evaluate a rational function in a prime field.

    Raises:
        Undefined: a denominator is 0 there.
    """
    kind, args = node
    if kind == "num":
        value: Fraction = args[0]
        return value.numerator * _inverse(value.denominator, prime) % prime
    if kind == "sym":
        return values[args[0]]
    if kind == "add":
        return sum(modulo(arg, values, prime) for arg in args) % prime
    if kind == "mul":
        product = 1
        for arg in args:
            product = product * modulo(arg, values, prime) % prime
        return product
    if kind == "neg":
        return -modulo(args[0], values, prime) % prime
    if kind == "percent":
        return modulo(args[0], values, prime) * _inverse(100, prime) % prime
    if kind == "div":
        return modulo(args[0], values, prime) * _inverse(modulo(args[1], values, prime), prime) % prime
    exponent = _exponent(args[1]) or 0
    base = modulo(args[0], values, prime)
    return pow(base if exponent >= 0 else _inverse(base, prime), abs(exponent), prime)


def constant(node: Node) -> Fraction | None:
    """Return the value of a rational constant; None if it is not one, as far as arithmetic can tell.

    Raises:
        TooComplex: a number on the way is too large.
        Undefined: a division by zero.
    """
    kind, args = node
    if kind == "num":
        return args[0]  # type: ignore[no-any-return]
    if kind in ("sym", "const", "word", "quantity", "degree"):
        return None
    if kind == "big":
        return None
    found = [constant(arg) for arg in args if type(arg) is Node]
    if any(value is None for value in found) or not found:
        return None
    values = [value for value in found if value is not None]
    return _limited(_apply(kind, args, values))


def _apply(kind: str, args: tuple[object, ...], values: list[Fraction]) -> Fraction | None:
    one = values[0]
    if kind == "add":
        return sum(values, Fraction(0))
    if kind == "mul":
        product = Fraction(1)
        for value in values:
            product *= value
        return product
    if kind == "neg":
        return -one
    if kind == "percent":
        return one / 100
    if kind == "div":
        if values[1] == 0:
            raise Undefined("a division by zero")
        return one / values[1]
    if kind == "pow":
        return _power(one, values[1])
    if kind == "root":
        return _power(values[1], 1 / one) if one else None
    if kind == "factorial":
        return _factorial(one)
    if kind == "binomial":
        return _binomial(one, values[1])
    if kind == "mod":
        return one % values[1] if values[1] else None
    if kind == "call":
        return _function(str(args[0]), values)
    return None


def _power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if base == 0:
        if exponent < 0:
            raise Undefined("a division by zero")
        return Fraction(int(exponent == 0))
    if base in (1, -1) and exponent.denominator == 1:
        return base if exponent.numerator % 2 else Fraction(1)
    if exponent.denominator != 1:
        root = _root(base, exponent.denominator)
        return None if root is None else _power(root, Fraction(exponent.numerator))
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(exponent.numerator) * bits > MOST_BITS:
        raise TooComplex(f"a power of more than {MOST_BITS} bits")
    return Fraction(base) ** exponent.numerator


def _root(value: Fraction, index: int) -> Fraction | None:
    """Return the real root of a fraction that has a rational one; odd roots of negative numbers too."""
    if index > 64 or (value < 0 and index % 2 == 0):
        return None
    above, below = _integer_root(abs(value.numerator), index), _integer_root(value.denominator, index)
    if above is None or below is None:
        return None
    return Fraction(above if value > 0 else -above, below)


def _integer_root(value: int, index: int) -> int | None:
    if index == 2:
        root = isqrt(value)
        return root if root * root == value else None
    if value.bit_length() > 4 * index * 53:
        return None
    low, high = 0, 1 << (value.bit_length() // index + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**index <= value else (low, middle - 1)
    return low if low**index == value else None


def _factorial(value: Fraction) -> Fraction | None:
    if value.denominator != 1 or value < 0:
        return None
    if value > LARGEST_FACTORIAL:
        raise TooComplex(f"a factorial beyond {LARGEST_FACTORIAL}")
    return Fraction(factorial(value.numerator))


def _binomial(above: Fraction, below: Fraction) -> Fraction | None:
    if above.denominator != 1 or below.denominator != 1 or above < 0:
        return None
    if above > LARGEST_FACTORIAL:
        raise TooComplex(f"a binomial beyond {LARGEST_FACTORIAL}")
    return Fraction(comb(above.numerator, below.numerator)) if below >= 0 else Fraction(0)


def _function(name: str, values: list[Fraction]) -> Fraction | None:
    one = values[0]
    if name == "abs":
        return abs(one)
    if name == "double factorial" and one.denominator == 1 and one >= 0:
        if one > LARGEST_FACTORIAL:
            raise TooComplex(f"a factorial beyond {LARGEST_FACTORIAL}")
        return Fraction(prod(range(one.numerator, 0, -2)))
    if name in ("max", "min"):
        return max(values) if name == "max" else min(values)
    if name == "floor":
        return Fraction(one.numerator // one.denominator)
    if name == "ceil":
        return Fraction(-(-one.numerator // one.denominator))
    if name in ("gcd", "lcm") and all(value.denominator == 1 for value in values):
        return Fraction((gcd if name == "gcd" else lcm)(*(value.numerator for value in values)))
    return None


def _limited(value: Fraction | None) -> Fraction | None:
    if (
        value is not None
        and max(value.numerator.bit_length(), value.denominator.bit_length()) > 2 * MOST_BITS
    ):
        raise TooComplex(f"a number of more than {2 * MOST_BITS} bits")
    return value


def _exponent(node: Node) -> int | None:
    negative = node.kind == "neg"
    plain = node.args[0] if negative else node
    if plain.kind != "num" or plain.args[0].denominator != 1 or plain.args[0] > LARGEST_EXPONENT:
        return None
    return -int(plain.args[0]) if negative else int(plain.args[0])


def _inverse(value: int, prime: int) -> int:
    if value % prime == 0:
        raise Undefined("a division by zero")
    return pow(value, -1, prime)
