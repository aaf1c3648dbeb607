"""Several judges, each asked once or more; answers from a file where they are there; tokens and costs."""

import asyncio
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, fields
from typing import Any, Literal

from hub.errors import OptionError
from hub.options import check_options
from hub.score import Failure
from hub_judge.answers import AnswerFile, key_of
from hub_judge.server import NoAnswer, Server, ServerOptions
from hub_judge.task import Messages, Task

Mode = Literal["ask", "replay"]
NO_EFFECT = (
    "url",
    "cache",
    "mode",
    "prices",
    "judges.url",
    "judges.prices",
    *(f"server.{option.name}" for option in fields(ServerOptions) if option.name != "extra"),
)
"""Options of judges that decide no value: where they are, what they cost, how requests are sent."""


@dataclass(frozen=True)
class Seat:
    """One judge of a panel.

    Args:
        model: its name; "" where the row says it.
        url: its server, e.g. "http://localhost:8000/v1"; "": HUB_JUDGE_URL.
        prices: of a million tokens, by "prompt" and "completion".
    """

    model: str = ""
    url: str = ""
    prices: dict[str, float] | None = None


@dataclass(frozen=True)
class Answer:
    """What a judge said.

    Args:
        model: the judge.
        text: its answer.
        likely: log-probabilities of what may have been its first token.
        prompt_tokens: what it was given, by the server's count.
        completion_tokens: what it wrote.
        cost: of asking; 0 for one from the file.
        kept: it comes from the file.
    """

    model: str
    text: str
    likely: Mapping[str, float]
    prompt_tokens: int
    completion_tokens: int
    cost: float
    kept: bool


class Panel:
    """The judges of one reward.

    Args:
        model: the judge's name; "" where rows say it.
        url: its server; "": HUB_JUDGE_URL.
        judges: several judges in place of one: tables of `model`, `url` and `prices`.
        repeats: how often each is asked.
        cache: the file of answers; "": HUB_JUDGE_CACHE, and none where that is not set.
        mode: "ask", or "replay": only from the file, with no network.
        prices: of a million tokens, by "prompt" and "completion".
        server: how servers are asked (`ServerOptions`).

    Raises:
        OptionError: one is unfit, or there is no server to ask and no file to replay.
    """

    def __init__(
        self,
        model: str,
        url: str,
        judges: Sequence[Mapping[str, Any]] | None,
        repeats: int,
        cache: str,
        mode: Mode,
        prices: Mapping[str, float] | None,
        server: Mapping[str, Any] | None,
    ) -> None:
        for table in judges or ():
            if not isinstance(table, Mapping):
                raise OptionError(f"judges are tables of model, url and prices, not {table!r}")
            check_options(Seat, table, "a judge of the panel")
        check_options(ServerOptions, server or {}, "a judge's server")
        if judges and (model or url):
            raise OptionError("a panel: give judges, or model and url, not both")
        if repeats < 1:
            raise OptionError(f"repeats are at least 1, not {repeats}")
        given = [Seat(**table) for table in judges or ()]
        self.seats = given or [Seat(model, url, dict(prices) if prices else None)]
        self.repeats = repeats
        self.replays = mode == "replay" or os.environ.get("HUB_JUDGE_MODE") == "replay"
        path = cache or os.environ.get("HUB_JUDGE_CACHE", "")
        self._file = AnswerFile(path, read_only=self.replays) if path else None
        if self.replays and self._file is None:
            raise OptionError("to replay, a judge needs the file of answers: cache=FILE, or HUB_JUDGE_CACHE")
        self._urls = [seat.url or os.environ.get("HUB_JUDGE_URL", "") for seat in self.seats]
        for address in self._urls:
            if not self.replays and not re.match(r"https?://[^/@]+(/|$)", address):
                problem = f"not {address!r}" if address else "and none is given: url=..., or HUB_JUDGE_URL"
                raise OptionError(f"a judge's address is like http://host:port/v1 without a user, {problem}")
        self._server = Server(ServerOptions(**(server or {})))

    def connect(self) -> AbstractAsyncContextManager[Any]:
        """Open what the requests of one score go through."""
        return self._server.connect()

    async def ask(self, client: Any, messages: Messages, task: Task) -> "list[Answer | NoAnswer]":
        """Ask every judge, as often as is wanted; return what each said, or why it said nothing.

        Args:
            client: from `connect`.
            messages: what they are asked.
            task: how they are to answer.
        """
        asked = (
            self._one(client, seat, r, messages, task) for seat in range(len(self.seats)) for r in self._all
        )
        return await asyncio.gather(*asked)

    @property
    def _all(self) -> range:
        return range(self.repeats)

    async def _one(
        self, client: Any, seat: int, repeat: int, messages: Messages, task: Task
    ) -> "Answer | NoAnswer":
        try:
            return await self._find(client, seat, repeat, messages, task)
        except NoAnswer as problem:
            return problem

    async def _find(self, client: Any, seat: int, repeat: int, messages: Messages, task: Task) -> Answer:
        judge = self.seats[seat]
        model = judge.model or task.model
        if not model:
            detail = "the judge has no name: give the option model, or model in the row's column 'judge'"
            raise NoAnswer(Failure.SETUP, detail)
        body = self._body(model, repeat, messages, task)
        request = {**body, "repeat": repeat}
        key = key_of(request)
        found = self._file.get(key) if self._file else None
        if found is not None:
            return _read(model, found, None, kept=True)
        if self.replays:
            where = self._file.path if self._file else ""
            raise NoAnswer(Failure.UNAVAILABLE, f"{where} holds no answer of {model!r} to this question")
        url = f"{self._urls[seat].rstrip('/')}/chat/completions"
        told = await self._server.ask(client, url, body)
        answer = _read(model, told, judge.prices, kept=False)
        if self._file:
            try:
                self._file.add(key, request, told)
            except OSError as error:
                detail = f"{self._file.path}: cannot be written: {error.strerror or error}"
                raise NoAnswer(Failure.UNAVAILABLE, detail) from None
        return answer

    def _body(self, model: str, repeat: int, messages: Messages, task: Task) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": model,
            "messages": messages,
            "temperature": task.temperature,
            "max_tokens": task.max_tokens,
        }
        if task.tokens:
            body |= {"logprobs": True, "top_logprobs": 5}
        elif task.temperature > 0 or self.repeats > 1:
            body["seed"] = repeat
        extra = self._server.options.extra
        if "max_completion_tokens" in extra:  # what newer servers want in its place
            del body["max_tokens"]
        return body | extra


