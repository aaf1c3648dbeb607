"""The reward `judge-group`: the completions of one prompt, each against the others."""

import asyncio
import math
from itertools import combinations
from typing import Any

from hub.errors import HubError
from hub.sample import Sample
from hub.score import Failure, Score
from hub_judge.panel import NO_EFFECT, Answer, Mode, Panel, account
from hub_judge.server import NoAnswer
from hub_judge.task import Rows, Task
from hub_judge.template import COMPARE, RUBRIC, RULE, read_text
from hub_judge.versus import compare


class JudgeGroup:
    """The share of the group's other completions than which it is better; a tie counts half.

    Every two are compared in both orders, n * (n - 1) requests for n different completions; a win counts only
    where both orders agree, else it is a tie. Completions that are the same tie, and nobody is asked.

    A comparison without a verdict counts for neither completion; one that has no comparison left fails, for
    the reason of the last. A completion alone in its group abstains. `info` holds how many `comparisons` have
    counted and how many have `failed`, and, with the group's first completion, what all of them cost.

    Args:
        model: the judge's name at its server.
        url: its server, e.g. "http://localhost:8000/v1"; "": the environment's HUB_JUDGE_URL.
        rubric: by what is judged: text, or a .txt or .md file; "": a general one.
        template: the question: text or file; "": the hub's own. Fields: {prompt} {completion_a}
            {completion_b} {reference} {conversation} {rubric}.
        system: the system message; "": one that says what frames are.
        frames: put judged texts between marks that these cannot write themselves.
        patterns: regular expressions that find A, B or C (a tie); None: the last line is "Verdict: A".
        temperature: of the judge.
        max_tokens: longest answer of the judge.
        longest: characters of a text that is judged; of a longer one the middle is left out.
        rows: what a row's column `judge` may change: "data", its `rubric` and `fields`; "all", everything
            that `hub_judge.task.Task` lists, for rows that you trust as you trust this mix.
        judges: several judges in place of one: tables of model, url and prices.
        repeats: how often each is asked.
        cache: the file of answers; "": HUB_JUDGE_CACHE, and none where that is not set.
        mode: "ask", or "replay": answers come from the file only, with no network.
        prices: of a million tokens, by "prompt" and "completion".
        server: as for `judge`.

    Raises:
        OptionError: an option is unfit.
    """

    no_effect = NO_EFFECT

    def __init__(
        self,
        model: str = "",
        url: str = "",
        rubric: str = "",
        template: str = "",
        system: str = "",
        frames: bool = True,
        patterns: list[str] | None = None,
        temperature: float = 0.0,
        max_tokens: int = 1024,
        longest: int = 20_000,
        rows: Rows = "data",
        judges: list[Any] | None = None,
        repeats: int = 1,
        cache: str = "",
        mode: Mode = "ask",
        prices: dict[str, Any] | None = None,
        server: dict[str, Any] | None = None,
    ) -> None:
        self._panel = Panel(model, url, judges, repeats, cache, mode, prices, server)
        self._task = Task(
            read_text(template or COMPARE, "template"),
            read_text(system or RULE, "system message"),
            read_text(rubric or RUBRIC, "rubric"),
            tuple(patterns or ()),
            frames,
            temperature=temperature,
            max_tokens=max_tokens,
            longest=longest,
            rows=rows,
        )

    async def __call__(self, samples: list[Sample]) -> list[Score]:
        """Return each completion's share of wins, or why there is none."""
        readable: dict[int, str] = {}
        scores: dict[int, Score] = {}
        for place, sample in enumerate(samples):
            try:
                readable[place], _ = sample.text, sample.prompt_text
            except HubError as error:
                scores[place] = Score.failed(Failure.BAD_INPUT, str(error))
        scores |= await self._compare_all(samples, readable)
        return [scores[place] for place in range(len(samples))]

    async def _compare_all(self, samples: list[Sample], readable: dict[int, str]) -> dict[int, Score]:
        won: dict[int, list[float]] = {place: [] for place in readable}
        lost: dict[int, list[NoAnswer]] = {place: [] for place in readable}
        answers: list[Answer | NoAnswer] = []

        async def match(one: int, other: int) -> None:
            try:
                value, given = await self._match(client, samples[one], readable[one], readable[other])
            except NoAnswer as problem:
                lost[one].append(problem)
                lost[other].append(problem)
                return
            answers.extend(given)
            won[one].append(value)
            won[other].append(1.0 - value)

        async with self._panel.connect() as client:
            await asyncio.gather(*(match(one, other) for one, other in combinations(readable, 2)))
        found = {}
        for place in readable:
            info: dict[str, Any] = {"comparisons": len(won[place]), "failed": len(lost[place])}
            if place == min(readable):
                info["judge"] = account(answers)
            if won[place]:
                found[place] = Score(math.fsum(won[place]) / len(won[place]), info=info)
            elif lost[place]:
                found[place] = Score.failed(lost[place][-1].reason, lost[place][-1].detail, info)
            else:
                found[place] = Score.abstained("alone", "its group has no other completion")
        return found

    async def _match(
        self, client: Any, sample: Sample, one: str, other: str
    ) -> tuple[float, list[Answer | NoAnswer]]:
        if one == other:
            return 0.5, []
        task = self._task.for_row(sample)
        values, answers, problem = await compare(self._panel, client, sample, task, one, other)
        if problem is not None:
            raise problem
        return math.fsum(values) / len(values), answers
