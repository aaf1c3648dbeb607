"""Which tests can leave nothing behind in the process that runs them, whatever they do.

Such tests are run by a judge that stays for the next ones: forking one costs half of what it costs to judge a
short program. All that is not listed here is taken to leave something behind. What is listed reaches no
module but `math`, no attribute but methods of the built-in containers and texts, and no object that was there
before the tests and can be changed.
"""

import ast
import builtins
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

_MODULE = "math"
_NODES = frozenset(
    getattr(ast, name)
    for name in (
        "Module Expr Assert Assign AugAssign AnnAssign For While If Break Continue Pass Return FunctionDef "
        "arguments arg Lambda Try ExceptHandler Raise Import ImportFrom alias Call keyword IfExp Name Load "
        "Store Constant Tuple List Dict Set ListComp SetComp DictComp GeneratorExp comprehension Subscript "
        "Slice Starred JoinedStr FormattedValue NamedExpr Attribute BoolOp And Or UnaryOp Not USub UAdd "
        "Invert BinOp Add Sub Mult Div FloorDiv Mod Pow LShift RShift BitOr BitXor BitAnd MatMult Compare "
        "Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn"
    ).split()
)
_BUILTINS = frozenset(
    "abs all any ascii bin bool bytearray bytes callable chr complex dict divmod enumerate filter float "
    "frozenset hex int isinstance issubclass iter len list map max min next object oct ord pow range repr "
    "reversed round set slice sorted str sum tuple zip "
    "ArithmeticError AssertionError AttributeError BaseException EOFError Exception FloatingPointError "
    "IndexError KeyError LookupError MemoryError NameError NotImplementedError OSError OverflowError "
    "RecursionError RuntimeError StopIteration SyntaxError TypeError UnicodeError ValueError "
    "ZeroDivisionError NotImplemented Ellipsis".split()
)
_OTHERS = (frozenset(dir(builtins)) | sys.stdlib_module_names | {"np", "pd", "plt"}) - _BUILTINS - {_MODULE}
"""Names that may stand for what is there already, and must not be touched."""
_METHODS = frozenset(
    "add append bit_length clear copy count difference discard endswith extend find get imag index insert "
    "intersection is_integer isalnum isalpha isdecimal isdigit isdisjoint islower isnumeric isspace issubset "
    "issuperset istitle isupper items join keys lower lstrip partition pop real remove replace reverse rfind "
    "rindex rpartition rsplit rstrip setdefault sort split splitlines startswith strip swapcase "
    "symmetric_difference title union update upper values zfill capitalize casefold center "
    "ljust rjust".split()
)


def is_pure(nodes: Sequence[ast.AST]) -> bool:
    """Tell whether tests, of these nodes from the outside in, leave nothing behind; False if not certain."""
    compared = [
        side for node in nodes if type(node) is ast.Compare for side in (node.left, *node.comparators)
    ]
    asking = {id(side.func) for side in compared if type(side) is ast.Call and _asks_type(side)}
    return all(type(node) in _NODES and (id(node) in asking or _is_harmless(node)) for node in nodes)


def _is_harmless(node: ast.AST) -> bool:
    check = _CHECKS.get(type(node))
    return check is None or check(node)


def _is_other(name: str) -> bool:
    return name in _OTHERS or name.startswith("__") or (name in sys.modules and name != _MODULE)


def _is_known(node: ast.Attribute) -> bool:
    if type(node.ctx) is not ast.Load:
        return False
    if isinstance(node.value, ast.Name) and node.value.id == _MODULE:
        return not node.attr.startswith("_") and hasattr(math, node.attr)
    return node.attr in _METHODS


def _asks_type(node: ast.Call) -> bool:
    """Tell whether it is `type(x)`: with more arguments that makes a class.

    Only compared, that leaves nothing: `type(int)` is what makes classes, and an object whose class has a
    `__del__` would run it in the next tests' time.
    """
    plain = len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred)
    return plain and isinstance(node.func, ast.Name) and node.func.id == "type"


def _imports_only_math(node: ast.Import | ast.ImportFrom) -> bool:
    names = [alias.name for alias in node.names]
    if any(alias.asname and _is_other(alias.asname) for alias in node.names):
        return False
    if isinstance(node, ast.Import):
        return names == [_MODULE]
    return node.module == _MODULE and not node.level and all(not name.startswith("_") for name in names)


_CHECKS: dict[type, Callable[[Any], bool]] = {
    ast.Name: lambda node: not _is_other(node.id),
    ast.Attribute: _is_known,
    ast.FunctionDef: lambda node: not node.decorator_list and not _is_other(node.name),
    ast.arg: lambda node: not _is_other(node.arg),
    ast.ExceptHandler: lambda node: not node.name or not _is_other(node.name),
    ast.Import: _imports_only_math,
    ast.ImportFrom: _imports_only_math,
}
