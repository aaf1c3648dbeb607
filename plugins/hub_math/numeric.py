r"""Evaluates trees to many digits, at points where their variables have values.

Numbers are mpmath's, in a context of each thread's own. A real number below zero has a real odd root, so
(-8)^{1/3} is -2; other powers have their principal value. A function that is only named, f(2) or a_n, has a
value that depends on its name and arguments and on nothing else.
"""

import threading
from collections.abc import Callable, Mapping
from fractions import Fraction
from hashlib import blake2b
from typing import Any

from hub_math.exact import Undefined, constant
from hub_math.tree import INFINITY, ONE, Node, TooComplex, symbols

DIGITS = 60
MORE_DIGITS = 150
CERTAIN_DIGITS = 400
"""To which two constants must agree."""
MOST_DIGITS = 1_000
"""For terms of very different size."""
MOST_STEPS = 20_000
"""Nodes that are evaluated for one point, those of a sum counted for each of its terms."""
MOST_TERMS = 2_000
LARGEST_ARGUMENT = 10**30
"""Of a periodic function: what is beyond would need more digits than are kept."""
LARGEST_LOGARITHM = 10**8
"""Of what a power gives."""

_APPROXIMATE_DIGITS = 15
"""To which two runs of an infinite sum or an integral must agree."""
_MINUS_INFINITY = Node("neg", (INFINITY,))

_local = threading.local()


class Undecidable(Exception):
    """What has no plain value: an integral, a limit, a matrix where a number is needed."""


def context(digits: int) -> Any:
    """Return this thread's mpmath context of that many digits."""
    found: dict[int, Any] = _local.__dict__.setdefault("contexts", {})
    if digits not in found:
        import mpmath  # type: ignore[import-untyped]  # late: most answers need no such numbers

        found[digits] = mpmath.MPContext()
        found[digits].dps = digits
    return found[digits]


