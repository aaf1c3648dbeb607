"""What docs/math.md says about answers is what the code does."""

import dataclasses
import importlib
import re
from collections.abc import Iterator

import pytest

from hub_math import Policy, Verdict, verify
from tests.docs.test_pages import tables

PAGE = tables("docs/math.md")
DECISIONS = PAGE["case | decision, and why | examples"]
LAYERS = PAGE["layer | compares | example"]
REASONS = PAGE["reason | the answer is not accepted because | example"]
SENTENCE = re.compile(r"\\boxed|answer|not sure")
ONE_WAY = ("hedging", "negation", "a change of mind")


def pairs(cell: str) -> Iterator[tuple[str, str, bool]]:
    """Yield reference, answer and whether it is right, of examples such as `1/2` = `0.5` = `0.50`."""
    for line in cell.replace("\\|", "|").split("<br>"):
        spans = re.findall(r"`([^`]+)`", line)
        signs = re.findall(r"` ([=≠]) `", line)
        assert len(spans) == len(signs) + 1 > 1, line
        yield from ((spans[0], span, sign == "=") for span, sign in zip(spans[1:], signs, strict=True))


def decide(reference: str, answer: str) -> Verdict:
    """Verify an example: a sentence as it stands, anything else in a box."""
    return verify(reference, answer if SENTENCE.search(answer) else rf"\boxed{{{answer}}}")


EXAMPLES = [(row[0], *pair) for row in DECISIONS for pair in pairs(row[2])]


@pytest.mark.parametrize(("case", "reference", "answer", "right"), EXAMPLES)
def test_decisions(case: str, reference: str, answer: str, right: bool) -> None:
    verdict = decide(reference, answer)
    assert verdict.correct is right, verdict


@pytest.mark.parametrize(
    ("reference", "answer", "right"),
    [(answer, reference, right) for case, reference, answer, right in EXAMPLES if case not in ONE_WAY],
)
def test_decisions_turned_round(reference: str, answer: str, right: bool) -> None:
    if not (right is False and answer in ("2", "5")):  # "5 = 2" is an answer to nothing, and no reference
        assert decide(reference, answer).correct is right


def test_every_case_has_an_example_that_is_right_or_not() -> None:
    assert len(DECISIONS) > 25
    assert all(len(list(pairs(row[2]))) > 0 for row in DECISIONS)


@pytest.mark.parametrize("row", LAYERS, ids=lambda row: row[0])
def test_layers(row: list[str]) -> None:
    ((reference, answer, right),) = pairs(row[2])
    verdict = decide(reference, answer)
    assert (verdict.layer, verdict.correct) == (row[0].strip("`"), right)


@pytest.mark.parametrize("row", REASONS, ids=lambda row: row[0])
def test_reasons(row: list[str]) -> None:
    ((reference, answer, right),) = pairs(row[2])
    verdict = decide(reference, answer)
    assert (verdict.reason, verdict.correct) == (row[0].strip("`"), right)


def test_the_lists_of_layers_and_reasons_are_whole() -> None:
    doc = Verdict.__doc__ or ""
    layers, reasons = re.search(r"layer: (.*?) or\s+\"none\"", doc, re.S), re.search(r"code: (.*)", doc, re.S)
    assert layers is not None
    assert reasons is not None
    listed = [row[0].strip("`") for row in LAYERS]
    assert listed == re.findall(r'"(\w+)"', layers[1])
    assert [row[0].strip("`") for row in REASONS] == re.findall(r'"(\w+)"', reasons[1])


def test_every_option_is_listed_with_its_default() -> None:
    listed = [(row[0].strip("`"), row[1]) for row in PAGE["option | default |"]]
    assert listed == [(field.name, str(field.default)) for field in dataclasses.fields(Policy)]


@pytest.mark.parametrize("row", PAGE["limit | value | constant"], ids=lambda row: row[0])
def test_limits(row: list[str]) -> None:
    module, name = row[2].strip("`").split(".")
    assert row[1] == f"{getattr(importlib.import_module(f'hub_math.{module}'), name):,}"
