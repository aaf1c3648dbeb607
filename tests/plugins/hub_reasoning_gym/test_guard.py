"""What the package's verifiers evaluate and ask: all of it is known to `hub_reasoning_gym.guard`."""

import ast
import inspect
import sys
from collections.abc import Iterator

import pytest

from hub_reasoning_gym.guard import CONFIGURED, EXPRESSIONS, INTEGERS, LITERALS
from hub_reasoning_gym.names import names

pytest.importorskip("reasoning_gym", reason="needs reasoning-gym")

EVALUATORS = frozenset(
    "eval exec compile __import__ parse_expr sympify S getattr import_module lambdify open load loads".split()
)
HARMLESS = {"json.loads"}
OWN_PARSER = {"propositional_logic"}
"""Its `parse_expr` is of its own, and splits texts."""
ASKED = {"self.config", "self.board_format_opts", "self.word_sets"}
"""The configuration, and what constructors make of it."""


def verifying(kind: type) -> Iterator[ast.AST]:
    """Everything in the methods and the module's functions that a class's verifier calls."""
    definer = next(one for one in kind.__mro__ if "score_answer" in vars(one))
    tree = ast.parse(inspect.getsource(sys.modules[definer.__module__]))
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    (owner,) = (n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == definer.__name__)
    functions |= {node.name: node for node in owner.body if isinstance(node, ast.FunctionDef)}
    todo, seen = ["score_answer"], set[str]()
    while todo:
        name = todo.pop()
        if name in functions and name not in seen:
            seen.add(name)
            for node in ast.walk(functions[name]):
                yield node
                if isinstance(node, ast.Call):
                    todo.append(ast.unparse(node.func).split(".")[-1])


def test_what_verifiers_evaluate_is_known() -> None:
    from reasoning_gym.factory import DATASETS

    evaluate, ask = set(), set()
    for task in names():
        for node in verifying(DATASETS[task][0]):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called.split(".")[-1] in EVALUATORS and called not in HARMLESS:
                    evaluate.add(task)
            if isinstance(node, ast.Attribute) and ast.unparse(node) in ASKED:
                ask.add(task)
    assert evaluate - OWN_PARSER == {*LITERALS, *INTEGERS, *EXPRESSIONS}
    assert ask == set(CONFIGURED)


def test_the_lists_name_tasks() -> None:
    assert {*LITERALS, *INTEGERS, *EXPRESSIONS, *CONFIGURED} <= set(names())
