"""The reward `final-answer`: an answer that is compared as text."""

import re

import hub

_PHRASE = re.compile(r"answer\s+is\b:?", re.IGNORECASE)
_CHOICE = re.compile(r"\(([A-Z])\)")
_LETTER = re.compile(r"\(?([A-Z])\)?(?![A-Za-z'])")
_DENIED = re.compile(
    r"\b(?:not|neither|nor|instead of|rather than)\s+\(?[A-Z]\)?(?![A-Za-z'])"
    r"(?:(?:\s*,)?\s*(?:or|and|nor|,)\s*\(?[A-Z]\)?(?![A-Za-z']))*"
)
"""Choices that an answer says are not it."""
_ROUND = " \t*_`\"'$"


class FinalAnswer:
    r"""1.0 where the completion's final answer is the reference as text, else 0.0.

    The answer is what follows the last "answer is" on its line (or on the next, where nothing does), else the
    last line; after what was thought. Case, spaces, a full stop at the end, quotation marks and Markdown
    around it do not count. Where the reference is a choice such as `(B)`, the answer is a letter, with or
    without parentheses; what is said after it does not count, but a second choice does (`several`), unless
    the answer is said to be not that one.

    The other reasons for 0.0: `different`, `no_answer`. For formulas and numbers written in other ways take
    the reward `math`.

    >>> FinalAnswer()(hub.Sample("", "So the answer is (B) 05/01/2021.", {"answer": "(B)"})).value
    1.0
    >>> FinalAnswer()(hub.Sample("", "So the answer is 7 or 8.", {"answer": "8"})).reason
    'different'
    """

    def __call__(self, sample: hub.Sample) -> hub.Score:
        """Score one completion."""
        reference = sample["answer"]
        if not isinstance(reference, str) or not reference.strip():
            return hub.Score.failed("bad_reference", f"the reference is {reference!r:.100}, not a text")
        answer = find_answer(sample.text)
        choice = _CHOICE.fullmatch(reference.strip())
        if choice:
            letters = _choices(answer)
            answer = f"({letters[0]})" if len(letters) == 1 else answer
            if len(letters) > 1:
                return hub.Score(0.0, "several", info={"reference": reference})
        info = {"reference": reference, "answer": answer}
        if not answer:
            return hub.Score(0.0, "no_answer", info={"reference": reference})
        same = _tidy(answer) == _tidy(reference)
        return hub.Score(float(same), "" if same else "different", info=info)


def find_answer(text: str) -> str:
    r"""Return the final answer of a completion, without what is around it; "" if there is none.

    >>> find_answer("The answer is\n**True**.")
    'True'
    """
    text = text[text.rfind("</think>") + 8 :] if "</think>" in text else text
    *_, last = (None, *_PHRASE.finditer(text))
    lines = [line for line in text[last.end() if last else 0 :].splitlines() if line.strip(_ROUND + ".")]
    return _bare(lines[0 if last else -1]) if lines else ""


def _bare(line: str) -> str:
    before = ""
    while before != line:
        before, line = line, line.strip(_ROUND).removesuffix(".")
    return line


def _tidy(text: str) -> str:
    return " ".join(_bare(text).split()).casefold()


def _choices(answer: str) -> list[str]:
    """The letters that an answer chooses."""
    answer = _DENIED.sub("", answer)
    first = _LETTER.match(answer)
    others = [letter for letter in _CHOICE.findall(answer) if not first or letter != first[1]]
    return [*([first[1]] if first else []), *dict.fromkeys(others)]
