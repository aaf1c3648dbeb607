"""Cuts tests into parts, so that the fraction passed can be told."""

import ast
from collections.abc import Sequence

from hub_code.parse import problem

MOST_PARTS = 200


def split_tests(tests: Sequence[str], entry_point: str) -> list[str]:
    r"""Return tests such that each of them asserts one thing.

    Several texts are parts already. In one text the statements that assert, in the function `check` or,
    without that, at the left margin, are parts; a loop is one. Each part comes with all statements that
    assert nothing, `assert True` among them.

    Args:
        tests: one text or several.
        entry_point: the function that `check` is called with; "": there is no such call.

    >>> for part in split_tests(["def check(f):\n    x = 1\n    assert f(x)\n    assert not f(0)\n"], "f"):
    ...     print(part)
    def check(f):
        x = 1
        assert f(x)
    def check(f):
        x = 1
        assert not f(0)
    """
    if len(tests) != 1 or problem(tests[0]) is not None:
        return list(tests)
    module = ast.parse(tests[0])
    body = module.body
    for statement in module.body:
        if entry_point and isinstance(statement, ast.FunctionDef) and statement.name == "check":
            body = statement.body
    asserting = [n for n, statement in enumerate(body) if _asserts(statement)]
    if not 1 < len(asserting) <= MOST_PARTS:
        return list(tests)
    whole, parts = list(body), []
    for chosen in asserting:
        body[:] = [each for n, each in enumerate(whole) if n == chosen or n not in asserting]
        parts.append(ast.unparse(module))
    return parts


def _asserts(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    return any(isinstance(node, ast.Assert) and _asks(node.test) for node in ast.walk(statement))


def _asks(condition: ast.expr) -> bool:
    """Whether a condition depends on anything; HumanEval's tests have an `assert True` among the others."""
    return any(isinstance(node, ast.Name) for node in ast.walk(condition))
