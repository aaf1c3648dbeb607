"""The reward `literal-answer`: whether a function returns a value that is written out, not computed."""

import ast
import re
import warnings

import hub

_BLOCK = re.compile(r"^[ \t]*(```+|~~~+)[^\n]*\n(.*?)^[ \t]*\1", re.DOTALL | re.MULTILINE)
LONGEST = 40_000
"""Characters of a completion that is looked at."""


class LiteralAnswer:
    r"""1.0 where the completion's function returns a literal and does nothing else, else 0.0.

    For tasks in which the value is to be found by thinking: as a gate it keeps programs that compute it from
    being run. Each block that defines the function (named in the column `entry_point`), or the text where
    there is no block, must be that function alone. Rows whose column `literal` is false get 1.0.

    The reasons for 0.0: `no_function`, `not_literal`.

    >>> row = {"entry_point": "answer", "literal": True}
    >>> LiteralAnswer()(hub.Sample("", "```python\ndef answer():\n    return [1, 2]\n```", row)).value
    1.0
    >>> LiteralAnswer()(hub.Sample("", "```python\ndef answer():\n    return f(2)\n```", row)).reason
    'not_literal'
    """

    def __call__(self, sample: hub.Sample) -> hub.Score:
        """Score one completion; nothing is run."""
        if not sample.get("literal", True):
            return hub.Score(1.0)
        text, name = sample.text[: LONGEST + 1], str(sample["entry_point"])
        text = text[text.rfind("</think>") + 8 :] if "</think>" in text else text
        blocks = [found[2] for found in _BLOCK.finditer(text)] or [text]
        defining = [block for block in blocks if re.search(rf"\b{re.escape(name)}\b", block)]
        if len(text) > LONGEST or not defining:
            return hub.Score(0.0, "no_function")
        is_literal = all(_returns_literal(block, name) for block in defining)
        return hub.Score(float(is_literal), "" if is_literal else "not_literal")


def _returns_literal(code: str, name: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (function,) = ast.parse(code).body
        if not isinstance(function, ast.FunctionDef) or function.name != name or function.decorator_list:
            return False
        *before, returned = function.body
        if not isinstance(returned, ast.Return) or returned.value is None:
            return False
        ast.literal_eval(returned.value)
        return all(isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) for line in before)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return False