def account(answers: Iterable["Answer | NoAnswer"]) -> dict[str, Any]:
    """Return what answers cost: those that were asked for now, and how many came from the file.

    >>> account([Answer("m", "", {}, 10, 2, 0.5, False), Answer("m", "", {}, 10, 2, 0.0, True)])
    {'requests': 1, 'kept': 1, 'prompt_tokens': 10, 'completion_tokens': 2, 'cost': 0.5}
    """
    given = [answer for answer in answers if isinstance(answer, Answer)]
    asked = [answer for answer in given if not answer.kept]
    return {
        "requests": len(asked),
        "kept": len(given) - len(asked),
        "prompt_tokens": sum(answer.prompt_tokens for answer in asked),
        "completion_tokens": sum(answer.completion_tokens for answer in asked),
        "cost": math.fsum(answer.cost for answer in asked),
    }


def add_accounts(accounts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the sums of what `account` returns.

    >>> add_accounts([{"requests": 1, "cost": 0.5}, {"requests": 2, "cost": 0.25}])
    {'requests': 3, 'cost': 0.75}
    """
    found: dict[str, Any] = {}
    for one in accounts:
        for key, value in one.items():
            found[key] = found.get(key, 0) + value
    return found


def _read(model: str, told: Any, prices: Mapping[str, float] | None, *, kept: bool) -> Answer:
    """Read an answer of `/chat/completions`.

    Raises:
        NoAnswer: it is something else.
    """
    try:
        choice = told["choices"][0]
        text = choice["message"]["content"] or ""  # none: the model only reasoned
        first = (choice.get("logprobs") or {}).get("content") or [{}]
        likely = {one["token"]: float(one["logprob"]) for one in first[0].get("top_logprobs") or ()}
        usage = told.get("usage") or {}
        prompt, completion = (int(usage.get(f"{what}_tokens") or 0) for what in ("prompt", "completion"))
        if not isinstance(text, str):
            raise TypeError(f"the text is {text!r:.50}")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        detail = f"what {model!r} sent is no completion ({type(error).__name__}: {error}): {told!r:.200}"
        raise NoAnswer(Failure.UNAVAILABLE, detail) from None
    each = prices or {}
    cost = (prompt * each.get("prompt", 0.0) + completion * each.get("completion", 0.0)) / 1e6
    return Answer(model, text, likely, prompt, completion, cost, kept)
