"""Where a completion begins and ends in a text that a trainer hands over.

Most trainers decode a completion without its special tokens. Some keep the one at which the model stopped,
and some send prompt and completion as one text. What a reward sees must be the same everywhere.
"""

import re
from collections.abc import Sequence

BEFORE = 64
"""Characters that a tokenizer may have put before the prompt, such as <|begin_of_text|>."""
SURE = 16
"""Characters of a prompt that lost its beginning that must be found before the completion."""
_BAR = r"[|\uff5c]"  # DeepSeek's tokens have the wide one
_TOKEN = re.compile(
    rf"(?:<{_BAR}[^|\uff5c<>\s]{{1,40}}{_BAR}>|</s>|<eos>|<pad>|<end_of_turn>|<turn\|>|<seed:eos>)\Z"
)
_TOKEN_LENGTH = 48


def without_end(text: str) -> str:
    r"""Return a completion without the special tokens that end it.

    Names between bars are special tokens, as most tokenizers write them, and `</s>`, `<eos>`, `<pad>`,
    `<end_of_turn>`, `<turn|>` and `<seed:eos>`. White space after one goes with it.

    >>> without_end("It is 4.<|im_end|>\n"), without_end("It is 4.\n")
    ('It is 4.', 'It is 4.\n')
    """
    return text[: end_of(text)]


def end_of(text: str, start: int = 0, ends: Sequence[str] | None = None) -> int:
    """Return where the completion ends that begins at `start`; takes time in proportion to what it takes off.

    Args:
        text: what holds the completion, to its end.
        start: where the completion begins.
        ends: what to take off its end, as often as it is there, in place of what looks like a special token.
    """
    end = len(text)
    while True:
        before = _before_token(text, start, end) if ends is None else _before_any(text, start, end, ends)
        if before is None:
            return end
        end = before


def start_of(text: str, prompt: str) -> int | None:
    r"""Return where the completion begins in a text that begins with its prompt; None where it does not.

    Before the prompt may be what a tokenizer puts there. A prompt that was too long may have lost its
    beginning: then the text starts with what is left of it.

    >>> start_of("<s>Add 2 and 2.\nIt is 4.", "Add 2 and 2.\n")
    16
    >>> start_of("one more than 2 and 2.\nIt is 4.", "Now add: one more than 2 and 2.\n")
    23
    >>> start_of("It is 4.", "Add 2 and 2.\n") is None
    True
    """
    at = text.find(prompt, 0, BEFORE + len(prompt))
    if at >= 0:
        return at + len(prompt)
    least = min(SURE, len(prompt))
    if text[:least] not in prompt:  # the longer search only where it can find something
        return None
    kept = _overlap(prompt, text)
    return kept if kept >= least else None


def _before_token(text: str, start: int, end: int) -> int | None:
    """Where the special token begins that ends there, white space after it left aside."""
    stop = end
    while stop > start and text[stop - 1].isspace():
        stop -= 1
    found = _TOKEN.search(text, max(start, stop - _TOKEN_LENGTH), stop)
    return found.start() if found else None


def _before_any(text: str, start: int, end: int, ends: Sequence[str]) -> int | None:
    lengths = [len(one) for one in ends if one and text.endswith(one, start, end)]
    return end - max(lengths) if lengths else None


def _overlap(prompt: str, text: str) -> int:
    """The length of the longest end of the prompt with which the text starts (Knuth, Morris, Pratt 1977)."""
    start = text[: len(prompt)]
    border = [0] * len(start)
    length = 0
    for at in range(1, len(start)):
        while length and start[at] != start[length]:
            length = border[length - 1]
        length += start[at] == start[length]
        border[at] = length
    length = 0
    for char in prompt:
        while length and (length == len(start) or char != start[length]):
            length = border[length - 1]
        length += length < len(start) and char == start[length]
    return length
