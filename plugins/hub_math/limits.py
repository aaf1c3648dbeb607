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
"""An integer in an answer with a factorial, binomial, gamma function, sum, product or integral."""

_INTEGER = re.compile(r"\d+")
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_CARET = re.compile(r"\s*(?:\^|\*\*)\s*")
_STACKED = re.compile(r"\^[-+]?[\d.]+\^")
_LETTER_POWER = re.compile(r"[a-zA-Z][^()]*\)\^[{(]?(\d+)")
_GROWING = re.compile(r"!|\\[dt]?binom|\\Gamma|[Gg]amma|factorial|\\sum|\\prod|\\int(?![a-z])|\\choose")


def too_complex(text: str) -> str | None:
    r"""Return why an answer is too complex to compare; None if it is not.

    >>> too_complex(r"9^{9^{9}}"), too_complex(r"\frac{2^{2005}+1}{3 \cdot 2^{2006}}")
    ('a power of a power', None)
    """
    if len(text) > LENGTH:
        return f"longer than {LENGTH} characters"
    numbers = _INTEGER.findall(text)
    if any(len(digits) > DIGITS for digits in numbers):
        return f"a number of more than {DIGITS} digits"
    growing = _GROWING.findall(text)
    if growing and (len(growing) > 6 or "!)!" in text or max(map(int, numbers), default=0) > ARGUMENT):
        return f"a factorial, sum or product with numbers beyond {ARGUMENT}"
    bare = _CARET.sub("^", _COMMAND.sub("", text))
    if any(int(exponent) > LETTER_EXPONENT for exponent in _LETTER_POWER.findall(bare)):
        return f"a power beyond {LETTER_EXPONENT} of a bracket"
    return "a power of a power" if _STACKED.search(bare) else _read_brackets(bare)


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
            elif "^" in exponent and not any(letter.isalpha() for letter in exponent):
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
