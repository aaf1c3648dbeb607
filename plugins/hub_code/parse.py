"""Whether a text is Python, asked of the compiler. Nothing is run; what is too long is not asked."""

import ast
import re
import warnings

LONGEST = 40_000
"""Characters of a text that is compiled here; a longer one is judged by how its lines look."""


def parses(text: str) -> bool:
    """Whether a text is a Python module.

    >>> parses("def f(): return 1"), parses("return 1"), parses("It was 1.")
    (True, False, False)
    """
    return problem(text) is None


def problem(text: str) -> int | None:
    """Return the line, from 1, at which a text stops being Python; None if it is Python throughout.

    0 where no line is to blame: a NUL character, a text that cannot be encoded, nested too deeply, too long.
    """
    if len(text) > LONGEST:
        return 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "program.py", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error.lineno or 0
    except (ValueError, RecursionError, MemoryError, OverflowError):
        return 0
    return None


def is_program(text: str) -> bool:
    """Whether a text is Python that does something, and not a word or a number that Python can read.

    >>> is_program("print(1)"), is_program("None"), is_program("x == 1"), is_program("# add")
    (True, False, False, False)
    """
    if problem(text) is not None:
        return False
    statements = ast.parse(text).body if text.strip() else []
    return any(not isinstance(s, ast.Expr) or any(map(_does, ast.walk(s))) for s in statements)


def _does(node: ast.AST) -> bool:
    return isinstance(node, ast.Call | ast.Await | ast.NamedExpr)


def defines(code: str, name: str) -> bool:
    r"""Whether a program gives a name to a function, a class or a value, at the beginning of a line.

    >>> defines("import math\ndef add(a, b): ...", "add"), defines("print(add(1, 2))", "add")
    (True, False)
    """
    escaped = re.escape(name)
    found = re.search(
        rf"^(?:async[ \t]+def|def|class)[ \t]+{escaped}\b|^{escaped}[ \t]*(?::[^=\n]*)?=(?!=)"
        rf"|^(?:from[ \t]+\S+[ \t]+)?import\b[^\n]*\b{escaped}\b",
        code,
        re.MULTILINE,
    )
    return found is not None
