"""Compares two answers as trees: lists, sets, points, intervals, matrices, equations, and what is in them.

Before anything is compared, an assignment gives up its name (`x = 5` is 5) and plus-minus becomes two values.
"""

from collections.abc import Sequence

from hub_math.intervals import intervals, same_intervals
from hub_math.matrices import matrix_of, multiplied
from hub_math.naming import (
    has_names,
    is_equation,
    is_named,
    renamed,
    same_names,
    value_of,
    with_arguments,
)
from hub_math.policy import Policy
from hub_math.scalars import Found, Undecided, compare_scalars, proportional
from hub_math.tree import COLLECTIONS, INFINITY, Node, TooComplex, number, symbols

MOST_ITEMS = 200
"""Items of a list or set that are compared."""
MOST_PAIRS = 400
"""Pairs that two lists make, where their members are lists or sets."""
MOST_SIGNS = 4
"""Plus-minus signs of one answer."""

_INTEGERS = tuple(Node("sym", (name,)) for name in ("\\mathbbZ", "\\mathbbN", "Z", "N"))
_CONSTANTS = tuple(Node("sym", (name,)) for name in ("C", "c", "K", "k", "C_1", "c_1"))
_NO = Found(False, "structure")


def compare(reference: Node, answer: Node, policy: Policy) -> Found:
    """Decide whether an answer is the reference.

    Raises:
        Undecided: no layer can tell.
        TooComplex: a limit was reached first.
    """
    if reference == answer:
        return Found(True, "structure")
    if "list" in (reference.kind, answer.kind) and (families := _families(reference, answer)):
        return compare(*families, policy)
    if _is_statement(answer):
        return Found(False, "structure", "a statement that is not true, not an answer")
    equations = [is_equation(side) for side in (reference, answer)]
    congruence = any("≡" in side.args[0] for side in (reference, answer) if side.kind == "rel")
    if equations[0] and equations[1] and not congruence:
        found = _equations(reference, answer, policy)
        if found.same or not (is_named(reference) and is_named(answer)):
            return found
    elif any(
        equation and not is_named(side) and has_names(side)
        for equation, side in zip(equations, (reference, answer), strict=True)
    ):
        return Found(False, "structure", "an equation against a value")
    one, other = value_of(reference), value_of(answer)
    if equations[0] and equations[1]:
        other = with_arguments(reference, answer, other)
    if equations[0] and equations[1] and not same_names(reference, answer):
        return Found(False, "structure", "different variables")
    return _values(one, other, policy)


def _families(one: Node, other: Node) -> tuple[Node, Node] | None:
    r"""Return k\pi, k \in Z and n\pi, n \in Z without what declares their integer, which gets one name."""
    sides = [_without_declaration(node) for node in (one, other)]
    if not any(name for _, name in sides):
        return None
    found = []
    for (rest, name), node in zip(sides, (one, other), strict=True):
        if name is None:
            free = symbols(node)
            if len(free) != 1:
                return None
            name = Node("sym", (min(free),))
        found.append(renamed(rest, name, "\\integer"))
    declared = [item.args[1] for node in (one, other) for item in node.args if _declares(item)]
    return (found[0], found[1]) if len(set(declared)) == 1 else None


def _declares(item: object) -> bool:
    return (
        isinstance(item, Node)
        and item.kind == "member"
        and item.args[1] in _INTEGERS
        and bool(item.args[0].kind == "sym")
    )


def _without_declaration(node: Node) -> tuple[Node, Node | None]:
    r"""Return a list without its `k \in Z`, and the variable that this declares."""
    if node.kind != "list":
        return node, None
    for item in node.args:
        if _declares(item):
            rest = tuple(other for other in node.args if other is not item)
            return rest[0] if len(rest) == 1 else Node("list", rest), item.args[0]
    return node, None