class Evaluator:
    """Evaluates trees at one point.

    Args:
        values: the variables' values.
        digits: significant decimal digits that are computed with.
        logarithm: base of a log without one: 10, or None for e.
        real: what would be complex is undefined.
        seed: functions that are only named have other values for another one.
    """

    def __init__(
        self,
        values: Mapping[str, Fraction],
        digits: int = DIGITS,
        logarithm: int | None = None,
        real: bool = False,
        seed: int = 0,
        exact: Mapping[str, Fraction] | None = None,
    ) -> None:
        self.real, self.seed = real, seed
        self.span, self.peak = 0, -(10**9)
        self.approximate = False
        self.mp = context(digits)
        self.exact = exact or values
        self.values = {
            name: self.mp.mpf(value.numerator) / value.denominator for name, value in self.exact.items()
        }
        self.logarithm = logarithm
        self.steps = 0

    def value(self, node: Node) -> Any:
        """Return the value of a tree, real or complex.

        Raises:
            Undefined: it has none there.
            Undecidable: it is nothing that has a number for its value.
            TooComplex: it is past a limit.
        """
        found = self._value(node)
        if not self.mp.isfinite(found):
            raise Undefined("infinite")
        if isinstance(found, self.mp.mpc) and found.imag == 0:
            found = found.real
        return found

    def _value(self, node: Node) -> Any:
        found = self._any(node)
        if self.real and isinstance(found, self.mp.mpc):
            raise Undefined("a complex number")
        return found

    def _any(self, node: Node) -> Any:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooComplex(f"more than {MOST_STEPS} steps")
        kind, args = node
        mp = self.mp
        if kind == "num":
            return mp.mpf(args[0].numerator) / args[0].denominator
        if kind == "sym":
            if args[0] not in self.values:
                raise Undecidable(f"the variable {args[0]} is not known")
            return self.values[args[0]]
        if kind == "const":
            return self._constant(args[0])
        if kind == "add":
            terms = [self._value(arg) for arg in args]
            sizes = [mp.mag(term) for term in terms if term]
            if sizes:
                self.span = max(self.span, max(sizes) - min(sizes))
                self.peak = max(self.peak, *sizes)
            return mp.fsum(terms)
        if kind == "mul":
            return mp.fprod([self._value(arg) for arg in args])
        if kind == "neg":
            return -self._value(args[0])
        if kind == "div":
            below = self._value(args[1])
            if below == 0:
                raise Undefined("a division by zero")
            return self._value(args[0]) / below
        if kind == "pow":
            return self._power(self._value(args[0]), args[1])
        if kind == "root":
            index = constant(args[0])
            if not index:
                raise Undecidable("a root whose index is no number")
            return self._raise(self._value(args[1]), 1 / index)
        return self._other(kind, args)

    def _other(self, kind: str, args: tuple[Any, ...]) -> Any:
        mp = self.mp
        if kind == "percent":
            return self._value(args[0]) / 100
        if kind == "degree":
            return self._value(args[0]) * mp.pi / 180
        if kind == "quantity":
            return self._value(args[0])
        if kind == "log":
            return self._log(*args)
        if kind == "factorial":
            return self._factorial(self._value(args[0]))
        if kind == "binomial":
            above, below = self._value(args[0]), self._value(args[1])
            return self._factorial(above) / (self._factorial(below) * self._factorial(above - below))
        if kind == "mod":
            below = self._real(args[1])
            if below == 0:
                raise Undefined("modulo zero")
            above = self._real(args[0])
            if abs(above) > mp.mpf(10) ** (mp.dps - 10) * abs(below):
                raise TooComplex("the remainder of a large number")
            return above - below * mp.floor(above / below)
        if kind in ("apply", "at"):
            return self._named(args)
        if kind == "big":
            return self._big(*args)
        if kind == "opaque" and args[0] == "int":
            return self._integral(args[1:])
        if kind == "call":
            return self._function(args[0], args[1:])
        raise Undecidable(f"a {kind} is no number")

    def _constant(self, name: str) -> Any:
        if name == "infinity":
            raise Undecidable("infinity")
        return {"pi": +self.mp.pi, "e": +self.mp.e, "i": self.mp.j}[name]

    def _power(self, base: Any, exponent: Node) -> Any:
        exact = constant(exponent)
        if exact is not None:
            return self._raise(base, exact)
        value = self._value(exponent)
        if base == 0:
            if self.mp.re(value) > 0:
                return self.mp.mpf(0)
            raise Undefined("zero to a power that is not positive")
        logarithm = self.mp.log(base)
        size = value * logarithm
        if self.approximate and self.mp.re(size) < -LARGEST_LOGARITHM:
            return self.mp.mpf(0)
        self._check_size(abs(size))
        if value == self.mp.floor(self.mp.re(value)) and abs(value) < 1000:
            return base ** int(self.mp.re(value))
        return self.mp.exp(value * logarithm)

    def _raise(self, base: Any, exponent: Fraction) -> Any:
        if base == 0:
            if exponent < 0:
                raise Undefined("a division by zero")
            return self.mp.mpf(int(exponent == 0))
        self._check_size(abs(self.mp.log(abs(base)) * self.mp.mpf(exponent.numerator) / exponent.denominator))
        if exponent.denominator == 1:
            return base**exponent.numerator
        if exponent.denominator == 2:
            return self.mp.sqrt(base) ** exponent.numerator
        real = not isinstance(base, self.mp.mpc)
        if real and base < 0 and exponent.denominator % 2:
            found = self.mp.exp(self.mp.log(-base) * exponent.numerator / exponent.denominator)
            return -found if exponent.numerator % 2 else found
        return self.mp.exp(self.mp.log(base) * exponent.numerator / exponent.denominator)

    def _check_size(self, logarithm: Any) -> None:
        if logarithm > LARGEST_LOGARITHM:
            raise TooComplex("a power that is too large")

    def _log(self, base: Node, argument: Node) -> Any:
        value = self._value(argument)
        if value == 0:
            raise Undefined("the logarithm of zero")
        found = self.mp.log(value)
        if base == Node("const", ("log",)):
            return found if self.logarithm is None else found / self.mp.log(self.logarithm)
        below = self.mp.log(self._value(base))
        if below == 0:
            raise Undefined("a logarithm to base 1")
        return found / below

    def _factorial(self, value: Any) -> Any:
        if isinstance(value, self.mp.mpc):
            raise Undecidable("the factorial of a complex number")
        if abs(value) > MOST_TERMS:
            raise TooComplex(f"a factorial beyond {MOST_TERMS}")
        if self.mp.isint(value) and value < 0:
            raise Undefined("the factorial of a negative number")
        return self.mp.gamma(value + 1)

    def _named(self, args: tuple[Any, ...]) -> Any:
        name, *arguments = args
        spelled = [self.mp.nstr(self._value(argument), 25) for argument in arguments]
        return self.mp.mpf(_number_of(f"{name}({','.join(spelled)})/{self.seed}")) / (1 << 61)

    def _big(self, name: str, variable: Node, low: Node, high: Node, body: Node) -> Any:
        if high == INFINITY:
            return self._series(name, variable.args[0], low, body)
        first, last = self._real(low), self._real(high)
        if first != self.mp.floor(first) or last != self.mp.floor(last):
            raise Undecidable("a sum from or to what is no integer")
        if last - first > MOST_TERMS:
            raise TooComplex(f"a sum or product of more than {MOST_TERMS} terms")
        label = variable.args[0]
        outside = self.values.get(label)
        terms = []
        for place in range(int(first), int(last) + 1):
            self.values[label] = self.mp.mpf(place)
            terms.append(self._value(body))
        self.values.pop(label, None)
        if outside is not None:
            self.values[label] = outside
        return self.mp.fsum(terms) if name == "sum" else self.mp.fprod(terms)

    def _series(self, name: str, label: str, low: Node, body: Node) -> Any:
        """Add or multiply without end, by extrapolation (mpmath's nsum), to about fifteen digits."""
        self.approximate = True
        first = self._real(low)
        method = self.mp.nsum if name == "sum" else self.mp.nprod
        return self._with_fewer_digits(label, body, lambda f: method(f, [first, self.mp.inf]))

    def _integral(self, parts: tuple[Node, ...]) -> Any:
        """Integrate between two ends (mpmath's quad), to about fifteen digits."""
        if len(parts) != 3:
            raise Undecidable("an integral without its ends")
        label, integrand = _integrand(parts[2])
        mp = self.mp
        ends = [mp.inf if end == INFINITY else -mp.inf if end == _MINUS_INFINITY else self._real(end)
                for end in parts[:2]]  # fmt: skip
        self.approximate = True
        return self._with_fewer_digits(label, integrand, lambda f: mp.quad(f, ends, maxdegree=6))

    def _with_fewer_digits(self, label: str, body: Node, work: Callable[[Any], Any]) -> Any:
        mp, digits = self.mp, self.mp.dps
        outside = self.values.get(label)

        def function(place: Any) -> Any:
            self.values[label] = place
            return self._value(body)

        try:
            mp.dps = _APPROXIMATE_DIGITS + 10
            found = [work(function)]
            mp.dps = _APPROXIMATE_DIGITS + 20
            found.append(work(function))
        except (ValueError, ZeroDivisionError, OverflowError, mp.NoConvergence) as error:
            raise Undecidable(f"it does not converge: {error}") from error
        finally:
            mp.dps = digits
            self.values.pop(label, None)
            if outside is not None:
                self.values[label] = outside
        if (
            not mp.isfinite(found[1])
            or abs(found[0] - found[1]) > abs(found[1]) * mp.mpf(10) ** -_APPROXIMATE_DIGITS
        ):
            raise Undecidable("it does not converge")
        return found[1]

    def _real(self, node: Node) -> Any:
        value = self._value(node)
        if isinstance(value, self.mp.mpc):
            raise Undecidable("a complex number where a real one is needed")
        return value

    def _function(self, name: str, arguments: tuple[Node, ...]) -> Any:
        mp = self.mp
        if name in ("max", "min"):
            values = [self._real(argument) for argument in arguments]
            return max(values) if name == "max" else min(values)
        if name == "det":
            return self._determinant(arguments[0])
        if len(arguments) != 1:
            raise Undecidable(f"{name} of several")
        value = self._value(arguments[0])
        if name == "cis":
            return mp.expj(value)
        if name in ("abs", "floor", "ceil", "sign", "Re", "Im"):
            return self._stepped(name, value)
        function = _FUNCTIONS.get(name)
        if function is None:
            raise Undecidable(f"the function {name} is not evaluated")
        if abs(value) > LARGEST_ARGUMENT:
            if name != "ln":
                raise TooComplex(f"{name} of a number beyond {LARGEST_ARGUMENT:.0e}")
        elif name in ("sinh", "cosh") or name == "Gamma":
            self._check_size(abs(value) * 20 if name == "Gamma" else abs(value))
        try:
            return getattr(mp, function)(value)
        except (ValueError, ZeroDivisionError) as error:
            raise Undefined(f"{name} is not defined there") from error

    def _stepped(self, name: str, value: Any) -> Any:
        mp = self.mp
        if name == "abs":
            return abs(value)
        if name == "Re":
            return mp.re(value)
        if name == "Im":
            return mp.im(value)
        if isinstance(value, mp.mpc):
            raise Undecidable(f"the {name} of a complex number")
        if name == "sign":
            return mp.sign(value)
        near = mp.nint(value)
        if abs(value - near) < mp.mpf(10) ** (20 - mp.dps) * max(1, abs(value)):
            return near
        return mp.floor(value) if name == "floor" else mp.ceil(value)

    def _determinant(self, matrix: Node) -> Any:
        if matrix.kind != "matrix":
            return abs(self._value(matrix))
        rows = [[self._value(item) for item in row.args] for row in matrix.args]
        if len(rows) > 8 or any(len(row) != len(rows) for row in rows):
            raise Undecidable("the determinant of what is not square and small")
        return self.mp.det(self.mp.matrix(rows))


