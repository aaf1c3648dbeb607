"""Sets of real numbers as intervals: unions, differences, inequalities in one variable."""

from fractions import Fraction
from functools import cmp_to_key, reduce
from typing import Any, NamedTuple

from hub_math.exact import Undefined
from hub_math.numeric import DIGITS, Evaluator, Undecidable, context
from hub_math.tree import INFINITY, Node, symbols

MOST = 64
"""Intervals of one set."""
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!=", "=": "="}
_REALS = frozenset({"\\mathbbR", "R"})


class Piece(NamedTuple):
    """An interval with its ends, numbers of many digits or infinities, and whether each is in it."""

    low: Any
    low_in: bool
    high: Any
    high_in: bool


def intervals(node: Node) -> list[Piece] | None:
    """Return a set of real numbers as its intervals in order; None where it is no such set.

    Raises:
        TooComplex: a limit was reached.
    """
    if len({name for part in node.walk() if part.kind == "rel" for name in symbols(part)}) > 1:
        return None
    try:
        found = _read(node)
    except (Undecidable, Undefined):
        return None
    return None if found is None or len(found) > MOST else _merged(found)


def same_intervals(one: list[Piece], other: list[Piece]) -> bool:
    """Whether two sets of real numbers are the same."""
    return len(one) == len(other) and all(
        left.low_in == right.low_in
        and left.high_in == right.high_in
        and _same(left.low, right.low)
        and _same(left.high, right.high)
        for left, right in zip(one, other, strict=True)
    )


def _read(node: Node) -> list[Piece] | None:
    kind, args = node
    mp = context(DIGITS)
    if kind == "seq" and len(args) == 4:
        low, high = _end(args[2]), _end(args[3])
        if low > high:
            return None
        return [Piece(low, args[0] == "[" and mp.isfinite(low), high, args[1] == "]" and mp.isfinite(high))]
    if kind == "set":
        return [Piece(value, True, value, True) for value in map(_end, _plus_and_minus(args))]
    if kind == "sym" and args[0] in _REALS:
        return [Piece(-mp.inf, False, mp.inf, False)]
    if kind in ("union", "list"):
        parts = [_read(arg) for arg in args]
        if any(part is None for part in parts) or (kind == "list" and any(a.kind != "rel" for a in args)):
            return None
        return [piece for part in parts if part is not None for piece in part]
    if kind == "without":
        left, right = _read(args[0]), _read(args[1])
        return None if left is None or right is None else _meet(left, _complement(_merged(right)))
    if kind == "meet":
        sets = [_read(arg) for arg in args]
        if any(part is None for part in sets):
            return None
        found = reduce(_meet, [part for part in sets if part is not None])
        sloppy = not found and all(arg.kind == "rel" for arg in args)  # "x < 1 and x > 2" for both halves
        return [piece for part in sets if part is not None for piece in part] if sloppy else found
    if kind == "member":
        return _read(args[1])
    if kind == "builder":
        return _read(args[1]) if args[1].kind in ("rel", "list", "member") else None
    if kind == "rel":
        return _relation(args[0], args[1:])
    return None


def _relation(operators: tuple[str, ...], sides: tuple[Node, ...]) -> list[Piece] | None:
    """Solve inequalities that are linear in one variable, or in its absolute value."""
    if any(operator not in _FLIPPED or operator == "=" for operator in operators):
        return None
    found: list[Piece] | None = None
    for place, operator in enumerate(operators):
        pieces = _inequality(sides[place], operator, sides[place + 1])
        if pieces is None:
            return None
        found = pieces if found is None else _meet(found, pieces)
    return found


def _inequality(left: Node, operator: str, right: Node) -> list[Piece] | None:
    if _is_variable(right) and not _is_variable(left):
        left, right, operator = right, left, _FLIPPED[operator]
    if _is_variable(left) and not symbols(right):
        bound = _end(right)
        if left.kind == "call":  # an absolute value
            return _absolute(operator, bound)
        return _half_line(operator, bound)
    difference = Node("add", (left, Node("neg", (right,))))
    names = symbols(difference)
    if len(names) != 1:
        return None
    name = next(iter(names))
    values = [Evaluator({name: Fraction(at)}).value(difference) for at in (0, 1, 2)]
    slope = values[1] - values[0]
    if abs(values[2] - values[1] - slope) > 1e-40 * max(map(abs, values)) or slope == 0 or slope.imag != 0:
        return None
    return _half_line(operator if slope > 0 else _FLIPPED[operator], -values[0] / slope)


