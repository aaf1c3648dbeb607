"""Counts words, sentences and words in capitals, as IFEval's own code does, which uses nltk."""

import re
from functools import cache

import punkt

_WORD = re.compile(r"\w+")
_BETWEEN = re.compile(
    r"""[\s"`“”‘’„«»;@#$%&?!*()\[\]{}<>\u2012-\u2015]+|''|--|\.{2,}|[:,](?!\d)"""  # noqa: RUF001 - quotation marks
)
"""What separates the words of the Penn Treebank; what has no case need not be a word of its own here."""
_SUFFIX = re.compile(r"(?<=[^'])(?:'[sSmMdD]|'ll|'LL|'re|'RE|'ve|'VE|n't|N'T)$")
_JOINED = re.compile(r"\b(?:(can)(not)|(gim)(me)|(gon)(na)|(got)(ta)|(lem)(me)|(wan)(na))\b", re.IGNORECASE)
_OPENING = re.compile(r"(?<!\w)'(?!(?:re|ve|ll|[mtsdn])\b)(?=\w)", re.IGNORECASE)


def count_words(text: str) -> int:
    """Return how many runs of letters, digits and underscores a text has.

    >>> count_words("It's 3.14, isn't it?")
    7
    """
    return sum(1 for _ in _WORD.finditer(text))


def count_sentences(text: str) -> int:
    """Return how many sentences a text has, by the Punkt model for English (Kiss and Strunk 2006).

    >>> count_sentences("Dr. Smith came at 5 p.m. on Sunday. He left at once!")
    2
    """
    return sum(1 for _ in _punkt().span_tokenize(text))


def count_capitals(text: str) -> int:
    """Return how many words of a text are in capitals, cut as in the Penn Treebank: "CAN'T" is two.

    >>> count_capitals("NASA and the U.S. CANNOT agree, OK? I DON'T know.")
    8
    """
    return sum(part.isupper() for token in _BETWEEN.split(text) for part in _parts(token))


def _parts(token: str) -> list[str]:
    token = token[:-1] if token.endswith(".") else token
    suffix = _SUFFIX.search(token)
    parts = [token[: suffix.start()], token[suffix.start() :]] if suffix else [token]
    apart = [_JOINED.sub(_apart, _OPENING.sub("' ", part)) for part in parts]
    return [piece for part in apart for piece in part.split()]


def _apart(found: re.Match[str]) -> str:
    return " ".join(filter(None, found.groups()))


@cache
def _punkt() -> punkt.PunktSentenceTokenizer:
    return punkt.tokenizer_for("english")
