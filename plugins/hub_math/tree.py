"""The expression tree that answers are read into.

A node is its kind and its arguments; two trees are equal when they are written alike. Kinds of scalars:

- `num` (Fraction, is_decimal), `sym` (name), `const` ("pi", "e", "i", "infinity"), `word` (text)
- `add`, `mul` (nodes…), `pow` (base, exponent), `neg`, `div` (above, below), `mod`
- `call` (function, nodes…), `root` (index, radicand), `log` (base, argument), `factorial`, `binomial`
- `apply` (name, nodes…): a function that is only named, f(2); `at` (name, index): a_n, F_{n-k}
- `big` ("sum" or "prod", variable, from, to, body); `opaque` (operator, nodes…): integrals, limits, …
- `pm` (nodes of either sign are under `plusminus`), `percent`, `degree`, `quantity` (node, unit)
- `modulo` (node, modulus): a residue; `based` (digits, base), `ratio` (nodes…)

and of what holds scalars: `list`, `set`, `seq` (open, close, nodes…), `union`, `without`, `meet`, `matrix`
(rows of nodes), `rel` (operators, nodes…), `member` (node, set), `builder`.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple


class Node(NamedTuple):
    """One node of a tree: its kind, and nodes or plain values."""

    kind: str
    args: tuple[Any, ...]

    def walk(self) -> Iterator["Node"]:
        """Yield this node and every one below it."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(arg for arg in node.args if type(arg) is Node)


class TooComplex(Exception):
    """An answer past one of the limits; says which."""


class Unreadable(Exception):
    """A text that is not mathematics as this parser knows it; says where."""


def number(value: Fraction | int, decimal: bool = False) -> Node:
    """Return the node of a plain number."""
    return Node("num", (Fraction(value), decimal))


def symbols(node: Node) -> set[str]:
    """Return the names of the variables of a tree."""
    return {part.args[0] for part in node.walk() if part.kind == "sym"}


SYMBOLIC = frozenset("num sym const opaque log call add mul neg div pow root factorial binomial rel".split())
"""Kinds that sympy is given."""

ZERO, ONE = number(0), number(1)
INFINITY = Node("const", ("infinity",))
EMPTY = Node("set", ())
COLLECTIONS = frozenset(
    {"list", "set", "seq", "union", "without", "meet", "matrix", "rel", "member", "builder"}
)