def _values(one: Node, other: Node, policy: Policy) -> Found:
    """Compare what is left when names are gone."""
    if one == other:
        return Found(True, "structure")
    one, other = multiplied(_signs(one)), multiplied(_signs(other))
    other = _with_constant(one, other)
    kinds = {one.kind, other.kind}
    if not kinds & COLLECTIONS:
        if INFINITY in (_unsigned(one), _unsigned(other)):
            return Found(False, "structure", "infinity against another value")
        return compare_scalars(one, other, policy)
    if kinds == {"rel"}:
        found = _relations(one, other, policy)
        if found.same:
            return found
    if kinds & {"union", "without", "meet", "rel", "member", "builder"} or _is_reals(one) or _is_reals(other):
        return _real_sets(one, other, policy)
    if kinds == {"matrix"}:
        return _matrices(one, other, policy)
    if kinds == {"matrix", "seq"}:
        matrix, seq = (one, other) if one.kind == "matrix" else (other, one)
        if all(row.kind == "seq" for row in seq.args[2:]):  # [[1, 2], [3, 4]]
            return _matrices(matrix, matrix_of([list(row.args[2:]) for row in seq.args[2:]]), policy)
        if len(matrix.args) == 1 or all(len(row.args) == 1 for row in matrix.args):
            cells = tuple(cell for row in matrix.args for cell in row.args)
            return _in_order(cells, seq.args[2:], policy)
        return Found(False, "structure", "a matrix against a point")
    return _lists(one, other, policy)


def _lists(one: Node, other: Node, policy: Policy) -> Found:
    kinds = {one.kind, other.kind}
    if kinds == {"seq"}:
        if len(one.args) == len(other.args) == 4 and one.args[:2] != other.args[:2]:
            return Found(False, "structure", "different brackets")
        return _in_order(one.args[2:], other.args[2:], policy)
    if kinds == {"seq", "list"}:
        seq = one if one.kind == "seq" else other
        if len(seq.args) == 4 and "[" in seq.args[:1] + ("[",) * (seq.args[1] == "]"):
            return Found(False, "structure", "an interval against a list")
        left, right = (side.args[2:] if side.kind == "seq" else _members(side) for side in (one, other))
        return _in_order(left, right, policy)
    if "seq" in kinds and "set" in kinds:
        seq, group = (one, other) if one.kind == "seq" else (other, one)
        if len(group.args) == 1 and group.args[0].kind == "seq":  # {(1,2)} and (1,2)
            return _lists(seq, group.args[0], policy)
        return Found(False, "structure", "a point or interval against a set")
    if "seq" in kinds or "matrix" in kinds:
        if kinds & {"list", "set"}:
            group = one if one.kind in ("list", "set") else other
            single = other if group is one else one
            if len(_members(group)) == 1:
                return _values(single, _members(group)[0], policy)
        return Found(False, "structure", "a point, interval or matrix against something else")
    by_name = _by_name(one), _by_name(other)
    if by_name[0] and by_name[1] and by_name[0].keys() == by_name[1].keys():
        return _in_order(list(by_name[0].values()), [by_name[1][name] for name in by_name[0]], policy)
    if by_name[0] and by_name[1] and all(name.kind == "sym" for name in (*by_name[0], *by_name[1])):
        return Found(False, "structure", "different variables")
    return _members_match(_members(one), _members(other), policy)


def _by_name(node: Node) -> dict[Node, Node]:
    """Return the values of x = 1, y = 2 by their names; nothing where it is anything else."""
    if node.kind not in ("list", "set") or len(node.args) < 2 or not all(map(is_named, node.args)):
        return {}
    names = {item.args[1]: value_of(item) for item in node.args}
    return names if len(names) == len(node.args) else {}


def _members(node: Node) -> tuple[Node, ...]:
    """Return the members of a list or set, those with plus-minus as two; a single value is its own."""
    if node.kind not in ("list", "set"):
        return (node,)
    found: list[Node] = []
    for item in _solutions(node.args):
        item = _signs(item)
        found.extend(item.args if item.kind == "list" else (item,))
    return tuple(found)


def _solutions(items: Sequence[Node]) -> list[Node]:
    """Return items without their names; where names repeat (p=5, q=2, p=7, q=2), as points."""
    if all(item.kind == "list" for item in items):
        return [Node("seq", ("(", ")", *_solutions(item.args))) for item in items]
    names = [item.args[1] for item in items if item.kind == "rel" and is_named(item)]
    if len(names) == len(items) and len(set(names)) < len(names):
        width = len(set(names))
        if width > 1 and len(names) % width == 0:
            rows = [items[start : start + width] for start in range(0, len(items), width)]
            if all([item.args[1] for item in row] == names[:width] for row in rows):
                return [Node("seq", ("(", ")", *map(value_of, row))) for row in rows]
    return [value_of(item) for item in items]


