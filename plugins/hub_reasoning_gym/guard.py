"""Keeps verifiers from running what a model wrote.

Of reasoning-gym 0.1.25, four verifiers give the answer to Python's `eval`, and five to SymPy's `parse_expr`,
which evaluates it too: `__import__("os").system("...")` would be run. Here `eval` of these four reads
literals only, and `parse_expr` of these five is given nothing but formulas.
"""

import ast
import builtins
import keyword
import re
import sys

LITERALS = ("binary_matrix", "n_queens", "spiral_matrix", "string_insertion")
EXPRESSIONS = (
    "countdown",
    "intermediate_integration",
    "polynomial_multiplication",
    "puzzle24",
    "simple_integration",
)
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


def guard(task: str, module: str) -> None:
    """Make a task's verifier read literals where it would evaluate them.

    Args:
        task: its name.
        module: in which its verifier is.
    """
    if task in LITERALS:
        vars(sys.modules[module])["eval"] = ast.literal_eval


def may_verify(task: str, answer: str) -> bool:
    """Whether a task's verifier may be given an answer.

    >>> may_verify("countdown", "(3 + 4)*5"), may_verify("countdown", "open(1)")
    (True, False)
    """
    if task not in EXPRESSIONS:
        return True
    if not _ARITHMETIC.fullmatch(answer) or _ATTRIBUTE.search(answer):
        return False
    return all(_is_plain(name) for name in _NAME.findall(answer))


def _is_plain(name: str) -> bool:
    """Whether a name stands for a symbol, or for a function that only computes."""
    import sympy

    if name in FUNCTIONS:
        return True
    return not (keyword.iskeyword(name) or hasattr(builtins, name) or hasattr(sympy, name))
