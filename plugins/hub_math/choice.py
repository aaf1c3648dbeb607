r"""The reward `multiple-choice`: whether the completion chooses the right letter."""

import re
import string
from collections.abc import Sequence
from typing import Any

import hub
from hub.errors import OptionError
from hub_math.extract import find_answer
from hub_math.tidy import key, tidy

_LETTER = r"(?:\\text\{\s*)?\(?\s*([A-Z])\s*\)?(?:\s*\})?"
_LEADING = re.compile(rf"\**{_LETTER}\**(?:\s*[.:)\-]\s*|\s+|$)")
_ALONE = re.compile(
    r"(?<![A-Za-z\\])\(?([A-Z])\)?(?![A-Za-z'])(?! (?!(?:because|since|as|is|or|and|for)\b)[a-z])"
)
_PHRASE = re.compile(
    r"(?:answer|option|choice)s?\b[^.\n]{0,40}?(?:\bis\b|\bare\b|[:=])\s*(not\b)?[\s*($\\{}]*(?:text\{|boxed\{|\()*\s*",
    re.IGNORECASE,
)
_JOINED = re.compile(r"\s*\)?\**\s*(?:,|/|&|or|and)\s*\**\(?\s*([A-Z])(?![A-Za-z'])")


class MultipleChoice:
    r"""1.0 where the completion chooses the reference's letter and no other, else 0.0.

    The choice is the last `\boxed{C}`, else what follows the last "answer is", else the only letter on the
    last line, as `C`, `(C)`, `C.` or `C) its text`. With the column `choices` (a list of texts) the text of a
    choice counts as its letter, and the reference may also be a text or an index from 0.

    The reasons for 0.0: `different`, `no_answer`, `several` (more than one letter was given).

    Args:
        letters: how many letters there are, 2 to 26; with `choices`, as many as these.

    >>> MultipleChoice()(hub.Sample("", "It is not A, so the answer is (B).", {"answer": "B"})).value
    1.0
    """

    def __init__(self, letters: int = 10) -> None:
        if not 2 <= letters <= 26:
            raise OptionError(f"multiple-choice: letters is {letters}, but should be 2 to 26")
        self.letters = string.ascii_uppercase[:letters]

    def __call__(self, sample: hub.Sample) -> hub.Score:
        """Score one completion."""
        choices = _choices(sample.get("choices"))
        letters = string.ascii_uppercase[: len(choices)] if choices else self.letters
        right = _reference(sample["answer"], letters, choices)
        if right is None:
            detail = f"the reference is {sample['answer']!r:.100}, but should be one of {letters}"
            return hub.Score.failed("bad_reference", detail)
        given = choose(sample.text, letters, choices)
        info = {"reference": right, "answer": ", ".join(given)}
        if not given:
            return hub.Score(0.0, "no_answer", info=info)
        if len(given) > 1:
            return hub.Score(0.0, "several", "more than one choice was given", info)
        correct = given == [right]
        return hub.Score(float(correct), "" if correct else "different", info=info)


def choose(text: str, letters: str, choices: Sequence[str] = ()) -> list[str]:
    """Return the letters that a completion chooses: none, one, or several where it hedges."""
    text = text[text.rfind("</think>") + 8 :] if "</think>" in text else text
    box = find_answer(text, "boxed")
    if box is not None:
        return _letters_of(box, letters, choices)
    phrases = list(_PHRASE.finditer(text))
    if phrases:
        last = phrases[-1]
        return [] if last[1] else _letters_of(text[last.end() : last.end() + 200], letters, choices)
    lines = [line for line in text.splitlines() if line.strip()]
    return _letters_of(lines[-1], letters, choices) if lines else []


def _letters_of(text: str, letters: str, choices: Sequence[str]) -> list[str]:
    plain = tidy(text).strip("*_ \"'")
    by_text = [
        letter for letter, choice in zip(letters, choices, strict=False) if key(tidy(choice)) == key(plain)
    ]
    if by_text:
        return by_text
    leading = _LEADING.match(plain)
    if leading and leading[1] in letters and not _is_word(plain, leading):
        found, rest = [leading[1]], plain[leading.end(1) :]
        while joined := _JOINED.match(rest):
            found.append(joined[1])
            rest = rest[joined.end() :]
        return sorted(set(found) & set(letters))
    line = plain.splitlines()[0] if plain else ""
    return sorted(
        {letter for letter in _ALONE.findall(line) if letter in letters} - ({"I"} if "I " in line else set())
    )


def _is_word(text: str, leading: re.Match[str]) -> bool:
    """Whether a letter at the beginning is a word: "I think", "A careful look"."""
    rest = text[leading.end() :]
    bare = leading.group().strip() == leading[1]
    return bare and rest[:1].islower() and not re.match(r"(?:because|since|as|is|or|and|for)\b", rest)


def _choices(value: Any) -> list[str]:
    value = getattr(value, "tolist", lambda: value)()
    if isinstance(value, dict):  # {"text": [...], "label": [...]}
        value = value.get("text", ())
    return [str(one) for one in value] if isinstance(value, Sequence) and not isinstance(value, str) else []


def _reference(value: Any, letters: str, choices: list[str]) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return letters[value] if choices and 0 <= value < len(letters) else None
    if not isinstance(value, str):
        return None
    given = _letters_of(value, letters, choices)
    return given[0] if len(given) == 1 else None