def _members_match(one: tuple[Node, ...], other: tuple[Node, ...], policy: Policy) -> Found:
    """Compare lists and sets whose order does not count; copies of a member count once."""
    if len(one) * len(other) > MOST_PAIRS and any(item.kind in COLLECTIONS for item in one + other):
        raise TooComplex(f"more than {MOST_PAIRS} pairs of members that hold members")
    if max(len(one), len(other)) > MOST_ITEMS:
        raise TooComplex(f"more than {MOST_ITEMS} items")
    if len(one) == len(other) == 1:
        return _values(one[0], other[0], policy)
    if policy.ordered:
        return _in_order(one, other, policy)
    left, right = _distinct(one, policy), _distinct(other, policy)
    if len(left) != len(right):
        several = len(left) == 1
        return Found(
            False, "structure", "several answers for one" if several else "lists of different length"
        )
    layers = ["structure"]
    unmatched = list(right)
    for item in left:
        for place, candidate in enumerate(unmatched):
            found = _maybe(item, candidate, policy)
            if found.same:
                layers.append(found.layer)
                del unmatched[place]
                break
        else:
            return Found(False, "structure", "a member that the other has not")
    return Found(True, layers[-1])


def _distinct(items: tuple[Node, ...], policy: Policy) -> list[Node]:
    found: list[Node] = []
    for item in dict.fromkeys(items):
        if len(items) > 12 or not any(_maybe(item, known, policy).same for known in found):
            found.append(item)
    return found


def _maybe(one: Node, other: Node, policy: Policy) -> Found:
    try:
        return _values(one, other, policy)
    except (Undecided, TooComplex):
        return _NO


def _in_order(one: Sequence[Node], other: Sequence[Node], policy: Policy) -> Found:
    if len(one) != len(other):
        return Found(False, "structure", "different length")
    found = Found(True, "structure")
    for left, right in zip(one, other, strict=True):
        found = compare(left, right, policy)
        if not found.same:
            return found
    return found


def _with_constant(one: Node, other: Node) -> Node:
    """Return the second antiderivative with its constant named as in the first: x + c as x + C."""
    found = [
        [arg for arg in side.args if arg in _CONSTANTS] if side.kind == "add" else [] for side in (one, other)
    ]
    if len(found[0]) != 1 or len(found[1]) != 1 or found[0] == found[1]:
        return other
    return renamed(other, found[1][0], found[0][0].args[0])


def _matrices(one: Node, other: Node, policy: Policy) -> Found:
    shapes = [[len(row.args) for row in side.args] for side in (one, other)]
    if shapes[0] != shapes[1]:
        return Found(False, "structure", "matrices of different shape")
    cells = [[cell for row in side.args for cell in row.args] for side in (one, other)]
    return _in_order(cells[0], cells[1], policy)


# Sets of real numbers, inequalities


def _real_sets(one: Node, other: Node, policy: Policy) -> Found:
    if one.kind == other.kind == "rel" and symbols(one) != symbols(other):
        return Found(False, "structure", "different variables")
    sets = intervals(_as_real_set(one)), intervals(_as_real_set(other))
    if sets[0] is not None and sets[1] is not None:
        return Found(same_intervals(sets[0], sets[1]), "structure", "compared as sets of real numbers")
    if (
        one.kind == other.kind
        and one.kind in ("union", "without", "meet")
        and len(one.args) == len(other.args)
    ):
        if one.kind == "without":
            return _in_order(one.args, other.args, policy)
        return _members_match(one.args, other.args, policy)
    if one.kind == other.kind == "builder":
        return _in_order(one.args, other.args, policy)
    return Found(False, "structure", "not the same kind of set")


def _as_real_set(node: Node) -> Node:
    return node if node.kind != "num" else Node("set", (node,))


def _is_reals(node: Node) -> bool:
    return node == Node("sym", ("\\mathbbR",))


def _relations(one: Node, other: Node, policy: Policy) -> Found:
    """Compare inequalities term by term, turned round where one points the other way."""
    sides = [_pointing_left(side) for side in (one, other)]
    if sides[0].args[0] != sides[1].args[0]:
        return Found(False, "structure", "different relations")
    if len(sides[0].args) == 3 and has_names(one) and has_names(other):
        differences = [Node("add", (side.args[1], Node("neg", (side.args[2],)))) for side in sides]
        factor = proportional(differences[0], differences[1])
        if factor > 0 or (factor < 0 and sides[0].args[0] == ("!=",)):
            return Found(True, "numeric", "inequalities that differ by a factor")
    return _in_order(sides[0].args[1:], sides[1].args[1:], policy)


