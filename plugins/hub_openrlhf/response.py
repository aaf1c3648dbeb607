"""The response in a query, which is the prompt and the response as one text."""

import re

from hub.errors import BadInput

SURE = 16
"""Characters of the prompt that must be found before the response."""
# Names between bars, as most tokenizers write special tokens (DeepSeek with a wide bar), and older forms.
_ENDS = re.compile(r"(?:<[|\uff5c][^<>|\uff5c\s]{1,40}[|\uff5c]>|</s>|<eos>|<pad>|<end_of_turn>|<turn\|>)+\Z")


def response_of(query: str, prompt: str) -> str:
    r"""Return the response, without the special tokens that end it.

    A prompt that was too long has lost its beginning: then the query starts with what is left of it.

    Args:
        query: the text that OpenRLHF decoded, special tokens kept.
        prompt: the text that it was made of.

    Raises:
        BadInput: the query does not start with the prompt, nor with the end of it.

    >>> response_of("Add 2 and 2.\nIt is 4.<|im_end|>", "Add 2 and 2.\n")
    'It is 4.'
    """
    kept = len(prompt) if query.startswith(prompt) else _overlap(prompt, query)
    if kept < min(SURE, len(prompt)):
        raise BadInput(
            f"the query does not start with the prompt ({query[:60]!r}, {prompt[:60]!r}), so the response is "
            "not known: use the executor (--train.agent_func_path), which has its tokens"
        )
    return _ENDS.sub("", query[kept:])


def _overlap(prompt: str, query: str) -> int:
    """The length of the longest end of the prompt with which the query starts (Knuth, Morris, Pratt 1977)."""
    start = query[: len(prompt)]
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
