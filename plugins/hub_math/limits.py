"""What is too complex to compare: found in one pass, before anything is parsed or evaluated.

A completion that would keep the verifier busy scores 0 instead of being killed: a sample that is killed is
masked, and a policy would learn that this escapes a low score.
"""

import re

LENGTH = 1000
"""Characters of an answer."""
DEPTH = 30
"""Brackets inside each other."""
DIGITS = 60
"""Digits of one number."""
EXPONENT = 3000
"""A numeric exponent; of powers inside each other, the product."""
LETTER_EXPONENT = 30
"""A numeric exponent of a bracket with letters in it, which may have to be multiplied out."""
ARGUMENT = 200
"""An integer in an answer with a factorial, binomial, sum or product."""
CONSTANT_EXPONENT = 12
"""A power inside an exponent that holds no variable."""

_INTEGER = re.compile(r"\d+")
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_CARET = re.compile(r"\s*(?:\^|\*\*)\s*")
_STACKED = re.compile(r"\^[-+]?[\d.]+\^")
_LETTER_POWER = re.compile(r"[a-zA-Z][^()]*\)\^[{(]?(\d+)")
_FACTORIAL = re.compile(r"(?<![\w.])(?:\d{1,3}|[a-zA-Z]|\([\w+-]{1,8}\))!(?!!)")
_BINOMIAL = re.compile(r"\\[dt]?binom\s*\{[\w+-]{1,8}\}\s*\{[\w+-]{1,8}\}")
_SERIES = re.compile(r"\\(?:sum|prod|i*int|oint|lim)(?![a-z])")
_LIMIT = re.compile(r"\\(?:i*int|oint|lim)(?![a-z])")
_UNBOUNDED = re.compile(r"\\Gamma|[Gg]amma|factorial|\\choose")


def too_complex(text: str) -> str | None:
    r"""Return why an answer is too complex to compare; None if it is not.

    >>> too_complex(r"9^{9^{9}}"), too_complex(r"\frac{2^{2005}+1}{3 \cdot 2^{2006}}")
    ('a power of a power', None)
    """
    if len(text) > LENGTH:
        return f"longer than {LENGTH} characters"
    text = text.replace(r"\!", "")  # a space, not a factorial
    numbers = _INTEGER.findall(text)
    if any(len(digits) > DIGITS for digits in numbers):
        return f"a number of more than {DIGITS} digits"
    bare = _CARET.sub("^", _COMMAND.sub("", text))
    if any(int(exponent) > LETTER_EXPONENT for exponent in _LETTER_POWER.findall(bare)):
        return f"a power beyond {LETTER_EXPONENT} of a bracket"
    if _STACKED.search(bare):
        return "a power of a power"
    return _read_functions(text, max(map(int, numbers), default=0)) or _read_brackets(bare)


def has_limit(text: str) -> bool:
    """Whether a formula holds an integral or a limit, which may take for ever to work out."""
    return _LIMIT.search(text) is not None


def _read_functions(text: str, largest: int) -> str | None:
    """Look at factorials, binomials, sums and products; `largest` is the largest integer of the answer."""
    factorials, binomials, series = text.count("!"), text.count("binom"), len(_SERIES.findall(text))
    if not (factorials or binomials or series or _UNBOUNDED.search(text)):
        return None
    if largest > ARGUMENT or factorials + binomials > 6 or _UNBOUNDED.search(text):
        return f"a factorial, sum or product beyond {ARGUMENT}"
    if len(_FACTORIAL.findall(text)) < factorials or len(_BINOMIAL.findall(text)) < binomials:
        return "a factorial or binomial of an expression"
    if series > 1 or (series and (factorials or binomials)):
        return "a sum, product, integral or limit with another inside"
    return None


def _read_brackets(text: str) -> str | None:
    """Follow the brackets: how deep they are, and the powers of what they hold."""
    opened: list[int] = []
    powers = [1]
    base = 1  # the largest power within the bracket that closed last
    for place, character in enumerate(text):
        if character in "{([":
            opened.append(place)
            powers.append(1)
            if len(opened) > DEPTH:
                return f"brackets deeper than {DEPTH}"
        elif character in "})]" and opened:
            start = opened.pop()
            within = powers.pop()
            exponent = text[start + 1 : place] if text[start - 1 : start] == "^" else None
            if exponent is None:
                base = within
                powers[-1] = max(powers[-1], within)
            elif _grows(exponent, within):
                return "a power of a power"
            elif exponent.isdecimal():
                powers[-1] = max(powers[-1], base * int(exponent))
        elif character == "^":
            base = base if text[place - 1 : place] in ("}", ")", "]") else 1
            digits = _INTEGER.match(text, place + 1)
            powers[-1] = max(powers[-1], base * int(digits.group()) if digits else 1)
        if powers[-1] > EXPONENT:
            return f"powers beyond {EXPONENT}"
    return None


def _grows(exponent: str, within: int) -> bool:
    """Whether an exponent is a number that is itself made by a power or factorial."""
    letters = {letter for letter in exponent if letter.isalpha()}
    if letters - set("ei"):
        return False
    return "!" in exponent or ("^" in exponent and (not letters or within > CONSTANT_EXPONENT))
