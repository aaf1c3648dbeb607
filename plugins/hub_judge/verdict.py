"""Reads a judge's answer: a rating, a verdict on two completions, or the probability of one token.

Without patterns of one's own only the last line counts, and all of it: what a judge quotes or thinks before
is no verdict.
"""

import math
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from hub.errors import MissingDependency, OptionError
from hub.score import Failure
from hub_judge.server import NoAnswer

_RATING = re.compile(r"(?:final )?rating:?\s*(-?\d+(?:\.\d+)?)(?:\s*/\s*\d+)?\.?", re.IGNORECASE)
_VERDICT = re.compile(r"(?:final )?verdict:?\s*(a|b|tie)\.?", re.IGNORECASE)
_WORD = re.compile(r"(?:(?:final )?(?:verdict|rating|answer):?\s+)?([^\s:].{0,60}?)\.?", re.IGNORECASE)
_DECORATION = re.compile(r"[*_`#>\[\]]+")
PATTERN_S = 0.5
"""Seconds for which a pattern is looked for: it runs in the event loop, where no time limit could stop it."""


def check_patterns(patterns: Sequence[str]) -> None:
    """Refuse what `read_rating` and `read_verdict` could not look for.

    Raises:
        OptionError: one is no regular expression with a group.
        MissingDependency: the package regex is not installed.
    """
    if not patterns:
        return
    try:
        import regex
    except ModuleNotFoundError:
        raise MissingDependency(
            "a judge's patterns need 'regex', which is not installed: pip install 'posttrain-hub[judge]'"
        ) from None
    for pattern in patterns:
        try:
            groups = regex.compile(pattern).groups
        except (regex.error, TypeError, RecursionError, OverflowError) as error:
            raise OptionError(
                f"a judge's pattern {pattern!r:.200} is no regular expression: {error}"
            ) from error
        if not groups:
            raise OptionError(f"a judge's pattern {pattern!r:.200} has no group around the verdict")


def read_rating(
    text: str,
    patterns: Sequence[str],
    low: float,
    high: float,
    words: Mapping[str, float] = MappingProxyType({}),
) -> float:
    r"""Return the rating that an answer ends with.

    Args:
        text: the judge's answer.
        patterns: regular expressions whose first group is the rating, tried in turn over the whole answer,
            the first match counts; none: the last line is "Rating: N".
        low: the lowest rating there is.
        high: the highest.
        words: where a rating is one of these words, in any case, what each stands for. The last line is the
            word, or "Verdict: WORD"; with patterns, the first group is.

    Raises:
        NoAnswer: there is none, it is out of range, or a pattern takes more than `PATTERN_S`.

    >>> read_rating("Clear, if short.\n**Rating: 7**", (), 1, 10)
    7.0
    >>> read_rating("[[9]] is what it asks for. [[3]]", [r"\[\[(\d+)\]\]"], 1, 10)
    9.0
    >>> read_rating("It is polite.\nVerdict: Kept", (), 0, 1, {"kept": 1.0, "broken": 0.0})
    1.0
    """
    if words:
        word = _find(text, patterns, _WORD).strip().lower()
        known = {name.lower(): value for name, value in words.items()}
        if word not in known:
            raise NoAnswer(Failure.BAD_VALUE, f"the judge's verdict is {word!r}, not {' or '.join(words)}")
        return float(known[word])
    found = _find(text, patterns, _RATING)
    try:
        rating = float(found)
    except ValueError:
        raise NoAnswer(Failure.BAD_VALUE, f"the judge's rating is no number: {found!r}") from None
    if not low <= rating <= high:
        raise NoAnswer(Failure.BAD_VALUE, f"the judge's rating {rating:g} is not from {low:g} to {high:g}")
    return rating


def read_verdict(text: str, patterns: Sequence[str]) -> float:
    r"""Return what a comparison says of A: 1.0 it is better, 0.0 B is better, 0.5 a tie.

    Args:
        text: the judge's answer.
        patterns: as for `read_rating`; the first group is A, B, C (a tie) or tie.

    Raises:
        NoAnswer: there is no verdict, or a pattern takes more than `PATTERN_S`.

    >>> read_verdict("B rambles.\nVerdict: A", ())
    1.0
    """
    found = _find(text, patterns, _VERDICT).lower()
    values = {"a": 1.0, "b": 0.0, "c": 0.5, "tie": 0.5}
    if found not in values:
        raise NoAnswer(Failure.BAD_VALUE, f"the judge's verdict is {found!r}, not A, B or a tie")
    return values[found]


def read_tokens(logprobs: Mapping[str, float], first: str, second: str) -> float:
    """Return the probability of the first of two tokens, if it is one of them.

    Args:
        logprobs: of the tokens that were likeliest; one that is missing counts as impossible.
        first: the token that stands for A.
        second: the token that stands for B.

    Raises:
        NoAnswer: neither is there.

    >>> round(read_tokens({"m": -0.1, "M": -2.3, "The": -9.0}, "m", "M"), 3)
    0.9
    """
    one, other = logprobs.get(first, -math.inf), logprobs.get(second, -math.inf)
    if max(one, other) == -math.inf:
        likely = ", ".join(map(repr, logprobs)) or "none: does the server give log-probabilities?"
        detail = f"neither {first!r} nor {second!r} is among the judge's likeliest tokens ({likely})"
        raise NoAnswer(Failure.BAD_VALUE, detail)
    if one >= other:
        return 1.0 / (1.0 + math.exp(other - one))
    odds = math.exp(one - other)
    return odds / (1.0 + odds)


def _find(text: str, patterns: Sequence[str], usual: re.Pattern[str]) -> str:
    match: re.Match[str] | None
    if patterns:
        match = _search(text, patterns)
    else:
        last = next((line for line in reversed(text.splitlines()) if line.strip()), "")
        match = usual.fullmatch(_DECORATION.sub("", last).strip())
    if match is None:
        raise NoAnswer(Failure.BAD_VALUE, f"the judge's answer has no verdict: ...{text[-200:]!r}")
    return str(match[1])


def _search(text: str, patterns: Sequence[str]) -> "re.Match[str] | None":
    import regex

    for pattern in patterns:
        try:
            match: re.Match[str] | None = regex.search(pattern, text, timeout=PATTERN_S)
        except TimeoutError:
            problem = f"the pattern {pattern!r:.200} is not done with the judge's answer in {PATTERN_S:g} s"
            raise NoAnswer(Failure.BAD_VALUE, problem) from None
        if match:
            return match
    return None