_FUNCTIONS = {
    name: name
    for name in "sin cos tan cot sec csc sinh cosh tanh coth sech csch asin erf".split()
} | {
    "ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arccot": "acot", "arcsec": "asec",
    "arccsc": "acsc", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "Gamma": "gamma",
}  # fmt: skip


def _integrand(body: Node) -> tuple[str, Node]:
    """Take "f(x) dx" apart: the variable's name and the function's tree."""
    above = body.args[0] if body.kind == "div" else body
    factors = above.args if above.kind == "mul" else (above,)
    if len(factors) < 2 or factors[-2] != Node("sym", ("d",)) or factors[-1].kind != "sym":
        raise Undecidable("an integral without its variable")
    rest = Node("mul", factors[:-2]) if len(factors) > 2 else ONE
    return factors[-1].args[0], Node("div", (rest, body.args[1])) if body.kind == "div" else rest


def points(*nodes: Node) -> list[dict[str, Fraction]]:
    """Return values for the variables: four points of positive numbers, one of negative ones, one of both.

    Where only integers make sense (a sum's end, a factorial, an index, the power of a negative number),
    the values are small positive integers at every point.
    """
    names: set[str] = set()
    whole: set[str] = set()
    for node in nodes:
        names |= symbols(node)
        whole |= _integers(node)
    found = []
    for point in range(6):
        values = {}
        for rank, name in enumerate(sorted(names)):
            drawn = _number_of(f"{name}/{point}")
            if name in whole:
                values[name] = Fraction(2 + drawn % 13)
                continue
            value = Fraction(1 + drawn % 99_991, 20_011 * 3 ** (point % 3))
            negative = point == 4 or (point == 5 and rank % 2 == 0)
            values[name] = -value if negative else value
        found.append(values)
    return found


def _integers(node: Node) -> set[str]:
    found: set[str] = set()
    for part in node.walk():
        if part.kind == "big":
            found |= symbols(part.args[2]) | symbols(part.args[3]) | {part.args[1].args[0]}
        elif part.kind in ("factorial", "binomial", "mod"):
            found |= {name for arg in part.args for name in symbols(arg)}
        elif part.kind == "at" or (part.kind == "pow" and part.args[0].kind == "neg"):
            found |= symbols(part.args[1])
    return found


def _number_of(text: str) -> int:
    """Return 61 bits that depend on the text alone."""
    return int.from_bytes(blake2b(text.encode(errors="replace"), digest_size=8).digest(), "big") >> 3