def _is_variable(node: Node) -> bool:
    if node.kind == "call" and node.args[0] == "abs":
        return bool(node.args[1].kind == "sym")
    return node.kind in ("sym", "apply", "at")


def _half_line(operator: str, bound: Any) -> list[Piece]:
    mp = context(DIGITS)
    below, above = (
        Piece(-mp.inf, False, bound, operator == "<="),
        Piece(bound, operator == ">=", mp.inf, False),
    )
    if operator == "!=":
        return [below, above]
    return [below] if operator in ("<", "<=") else [above]


def _absolute(operator: str, bound: Any) -> list[Piece]:
    mp = context(DIGITS)
    closed = operator in ("<=", ">=")
    if operator in ("<", "<="):
        return [Piece(-bound, closed, bound, closed)] if bound > 0 or (closed and bound == 0) else []
    if bound < 0:
        return [Piece(-mp.inf, False, mp.inf, False)]
    return [Piece(-mp.inf, False, -bound, closed), Piece(bound, closed, mp.inf, False)]


def _end(node: Node) -> Any:
    """Return the end of an interval as a number.

    Raises:
        Undecidable: it is not a real constant.
    """
    mp = context(DIGITS)
    if node == INFINITY:
        return mp.inf
    if node == Node("neg", (INFINITY,)):
        return -mp.inf
    if symbols(node):
        raise Undecidable("an end with a variable")
    value = Evaluator({}).value(node)
    if isinstance(value, mp.mpc):
        raise Undecidable("a complex end")
    return value


def _plus_and_minus(nodes: tuple[Node, ...]) -> list[Node]:
    if any(part.kind == "plusminus" for node in nodes for part in node.walk()):
        raise Undecidable("plus or minus")
    return list(nodes)


def _same(one: Any, other: Any) -> bool:
    mp = context(DIGITS)
    if not (mp.isfinite(one) and mp.isfinite(other)):
        return bool(one == other)
    return bool(abs(one - other) <= 1e-40 * max(1, abs(one), abs(other)))


def _merged(pieces: list[Piece]) -> list[Piece]:
    """Return pieces in order, those that touch joined."""

    def order(one: Piece, other: Piece) -> int:
        if _same(one.low, other.low):
            return int(other.low_in) - int(one.low_in)
        return -1 if one.low < other.low else 1

    found: list[Piece] = []
    for piece in sorted(pieces, key=cmp_to_key(order)):
        if _same(piece.low, piece.high) and not (piece.low_in and piece.high_in):
            continue
        last = found[-1] if found else None
        if last is None or not _touch(last, piece):
            found.append(piece)
        elif _same(piece.high, last.high):
            found[-1] = last._replace(high_in=last.high_in or piece.high_in)
        elif piece.high > last.high:
            found[-1] = last._replace(high=piece.high, high_in=piece.high_in)
    return found


def _touch(left: Piece, right: Piece) -> bool:
    if _same(left.high, right.low):
        return left.high_in or right.low_in
    return bool(right.low < left.high)


def _complement(pieces: list[Piece]) -> list[Piece]:
    mp = context(DIGITS)
    found = []
    low, low_in = -mp.inf, False
    for piece in pieces:
        found.append(Piece(low, low_in, piece.low, not piece.low_in and mp.isfinite(piece.low)))
        low, low_in = piece.high, not piece.high_in
    found.append(Piece(low, low_in, mp.inf, False))
    return [
        piece
        for piece in found
        if not _same(piece.low, piece.high) or (piece.low_in and piece.high_in and mp.isfinite(piece.low))
    ]


def _meet(one: list[Piece], other: list[Piece]) -> list[Piece]:
    return _merged(_complement(_merged(_complement(_merged(one)) + _complement(_merged(other)))))
