r"""Answers that are words: names, times, dates, "no solution", a choice's letter with its text.

A reference that is words is compared as text, without case, spaces and punctuation. Words are what has a run
of letters that no formula has: `ELBOW` is a word and not a product of five variables, `ab` is a product.
"""

import re

from hub_math.tidy import key
from hub_math.tokens import FUNCTIONS, GREEK

_LATEX_TEXT = re.compile(r"\\text\s*\{([^{}]*)\}")
_WORDY = re.compile(r"[\w\s.,:;'\"()/&?!-]*", re.ASCII)
_RUN = re.compile(r"[A-Za-z]+")
_TIME = re.compile(r"(\d{1,2})(?::(\d\d))?(?::(\d\d))?\s*(?:([ap])\.?\s*m\.?)?", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}/\d{1,2}/\d{4}")
_SHORT = frozenset(
    "yes no odd day one two six ten red sun mon tue wed thu fri sat may jan feb mar apr jun".split()
)
_JOINED = frozenset("and or pi mod in infty infinity inf".split())

_EMPTY = frozenset(
    "nosolution nosolutions norealsolution norealsolutions none noneofthem emptyset theemptyset impossible "
    "nosuchnumber nosuchnumbers nosuchnumberexists nosuchnumbersexist nosolutionexists nosolutionsexist "
    "therearenosolutions thereisnosolution norealroots".split()
)
_UNDEFINED = {"undefined", "dne", "doesnotexist", "thelimitdoesnotexist", "notdefined", "itisundefined"}
_NUMBERS = {
    name: value
    for value, name in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen twenty".split()
    )
}
REALS = frozenset(
    "allrealnumbers allreals reals thereals realnumbers allreal anyrealnumber therealnumbers".split()
)


def words(text: str) -> str | None:
    """Return what an answer in normal form is compared by if it is words; None if it is not.

    >>> words("Evelyn"), words("no solution"), words("12:30 pm"), words("ab+c"), words("x<3")
    ('evelyn', 'emptyset', '12:30pm', None, None)
    """
    plain = _LATEX_TEXT.sub(r" \1 ", text) if "\\" in text else text
    if len(plain) > 1000 or not _WORDY.fullmatch(plain):
        return None
    if (time := clock(plain)) and time.endswith("m"):
        return time
    if _DATE.fullmatch(plain.strip()):
        return plain.strip()
    runs = _RUN.findall(plain)
    if not any(_is_word(run) for run in runs) or plain[:1].isdigit() or plain.lstrip("(-")[:1].isdigit():
        return None
    if (
        "\\text" not in text
        and any(len(run) == 1 for run in runs)
        and re.search(r"[a-z]\(|\d/|[a-zA-Z]\d", plain)
    ):
        return None
    found = key(plain)
    if found in _EMPTY:
        return "emptyset"
    if found in _UNDEFINED:
        return "undefined"
    return found


def clock(text: str) -> str | None:
    """Return a time of day in one spelling; None if it is none.

    >>> clock("08:30 P.M."), clock("12:05"), clock("7:3")
    ('8:30pm', '12:05', None)
    """
    time = _TIME.fullmatch(text.strip())
    if not time:
        return None
    hour, minute, second, half = time.groups()
    if minute is None and half is None:
        return None
    minute = minute or "00"
    parts = [hour.lstrip("0") or "0", minute] + ([second] if second else [])
    return ":".join(parts) + (half.lower() + "m" if half else "")


def number_word(name: str) -> int | None:
    """Return the number that a word from zero to twenty names; None for any other."""
    return _NUMBERS.get(name)


def _is_word(run: str) -> bool:
    if run in FUNCTIONS or run in GREEK or run in _JOINED or len(run) < 2 or run[:-1] in FUNCTIONS:
        return False
    return len(run) >= 4 or (run.isupper()) or run.lower() in _SHORT
