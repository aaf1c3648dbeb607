"""The reward `math`: whether the completion's final answer equals the reference answer."""

import functools
import logging
import re
from dataclasses import replace
from typing import Any

import sympy  # noqa: TID253 - this module is imported when the reward is first used
from latex2sympy2_extended import NormalizationConfig, normalize_latex  # type: ignore[import-untyped]
from math_verify import verify  # noqa: TID253
from math_verify.parser import parse_latex_cached  # noqa: TID253

import hub
from hub_math.extract import find_answer, read_references, without_dollars
from hub_math.limits import has_limit, too_complex
from hub_math.plain import canonical, read_number, same_number, same_text, unwrap

_NORMALIZATION = NormalizationConfig(
    basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="none", equations=False
)
_BARE = [
    (re.compile(r"(?<![\\a-zA-Z])sqrt\s*\(([^()]*)\)"), r"\\sqrt{\1}"),
    (re.compile(r"(?<![\\a-zA-Z])exp\s*\(([^()]*)\)"), r"e^{\1}"),
    (re.compile(r"(?<![\\a-zA-Z])(pi|sin|cos|tan|log|ln)(?![a-zA-Z])"), r"\\\1 "),
    (re.compile(r"\*\*"), "^"),
]
# Only what is set apart is a unit: math-verify's own rule takes `6 + 9c` for 6 + 9 cents.
_UNIT = re.compile(r"(?:\\text\s*\{[^{}]*\}|\s[a-zA-Z]{2,})\s*(?:\^\{?\d\}?)?$")
_EQUALS = re.compile(r"(?<![<>!\\:])=(?!=)")
_VARIABLE = re.compile(r"\\?[a-zA-Z]+(?:_\{?\w+\}?)?'?(?:\([a-zA-Z, ]*\))?|\\text\{[^{}]*\}")
_MEMBER = re.compile(r"^[a-zA-Z] ?\\in(?![a-z])")


class Math:
    r"""1.0 where the completion's final answer equals the reference answer as mathematics, else 0.0.

    The column `answer` is the reference: text (LaTeX with or without `$`, a `\boxed{}`, a GSM8K solution
    with `#### 18`), a number, or a list of these of which any may match. How the answer is found in the
    completion is told in `hub_math.extract`.

    Text, plain numbers and words are decided first (`hub_math.plain`); the rest is left to math-verify
    0.9.0 (huggingface/Math-Verify), with the reference as its first argument and its own time limits off,
    since the engine kills. The reasons for 0.0: `no_answer` (none is found, or it cannot be read),
    `too_complex` (`hub_math.limits`) and `undecided` (sympy cannot compare the two). A reference that
    cannot be read has failed with `bad_reference`. `info` holds what was compared: `reference` and
    `answer`.

    >>> Math()(hub.Sample("", r"So it is \boxed{6 + 9c}.", {"answer": "9c+6"})).value
    1.0
    """

    def __init__(self) -> None:
        # "Timeout is disabled" would be the last that a killed worker printed.
        logging.getLogger("math_verify").setLevel(logging.ERROR)

    def __call__(self, sample: hub.Sample) -> hub.Score:
        """Score one completion."""
        try:
            references = read_references(sample["answer"])
        except ValueError as error:
            return hub.Score.failed("bad_reference", str(error))
        found = find_answer(sample.text)
        info: dict[str, Any] = {"reference": " | ".join(references)[:200], "answer": (found or "")[:200]}
        answer = without_dollars(found) if found else ""
        if not canonical(answer):
            return hub.Score(0.0, "no_answer", info=info)
        verdicts = [_compare(reference, answer) for reference in references]
        if "same" in verdicts:
            return hub.Score(1.0, info=info)
        if "bad_reference" in verdicts:
            detail = f"the reference cannot be read: {info['reference']}"
            return hub.Score.failed("bad_reference", detail, info)
        reason = next((verdict for verdict in verdicts if verdict != "different"), "")
        detail = too_complex(answer) or "an integral or limit" if reason == "too_complex" else ""
        return hub.Score(0.0, reason, detail, info)


