"""Asks a server that speaks OpenAI's protocol: what is tried again, how long, how often a minute."""

import asyncio
import json
import os
import random
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from hub.errors import OptionError
from hub.score import Failure

if TYPE_CHECKING:
    import httpx

LONGEST_WAIT_S = 60.0
RETRIED = (408, 409, 429)
"""Statuses below 500 that may be answered differently later; 500 and above are tried again too."""


class NoAnswer(Exception):
    """There is no answer that can be used.

    Args:
        reason: as the score that it becomes says.
        detail: for a person.
    """

    def __init__(self, reason: Failure, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class ServerOptions:
    """How a server is asked.

    Args:
        concurrency: requests at once.
        requests_per_minute: at most so many begin in a minute, evenly spread; 0: no limit.
        retries: further tries after overload (429), a server's failure (5xx) or a broken connection.
        backoff_s: seconds before the first retry; doubles with each. `Retry-After` counts more.
        timeout_s: longest that one try may take.
        wait_s: longest that one answer may take, with all tries and the waits between them; waiting for a
            place among `concurrency` or for a turn in `requests_per_minute` does not count.
        key: the environment variable that holds the key; it is sent and recorded nowhere.
        extra: more keys for the body of each request, e.g. {"reasoning_effort": "low"}.

    Raises:
        OptionError: one is out of range.
    """

    concurrency: int = 16
    requests_per_minute: float = 0.0
    retries: int = 5
    backoff_s: float = 0.5
    timeout_s: float = 120.0
    wait_s: float = 900.0
    key: str = "HUB_JUDGE_API_KEY"
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        least = (self.requests_per_minute, self.retries, self.backoff_s)
        if self.concurrency < 1 or min(least) < 0 or min(self.timeout_s, self.wait_s) <= 0:
            raise OptionError(
                "a judge's server: concurrency is at least 1; requests_per_minute, retries and backoff_s are "
                "at least 0; timeout_s and wait_s are greater than 0"
            )


class Server:
    """Sends requests to one reward's judges; its limits hold for all of them together.

    Args:
        options: how they are asked.
    """

    def __init__(self, options: ServerOptions) -> None:
        import ssl

        self.options = options
        self._context = ssl.create_default_context()  # made once: it takes a while
        self._lock = threading.Lock()
        self._next = 0.0
        # A semaphore belongs to an event loop, and the engine begins a new one where the old is blocked.
        self._places: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    @asynccontextmanager
    async def connect(self) -> "AsyncIterator[httpx.AsyncClient]":
        """Open the connections of one score: like semaphores, they belong to an event loop."""
        import httpx

        key = os.environ.get(self.options.key)
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        limit = httpx.Timeout(self.options.timeout_s)
        async with httpx.AsyncClient(headers=headers, timeout=limit, verify=self._context) as client:
            yield client

    async def ask(self, client: "httpx.AsyncClient", url: str, body: dict[str, Any]) -> Any:
        """Return the JSON of a server's answer.

        Args:
            client: from `connect`.
            url: of the endpoint.
            body: of the request.

        Raises:
            NoAnswer: the server cannot be reached, has no room, refuses, or answers with something else.
        """
        loop = asyncio.get_running_loop()
        if loop not in self._places:
            self._places[loop] = asyncio.Semaphore(self.options.concurrency)
        try:
            async with self._places[loop], asyncio.timeout(self.options.wait_s) as limit:
                return await self._try(client, url, body, limit)
        except TimeoutError:
            detail = f"{url}: no answer within {self.options.wait_s:g} s"
            raise NoAnswer(Failure.UNAVAILABLE, detail) from None

    async def _try(
        self, client: "httpx.AsyncClient", url: str, body: dict[str, Any], limit: asyncio.Timeout
    ) -> Any:
        import httpx

        # Not `json=`: that raises on lone surrogates, which json.dumps writes as escapes.
        content = json.dumps(body)
        wait, problem = 0.0, NoAnswer(Failure.UNAVAILABLE, f"{url}: was not asked")
        for attempt in range(self.options.retries + 1):
            await asyncio.sleep(wait)
            wait = min(
                LONGEST_WAIT_S, self.options.backoff_s * 2**attempt * random.Random().uniform(0.5, 1.5)
            )
            await self._take_turn(limit)
            try:
                async with asyncio.timeout(self.options.timeout_s):
                    answer = await client.post(url, content=content)
            except TimeoutError:  # httpx's own limit is for each piece of an answer
                detail = f"{url}: no whole answer within {self.options.timeout_s:g} s"
                problem = NoAnswer(Failure.UNAVAILABLE, detail)
                continue
            except httpx.TransportError as error:
                problem = NoAnswer(Failure.UNAVAILABLE, f"{url}: {type(error).__name__}: {error}")
                continue
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise NoAnswer(Failure.UNAVAILABLE, f"{url}: {type(error).__name__}: {error}") from error
            status = answer.status_code
            if status < 300:
                return _json(answer, url)
            told = f"{url}: HTTP {status}: {answer.text[:200]!r}"
            if status in (401, 403):
                told += f" (the key is read from {self.options.key})"
            if status not in RETRIED and status < 500:
                raise NoAnswer(Failure.UNAVAILABLE if status in (401, 403, 404) else Failure.EXCEPTION, told)
            problem = NoAnswer(Failure.OVERLOADED if status == 429 else Failure.UNAVAILABLE, told)
            wait = _retry_after(answer.headers.get("retry-after", ""), wait)
        raise problem

    async def _take_turn(self, limit: asyncio.Timeout) -> None:
        """Wait until the rate allows one more request; this wait is not the server's, so the limit moves."""
        if not self.options.requests_per_minute:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + 60.0 / self.options.requests_per_minute
        loop, end = asyncio.get_running_loop(), limit.when()
        left = None if end is None else end - loop.time()
        limit.reschedule(None)
        await asyncio.sleep(turn - now)
        limit.reschedule(None if left is None else loop.time() + left)


def _json(answer: "httpx.Response", url: str) -> Any:
    try:
        return answer.json()
    except ValueError:
        detail = f"{url}: answered with something that is not JSON: {answer.text[:200]!r}"
        raise NoAnswer(Failure.UNAVAILABLE, detail) from None


def _retry_after(asked: str, otherwise: float) -> float:
    """Seconds that the server asks to wait; it names seconds, or a date (RFC 9110, section 10.2.3)."""
    try:
        seconds = float(asked)
    except ValueError:
        try:
            moment = parsedate_to_datetime(asked)
        except ValueError:
            return otherwise
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(LONGEST_WAIT_S, max(0.0, seconds)) if seconds == seconds else otherwise
