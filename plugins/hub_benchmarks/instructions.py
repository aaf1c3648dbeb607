"""The 25 kinds of instructions of IFEval (Zhou et al. 2023, arXiv 2311.07911), each a check of a text.

The names, the arguments and what follows an instruction are those of google-research's
instruction_following_eval, as lm-eval 0.4.13 has it. Keywords, markers and the like are texts here, which is
the same on IFEval's data, and regular expressions there; docs/benchmarks.md lists what else differs. The cost
of each check grows with the text's length and not faster.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from hub.errors import nearest
from hub_benchmarks.language import find_language
from hub_benchmarks.words import count_capitals, count_sentences, count_words

Check: TypeAlias = Callable[..., bool]
"""Takes the text, then the instruction's arguments by name."""

OPTIONS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
_STARRED = re.compile(r"^[^\S\n]*\*[^*].*$", re.MULTILINE)
_DASHED = re.compile(r"^[^\S\n]*-", re.MULTILINE)
_HIGHLIGHT = re.compile(r"\*([^\n*]*)\*")
_STRONG = re.compile(r"\*\*([^\n*]*)\*\*")
_DIVIDER = re.compile(r"\s?\*\*\*\s?")
_FENCES = ("```json", "```Json", "```JSON", "```")
_ENDS_WORD = ".,?!'\""
_POSTSCRIPTS = {"P.S.": r"p\.\s?s\.", "P.P.S": r"p\.\s?p\.\s?s"}


class BadInstruction(Exception):
    """An instruction is none of the 25, or lacks an argument; the row is at fault."""