def _compare(gold: str, answer: str) -> str:
    """Return "same", "different", "undecided", "no_answer", "too_complex" or "bad_reference"."""
    plain = canonical(gold), canonical(answer)
    if plain[0] == plain[1]:
        return "same"
    expected, given = read_number(plain[0]), read_number(plain[1])
    if expected and given:
        return "same" if same_number(expected, given) else "different"
    decided = None if expected else same_text(*plain)
    if decided is not None:
        return "same" if decided else "different"
    if too_complex(answer):
        return "too_complex"
    reference = _parse(unwrap(gold))
    if reference is None or too_complex(gold):
        return "bad_reference"
    if {plain[0][:2], plain[1][:2]} > {r"\{"} and "(" in plain[0][:1] + plain[1][:1]:
        return "different"  # a tuple is not a set
    *shown, last = _parts(unwrap(gold), unwrap(answer))
    if has_limit(last):
        return "too_complex"
    parts = [_parse(part) for part in shown if not has_limit(part)] + [_parse(last)]
    if parts[-1] is None:
        return "no_answer"
    try:
        agrees = not any(part is not None and _differ(reference, part) for part in parts)
        return "same" if agrees and _equal(reference, parts[-1]) else "different"
    except Exception:
        return "undecided"  # sympy's answer to an odd answer; a failure would pay, being masked


def _parts(gold: str, answer: str) -> list[str]:
    """Split an answer at its equals signs; each part must agree with the reference, the last is compared."""
    answer = re.split(r"\\approx|≈", answer, maxsplit=1)[0]
    if _MEMBER.match(answer) and not _MEMBER.match(gold):
        answer = _MEMBER.sub("", answer)
    parts = [part.strip() for part in _EQUALS.split(answer)]
    if len(parts) == 1 or _EQUALS.search(gold) or "" in parts or re.search(r"[,;]|\\text|\\begin", answer):
        return [answer]
    if _VARIABLE.fullmatch(parts[0]):
        return parts[1:]
    return parts[:-1] if _VARIABLE.fullmatch(parts[-1]) else parts


@functools.lru_cache(maxsize=512)
def _parse(text: str) -> Any:
    """Parse a canonical answer; None where it cannot be."""
    for bare, latex in _BARE:
        text = bare.sub(latex, text)
    without, within = _NORMALIZATION, replace(_NORMALIZATION, units=True)
    for settings in (within, without) if _UNIT.search(text) else (without, within):
        try:
            return parse_latex_cached(normalize_latex(_MEMBER.sub("", text), settings))
        except Exception:
            continue
    return None


def _equal(reference: Any, answer: Any) -> bool:
    if _has_i(reference) or _has_i(answer):
        reference, answer = _complex(reference), _complex(answer)
    if verify(reference, answer, timeout_seconds=None):
        return True
    if isinstance(reference, sympy.Symbol) != isinstance(answer, sympy.Symbol):
        if reference.free_symbols.isdisjoint(answer.free_symbols):
            return False
        return _is_zero_difference(reference, answer)  # math-verify compares a symbol as text
    return False


def _is_zero_difference(reference: Any, answer: Any) -> bool:
    try:
        return bool(sympy.simplify(reference - answer) == 0)
    except Exception:
        return False


def _differ(reference: Any, answer: Any) -> bool:
    """Whether two numbers are surely not equal. math-verify takes all that is below 1e-15 as equal."""
    try:
        if reference.free_symbols or answer.free_symbols:
            return False
        one, other = (sympy.N(side.doit(), 30, chop=False) for side in (reference, answer))
        if not (one.is_Number and other.is_Number):
            return False
        return bool(abs(one - other) > sympy.Float("1e-5") * max(abs(one), abs(other)))
    except Exception:
        return False


def _has_i(expression: Any) -> bool:
    return any(symbol.name == "i" for symbol in getattr(expression, "free_symbols", ()))


def _complex(expression: Any) -> Any:
    return expression.subs({s: sympy.I for s in expression.free_symbols if s.name == "i"}).doit()
