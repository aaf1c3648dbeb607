"""The reward `regex`: a pattern is found in the completion."""

import re

import hub
from hub.errors import OptionError


class Regex:
    r"""1.0 where a pattern is found in the completion, else 0.0.

    A pattern with nested repetition can take exponential time on a text that a policy may well find, e.g.
    `(a+)+$`. The time limit kills that and the sample has failed; give the reward `on_timeout = 0.0` in
    the mix, so that it does not pay.

    Args:
        pattern: a Python regular expression; flags go into it, e.g. `(?s)` lets `.` match line ends.
        full: it must match the whole completion, not some part of it.

    Raises:
        OptionError: it is not a regular expression.

    >>> Regex(r"[Aa]nswer: \d+$")(hub.Sample("", "So, answer: 42"))
    True
    >>> Regex(r"\d+", full=True)(hub.Sample("", "So, answer: 42"))
    False
    """

    def __init__(self, pattern: str, full: bool = False) -> None:
        try:
            compiled = re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise OptionError(f"the pattern {pattern!r} is not a regular expression: {error}") from error
        self.matches = compiled.fullmatch if full else compiled.search

    def __call__(self, sample: hub.Sample) -> bool:
        """Score one completion."""
        return self.matches(sample.text) is not None
