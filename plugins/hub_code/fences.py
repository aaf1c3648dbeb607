"""The fenced blocks of a text, as in Markdown."""

import re
from dataclasses import dataclass

_FENCE = re.compile(r"([ \t]*)(`{3,}|~{3,}(?!~))([^`]*)")
_TAG = re.compile(r"[\w+#]+")
TAGS = {
    "python": ("python", "py", "python3", "py3"),
    "c": ("c", "h"),
    "cpp": ("cpp", "c++", "cc", "cxx"),
    "javascript": ("javascript", "js", "node"),
}
"""What follows a fence, by language; any other language's tag is its name."""


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Args:
        tag: the first word behind the fence, in small letters; "" for none.
        text: what it holds, without the indentation of the fence.
        start: where its fence begins in the text.
        closed: it has an end; one without an end reaches to the end of the text.
    """

    tag: str
    text: str
    start: int
    closed: bool

    def is_of(self, language: str) -> bool:
        """Whether the tag names the language."""
        return self.tag in TAGS.get(language, (language,))


def find_blocks(text: str) -> list[Block]:
    r"""Return the fenced blocks of a text in their order; linear in its length.

    A fence is closed by one of the same sign that is at least as long.

    >>> [(block.tag, block.text) for block in find_blocks("So:\n```Python\nx = 1\n```\n~~~\ny")]
    [('python', 'x = 1\n'), ('', 'y')]
    """
    blocks: list[Block] = []
    opening, start, lines = None, 0, list[str]()
    at = 0
    for line in text.split("\n"):
        fence = _FENCE.fullmatch(line) if "```" in line or "~~~" in line else None
        if opening is None:
            if fence:
                opening, start, lines = fence, at, []
        elif fence and fence[2].startswith(opening[2]) and not fence[3].strip(" \t\r"):
            blocks.append(_block(opening, lines, start, True))
            opening = None
        else:
            lines.append(line)
        at += len(line) + 1
    if opening is not None:
        blocks.append(_block(opening, lines, start, False))
    return blocks


def _block(fence: re.Match[str], lines: list[str], start: int, closed: bool) -> Block:
    tag = _TAG.search(fence[3].lower())
    indent = fence[1]
    if indent:
        lines = [line.removeprefix(indent) for line in lines]
    text = "\n".join(lines) + ("\n" if closed and lines else "")
    return Block(tag[0] if tag else "", text, start, closed)
