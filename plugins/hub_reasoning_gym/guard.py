"""Keeps verifiers from running what a model, or a row, has written.

Of reasoning-gym 0.1.25, four verifiers give the answer to Python's `eval`, and five to SymPy's `parse_expr`,
which evaluates it too: `__import__("os").system("...")` would be run. Two more give `eval` a text of the row,
and three of the five give one to `parse_expr`; rows come from data sets, and from whoever may ask a service.
Here `eval` of these six reads literals or sums of integers only, and `parse_expr` of these five is given
nothing but formulas. No other verifier evaluates anything: a test reads all of them in the package.
"""

import ast
import builtins
import keyword
import operator
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from hub.errors import BadInput

LITERALS = ("binary_matrix", "n_queens", "number_sorting", "spiral_matrix", "string_insertion")
INTEGERS = ("bitwise_arithmetic",)
EXPRESSIONS = (
    "countdown",
    "intermediate_integration",
    "polynomial_multiplication",
    "puzzle24",
    "simple_integration",
)
CONFIGURED = (
    "arc_agi",
    "decimal_arithmetic",
    "polynomial_equations",
    "puzzle24",
    "rearc",
    "time_intervals",
    "word_ladder",
)
"""Tasks whose verifiers ask their configuration. No other is given a row's: some name a file to be read."""
FUNCTIONS = frozenset(
    """
    sin cos tan cot sec csc asin acos atan acot asec acsc sinh cosh tanh coth sech csch asinh acosh atanh
    acoth exp log ln sqrt cbrt root Abs sign erf erfc erfi gamma factorial Si Ci Ei li pi E I oo Rational
    Integer Float
    """.split()
)
"""Names of SymPy that an answer may have. An Integral would earn the full score without being solved."""
_ARITHMETIC = re.compile(r"[\w\s+\-*/^().,!]*")
_NAME = re.compile(r"[^\W\d]\w*")
_ATTRIBUTE = re.compile(r"\.\s*[^\W\d]|__")


_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
_LARGEST_SHIFT = 1024


def guard(task: str, module: str) -> None:
    """Make a task's verifier read literals, or sums of integers, where it would evaluate them.

    Args:
        task: its name.
        module: in which its verifier is.
    """
    if task in LITERALS:
        vars(sys.modules[module])["eval"] = ast.literal_eval
    elif task in INTEGERS:
        vars(sys.modules[module])["eval"] = compute


def check_entry(task: str, entry: Mapping[str, Any]) -> None:
    """Refuse a row in which code stands where its verifier would evaluate a formula.

    Raises:
        BadInput: it does, or there is no text.
    """
    metadata = entry["metadata"]
    if not isinstance(metadata, dict):
        raise BadInput(f"the column 'entry': its metadata are no mapping: {metadata!r:.100}")
    if task == "polynomial_multiplication":
        _check_formula(task, "answer", entry["answer"])
    elif task in ("simple_integration", "intermediate_integration"):
        _check_formula(task, "integrand", metadata.get("integrand"))
        variable = metadata.get("variable")
        if not isinstance(variable, str) or not (_NAME.fullmatch(variable) and _is_plain(variable)):
            raise BadInput(f"the column 'entry': {task} has no variable {variable!r:.100}")


def may_verify(task: str, answer: str) -> bool:
    """Whether a task's verifier may be given an answer.

    >>> may_verify("countdown", "(3 + 4)*5"), may_verify("countdown", "open(1)")
    (True, False)
    """
    return task not in EXPRESSIONS or is_formula(answer)


def is_formula(text: str) -> bool:
    """Whether SymPy may evaluate a text: numbers, symbols and functions that only compute."""
    text = unicodedata.normalize("NFKC", text)  # Python reads names so
    if not _ARITHMETIC.fullmatch(text) or _ATTRIBUTE.search(text):
        return False
    return all(_is_plain(name) for name in _NAME.findall(text))


def compute(text: str) -> int:
    """Return the value of a sum, product or shift of integers.

    Raises:
        ValueError: it is something else, or shifts by more than 1024.
        SyntaxError: it is no expression.

    >>> compute("((0x123 + 0x456) << 0x1)")
    2802
    """
    return _compute(ast.parse(text.strip(), mode="eval").body)


def _compute(node: ast.expr) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_compute(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _compute(node.left), _compute(node.right)
        if isinstance(node.op, ast.LShift) and right > _LARGEST_SHIFT:
            raise ValueError(f"a shift by {right}")
        return _OPERATORS[type(node.op)](left, right)
    raise ValueError(f"no integer, sum, product or shift: {type(node).__name__}")


def _check_formula(task: str, name: str, text: Any) -> None:
    if not isinstance(text, str) or not is_formula(text):
        raise BadInput(f"the column 'entry': the {name} of {task} should be a formula: {text!r:.100}")


def _is_plain(name: str) -> bool:
    """Whether a name stands for a symbol, or for a function that only computes."""
    import sympy

    if name in FUNCTIONS:
        return True
    return not (keyword.iskeyword(name) or hasattr(builtins, name) or hasattr(sympy, name))
