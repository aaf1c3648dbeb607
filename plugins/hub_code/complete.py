"""Joins the code of a completion with the prompt's: its imports and helpers, or the head of its function."""

import re
import textwrap

from hub_code.extract import after_thinking, extract_code
from hub_code.fences import find_blocks
from hub_code.parse import LONGEST, defines, parses

_FUTURE = re.compile(r"^from[ \t]+__future__[ \t]+import[ \t]+(?:\([^)]*\)|[^\n]*)", re.MULTILINE)
_MARGIN = re.compile(r"\n(?=[^\s)\]}])")
_INDENT = "    "


def find_program(text: str, language: str, prompt_code: str, entry_point: str, names: set[str]) -> str | None:
    r"""Return the program that a completion stands for; None if it holds none.

    Args:
        text: the completion: a program in a fence or bare, or the body of the prompt's function.
        language: of the program; only one in Python is joined with what the prompt gave.
        prompt_code: what the prompt gave: imports, helpers, and perhaps the head of the function; "" for
            nothing.
        entry_point: the function that is asked for; "" where none is.
        names: what a right program may define, so that it is found among several blocks.

    >>> head = "import math\n\ndef root(x):\n    '''The square root.'''\n"
    >>> print(find_program("    return math.sqrt(x)", "python", head, "root", {"root"}))
    import math
    <BLANKLINE>
    def root(x):
        '''The square root.'''
        return math.sqrt(x)
    >>> whole = "```python\ndef root(x):\n    return math.sqrt(x)\n```"
    >>> print(find_program(whole, "python", head, "root", {"root"}))
    import math
    <BLANKLINE>
    def root(x):
        return math.sqrt(x)
    <BLANKLINE>
    """
    if language != "python":
        return extract_code(text, language)
    takes_body = bool(entry_point and defines(prompt_code, entry_point))
    if takes_body and _is_continuation(text, entry_point):
        answer = after_thinking(text)
        blocks = find_blocks(answer)
        return _continue(prompt_code, answer[: blocks[0].start] if blocks else answer)
    code = extract_code(text, names=names)
    if code is None and takes_body:
        answer = after_thinking(text)
        body = _continue(prompt_code, answer) if answer.strip() and not find_blocks(answer) else ""
        return body if body and parses(body) else None
    if code is None:
        return None
    if entry_point and not defines(code, entry_point):
        code = _dedented(code, entry_point)
        if takes_body and not defines(code, entry_point):
            return _continue(prompt_code, code)
    return _join(preamble(prompt_code, entry_point), code)


def preamble(prompt_code: str, entry_point: str) -> str:
    r"""Return what stands before the function in the prompt's code; all of it where there is no function.

    >>> preamble("import math\n\ndef root(x):\n", "root")
    'import math\n\n'
    """
    if entry_point:
        heads = re.finditer(
            rf"^(?:@[^\n]*\n)*(?:async[ \t]+def|def|class)[ \t]+{re.escape(entry_point)}\b",
            prompt_code,
            re.MULTILINE,
        )
        for head in heads:
            return prompt_code[: head.start()]
    return prompt_code


def find_prompt_code(prompt: str, entry_point: str) -> str:
    """Return the code in a prompt that holds the head of the function, or is that; "" if there is none."""
    if not entry_point or not defines(prompt, entry_point):
        return ""
    blocks = [block.text for block in find_blocks(prompt) if defines(block.text, entry_point)]
    if blocks:
        return blocks[-1]
    return prompt if parses(prompt) else ""


def _is_continuation(text: str, entry_point: str) -> bool:
    """Whether a text goes on where the prompt ends: its first line is indented, and it defines nothing."""
    answer = after_thinking(text)
    first = next((line for line in answer.split("\n") if line.strip()), "")
    return first[:1] in (" ", "\t") and not re.search(
        rf"^[ \t]*(?:async[ \t]+def|def|class)[ \t]+{re.escape(entry_point)}\b", answer, re.MULTILINE
    )


def _continue(prompt_code: str, body: str) -> str:
    """Put a body under the head of the prompt's function, indented as it must be."""
    head = prompt_code if prompt_code.endswith("\n") else f"{prompt_code}\n"
    lines = body.lstrip("\r\n")
    whole = head + lines
    if len(whole) > LONGEST:
        return whole
    forms = [whole]
    if lines[:1] not in (" ", "\t"):  # the indentation of all lines, or of the first, was lost
        forms = [head + textwrap.indent(lines, _INDENT), head + _INDENT + lines]
    else:
        forms += [head + cut for cut in _cut(lines)]
    return next((form for form in forms if parses(form)), forms[0])


def _cut(body: str) -> list[str]:
    """Return a body up to its end: where a line begins at the left margin (Chen et al. 2021, section 3.2)."""
    end = _MARGIN.search(body)
    return [body[: end.start() + 1]] if end else []


def _dedented(code: str, entry_point: str) -> str:
    less = textwrap.dedent(code) if code[:1] in (" ", "\t") else code
    return less if defines(less, entry_point) else code


def _join(before: str, code: str) -> str:
    """Put the prompt's code before a program; what must be first of a module stays first."""
    if not before.strip():
        return code
    future = list(dict.fromkeys(_FUTURE.findall(code)))
    if future:
        code = _FUTURE.sub(lambda found: "\n" * found[0].count("\n"), code)
    future += [line for line in _FUTURE.findall(before) if line not in future]
    before = _FUTURE.sub("", before)
    return "".join(f"{line}\n" for line in future) + f"{before.rstrip()}\n\n{code}"
