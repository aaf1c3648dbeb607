r"""Finds the answer in a completion, and reads the reference.

The answer of a completion, by what comes first, after the last `</think>`:

1. the last balanced `\boxed{}` (boxes are never joined, and those inside a box do not count);
2. the last line that begins with `####`, or the last of all with `A:`, as in GSM8K;
3. what follows the last "answer is", "answer:" or 答案: its formula, its bold text, or itself;
4. the formula or number that stands last in the text.

Each step is one pass over the text. A reference is an answer and not a text to search: it is taken as it
stands, out of its `$`, its box or its `####` line.
"""

import re
from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from math import isfinite
from numbers import Rational
from typing import Any

TAIL = 4000
"""How many characters from the end are searched for a formula or number that nothing announces."""

_BRACE = re.compile(r"(?P<box>\\boxed\s*\{)|\\.|(?P<open>\{)|(?P<close>\})", re.DOTALL)
_ANY_BRACE = re.compile(r"(?P<box>\\boxed\s*\{)|(?P<open>\{)|(?P<close>\})")
_MARK = re.compile(r"^[ \t]*####[ \t]*(\S[^\n]*)$", re.MULTILINE)
_PHRASE = re.compile(
    r"(?:\banswer\b[^\n.]{0,40}?(?:\bis\b|[:=\uff1a])|答案[是为\uff1a:]+)[ \t:*]*\s?", re.IGNORECASE
)
_NUMBER = re.compile(
    r"(?<![0-9A-Za-z.])[-\u2212]?(?:\d{1,3}(?:(?:,|\{,\})\d{3})+|\d+)(?:\.\d+)?(?:/\d+)?(?:\s?\\?%)?"
    r"|-?\\[dt]?frac\{-?\d+\}\{\d+\}"
)
_FORMULA = re.compile(
    r"\$\$(.{1,500}?)\$\$|\\\[(.{1,500}?)\\\]|\\\((.{1,500}?)\\\)|\$([^$\n]{1,500})\$", re.DOTALL
)
_BOLD = re.compile(r"\*\*([^*\n]{1,200})\*\*")
_SENTENCE_END = re.compile(r"\.(?=\s|$)|[。;]|,\s+(?=[a-zA-Z]{2,})|\n")
_WORD = re.compile(r"(?<![\\a-zA-Z])(?!(?:or|and|text)\b)[a-zA-Z]{2,}")
_OTHER_SCRIPT = re.compile(r"[\u0590-\u0fff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")


def find_answer(text: str) -> str | None:
    """Return the answer that a completion gives; None where there is none."""
    text = text[text.rfind("</think>") + 8 :] if "</think>" in text else text
    found = (last_box(text) or "").strip() or _marked(text)
    if not found:
        return _answer_in_prose(text)
    if _is_prose(found) or _PHRASE.search(found):
        return _answer_in_prose(found) or found
    return found


def last_box(text: str) -> str | None:
    r"""Return the content of the last balanced `\boxed{}` that is in no other box; None if there is none."""
    for brace in (_BRACE, _ANY_BRACE):
        opened: list[tuple[int, int] | None] = []
        last: tuple[int, int, int] | None = None
        for token in brace.finditer(text):
            if token.lastgroup == "close" and opened:
                box = opened.pop()
                if box is not None:
                    last = (*box, token.start())
            elif token.lastgroup in ("box", "open"):
                opened.append(token.span() if token.lastgroup == "box" else None)
        if last:
            return text[last[1] : last[2]]
    return None


def read_references(value: Any) -> list[str]:
    """Return the answers that a reference allows: one, or those of a list.

    Raises:
        ValueError: it is empty, or nothing that could be an answer.
    """
    value = getattr(value, "tolist", lambda: value)()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        found = [answer for one in value for answer in read_references(one)]
        if not found:
            raise ValueError("the reference is an empty list")
        return found
    return [_read_reference(value)]


def _read_reference(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal | Rational):
        raise ValueError(f"the reference is {value!r:.100} ({type(value).__name__}), not text or a number")
    if isinstance(value, float | Decimal):
        if not isfinite(value):
            raise ValueError(f"the reference is {value}")
        digits = format(Decimal(repr(value)) if isinstance(value, float) else value, "f")
        return digits.rstrip("0").rstrip(".") if "." in digits else digits
    text = str(value).strip()
    box = last_box(text)
    text = without_dollars(_marked(text) or (text if box is None else box.strip()))
    if not text:
        raise ValueError("the reference is empty")
    return text


def without_dollars(text: str) -> str:
    r"""Return a formula out of its `$`, `$$`, `\(` or `\[`, where one pair holds all of it."""
    whole = _FORMULA.fullmatch(text.strip())
    return next(group for group in whole.groups() if group is not None).strip() if whole else text.strip()


def _marked(text: str) -> str:
    """Return what stands after the last `####`, or after the `A:` of the last line; "" for neither."""
    mark = _last(_MARK, text)
    if mark:
        return mark[1].strip()
    line = text.rstrip().rpartition("\n")[2].lstrip()
    return line[2:].strip() if line.startswith("A:") else ""


def _is_prose(text: str) -> bool:
    """Whether a text is sentences around an answer, and not an answer."""
    return len(_WORD.findall(text)) > 2 or _OTHER_SCRIPT.search(text) is not None


def _answer_in_prose(text: str) -> str | None:
    phrase = _last(_PHRASE, text)
    found = _after_phrase(text[phrase.end() : phrase.end() + 500]) if phrase else None
    return found or _last_formula_or_number(text)


def _after_phrase(text: str) -> str | None:
    formula = _FORMULA.search(text)
    line = _SENTENCE_END.split(text.lstrip(), maxsplit=1)[0]
    if formula and formula.start() <= len(line) + 1:
        return without_dollars(formula.group())
    bold = _BOLD.search(line)
    line = (bold[1] if bold else line).strip("* \t")
    if _is_prose(line):
        number = _NUMBER.search(line)
        return number.group() if number else None
    return line or None


def _last_formula_or_number(text: str) -> str | None:
    tail = text[-TAIL:]
    if len(tail) < len(text):  # a formula that was cut would make what is between formulas seem one
        tail = tail[tail.find("\n") + 1 :]
    formula, number = _last(_FORMULA, tail), _last(_NUMBER, tail)
    if formula and (number is None or formula.end() >= number.end()):
        found = without_dollars(formula.group())
        if not _is_prose(found):
            return found
    return number.group() if number else None


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next(iter(deque(pattern.finditer(text), maxlen=1)), None)
