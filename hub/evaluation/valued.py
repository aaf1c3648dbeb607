"""Benchmarks of rewards: rows come with completions, and what is evaluated tells what each of these is worth.

A row's column `completions` takes the place of a model's answer. Rewards, as a mix, take the model's place;
what they give a row's completions is the column `values`, which the benchmark's own rewards read.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from queue import SimpleQueue
from typing import Any

from hub.engine.engine import default_engine
from hub.engine.interface import AnyEngine
from hub.errors import BadInput, ConfigError, GeneratorError
from hub.evaluation.grading import Grader, Unit
from hub.evaluation.recipe import describe_mix
from hub.generator import Completion, Decoding
from hub.mix.combine import MixScore
from hub.mix.mix import Mix
from hub.sample import Sample, Text

ROWS_AT_ONCE = 16
"""Rows that one thread has valued in one call: what an interrupt can lose."""
HIDDEN = ("id", "prompt", "completions", "chosen")
"""Columns that rewards under test do not see: `chosen` tells which completions are the better ones."""


class RewardsUnderTest:
    """Rewards in a model's place: they complete nothing, and tell what given completions are worth.

    Args:
        mix: the rewards.
        engine: where they run; by default this process's own.

    Raises:
        ConfigError: one cannot be constructed.
    """

    def __init__(self, mix: Mix, engine: AnyEngine | None = None) -> None:
        self.mix, self._engine = mix, engine or default_engine()
        mix.warm(self._engine)
        self._description: dict[str, Any] = {
            "generator": "rewards",
            "model": name_mix(mix),
            "rewards": describe_mix(mix),
        }

    def generate(self, prompts: Sequence[Text], decoding: Decoding) -> Iterator[Completion]:
        """Refuse: rewards write nothing.

        Raises:
            GeneratorError: always.
        """
        raise GeneratorError(
            "rewards complete no prompts: --reward is for benchmarks whose rows have completions, such as "
            "preferences"
        )

    def value(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[Completion]:
        """Tell what each row's completions are worth; yield rows as they are ready, in any order.

        The text of what is yielded is the completion that is worth most, the first of several.

        Raises:
            RewardFailed: a reward failed, and the mix asks for that to stop the run.
        """
        found: SimpleQueue[list[tuple[Any, Sample, MixScore]] | BaseException | None] = SimpleQueue()
        grader = Grader(self.mix, self._engine, found.put, batch=ROWS_AT_ONCE)
        # Those of one length together, as models pad them to the longest of a batch.
        units = sorted(map(_unit, range(len(rows)), rows), key=_length, reverse=True)
        grader.add(units)
        threading.Thread(target=_finish, args=(grader, found), name="hub-values", daemon=True).start()
        try:
            while (scored := found.get()) is not None:
                if isinstance(scored, BaseException):
                    raise scored
                yield from _completions(scored)
        finally:
            grader.abandon()

    def describe(self) -> Mapping[str, Any]:
        """Return the rewards' names, options, code and versions."""
        return self._description

    def close(self) -> None:
        """Nothing to close: the rewards go with their engine."""


def check_valued(mix: Mix, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Raise unless rewards can value a benchmark's completions.

    Args:
        mix: the rewards.
        name: the benchmark's.
        rows: its rows.

    Raises:
        ConfigError: the rows have no completions, or lack a column that a reward needs.
    """
    if "completions" not in rows[0]:
        raise ConfigError(
            f"benchmark {name!r} has no completions that rewards could value, as preferences has: give a "
            "model in place of --reward; --mix grades with other rewards"
        )
    try:
        mix.check(_columns(row) for row in rows)
    except ConfigError as error:
        raise ConfigError(f"the rewards cannot be evaluated on benchmark {name!r}: {error}") from error


def problem_of_completions(row: Mapping[str, Any]) -> str:
    """Return what is wrong with a row's completions; "" when all is well, or there are none.

    >>> problem_of_completions({"completions": ["4", None]})
    'has completions that are no text or messages: the completion is NoneType, not text or a list of messages'
    """
    if "completions" not in row:
        return ""
    given = row["completions"]
    if not isinstance(given, list | tuple) or not given:
        return f"has completions that are no list: {given!r:.100}"
    if "continuations" in row:
        return "has completions and continuations: give one of the two"
    try:
        for one in given:
            assert Sample("", one).text is not None
    except BadInput as error:
        return f"has completions that are no text or messages: {error}"
    return ""


def name_mix(mix: Mix) -> str:
    """Return rewards for people: names, weights other than 1, options.

    >>> name_mix(Mix({"think-format": 0.2, "length": {"weight": 1.0, "with": {"max": 80}}}))
    '0.2 think-format + length(max=80)'
    """
    return " + ".join(map(_name, mix.rewards))


def _name(reward: Any) -> str:
    weight = reward.config.weight
    before = f"{weight.points[-1][1]:g} " if weight.points[-1][1] != 1 else ""
    options = ", ".join(f"{name}={value}" for name, value in reward.config.options.items())
    return f"{before}{reward.name}{options and f'({options})'}"


def _unit(index: int, row: Mapping[str, Any]) -> Unit:
    columns = _columns(row)
    return [
        ((index, place), Sample(row["prompt"], completion, columns, group=index))
        for place, completion in enumerate(row["completions"])
    ]


def _columns(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in HIDDEN}


def _length(unit: Unit) -> int:
    return max(len(sample.prompt_text) + len(sample.text) for _, sample in unit)


def _finish(grader: Grader, found: SimpleQueue[Any]) -> None:
    try:
        grader.finish()
    except BaseException as error:
        found.put(error)
    else:
        found.put(None)


def _completions(scored: Sequence[tuple[tuple[int, int], Sample, MixScore]]) -> Iterator[Completion]:
    rows: dict[int, list[tuple[Sample, MixScore]]] = {}
    for (index, _), sample, score in scored:
        rows.setdefault(index, []).append((sample, score))
    for index, members in rows.items():
        best = max(members, key=lambda member: float("-inf") if (v := member[1].value) is None else v)
        values = tuple(
            {**score.total.as_dict(), "scores": {name: one.as_dict() for name, one in score.scores.items()}}
            for _, score in members
        )
        yield Completion(index, best[0].text, "told", values=values)
