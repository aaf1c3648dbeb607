r"""Finds the answer in a completion.

The answer, by what comes first, after the last `</think>`:

1. the last balanced `\boxed{}`; boxes that stand beside each other, or are joined by "and" or "or", are one
   answer with several values, and those inside a box do not count;
2. the last line that begins with `####`, or the last of all with `A:`, as in GSM8K;
3. what follows the last "answer is", "answer:" or 答案: its formula, its bold text, or itself;
4. the formula or number that stands last in the text, with those that "or" joins to it.

What is said not to be the answer ("the answer is not 42") is none. Each step is one pass over the text.
"""

import re
from collections import deque

from hub_math.policy import Source
from hub_math.tidy import without_dollars
from hub_math.tokens import FUNCTIONS

TAIL = 4000
"""How many characters from the end are searched for a formula or number that nothing announces."""
MOST_PROSE = 20_000
"""How many characters from the end are searched for "the answer is"."""
MOST_BOXES = 100
"""Boxes beside each other that are read as one answer; of more, the last ones."""

_BRACE = re.compile(r"(?P<box>\\(?:boxed|fbox)\s*\{)|\\.|(?P<open>\{)|(?P<close>\})", re.DOTALL)
_ANY_BRACE = re.compile(r"(?P<box>\\(?:boxed|fbox)\s*\{)|(?P<open>\{)|(?P<close>\})")
_MARK = re.compile(r"^[ \t]*####[ \t:]*(\S[^\n]*)$", re.MULTILINE)
_PHRASE = re.compile(
    r"(?:\b(?:answers?|r\u00e9ponse|respuesta|resposta|risposta|antwort|l\u00f6sung|\u043e\u0442\u0432\u0435\u0442)\b"
    r"[^\n.]{0,40}?(?:\b(?:is|are|est|es|\u00e9|\u00e8|ist|lautet)\b|[:=\uff1a])"
    r"|\b(?:solutions|roots|values|results)\b[^\n.]{0,40}?\bare\b"
    r"|\u7b54\u6848[\u662f\u4e3a\uff1a:]+|\u7b54\u3048[\u306f\uff1a:]+)[ \t:*}]*\s?",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"(?:\bnot|\bnever|\bneither|\bcannot be|n't|n't be)\s+(?:equal to\s+)?[$*({\\]*$", re.IGNORECASE
)
_DENIED = re.compile(r"(?:\bnot|n't)\s+[$\\(\[{ ]*$", re.IGNORECASE)
_DOUBTED = re.compile(r"\b(?:don't|do not|doesn't|does not|cannot|can't|doubt)\b[^.\n]{0,25}$", re.IGNORECASE)
_VAGUE = re.compile(
    r"^(?:about|approximately|approx\.?|roughly|around|exactly|only|just|simply|equal to|[=≈])\s*"
)
_NUMBER = re.compile(
    r"(?<![0-9A-Za-z.])[-\u2212]?(?:\d{1,3}(?:(?:,|\{,\}|,\\!)\d{3})+|\d+)(?:[.,]\d+|\.(?=\d))?(?:/\d+)?(?:\s?\\?%)?"
    r"|-?\\[dt]?frac\{-?\d+\}\{\d+\}|(?<![0-9A-Za-z.])-?\.\d+"
)
_JOINED_BEFORE = re.compile(r"(?<![\w.])-?\d[\d/]*(?:\.\d+)?\$?(?:, or |, and |,? or | and |, )\$?$")
_FORMULA = re.compile(
    r"\$\$(.{1,500}?)\$\$|\\\[(.{1,500}?)\\\]|\\\((.{1,500}?)\\\)|\$([^$\n]{1,500})\$", re.DOTALL
)
_BOLD = re.compile(r"\*\*([^*\n]{1,200})\*\*")
_SENTENCE_END = re.compile(r"\.(?=\s|$)|[。;]|,\s+(?!or\b|and\b)(?=[a-zA-Z]{2,})|\n")
_BLANK = re.compile(r"\s")
_NAMES = "|".join(sorted(FUNCTIONS | {"or", "and", "text", "frac", "pi", "infty", "mod"}))
_WORD = re.compile(rf"(?<![\\a-zA-Z])(?!(?:{_NAMES})\b)[a-zA-Z]{{2,}}")
_SPACED = re.compile(r"[a-zA-Z]{2}[,:;.]? +[a-zA-Z]{2}")
_HEDGE = re.compile(r"\b(?:or|maybe|perhaps|possibly|either|might|unsure|guess)\b[^.!?\n]*$", re.IGNORECASE)
_OTHER_SCRIPT = re.compile(
    r"[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff\u0400-\u04ff\u0590-\u0fff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"
)
_GAP_MARKS = re.compile(r"\\(?:[()\[\],;:! ]|q?quad|text(?:bf)?|hspace|left|right)|[${}\s]")
_GAP_WORD = re.compile(r"[a-zA-Z]+")
_ENVIRONMENT = re.compile(r"\\+(?:begin|end)\s*\{[^{}]*\}(?:\{[clr|\s]*\})?")
_QUANTITY = re.compile(r"-?\d[\d.,/]* ?[a-zA-Z]+(?: (?!is\b|are\b|or\b|and\b)[a-zA-Z]+){0,3}\.?")
_IS = re.compile(r"\b(?:is|are|equals|be|was|est|son|es|ist)\b(?! not\b)")
_CONNECTOR = re.compile(
    r"^(?:so|thus|hence|therefore|then|and|we get|we have|it is)\b[,:]?\s*", re.IGNORECASE
)
_SHORT = re.compile(r"[^\n$]{1,100}")


