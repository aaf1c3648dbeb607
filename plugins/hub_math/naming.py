"""Answers that give a value to a name (x = 5, f(x) = 2x, (p, q) = (3, 2), AB = 4), and the value alone."""

from hub_math.tree import Node, number, symbols


def is_equation(node: Node) -> bool:
    """Whether it is a chain of =, ≈ or ≡."""
    return node.kind == "rel" and set(node.args[0]) <= {"=", "≈", "≡"}


def is_named(node: Node) -> bool:
    """Whether an equation gives a value to a name: x = 5, f(x) = 2x, (p, q) = (3, 2), 5 = x."""
    if node.kind != "rel":
        return False
    if any(side.kind == "sym" for side in node.args[2:-1]) and not has_names(node.args[-1]):
        return True  # 1 = x = 0
    return _is_nameable(node.args[1]) or _is_nameable(node.args[-1], last=True)


def _is_nameable(node: Node, last: bool = False) -> bool:
    kind, args = node
    if kind in ("sym", "apply", "at") or (kind == "const" and args[0] != "infinity"):
        return kind != "const" or (args[0] in ("e", "i") and not last)
    if last:
        return False
    if kind == "seq":
        return all(_is_nameable(arg) for arg in args[2:])
    if kind == "call":
        return args[0] == "abs" and _is_product_of_names(args[1])
    if kind == "pow":  # the inverse of a matrix
        return bool(
            args[0].kind == "sym" and args[0].args[0].isupper() and args[1] == Node("neg", (number(1),))
        )
    if kind == "div" and all(_is_differential(arg) for arg in args):
        return True
    if kind in ("ratio", "div"):
        return all(_is_segment(arg) for arg in args)
    return _is_segment(node)


def _is_differential(node: Node) -> bool:
    return node.kind == "mul" and len(node.args) == 2 and node.args[0] == Node("sym", ("d",))


def _is_segment(node: Node) -> bool:
    r"""Whether it names a length, area or angle: AB, S_{ABC}, \angle ABC."""
    if node.kind == "sym":
        return True
    return node.kind == "mul" and all(
        part.kind == "sym" and (part.args[0].startswith("\\") or part.args[0].isupper()) for part in node.args
    )


def _is_product_of_names(node: Node) -> bool:
    return node.kind == "sym" or (node.kind == "mul" and all(part.kind == "sym" for part in node.args))


def value_of(node: Node) -> Node:
    """Return what an answer says without a name for it: of a chain, the last exact side."""
    if node.kind == "member" and _is_nameable(node.args[0]):
        inside: Node = node.args[1]
        return inside
    if not is_equation(node):
        return node
    operators: tuple[str, ...] = node.args[0]
    sides: list[Node] = list(node.args[1:])
    while len(sides) > 1 and operators[len(sides) - 2] == "≈" and not _is_nameable(sides[-2]):
        sides.pop()
    if len(sides) == 1 or _is_nameable(sides[0]):
        return sides[-1]
    if any(side.kind == "sym" for side in sides[1:-1]) and not has_names(sides[-1]):
        return sides[-1]
    if _is_nameable(sides[-1], last=True):
        return sides[-2]
    return node if any(has_names(side) for side in sides) else sides[-1]


def has_names(node: Node) -> bool:
    """Whether a variable is free in it; that of a sum, limit or integral is not."""
    if node.kind in ("sym", "apply", "at"):
        return True
    inner = [arg for arg in node.args if type(arg) is Node]
    if node.kind == "big":
        return bool(symbols(node) - symbols(node.args[1]))
    if node.kind == "opaque":
        return False
    return any(has_names(arg) for arg in inner)


def same_names(one: Node, other: Node) -> bool:
    """Whether two assignments are for the same name, or for a function whose argument is named otherwise."""
    names = [side.args[1] if _is_nameable(side.args[1]) else side.args[-1] for side in (one, other)]
    if names[0] == names[1] or names[0].kind != names[1].kind:
        return True
    if names[0].kind == "apply":
        free = all(arg.kind == "sym" for name in names for arg in name.args[1:])
        return bool(names[0].args[0] == names[1].args[0] and (free or names[0].args == names[1].args))
    return bool(names[0].kind == "seq")


def with_arguments(reference: Node, answer: Node, value: Node) -> Node:
    """Return the answer's value with its arguments named as in the reference: f(t) = 2t as f(x) = 2x."""
    names = reference.args[1], answer.args[1]
    if not (names[0].kind == names[1].kind == "apply" and len(names[0].args) == len(names[1].args)):
        return value
    pairs = list(zip(names[0].args[1:], names[1].args[1:], strict=True))
    if all(left.kind == right.kind == "sym" for left, right in pairs):
        for place, (_, right) in enumerate(pairs):
            value = renamed(value, right, f"argument {place}")
        for place, (left, _) in enumerate(pairs):
            value = renamed(value, Node("sym", (f"argument {place}",)), left.args[0])
    return value


def renamed(node: Node, symbol: Node, name: str) -> Node:
    """Return a tree with another name for one of its variables."""
    if node == symbol:
        return Node("sym", (name,))
    return Node(
        node.kind, tuple(renamed(arg, symbol, name) if type(arg) is Node else arg for arg in node.args)
    )
