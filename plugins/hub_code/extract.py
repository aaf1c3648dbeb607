"""Finds the program in a completion."""

import re
from collections.abc import Collection

from hub_code.fences import Block, find_blocks
from hub_code.parse import LONGEST, defines, is_program, problem

_CODE = re.compile(
    r"(?:async )?def \w+ ?\(|class \w+ ?[(:]|import [\w.]+(?: as \w+)?(?:, ?[\w.]+)*\s*$|from [\w.]+ import "
    r"|@\w|[A-Za-z_]\w*(?:, ?\w+)* ?[-+*/|&]?=(?!=)|(?:for|while|with|if|try)\b.*:\s*$|print\("
)
"""How a line of a program begins, at its left margin."""
_PROSE = re.compile(r"(?:[A-Z*#>-]|\d+\.)\S* +[A-Za-z`*'\"(]")
"""How a sentence, a heading or an item of a list begins."""
_DEFINED = re.compile(r"^(?:async[ \t]+def|def|class)[ \t]+(\w+)", re.MULTILINE)


def extract_code(text: str, language: str = "python", names: Collection[str] = ()) -> str | None:
    r"""Return the program of a completion; None if there is none.

    A completion that is a program as a whole is taken as it stands. Else what was thought (until the last
    `</think>`) is left out, and the last fenced block counts: the last that defines one of `names`, else the
    last with the language's tag, else the last without a tag. Without any block it is the text from the
    first line that looks like code on, without sentences that follow it.

    Args:
        text: the completion.
        language: the language of the program; what has no fence is looked into only for Python.
        names: what a right program defines, such as the function that the tests call.

    >>> extract_code("Use:\n```python\ndef f(): return 1\n```\nThen:\n```\nprint(f())\n```", names=["f"])
    'def f(): return 1\n'
    >>> extract_code("Here it is.\n\ndef f():\n    return 1\n\nIt returns the number one.")
    'def f():\n    return 1\n'
    """
    if language == "python" and is_program(text):
        return text
    answer = after_thinking(text)
    if language == "python" and answer != text and is_program(answer):
        return answer
    blocks = find_blocks(answer)
    full = [block for block in blocks if block.text.strip()]
    before = answer[: blocks[0].start] if blocks else answer
    if full and (
        blocks[0].tag or language != "python" or any(_defines_any(b.text, set(names)) for b in full)
    ):
        return _choose(full, language, names)
    # The fence that opens the program may be the end of the prompt, and the first in the completion its end.
    bare = _find_bare(before, language)
    return _choose(full, language, names) if full and not (bare and is_program(bare)) else bare


def after_thinking(text: str) -> str:
    """Return what stands behind the last `</think>`; nothing if a `<think>` is never closed.

    >>> after_thinking("<think>hm</think>yes"), after_thinking("<think>hm")
    ('yes', '')
    """
    _, closed, answer = text.rpartition("</think>")
    return "" if not closed and text.lstrip().startswith("<think>") else answer


def _find_bare(text: str, language: str) -> str | None:
    """Return the program in a text without fences."""
    if language != "python" or len(text) > LONGEST:
        return text if text.strip() else None
    return text if is_program(text) else _without_prose(text)


def _choose(blocks: list[Block], language: str, names: Collection[str]) -> str | None:
    wanted = set(names)
    pools = (
        [block for block in blocks if _defines_any(block.text, wanted)],
        [block for block in blocks if block.is_of(language)],
        [block for block in blocks if not block.tag],
    )
    return next((pool[-1].text for pool in pools if pool), None)


def _defines_any(code: str, names: set[str]) -> bool:
    return bool(names) and (
        not names.isdisjoint(_DEFINED.findall(code)) or (len(names) == 1 and defines(code, *names))
    )


def _without_prose(text: str) -> str | None:
    """Return a program without the sentences before and after it; one with mistakes is left as it is."""
    lines = text.split("\n")
    first = next((n for n, line in enumerate(lines) if _CODE.match(line)), None)
    if first is None:
        return None
    lines = lines[first:]
    place = problem("\n".join(lines))
    if place:
        end = min(place, len(lines)) - 1
        while end > 0 and (_PROSE.match(lines[end]) or not lines[end].strip()):
            if not lines[end - 1].strip() and problem(head := "\n".join(lines[:end])) is None:
                return head
            end -= 1
    return "\n".join(lines)
