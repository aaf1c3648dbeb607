"""Sums, multiples and products of matrices, multiplied out entry by entry."""

from collections.abc import Sequence

from hub_math.tree import Node, number

MOST_CELLS = 200
"""Products of rows that are multiplied out."""


def multiplied(node: Node) -> Node:
    """Return sums, multiples and products of matrices as one matrix."""
    if node.kind not in ("add", "mul", "neg", "div") or not any(
        part.kind == "matrix" for part in node.walk()
    ):
        return node
    parts = [multiplied(arg) for arg in node.args]
    if node.kind == "neg":
        return _scaled(number(-1), parts[0])
    if node.kind == "div":
        return _scaled(Node("div", (number(1), parts[1])), parts[0]) if parts[1].kind != "matrix" else node
    found = parts[0]
    for part in parts[1:]:
        if found.kind != "matrix" or part.kind != "matrix":
            if node.kind == "add":
                return node
            found = _scaled(found, part) if part.kind == "matrix" else _scaled(part, found)
            continue
        rows, others = [row.args for row in found.args], [row.args for row in part.args]
        if node.kind == "add":
            if [len(row) for row in rows] != [len(row) for row in others]:
                return node
            found = matrix_of(
                [
                    [Node("add", pair) for pair in zip(*both, strict=True)]
                    for both in zip(rows, others, strict=True)
                ]
            )
        else:
            if any(len(row) != len(others) for row in rows) or len(rows) * len(others) > MOST_CELLS:
                return node
            columns = list(zip(*others, strict=False))
            found = matrix_of([[_dot(row, column) for column in columns] for row in rows])
    return found


def _scaled(factor: Node, value: Node) -> Node:
    if value.kind != "matrix" or factor.kind == "matrix":
        return Node("mul", (factor, value))
    return matrix_of([[Node("mul", (factor, cell)) for cell in row.args] for row in value.args])


def _dot(row: Sequence[Node], column: Sequence[Node]) -> Node:
    return Node("add", tuple(Node("mul", pair) for pair in zip(row, column, strict=True)))


def matrix_of(rows: list[list[Node]]) -> Node:
    """Return the node of a matrix."""
    return Node("matrix", tuple(Node("row", tuple(row)) for row in rows))