def _pointing_left(node: Node) -> Node:
    """Return a chain of inequalities with the smaller side first."""
    operators = node.args[0]
    if all(operator in (">", ">=", "=") for operator in operators) and set(operators) != {"="}:
        turned = {">": "<", ">=": "<=", "=": "="}
        return Node("rel", (tuple(turned[o] for o in reversed(operators)), *reversed(node.args[1:])))
    return node


# Equations and names


def _is_statement(node: Node) -> bool:
    """Whether an answer is an equation between numbers that are not all equal, like 5 = 2."""
    if not (is_equation(node) and set(node.args[0]) == {"="}):
        return False
    if has_names(node):
        return all(side == node.args[1] for side in node.args[2:])  # x = x
    sides = node.args[1:]
    for side in sides[:-1]:
        try:
            if not _values(side, sides[-1], Policy()).same:
                return True
        except (Undecided, TooComplex):
            continue
    return False


def _equations(one: Node, other: Node, policy: Policy) -> Found:
    if len(one.args) != 3 or len(other.args) != 3:
        if is_named(one) and is_named(other):
            return _values(value_of(one), value_of(other), policy)
        return _in_order(one.args[1:], other.args[1:], policy)
    if not (has_names(one) or has_names(other)):
        found = _in_order(one.args[1:], other.args[1:], policy)
        return found if found.same else _in_order(one.args[1:], (other.args[2], other.args[1]), policy)
    if any(side.kind in COLLECTIONS for node in (one, other) for side in node.args[1:]):
        found = _in_order(one.args[1:], other.args[1:], policy)
        return found if found.same else _in_order(one.args[1:], (other.args[2], other.args[1]), policy)
    if any(part.kind == "plusminus" for node in (one, other) for part in node.walk()):
        return Found(False, "structure", "an equation against its solutions")
    differences = [Node("add", (node.args[1], Node("neg", (node.args[2],)))) for node in (one, other)]
    above = [_numerator(difference)[0] for difference in differences]
    factor = proportional(above[0], above[1])
    for name in sorted(symbols(one) ^ symbols(other)):  # one side was multiplied by a variable
        fewer = 1 if name in symbols(above[0]) else 0
        above[fewer] = Node("mul", (above[fewer], Node("sym", (name,))))
        factor = factor or proportional(above[0], above[1])
    return Found(
        bool(factor), "numeric", "equations that differ by a factor" if factor else "different equations"
    )


def _numerator(node: Node) -> tuple[Node, Node]:
    """Return an expression as one fraction: what is above and below the line."""
    one = number(1)
    if node.kind == "neg":
        above, below = _numerator(node.args[0])
        return Node("neg", (above,)), below
    if node.kind == "div":
        (above, below), (over, under) = _numerator(node.args[0]), _numerator(node.args[1])
        return _times(above, under), _times(below, over)
    if node.kind in ("add", "mul"):
        parts = [_numerator(arg) for arg in node.args]
        if all(below == one for _, below in parts):
            return node, one
        found, denominator = parts[0]
        for above, below in parts[1:]:
            if node.kind == "mul":
                found = _times(found, above)
            elif below == denominator:
                found = Node("add", (found, above))
                continue
            else:
                found = Node("add", (_times(found, below), _times(above, denominator)))
            denominator = _times(denominator, below)
        return found, denominator
    return node, one


def _times(one: Node, other: Node) -> Node:
    if one == number(1) or other == number(1):
        return other if one == number(1) else one
    return Node("mul", (one, other))


# Plus-minus and infinity


def _signs(node: Node) -> Node:
    """Return a value with plus-minus as the list of its two values."""
    if node.kind in ("rel", "list", "set") or not any(part.kind == "plusminus" for part in node.walk()):
        return node
    if sum(part.kind == "plusminus" for part in node.walk()) > MOST_SIGNS:
        raise TooComplex(f"more than {MOST_SIGNS} plus-minus signs")
    return Node("list", (_with_sign(node, True), _with_sign(node, False)))


def _with_sign(node: Node, upper: bool) -> Node:
    if node.kind == "plusminus":
        plus, inner = node.args
        inner = _with_sign(inner, upper)
        return inner if plus == upper else Node("neg", (inner,))
    if not any(part.kind == "plusminus" for part in node.walk()):
        return node
    return Node(node.kind, tuple(_with_sign(arg, upper) if type(arg) is Node else arg for arg in node.args))


def _unsigned(node: Node) -> Node:
    return node.args[0] if node.kind == "neg" else node
