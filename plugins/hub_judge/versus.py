"""The reward `judge-versus`: a completion against the row's reference."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import pstdev
from typing import Any, TypeAlias

from hub.sample import Sample
from hub.score import Failure, Score
from hub_judge.absolute import in_controls, texts
from hub_judge.controls import make_controls
from hub_judge.panel import NO_EFFECT, Answer, Mode, Panel, account, add_accounts
from hub_judge.server import NoAnswer
from hub_judge.task import Rows, Task
from hub_judge.template import CHOOSE, COMPARE, RUBRIC, RULE, read_text, writes_frame
from hub_judge.verdict import read_tokens, read_verdict

Before: TypeAlias = tuple[Sequence[str], Sequence[str]]
"""What came before in a conversation: the turns of the one, and of the other."""


async def compare(
    panel: Panel,
    client: Any,
    sample: Sample,
    task: Task,
    one: str,
    other: str,
    before: Before = ((), ()),
) -> tuple[list[float], list[Answer | NoAnswer], NoAnswer | None]:
    """Have two texts compared.

    Args:
        panel: the judges.
        client: from its `connect`.
        sample: says what was asked.
        task: how; with both orders, a win counts only where both agree, else it is a tie.
        one: a text.
        other: the one it is compared with.
        before: in a conversation, what came before each of them on its side.

    Returns:
        Of each judge and repeat 1.0 (the first is better) to 0.0; every answer; and the first problem, if
        there was one.
    """
    orders = (False, True) if task.swap is None else (task.swap,)
    sides = ([*before[0], one], [*before[1], other])
    asked = [
        task.messages(sample, **_texts("a", sides[swap]), **_texts("b", sides[not swap])) for swap in orders
    ]
    answers = await asyncio.gather(*(panel.ask(client, messages, task) for messages in asked))
    values: list[float] = []
    problem = None
    for votes in zip(*answers, strict=True):
        try:
            read = [_read(vote, task, swap) for vote, swap in zip(votes, orders, strict=True)]
        except NoAnswer as error:
            problem = problem or error
            continue
        agree = len(set(read)) == 1
        values.append(math.fsum(read) / len(read) if task.tokens else read[0] if agree else 0.5)
    return values, [answer for listed in answers for answer in listed], problem


def _texts(side: str, turns: Sequence[str]) -> dict[str, str]:
    """The fields of one side: completion_a, and by turn completion_a_1, completion_a_2, ..."""
    by_turn = {f"completion_{side}_{number}": text for number, text in enumerate(turns, 1)}
    return {f"completion_{side}": turns[-1], **by_turn}


class JudgeVersus:
    """Whether the judges prefer the completion to the row's `reference`: 1.0, a tie 0.5, else 0.0.

    Each judge is asked in both orders, and a win counts only where both agree. With `by_token`, the judge
    writes one token, and the value is the probability with which it chooses the completion, the mean of both
    orders.

    In a conversation, `reference` may be a list: its answers in each turn, the last of which is compared. The
    template's fields {completion_a_1} {completion_a_2} {completion_b_1} ... have all turns of both sides.

    `info` as for `judge`; what fails, fails as there. Two texts that are the same are a tie, and nobody is
    asked.

    Args:
        model: the judge's name at its server.
        url: its server, e.g. "http://localhost:8000/v1"; "": the environment's HUB_JUDGE_URL.
        rubric: by what is judged: text, or a .txt or .md file; "": a general one.
        template: the question: text or file; "": the hub's own. Fields as for `judge`, and {completion_a},
            {completion_b}.
        system: the system message; "": one that says what frames are.
        frames: put judged texts between marks that these cannot write themselves.
        patterns: regular expressions that find A, B or C (a tie); None: the last line is "Verdict: A".
        by_token: the judge writes one of the `tokens`, and tells how likely each was (log-probabilities).
        tokens: the token for the first and for the second answer.
        temperature: of the judge.
        max_tokens: longest answer of the judge.
        longest: characters of a text that is judged; of a longer one the middle is left out.
        rows: what a row's column `judge` may change: "data", its `rubric` and `fields`; "all", everything
            that `hub_judge.task.Task` lists, for rows that you trust as you trust this mix.
        judges: several judges in place of one: tables of model, url and prices.
        repeats: how often each is asked.
        controls: compare a null, a constant and an injected completion beside each; in `info`.
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
        by_token: bool = False,
        tokens: list[str] | None = None,
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
        self._panel = Panel(model, url, judges, repeats, cache, mode, prices, server)
        self._task = Task(
            read_text(template or (CHOOSE if by_token else COMPARE), "template"),
            read_text(system or RULE, "system message"),
            read_text(rubric or RUBRIC, "rubric"),
            tuple(patterns or ()),
            frames,
            tokens=tuple(tokens or ("A", "B")) if by_token else (),
            controls=controls,
            temperature=temperature,
            max_tokens=1 if by_token else max_tokens,
            longest=longest,
            rows=rows,
        )

    async def __call__(self, sample: Sample) -> Score:
        """Return how much better the completion is, or why that is not known."""
        given = sample["reference"]
        theirs = [given] if isinstance(given, str) else given
        if not isinstance(theirs, list) or not theirs or not all(isinstance(text, str) for text in theirs):
            what = type(given).__name__
            return Score.failed(
                Failure.BAD_REFERENCE, f"the reference is {what}, not text or a list of the text of each turn"
            )
        try:
            task = self._task.for_row(sample)
            before = (_earlier(sample) if len(theirs) > 1 else [], theirs[:-1])
            reference = theirs[-1]
            if [*before[0], sample.text] == theirs and not task.controls:
                return Score(0.5, "same_text")
            bare = replace(sample, columns={k: v for k, v in sample.columns.items() if k != "reference"})
            async with self._panel.connect() as client:
                score = await self._versus(client, bare, task, sample.text, reference, before)
                others = await self._controls(client, bare, task, reference, before) if task.controls else {}
        except NoAnswer as problem:
            return Score.failed(problem.reason, problem.detail)
        info = {**score.info, **others}
        if others:
            info["judge"] = add_accounts(one["judge"] for one in (score.info, others) if "judge" in one)
        if writes_frame(task.template, sample.text):
            info["tries_frame"] = True
        return replace(score, info=info)

    async def _versus(
        self, client: Any, sample: Sample, task: Task, text: str, reference: str, before: Before
    ) -> Score:
        if text == reference and before[0] == before[1]:
            return Score(0.5, "same_text")
        values, answers, problem = await compare(self._panel, client, sample, task, text, reference, before)
        return _as_score(values, answers, problem)

    async def _controls(
        self, client: Any, sample: Sample, task: Task, reference: str, before: Before
    ) -> dict[str, Any]:
        scores: dict[str, Score] = {}
        place = 1 if task.swap else 0
        tokens = task.tokens and (task.tokens[place],)
        for name, text in make_controls(task.template, task.high, tokens).items():
            scores[name] = await self._versus(client, sample, task, text, reference, before)
        return in_controls(scores)


def _earlier(sample: Sample) -> list[str]:
    """What the model answered in the turns before."""
    messages = () if isinstance(sample.prompt, str) else sample.prompt
    return [Sample("", [message]).text for message in messages if message.get("role") == "assistant"]


def _as_score(
    values: Sequence[float], answers: Sequence[Answer | NoAnswer], problem: NoAnswer | None
) -> Score:
    info: dict[str, Any] = {"verdicts": list(values), "judge": account(answers), "answers": texts(answers)}
    if len(values) > 1:
        info["spread"] = pstdev(values)
    if problem is not None:
        return Score.failed(problem.reason, problem.detail, info)
    return Score(math.fsum(values) / len(values), info=info)


def _read(vote: Answer | NoAnswer, task: Task, swap: bool) -> float:
    """What a vote says of the text that is compared."""
    if isinstance(vote, NoAnswer):
        raise vote
    value = read_tokens(vote.likely, *task.tokens) if task.tokens else read_verdict(vote.text, task.patterns)
    return 1.0 - value if swap else value
