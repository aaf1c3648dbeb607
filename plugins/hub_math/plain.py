r"""The plain part of comparing answers: text, numbers and units, decided without a parser.

The rules: `50\%` is 0.5, and for integers also 50. A unit that only one side has does not count; two known
units that differ do. Where a side is a decimal, six places of six significant digits are enough, so 0.333333
is 1/3; integers and fractions are compared exactly. Numbers in a base, words and times are compared as text.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

LONGEST_NUMBER = 400
"""Characters; a longer number is equal only to the same text."""

_SYMBOLS = str.maketrans(
    {
        "\u2212": "-",
        "\u2013": "-",
        "\u00d7": r"\times ",
        "\u03c0": r"\pi ",
        "\u00b0": r"^\circ",
        "\u221e": r"\infty ",
    }
)
_DROPPED = re.compile(r"\\(?:left|right|displaystyle)(?![a-zA-Z])|(?<!\\)\\[!,;:]|\\?\$|[€£]")
_SPACE = re.compile(r"(?<!\\)\\ |\\q?quad(?![a-zA-Z])|~|\s+")
_LOOSE_SPACE = re.compile(r"(?<![\w.]) | (?![\w.\\])")
_WRAPPER = re.compile(r"\\(?:text(?:bf|it|rm|normal)|math(?:rm|bf|it|sf)|mbox|operatorname)(?=\s*\{)")
_AND = re.compile(r",? ?(?:\\text\{ ?(?:and|or) ?\}|;) ?")
_ONE_LETTER = re.compile(
    r"(?<![\d}\s])\\text\s*\{\s*([a-zA-Z])\s*\}|\\text\s*\{\s*([a-zA-Z])(?<![mgsh])\s*\}"
)  # 5\text{ m} is five metres, 5\text{e} is 5e
_TEXT = re.compile(r"\\text\s*\{([^{}]*)\}")

_PERCENT = re.compile(r"\s*(?:\\?%|(?:\\text\{)?\s*(?:percent|percentage|pct)\}?)$")
_UNIT = re.compile(
    r"\s*(?:\^\{?\\circ\}?"
    r"|\\text\{([^{}\d]*)\}"
    r"|(?<=\d) ?((?:square |cubic |sq )?(?:[a-z]{4,}|[ckm]m|kg|ft|hr|min)|(?<= )[mgsh]))(?:\^\{?[23]\}?)?$"
)
_UNITS = ["mm", "cm", "m", "km", "g", "kg", "inch", "feet", "mile", "second", "minute", "hour", "day", "week"]

_INTEGER = r"(?:\d{1,3}(?:,\d{3})+|\d+)"
_DECIMAL = re.compile(
    rf"({_INTEGER}?(?:\.\d*)?)(?:e([-+]?\d{{1,3}})| ?(?:\\times|\\cdot|\*) ?10\^\{{?(-?\d{{1,3}})\}}?)?"
)
_FRACTION = re.compile(r"(?:(\d+) ?)??(?:\\frac(?:\{(-?\d+)\}|(\d))(?:\{(\d+)\}|(\d))|(\d+)/(\d+))")
_BASED = re.compile(r"([0-9A-Za-z]+)_\{?(\d+)\}?")
_WORDS = re.compile(r"(?=.*(?:[A-Za-z]{4}|[A-Z]{2}|\d:\d\d|\b(?:[Yy]es|[Nn]o)\b))[\w\s.,:'()-]*", re.ASCII)


@dataclass(frozen=True)
class Plain:
    """A plain number: its value, whether it was written as a decimal, its percent sign and unit."""

    value: Fraction
    inexact: bool
    percent: bool
    unit: str


def canonical(text: str) -> str:
    r"""Return an answer without what means nothing: spacing, sizes, `\left`, dollar signs, a full stop.

    >>> canonical(r" \left( \dfrac{1}{2}, \; 3\,400 \right). ")
    '(\\frac{1}{2},3400)'
    """
    text = unwrap(text)
    text = re.sub(r"\\[dtc]frac", r"\\frac", _DROPPED.sub("", text).replace("{,}", ","))
    text = _LOOSE_SPACE.sub("", _AND.sub(",", _SPACE.sub(" ", text)).strip()).strip()
    return text.rstrip("\\").rstrip(".,;").strip()


def unwrap(text: str) -> str:
    r"""Return an answer with signs as LaTeX has them, one kind of `\text`, and letters out of theirs."""
    return _ONE_LETTER.sub(r"\1\2", _WRAPPER.sub(r"\\text", text.translate(_SYMBOLS)))


def read_number(text: str) -> Plain | None:
    """Read a canonical answer that is a plain number; None if it is anything else."""
    if len(text) > LONGEST_NUMBER:
        return None
    bare = _PERCENT.sub("", text)
    percent = bare != text
    unit = _UNIT.search(bare)
    bare = bare[: unit.start()] if unit else bare
    sign = -1 if bare.startswith("-") else 1
    bare = bare.lstrip("+-") if bare[:1] in ("-", "+") and bare[1:2] not in ("-", "+") else bare
    value = _read_value(bare)
    if value is None:
        return None
    name = ((unit[1] or unit[2] or "") if unit else "").strip().lower()
    return Plain(sign * value, "." in bare or "e" in bare, percent, name)


def _read_value(text: str) -> Fraction | None:
    decimal = _DECIMAL.fullmatch(text)
    if decimal and decimal[1] not in ("", "."):
        exponent = int(decimal[2] or decimal[3] or 0)
        return Fraction(decimal[1].replace(",", "")) * Fraction(10) ** exponent
    fraction = _FRACTION.fullmatch(text)
    if not fraction:
        return None
    whole, *parts = fraction.groups()
    top, bottom = (int(part) for part in parts if part is not None)
    return None if bottom == 0 else int(whole or 0) + Fraction(top, bottom)


def same_number(one: Plain, other: Plain) -> bool:
    """Whether two plain numbers are the same answer."""
    units = [_known_unit(side.unit) for side in (one, other)]
    if None not in units and units[0] != units[1]:
        return False
    values = [side.value / 100 if side.percent else side.value for side in (one, other)]
    if values[0] == values[1]:
        return True
    if one.percent != other.percent and one.value.denominator == other.value.denominator == 1:
        return one.value == other.value
    if not (one.inexact or other.inexact):
        return False
    off, size = abs(values[0] - values[1]), abs(values[0])
    return off <= size / 10**10 or (off <= Fraction(5, 10**7) and off <= size / 10**6)


def same_text(one: str, other: str) -> bool | None:
    """Compare canonical answers of which the first is text and not mathematics; None if it is not."""
    based = _BASED.fullmatch(one), _BASED.fullmatch(other)
    if based[0] and based[1]:
        return [part.lstrip("0") for part in based[0].groups()] == [p.lstrip("0") for p in based[1].groups()]
    words = [_TEXT.sub(r" \1 ", text) for text in (one, other)]
    if words[0] == one and not _WORDS.fullmatch(one) and not re.fullmatch("[A-Za-z]", one):
        return None
    keys = [re.sub(r"[\s.,'()]+", "", text).lower() for text in words]
    if keys[0] == keys[1]:
        return True
    return False if _WORDS.fullmatch(words[0]) else None


def _known_unit(name: str) -> str | None:
    short = {
        "foot": "feet",
        "inches": "inch",
        "millimet": "mm",
        "centimet": "cm",
        "kilomet": "km",
        "met": "m",
    }
    name = re.sub(r"(met)(?:er|re)s?$", r"\1", name)
    name = short.get(name, name)
    return next((unit for unit in _UNITS if name in (unit, unit + "s")), None)