def find_answer(text: str, source: Source = "auto") -> str | None:
    """Return the answer that a completion gives; None where there is none.

    Args:
        text: the completion.
        source: where to look (see `Policy`).
    """
    text = text[text.rfind("</think>") + 8 :] if "</think>" in text else text
    if source == "boxed":
        return (last_boxes(text) or "").strip() or None
    if source == "tag":
        tagged = _last_tag(text)
        return find_answer(tagged) if tagged else None
    if source == "final-line":
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return find_answer(lines[-1]) if lines else None
    box, end = _read_boxes(text)
    if end and _DENIED.search(text, max(0, end - len(box) - 60), max(0, end - len(box) - 7)):
        return None
    if box.strip() and "final answer" in text[max(end, len(text) - 300) :].lower():
        box = find_answer(text[end + 1 :]) or box
    found = box.strip() or marked(text)
    if not found and (tagged := _last_tag(text)):
        return tagged
    if not found:
        return _answer_in_prose(text)
    if _PHRASE.search(found) or (_is_prose(found) and "\\text" not in found):
        return _answer_in_prose(found) or found  # a sentence; what is set as text is meant as it stands
    return found


def _last_tag(text: str) -> str:
    """Return what the last <answer> tag holds; "" for none."""
    end = text.rfind("</answer>")
    start = text.rfind("<answer>", 0, max(0, end))
    return text[start + 8 : end].strip() if 0 <= start < end else ""


def last_boxes(text: str) -> str | None:
    r"""Return the content of the last balanced `\boxed{}`, with those joined to it; None if there is none."""
    found, end = _read_boxes(text)
    return found if end else None


def _read_boxes(text: str) -> tuple[str, int]:
    """Return what `last_boxes` returns, and where the last box ends; "" and 0 where there is none."""
    if "\\boxed" not in text and "\\fbox" not in text:
        return "", 0
    last_one = text.rfind("\\boxed")
    before = text.rfind("\\boxed", 0, max(0, last_one))
    if max(last_one, before) > 0 and "\\fbox" not in text:  # most often the last two boxes tell
        boxes = _boxes(text, _BRACE, before if before > 0 else last_one)
        if boxes and (before < 0 or (len(boxes) > 1 and not _joins(text[boxes[-2][2] + 1 : boxes[-1][0]]))):
            return text[boxes[-1][1] : boxes[-1][2]], boxes[-1][2]
    boxes = _boxes(text, _BRACE) or _boxes(text, _ANY_BRACE) or []
    if not boxes:
        return "", 0
    start, content_start, last = boxes.pop()
    contents = [text[content_start:last]]
    while boxes and _joins(text[boxes[-1][2] + 1 : start]) and len(contents) < MOST_BOXES:
        start, content_start, end = boxes.pop()
        contents.append(text[content_start:end])
    return ", ".join(reversed(contents)), last


def _boxes(text: str, brace: re.Pattern[str], start: int = 0) -> list[tuple[int, int, int]] | None:
    """Return the boxes that are in no other: where each begins, its content begins, its content ends.

    None where the search began in the middle of a group.
    """
    opened: list[tuple[int, int] | None] = []
    found: list[tuple[int, int, int]] = []
    for token in brace.finditer(text, start):
        kind = token.lastgroup
        if kind == "close":
            if not opened:
                if start:
                    return None
                continue
            box = opened.pop()
            if box is not None:
                while found and found[-1][0] > box[0]:
                    found.pop()  # inside this one
                found.append((*box, token.start()))
        elif kind is not None:
            opened.append(token.span() if kind == "box" else None)
    return found


def _joins(gap: str) -> bool:
    """Whether two boxes are one answer by what is between them: nothing, a comma, some words with "and"."""
    if len(gap) > 60 or "\n\n" in gap:
        return False
    bare = _GAP_MARKS.sub(" ", gap)
    found = _GAP_WORD.findall(bare)
    if not found:
        return len(bare) <= 20 and not set(bare.rstrip("\\")) & set("0123456789=<>/\\")
    return (
        len(found) <= 4 and not {"and", "or"}.isdisjoint(word.lower() for word in found) and "." not in bare
    )