def follows(text: str, kind: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a text follows an instruction.

    Args:
        text: what was answered; one that is blank follows none.
        kind: e.g. "punctuation:no_comma".
        arguments: those of this kind; any that are None count as not given.

    Raises:
        BadInstruction: there is no such kind, or its arguments are others.

    >>> follows("No, sir.", "punctuation:no_comma", {})
    False
    """
    if kind not in KINDS:
        raise BadInstruction(f"there is no instruction {kind!r}{nearest(kind, KINDS)}")
    check, types = KINDS[kind]
    given = {name: value for name, value in arguments.items() if value is not None}
    if set(given) != set(types) or not all(_fits(given[name], types[name]) for name in types):
        raise BadInstruction(f"{kind} has the arguments {dict(arguments)}, and should have {_write(types)}")
    return bool(text.strip()) and check(text, **given)


def _has_keywords(text: str, keywords: list[str]) -> bool:
    return all(re.search(re.escape(word), text, re.IGNORECASE) for word in keywords)


def _keyword_frequency(text: str, keyword: str, frequency: int, relation: str) -> bool:
    found = re.finditer(re.escape(keyword.strip()), text, re.IGNORECASE)
    return _compare(sum(1 for _ in found), relation, frequency)


def _lacks_words(text: str, forbidden_words: list[str]) -> bool:
    return not any(re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) for word in forbidden_words)


def _letter_frequency(text: str, letter: str, let_frequency: int, let_relation: str) -> bool:
    return _compare(text.lower().count(letter.strip().lower()), let_relation, let_frequency)


def _language(text: str, language: str) -> bool:
    return find_language(text) == language


def _sentences(text: str, num_sentences: int, relation: str) -> bool:
    return _compare(count_sentences(text), relation, num_sentences)


def _paragraphs(text: str, num_paragraphs: int) -> bool:
    parts = [part.strip() for part in _DIVIDER.split(text)]
    return all(parts[1:-1]) and sum(map(bool, parts)) == num_paragraphs


def _words(text: str, num_words: int, relation: str) -> bool:
    return _compare(count_words(text), relation, num_words)


def _first_word(text: str, num_paragraphs: int, nth_paragraph: int, first_word: str) -> bool:
    parts = text.split("\n\n")
    count = sum(bool(part.strip()) for part in parts)
    if not 1 <= nth_paragraph <= count or not parts[nth_paragraph - 1].strip():
        return False
    word = parts[nth_paragraph - 1].split(maxsplit=1)[0].lstrip("'").lstrip('"').lower()
    end = next((at for at, letter in enumerate(word) if letter in _ENDS_WORD), len(word))
    return count == num_paragraphs and word[:end] == first_word.lower()


def _placeholders(text: str, num_placeholders: int) -> bool:
    count = 0
    for line in text.split("\n"):
        at = line.find("[")
        while at >= 0 and (at := line.find("]", at)) >= 0:
            count += 1
            at = line.find("[", at)
    return count >= num_placeholders


def _postscript(text: str, postscript_marker: str) -> bool:
    marker = postscript_marker.strip()
    return re.search(_POSTSCRIPTS.get(marker, re.escape(marker.lower())), text.lower()) is not None


def _bullets(text: str, num_bullets: int) -> bool:
    found = [len(pattern.findall(text)) for pattern in (_STARRED, _DASHED)]
    return sum(found) == num_bullets


def _one_option(text: str) -> bool:
    return any(option in text for option in OPTIONS)


def _highlights(text: str, num_highlights: int) -> bool:
    found = [*_HIGHLIGHT.findall(text), *_STRONG.findall(text)]
    return sum(bool(part.strip()) for part in found) >= num_highlights


def _sections(text: str, section_spliter: str, num_sections: int) -> bool:
    marks = re.finditer(rf"{re.escape(section_spliter.strip())}\s?\d+", text)
    return sum(1 for _ in marks) >= num_sections


def _json(text: str) -> bool:
    text = text.strip()
    for fence in _FENCES:
        text = text.removeprefix(fence)
    try:
        json.loads(text.removesuffix("```").strip())
    except (ValueError, RecursionError):
        return False
    return True


def _title(text: str) -> bool:
    for line in text.split("\n"):
        start, end = line.find("<<"), line.rfind(">>")
        if 0 <= start <= end - 3 and line[start : end + 2].lstrip("<").rstrip(">").strip():
            return True
    return False


def _two_responses(text: str) -> bool:
    parts = [part.strip() for part in text.split("******")]
    given = [part for part in parts if part]
    return all(parts[1:-1]) and len(given) == 2 and given[0] != given[1]


def _repeats(text: str, prompt_to_repeat: str) -> bool:
    return text.strip().lower().startswith(prompt_to_repeat.strip().lower())


def _ends(text: str, end_phrase: str) -> bool:
    return text.strip().strip('"').lower().endswith(end_phrase.strip().lower())


def _capital_words(text: str, capital_frequency: int, capital_relation: str) -> bool:
    return _compare(count_capitals(text), capital_relation, capital_frequency)


def _all_capitals(text: str) -> bool:
    return text.isupper() and find_language(text) == "en"


def _all_lowercase(text: str) -> bool:
    return text.islower() and find_language(text) == "en"


def _no_comma(text: str) -> bool:
    return "," not in text


def _quoted(text: str) -> bool:
    text = text.strip()
    return len(text) > 1 and text[0] == text[-1] == '"'


def _compare(count: int, relation: str, threshold: int) -> bool:
    return count < threshold if relation == RELATIONS[0] else count >= threshold


RELATIONS = ("less than", "at least")
KINDS: dict[str, tuple[Check, dict[str, type | tuple[str, ...]]]] = {
    "change_case:capital_word_frequency": (
        _capital_words,
        {"capital_frequency": int, "capital_relation": RELATIONS},
    ),
    "change_case:english_capital": (_all_capitals, {}),
    "change_case:english_lowercase": (_all_lowercase, {}),
    "combination:repeat_prompt": (_repeats, {"prompt_to_repeat": str}),
    "combination:two_responses": (_two_responses, {}),
    "detectable_content:number_placeholders": (_placeholders, {"num_placeholders": int}),
    "detectable_content:postscript": (_postscript, {"postscript_marker": str}),
    "detectable_format:constrained_response": (_one_option, {}),
    "detectable_format:json_format": (_json, {}),
    "detectable_format:multiple_sections": (_sections, {"section_spliter": str, "num_sections": int}),
    "detectable_format:number_bullet_lists": (_bullets, {"num_bullets": int}),
    "detectable_format:number_highlighted_sections": (_highlights, {"num_highlights": int}),
    "detectable_format:title": (_title, {}),
    "keywords:existence": (_has_keywords, {"keywords": list}),
    "keywords:forbidden_words": (_lacks_words, {"forbidden_words": list}),
    "keywords:frequency": (
        _keyword_frequency,
        {"keyword": str, "frequency": int, "relation": RELATIONS},
    ),
    "keywords:letter_frequency": (
        _letter_frequency,
        {"letter": str, "let_frequency": int, "let_relation": RELATIONS},
    ),
    "language:response_language": (_language, {"language": str}),
    "length_constraints:nth_paragraph_first_word": (
        _first_word,
        {"num_paragraphs": int, "nth_paragraph": int, "first_word": str},
    ),
    "length_constraints:number_paragraphs": (_paragraphs, {"num_paragraphs": int}),
    "length_constraints:number_sentences": (_sentences, {"num_sentences": int, "relation": RELATIONS}),
    "length_constraints:number_words": (_words, {"num_words": int, "relation": RELATIONS}),
    "punctuation:no_comma": (_no_comma, {}),
    "startend:end_checker": (_ends, {"end_phrase": str}),
    "startend:quotation": (_quoted, {}),
}
"""Each kind's check, and the types of its arguments; of a tuple, one of these texts."""


def _fits(value: object, kind: type | tuple[str, ...]) -> bool:
    if isinstance(kind, tuple):
        return value in kind
    if kind is list:
        return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)
    if kind is str:
        return isinstance(value, str) and bool(value.strip())
    return isinstance(value, int) and not isinstance(value, bool)


def _write(types: Mapping[str, type | tuple[str, ...]]) -> str:
    allowed = {
        name: kind.__name__ if isinstance(kind, type) else " or ".join(kind) for name, kind in types.items()
    }
    return ", ".join(f"{name} ({kind})" for name, kind in allowed.items()) or "none"
