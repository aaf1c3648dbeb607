r"""The reward `boxed-format`: the answer stands in a `\boxed{}`."""

import re
from typing import NamedTuple

import hub

_TOKEN = re.compile(r"(?P<box>\\boxed\s*\{)|\\.|(?P<open>\{)|(?P<close>\})", re.DOTALL)
_BLANK = re.compile(r"\\boxed|\\[,;:! ]|[{}\s~]")


class Box(NamedTuple):
    """A balanced box.

    Args:
        start: where its backslash is.
        content: what it holds, with the boxes inside it.
    """

    start: int
    content: str


def find_boxes(text: str) -> list[Box]:
    r"""Return the outermost balanced `\boxed{...}` in one pass over the text.

    A brace after a backslash does not count. A box that is never closed is no box; those inside it are.

    >>> [box.content for box in find_boxes(r"\boxed{1}, \boxed{\frac{1}{2}} and \boxed{3")]
    ['1', '\\frac{1}{2}']
    """
    opened: list[tuple[int, int] | None] = []
    boxes: list[tuple[int, int, int]] = []
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "close" and opened:
            box = opened.pop()
            if box is not None:
                while boxes and boxes[-1][0] > box[0]:
                    boxes.pop()
                boxes.append((*box, token.start()))
        elif token.lastgroup == "box":
            opened.append(token.span())
        elif token.lastgroup == "open":
            opened.append(None)
    return [Box(start, text[begin:end]) for start, begin, end in boxes]


class BoxedFormat:
    r"""1.0 where the completion holds a `\boxed{}` that is balanced and not empty, else 0.0.

    The reasons for 0.0: `no_box`, `empty_box`, `several_boxes`, `not_last_line`.

    Args:
        once: there must be exactly one box, so that answers cannot be offered for choice. Boxes inside
            a box do not count.
        last_line: the last box must stand within the last line that is not blank.

    >>> BoxedFormat()(hub.Sample("", r"So it is \boxed{42}.")).value
    1.0
    >>> BoxedFormat(once=True)(hub.Sample("", r"\boxed{1} or \boxed{2}")).reason
    'several_boxes'
    """

    def __init__(self, once: bool = False, last_line: bool = False) -> None:
        self.once, self.last_line = once, last_line

    def __call__(self, sample: hub.Sample) -> hub.Score:
        """Score one completion; time and memory are linear in its text."""
        text = sample.text
        boxes = find_boxes(text)
        if not boxes:
            return hub.Score(0.0, "no_box")
        if self.once and len(boxes) > 1:
            return hub.Score(0.0, "several_boxes")
        if not _BLANK.sub("", boxes[-1].content):
            return hub.Score(0.0, "empty_box")
        if self.last_line and "\n" in text.rstrip()[boxes[-1].start :]:
            return hub.Score(0.0, "not_last_line")
        return hub.Score(1.0)
