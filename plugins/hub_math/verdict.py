"""Decides whether an answer is the reference: one layer after the other, cheapest first.

Nothing here depends on time, on the load or on what was asked before; nothing uses signals, so it is the same
in threads, on an event loop and in worker processes.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from hub_math.compare import compare
from hub_math.extract import find_answer
from hub_math.parse import parse
from hub_math.policy import DEFAULT, Policy
from hub_math.reference import BadReference, read_references
from hub_math.scalars import Found, Undecided
from hub_math.tidy import LONGEST, key, tidy
from hub_math.tree import EMPTY, SYMBOLIC, Node, TooComplex, Unreadable, number
from hub_math.words import REALS, clock, number_word, words

_COMMA = re.compile(r"\d,\d{3}(?!\d)")
_DECIMAL_COMMA = re.compile(r"(-?)(0|\d+(?!,\d{3}$)),(\d+)")
_CHOICE = re.compile(r"(?:\\text\{\(([A-J])\)\} ?|\(([A-J])\) )(.+)")
_TIDIED = 20_000
"""Characters of an answer or a reference beyond which only the same text is the same."""
_BARE = 1_000
"""Characters of a completion that may be a bare answer."""
_TEXT_LIKE = re.compile(r"[^\\^_{}=<>+*|]*[A-Za-z]{3}[^\\^_{}=<>+*|]*")


@dataclass(frozen=True)
class Verdict:
    """What was decided about one answer.

    Args:
        correct: whether it is the reference.
        layer: what decided: "text", "words", "number", "units", "structure", "exact", "numeric", "symbolic",
            or "none" where there was nothing to compare or no layer could tell.
        reason: "" or, where it is not correct, a code: "different", "no_answer" (none is found, or it cannot
            be read), "several" (several values where one was asked for), "too_complex" (a limit of the
            parser or of arithmetic), "undecided" (no layer can tell).
        detail: for a person; "" where there is nothing to add.
        reference: the reference, as it was compared.
        answer: the answer that was taken from the completion; "" for none.
    """

    correct: bool
    layer: str
    reason: str
    detail: str
    reference: str
    answer: str


def verify(reference: Any, answer: str, policy: Policy = DEFAULT) -> Verdict:
    r"""Decide whether an answer, or the answer of a completion, is the reference.

    Args:
        reference: text (LaTeX with or without `$`, a box, a GSM8K solution), a number, or a list of these of
            which any may match.
        answer: a bare answer, or a whole completion (see `hub_math.extract`).
        policy: the choices that can be made.

    Raises:
        BadReference: the reference cannot be read.

    >>> verify("9c+6", r"So it is \boxed{6 + 9c}.").correct
    True
    """
    references = read_references(reference)
    if not isinstance(answer, str):
        return compare_answers(references, "", policy)
    if (
        policy.source == "auto"
        and len(answer) < _BARE
        and "boxed" not in answer
        and any(_same_text(one, answer) for one in references)
    ):
        return compare_answers(references, answer, policy)
    return compare_answers(references, find_answer(answer, policy.source) or "", policy)


def _same_text(reference: str, answer: str) -> bool:
    """Whether a completion is the reference and nothing else, whatever it looks like."""
    near = len(answer) < 2 * len(reference) + 20 and len(reference) < _BARE
    return near and tidy(reference) == tidy(answer) != ""


@lru_cache(maxsize=4096)
def compare_answers(references: tuple[str, ...], answer: str, policy: Policy = DEFAULT) -> Verdict:
    """Compare an answer with what the references allow; the first that matches decides.

    Raises:
        BadReference: none matches, and one cannot be read.
    """
    last: Verdict | None = None
    bad: BadReference | None = None
    for reference in references:
        try:
            verdict = _compare(reference, answer, policy)
        except BadReference as error:
            bad = error
            continue
        if verdict.correct:
            return verdict
        last = last if last and last.reason not in ("different", "") else verdict
    if bad or last is None:
        raise bad or BadReference("there is no reference")
    return last


def _compare(reference: str, answer: str, policy: Policy) -> Verdict:
    shown = Verdict(False, "none", "different", "", reference[:300], answer[:300])
    if max(len(reference), len(answer)) > _TIDIED:
        if reference.strip() == answer.strip():
            return replace(shown, correct=True, layer="text", reason="")
        return replace(shown, reason="too_complex", detail=f"more than {_TIDIED} characters")
    gold, given = tidy(reference, is_reference=True), tidy(answer)
    if not gold:
        raise BadReference(f"the reference is empty: {reference!r:.100}")
    if gold == given:
        return replace(shown, correct=True, layer="text", reason="")
    choices = _CHOICE.fullmatch(gold), _CHOICE.fullmatch(given)
    if choices[0] and choices[1]:
        same = (choices[0][1] or choices[0][2]) == (choices[1][1] or choices[1][2])
        return replace(shown, correct=same, layer="words", reason="" if same else "different")
    if choices[0] or choices[1]:
        return _compare_choice(gold, given, choices, policy, shown)
    return _compare_tidied(gold, given, policy, shown)


def _compare_choice(
    gold: str, given: str, choices: "tuple[re.Match[str] | None, ...]", policy: Policy, shown: Verdict
) -> Verdict:
    """Compare where one side is a choice with its text, "(C) 15", and the other its letter or its text."""
    sides = [
        [text] if match is None else [match[1] or match[2], match[3]]
        for text, match in zip((gold, given), choices, strict=True)
    ]
    verdict = shown
    for one in sides[0]:
        for other in sides[1]:
            try:
                verdict = _compare_tidied(one, other, policy, shown)
            except BadReference:
                continue  # a text beside its letter need not be mathematics
            if verdict.correct:
                return verdict
    return verdict


def _compare_tidied(gold: str, given: str, policy: Policy, shown: Verdict) -> Verdict:
    if gold == given:
        return replace(shown, correct=True, layer="text", reason="")
    times = clock(gold), clock(given)
    if times[0] and times[1]:
        same = times[0] == times[1]
        return replace(shown, correct=same, layer="words", reason="" if same else "different")
    wanted = _read(gold, is_reference=True)
    if not given:
        return replace(shown, reason="no_answer", detail="there is no answer")
    taken = _read(given)
    by_words = _compare_words(gold, given, wanted, taken)
    if by_words is not None:
        return replace(shown, correct=by_words, layer="words", reason="" if by_words else "different")
    for side, whose in ((wanted, "the reference"), (taken, "the answer")):
        if isinstance(side, TooComplex):
            return replace(shown, reason="too_complex", detail=f"{whose} has {side}")
    if isinstance(taken, Unreadable | str):
        return replace(shown, reason="no_answer", detail=f"the answer cannot be read: {taken}")
    assert isinstance(wanted, list)
    return _compare_trees(wanted, taken, policy, shown)  # type: ignore[arg-type]


def _compare_trees(wanted: list[Node], taken: list[Node], policy: Policy, shown: Verdict) -> Verdict:
    offered = [
        *taken,
        *(part for tree in taken if policy.several and tree.kind in ("list", "set") for part in tree.args),
    ]
    verdict = shown
    for tree in wanted:
        for candidate in offered:
            try:
                found = compare(tree, candidate, policy)
            except TooComplex as error:
                verdict = replace(shown, reason="too_complex", detail=str(error))
                continue
            except Undecided as error:
                decided = _symbolic(tree, candidate)
                if decided is None:
                    verdict = replace(shown, reason="undecided", detail=str(error))
                    continue
                found = decided
            if found.same:
                return replace(shown, correct=True, layer=found.layer, reason="", detail=found.why)
            if verdict is shown:
                reason = "several" if found.why.startswith("several") else "different"
                verdict = replace(shown, layer=found.layer, reason=reason, detail=found.why)
    return verdict


def _symbolic(one: Node, other: Node) -> Found | None:
    """Ask sympy, where integrals, limits and the like are in the way."""
    kinds = {part.kind for node in (one, other) for part in node.walk()}
    if "opaque" not in kinds or kinds - SYMBOLIC:
        return None
    from hub_math.symbolic import compare_symbolic

    return compare_symbolic(one, other)


@lru_cache(maxsize=4096)
def _read(text: str, is_reference: bool = False) -> "list[Node] | str | TooComplex | Unreadable":
    """Read an answer in normal form: its readings, or the words that it is, or why it cannot be read."""
    if len(text) > LONGEST:
        return TooComplex(f"more than {LONGEST} characters")
    spelled = words(text)
    if spelled is not None:
        return spelled
    try:
        readings = [parse(text)]
    except TooComplex as error:
        return error
    except Unreadable as error:
        if not is_reference:
            return error
        if _TEXT_LIKE.fullmatch(text):
            return key(text)
        raise BadReference(f"the reference cannot be read: {text[:100]} ({error})") from error
    except RecursionError:
        return TooComplex("brackets too deep")
    comma = _DECIMAL_COMMA.fullmatch(text)
    if comma:
        readings += _try(f"{comma[1]}{comma[2]}.{comma[3]}")
    if _COMMA.search(text):
        readings += _try(text, grouped=False)
    return readings


def _try(text: str, grouped: bool = True) -> list[Node]:
    try:
        return [parse(text, grouped)]
    except (TooComplex, Unreadable):
        return []


def _names_of(text: str) -> list[str]:
    """Return the words of a list in one order: "Bob, Alice and Carol"."""
    return sorted(key(part) for part in re.split(r",|;|\band\b", text) if key(part))


def _compare_words(gold: str, given: str, wanted: Any, taken: Any) -> bool | None:
    """Compare where a side is words; None where mathematics decides."""
    if not isinstance(wanted, str) and not isinstance(taken, str):
        return None
    if isinstance(wanted, str):
        if wanted in REALS and isinstance(taken, list):
            return bool(compare(Node("sym", ("\\mathbbR",)), taken[0], DEFAULT).same)
        if wanted == "emptyset" and isinstance(taken, list):
            return bool(taken[0] == EMPTY)
        if isinstance(taken, list) and gold.isupper():  # the segment AB
            return any(compare(tree, taken[0], DEFAULT).same for tree in _try(gold))
        if isinstance(taken, list) and (named := number_word(wanted)) is not None:
            return bool(taken[0] == number(named))
        if wanted in (taken, key(given)):
            return True
        return "," in gold and _names_of(gold) == _names_of(given)
    if taken == "emptyset" or taken in REALS:
        empty = EMPTY if taken == "emptyset" else Node("sym", ("\\mathbbR",))
        return isinstance(wanted, list) and bool(compare(wanted[0], empty, DEFAULT).same)
    if key(gold) == key(given):
        return True
    if given.isupper() and isinstance(wanted, list):
        return any(compare(wanted[0], tree, DEFAULT).same for tree in _try(given))  # the segment AB
    named = number_word(taken)
    return named is not None and isinstance(wanted, list) and wanted[0] == number(named)
