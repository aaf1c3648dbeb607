"""Where a completion begins in a text that holds its prompt too, and where it ends.

Some protocols send prompt and completion as one text, decoded with its special tokens. What a reward sees
must be the completion alone, the same as in any other trainer.
"""

import re

from hub_serve.refused import unfit

SPLITTING = ("after", "end")
"""Query parameters of protocols whose texts are split."""
_BEFORE = 64
"""Characters that a tokenizer may have put before the prompt, such as <|begin_of_text|>."""
_BAR = r"[|\uff5c]"  # DeepSeek's tokens have the wide one
_TOKEN = re.compile(rf"(?:<{_BAR}[^|\uff5c<>\s]{{1,40}}{_BAR}>|</s>|<eos>|<pad>|<end_of_turn>)\Z")
_TOKEN_LENGTH = 48
_MOST_TOKENS = 100_000


def split(text: str, prompt: str | None, query: dict[str, list[str]], where: str) -> tuple[str, str]:
    """Return the prompt and the completion.

    Args:
        text: prompt and completion.
        prompt: the text's beginning, after special tokens; None where it is not sent.
        query: the parameters `after` (what the completion begins after, at its last place in the text) and
            `end` (what to take off its end, in place of what looks like a special token).
        where: the place in the request, for the message.

    Raises:
        Refused: the prompt, or what the completion begins after, is not in the text.
    """
    at = 0
    if "after" in query:
        marker = query["after"][-1]
        at = text.rfind(marker) if marker else -1
        if at < 0:
            raise unfit(where, f"does not hold {marker[:80]!r}, after which the completion begins (?after=)")
        prompt = text[:at] if prompt is None else prompt
        at += len(marker)
    elif prompt is not None:
        at = text.find(prompt, 0, _BEFORE + len(prompt))
        if at < 0:
            message = "does not begin with its prompt; say with ?after=TEXT what the completion begins after"
            raise unfit(where, message)
        at += len(prompt)
    end = _end_of(text, at, [end for end in query["end"] if end] if "end" in query else None)
    return prompt or "", text[at:end]


def _end_of(text: str, start: int, ends: list[str] | None) -> int:
    """Where the completion ends that begins at `start`."""
    end = len(text)
    for _ in range(_MOST_TOKENS):
        stop = end
        while stop > start and text[stop - 1].isspace():
            stop -= 1
        if ends is None:
            found = _TOKEN.search(text, max(start, stop - _TOKEN_LENGTH), stop)
            before = found.start() if found else None
        else:
            lengths = [len(one) for one in ends if text.endswith(one, start, end)]
            before = end - max(lengths) if lengths else None
        if before is None:
            break
        end = before
    return end
