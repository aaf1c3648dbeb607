"""Whose the names are that tests use: their own, a module's, or the candidate's."""

import ast
import builtins
import contextlib
import importlib
import sys
from collections.abc import Iterable
from types import ModuleType

_BUILTINS = frozenset(dir(builtins))
_SHORT = {"np": "numpy", "pd": "pandas", "plt": "matplotlib.pyplot"}


def candidates(nodes: Iterable[ast.AST], entry_point: str | None) -> set[str]:
    """Return the names that tests, of these nodes, use and do not make themselves."""
    used: set[str] = set()
    made: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else made).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.alias):
            made.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            made.add(node.name)
    found = used - made - _BUILTINS
    if entry_point and entry_point not in made:
        found.add(entry_point)
    return found


def modules(nodes: Iterable[ast.AST], names: set[str]) -> dict[str, ModuleType]:
    """Return the modules among names that tests use without having imported them.

    In one process they would be what the program imported; here they must not be what it defines. A name is a
    module's where it is that of one which is there, of the standard library or of a package that the sandbox
    was given, and the tests ask it only for attributes that the module has.
    """
    paths = {name: path for name in names if (path := _SHORT.get(name, name)) and _is_there(path)}
    if not paths:
        return {}
    bare = {id(node): node.id for node in nodes if isinstance(node, ast.Name)}
    attributes: dict[str, set[str]] = {name: set() for name in paths}
    for node in nodes:
        if isinstance(node, ast.Attribute) and (name := bare.pop(id(node.value), "")) in paths:
            attributes[name].add(node.attr)
    found = {}
    for name in paths.keys() - set(bare.values()):
        with contextlib.suppress(Exception):  # whatever importing a package may raise
            module = importlib.import_module(paths[name])
            if all(_has(module, attribute) for attribute in attributes[name]):
                found[name] = module
    return found


def _is_there(path: str) -> bool:
    return path in sys.stdlib_module_names or path.split(".")[0] in sys.modules


def _has(module: ModuleType, attribute: str) -> bool:
    if not hasattr(module, attribute):
        with contextlib.suppress(ImportError):
            importlib.import_module(f"{module.__name__}.{attribute}")
    return hasattr(module, attribute)
