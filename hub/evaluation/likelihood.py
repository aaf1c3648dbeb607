"""Answers rows: by completing their prompts, or by telling how likely each of their `continuations` is.

Rows that come with completions are in valued.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import isnan
from typing import Any

from hub.errors import GeneratorError
from hub.evaluation.valued import RewardsUnderTest
from hub.generator import Completion, Decoding, Generator, Likelihood, LikelihoodGenerator


def answer(
    generator: Generator, rows: Sequence[Mapping[str, Any]], decoding: Decoding
) -> Iterator[Completion]:
    """Answer each row once; yield what is ready, in any order.

    Args:
        generator: answers.
        rows: of a benchmark; all have `continuations`, all have `completions`, or none has.
        decoding: for completing.

    Raises:
        GeneratorError: it cannot go on, or cannot tell how likely any text is, or what it is worth.
    """
    if rows and "completions" in rows[0]:
        if not isinstance(generator, RewardsUnderTest):
            raise GeneratorError(
                "this benchmark's rows have completions, for rewards to value: give rewards with --reward in "
                "place of a model"
            )
        yield from generator.value(rows)
    elif rows and "continuations" in rows[0]:
        yield from _tell(generator, rows)
    else:
        yield from generator.generate([row["prompt"] for row in rows], decoding)


def pairs(row: Mapping[str, Any]) -> list[tuple[str | None, str]]:
    """Return context and continuation of each of a row's continuations.

    >>> pairs({"prompt": "2+2=", "continuations": ["4", ["2+3=", "5"], [None, "All of it."]]})
    [('2+2=', '4'), ('2+3=', '5'), (None, 'All of it.')]
    """
    return [
        (row["prompt"], one) if isinstance(one, str) else (one[0], one[1]) for one in row["continuations"]
    ]


def problem_of_continuations(row: Mapping[str, Any]) -> str:
    """Return what is wrong with a row's continuations; "" when all is well, or there are none."""
    if "continuations" not in row:
        return ""
    listed = row["continuations"]
    if not isinstance(listed, list | tuple) or not listed:
        return f"has continuations that are no list of texts: {listed!r:.100}"
    for one in listed:
        if isinstance(one, str):
            if not isinstance(row["prompt"], str):
                return "has a prompt of messages; continuations need plain text"
        elif not (
            isinstance(one, list | tuple)
            and len(one) == 2
            and isinstance(one[0], str | None)
            and isinstance(one[1], str)
        ):
            return f"has a continuation that is no text and no [context, text]: {one!r:.100}"
    return ""


def _tell(generator: Generator, rows: Sequence[Mapping[str, Any]]) -> Iterator[Completion]:
    if not isinstance(generator, LikelihoodGenerator):
        raise GeneratorError(
            f"{type(generator).__name__} cannot tell how likely a text is, which this benchmark needs: use "
            "the generator transformers, or lm-eval with a backend that can"
        )
    texts = [pairs(row) for row in rows]
    asked = [(index, place) for index, mine in enumerate(texts) for place in range(len(mine))]
    known: list[dict[int, Likelihood]] = [{} for _ in rows]
    refused = set()
    for number, told in generator.loglikelihood([texts[i][place] for i, place in asked]):
        index, place = asked[number]
        if isinstance(told, str):
            if index not in refused:  # one text without a likelihood leaves none to be the likeliest
                refused.add(index)
                yield Completion.refusal(index, told)
            continue
        logprob, greedy = told
        if isnan(logprob):
            raise GeneratorError(
                f"row {index}: the probability of {texts[index][place][1]!r:.100} is no number"
            )
        known[index][place] = (logprob, greedy)
        if len(known[index]) == len(texts[index]):
            found = tuple(known[index][place] for place in range(len(texts[index])))
            best = max(range(len(found)), key=lambda place: found[place][0])
            yield Completion(index, texts[index][best][1], "told", None, found)
