"""The reward `judge`: the rating of a completion."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import pstdev
from typing import Any

from hub.errors import OptionError
from hub.sample import Sample
from hub.score import Score
from hub_judge.controls import make_controls
from hub_judge.panel import NO_EFFECT, Answer, Mode, Panel, account, add_accounts
from hub_judge.server import NoAnswer
from hub_judge.task import Rows, Task
from hub_judge.template import RATE, RUBRIC, RULE, read_text, writes_frame
from hub_judge.verdict import read_rating

SHOWN = 2000
"""Characters of a judge's answer that are kept with the score."""


class Judge:
    """Rates the completion; the mean of all judges and repeats.

    Where a judge's answer has no rating, or one that is out of range, the sample fails with `bad_value`;
    where there is no answer, with `unavailable` or `overloaded`. Neither is ever a number.

    The score's `info` holds `ratings`, their `spread` (standard deviation), what the judges wrote,
    `tries_frame` where the completion writes what the template has around it, and `judge`: requests, tokens
    and cost.

    The column `judge` of a row, a mapping, changes the rubric for that row, and adds fields (see `rows`).

    Args:
        model: the judge's name at its server.
        url: its server, e.g. "http://localhost:8000/v1"; "": the environment's HUB_JUDGE_URL.
        rubric: by what is rated: text, or a .txt or .md file; "": a general one.
        template: the question: text or file; "": the hub's own. Fields: {prompt} {completion} {reference}
            {conversation} {rubric} {low} {high}, of several turns {prompt_1} {completion_1} ...
        system: the system message; "": one that says what frames are.
        frames: put judged texts between marks that these cannot write themselves.
        low: lowest rating.
        high: highest rating.
        normalize: turn ratings into 0 to 1.
        words: words that the judge chooses from in place of a number, and what each stands for, e.g.
            {good = 10, poor = 1}; its last line is the word, or "Verdict: WORD"; needs a template.
        patterns: regular expressions that find the rating, tried in turn; None: the last line is "Rating: N".
        temperature: of the judge.
        max_tokens: longest answer of the judge.
        longest: characters of a text that is judged; of a longer one the middle is left out.
        rows: what a row's column `judge` may change: "data", its `rubric` and `fields`; "all", everything
            that `hub_judge.task.Task` lists, for rows that you trust as you trust this mix.
        judges: several judges in place of one: tables of model, url and prices.
        repeats: how often each is asked.
        controls: rate a null, a constant and an injected completion beside each; in `info`.
        cache: the file of answers; "": HUB_JUDGE_CACHE, and none where that is not set.
        mode: "ask", or "replay": answers come from the file only, with no network.
        prices: of a million tokens, by "prompt" and "completion".
        server: concurrency, requests_per_minute, retries, backoff_s, timeout_s, wait_s, key (the name of the
            environment variable that holds it), extra.

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
        low: float = 1.0,
        high: float = 10.0,
        normalize: bool = True,
        words: dict[str, Any] | None = None,
        patterns: list[str] | None = None,
        temperature: float = 0.0,
        max_tokens: int = 1024,
        longest: int = 20_000,
        rows: Rows = "data",
        judges: list[Any] | None = None,
        repeats: int = 1,
        controls: bool = False,
        cache: str = "",
        mode: Mode = "ask",
        prices: dict[str, Any] | None = None,
        server: dict[str, Any] | None = None,
    ) -> None:
        if words and not template:
            raise OptionError("a judge's words: give a template that asks for one of them")
        self._panel = Panel(model, url, judges, repeats, cache, mode, prices, server)
        self._task = Task(
            read_text(template or RATE, "template"),
            read_text(system or RULE, "system message"),
            read_text(rubric or RUBRIC, "rubric"),
            tuple(patterns or ()),
            frames,
            low=low,
            high=high,
            normalize=normalize,
            words=words or {},
            controls=controls,
            temperature=temperature,
            max_tokens=max_tokens,
            longest=longest,
            rows=rows,
        )

    async def __call__(self, sample: Sample) -> Score:
        """Return the mean rating, or why there is none."""
        try:
            task = self._task.for_row(sample)
            messages = task.messages(sample)
        except NoAnswer as problem:
            return Score.failed(problem.reason, problem.detail)
        async with self._panel.connect() as client:
            answers = await self._panel.ask(client, messages, task)
            others = await self._controls(client, sample, task) if task.controls else {}
        score = _rate(answers, task)
        spent = add_accounts(one["judge"] for one in (score.info, others) if "judge" in one)
        info = {**score.info, **others, "judge": spent}
        if writes_frame(task.template, sample.text):
            info["tries_frame"] = True
        return replace(score, info=info)

    async def _controls(self, client: Any, sample: Sample, task: Task) -> dict[str, Any]:
        scores: dict[str, Score] = {}
        for name, text in make_controls(task.template, task.high, ()).items():
            messages = task.messages(replace(sample, completion=text))
            scores[name] = _rate(await self._panel.ask(client, messages, task), task)
        return in_controls(scores)


def _rate(answers: Sequence[Answer | NoAnswer], task: Task) -> Score:
    read = [_read(answer, task) for answer in answers]
    ratings = [one for one in read if isinstance(one, float)]
    info: dict[str, Any] = {
        "ratings": [one if isinstance(one, float) else None for one in read],
        "judge": account(answers),
        "answers": texts(answers),
    }
    if len(ratings) > 1:
        info["spread"] = pstdev(ratings)
    problem = next((one for one in read if isinstance(one, NoAnswer)), None)
    if problem is not None:
        return Score.failed(problem.reason, problem.detail, info)
    mean = math.fsum(ratings) / len(ratings)
    return Score((mean - task.low) / (task.high - task.low) if task.normalize else mean, info=info)


def _read(answer: Answer | NoAnswer, task: Task) -> float | NoAnswer:
    if isinstance(answer, NoAnswer):
        return answer
    try:
        return read_rating(answer.text, task.patterns, task.low, task.high, task.words)
    except NoAnswer as problem:
        return problem


def in_controls(scores: Mapping[str, Score]) -> dict[str, Any]:
    """Return what `info` says of controls: what each got, and what judging them took."""
    spent = add_accounts(score.info["judge"] for score in scores.values() if "judge" in score.info)
    return {"controls": {name: score.value for name, score in scores.items()}, "judge": spent}


def texts(answers: Sequence[Answer | NoAnswer]) -> list[dict[str, str]]:
    """Return what judges wrote, the end of it where it is long."""
    return [
        {"model": answer.model, "text": answer.text[-SHOWN:]}
        for answer in answers
        if isinstance(answer, Answer)
    ]