def marked(text: str) -> str:
    """Return what stands after the last `####`, or after the `A:` of the last line; "" for neither."""
    mark = _last(_MARK, text[-MOST_PROSE:]) if "####" in text else None
    if mark:
        return mark[1].strip()
    line = text.rstrip().rpartition("\n")[2].lstrip()
    return line[2:].strip() if line.startswith("A:") else ""


def find_announced(text: str) -> str | None:
    """Return what a text of several sentences announces as its answer; None if it is no such text."""
    phrase = _last(_PHRASE, text[-MOST_PROSE:]) if len(text) <= MOST_PROSE else None
    starts = phrase is not None and len(text[: phrase.start()].split()) < 3
    if not (starts or (len(text) >= 40 and _is_prose(text))):
        return None
    return _after_phrase(_window(text, phrase.end())) if phrase else None


def _is_prose(text: str) -> bool:
    """Whether a text is sentences around an answer, and not an answer."""
    if "\\begin" in text:
        text = _ENVIRONMENT.sub("", text)
    if _QUANTITY.fullmatch(text.strip()):
        return False
    words = _WORD.findall(text)
    if len(words) > 2 and any(len(word) >= 4 for word in words) and _SPACED.search(text):
        return True  # and not xy dx dy
    return _OTHER_SCRIPT.search(text) is not None


def _answer_in_prose(text: str) -> str | None:
    text = text[-MOST_PROSE:]
    phrase = _last(_PHRASE, text)
    if phrase:
        rest = _window(text, phrase.end())
        if _DOUBTED.search(text, max(0, phrase.start() - 60), phrase.start()):
            return None
        if re.match(r"(?:not|never|definitely not)\b", rest):
            _, but, rest = _SENTENCE_END.split(rest, maxsplit=1)[0].partition(" but ")
            if not but:
                return None
        found = _after_phrase(rest)
        if found:
            return found
    bare = _VAGUE.sub("", _CONNECTOR.sub("", text.strip().strip("*`")))
    if bare.startswith("\\begin{") and not _is_prose(bare):
        return bare
    if (
        _SHORT.fullmatch(bare)
        and "boxed" not in bare
        and not _is_prose(bare)
        and not _FORMULA.search(bare)
        and len(_WORD.findall(bare)) < 2
    ):
        return bare
    return _last_formula_or_number(text)


def _window(text: str, start: int) -> str:
    """Return some text from a place on, never ending within a number or word."""
    window = text[start : start + 500]
    if len(text) > start + 500:
        cut = max(window.rfind(" "), window.rfind("\n"))
        window = window[:cut] if cut > 0 else ""
    return window


def _after_phrase(text: str) -> str | None:
    text = text.lstrip()
    line = _SENTENCE_END.split(text, maxsplit=1)[0]
    verb = _last(_IS, line)  # "Final answer: the volume of $ABC$ is 120."
    if verb and line[verb.end() :].strip():
        text, line = text[verb.end() :], line[verb.end() :].lstrip()
    formula = _FORMULA.search(text)
    if formula and formula.start() <= len(line) + 1:
        return _with_joined(text, formula)
    bold = _BOLD.search(line)
    line = _VAGUE.sub("", (bold[1] if bold else line).strip("* \t"))
    if _is_prose(line):
        number = _NUMBER.search(line)
        return number.group() if number else None
    return line or None


def _with_joined(text: str, formula: re.Match[str]) -> str:
    """Return a formula, with those that a comma or "and" joins to it."""
    found, end = [without_dollars(formula.group())], formula.end()
    for another in _FORMULA.finditer(text, end):
        if not _joins(text[end : another.start()]):
            break
        found.append(without_dollars(another.group()))
        end = another.end()
    return ", ".join(found)


def _last_formula_or_number(text: str) -> str | None:
    tail = text[-TAIL:]
    if len(tail) < len(text):  # a formula that was cut would make what is between formulas seem one
        cut = _BLANK.search(tail)
        tail = tail[tail.find("\n") + 1 :] if "\n" in tail else tail[cut.end() :] if cut else ""
    formula, number = _last(_FORMULA, tail), _last(_NUMBER, tail)
    if formula and (number is None or formula.end() >= number.end()):
        found = without_dollars(formula.group())
        if not _is_prose(found) and ("\\" in found or len(_WORD.findall(found)) < 2):
            return None if _NEGATION.search(tail, max(0, formula.start() - 40), formula.start()) else found
    if number is None and formula:
        return without_dollars(formula.group())
    if number is None or _NEGATION.search(tail, max(0, number.start() - 40), number.start()):
        return None
    start = number.start()
    for _ in range(MOST_BOXES):
        before = _JOINED_BEFORE.search(tail, max(0, start - 40), start)
        if before is None:
            break
        start = before.start()
    if start < number.start():
        return tail[start : number.end()]
    if _HEDGE.search(tail, max(0, number.start() - 100), number.start()):
        return None
    return number.group()


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next(iter(deque(pattern.finditer(text), maxlen=1)), None)
