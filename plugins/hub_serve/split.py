"""Where a completion begins in a text that holds its prompt too, and where it ends.

Some protocols send prompt and completion as one text, decoded with its special tokens. What a reward sees
must be the completion alone, the same as in any other trainer.
"""

from hub.training.completion import end_of, start_of
from hub_serve.refused import unfit

SPLITTING = ("after", "end")
"""Query parameters of protocols whose texts are split."""


def split(text: str, prompt: str | None, query: dict[str, list[str]], where: str) -> tuple[str, str]:
    """Return the prompt and the completion.

    Args:
        text: prompt and completion.
        prompt: the text's beginning, after special tokens, though it may have lost its own; None where it is
            not sent.
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
        found = start_of(text, prompt)
        if found is None:
            message = "does not begin with its prompt; say with ?after=TEXT what the completion begins after"
            raise unfit(where, message)
        at = found
    end = end_of(text, at, query.get("end"))
    return prompt or "", text[at:end]
