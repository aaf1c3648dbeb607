"""Clients of a reward service: score samples as the mix itself would, bit for bit.

    client = Client("http://rewards:8000", "mix", token="...")
    results = client.score(samples)          # one hub.MixScore per sample, in their order

They send samples in parts, several at once, and repeat what failed by the network's or the service's fault,
under a key by which the service knows a repetition. Not here: the service's other protocols, which trainers
speak.
"""

import asyncio
import os
import random
import threading
import time
import uuid
import weakref
from collections.abc import Coroutine, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from hub.errors import BadInput, HubError, MissingDependency, RewardFailed
from hub.mix.combine import MixScore
from hub.sample import Sample
from hub_serve.wire import read_results, write_samples

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
_AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504))
_LONGEST_WAIT_S = 30.0


class ServiceError(HubError):
    """A reward service did not give the scores that it was asked for."""


class ServiceUnavailable(ServiceError):
    """It could not be reached, or had no room, for as long as the client was patient."""


class ServiceRefused(ServiceError):
    """It does not take the request: a wrong token, no such mix, too large a group."""


class AsyncClient:
    """Scores samples with a mix of a service, from coroutines of one event loop.

    Args:
        url: where it is, e.g. "http://rewards:8000".
        mix: which of its mixes; None: the first.
        token: what the service asks for; None: $HUB_TOKEN where it is set.
        batch: samples sent at once; a group that is to be compared is never cut.
        concurrency: requests under way at once.
        timeout_s: seconds without a byte of the answer after which a request is sent again.
        patience_s: seconds for which a request is repeated that fails.
    """

    def __init__(
        self,
        url: str,
        mix: str | None = None,
        *,
        token: str | None = None,
        batch: int = 64,
        concurrency: int = 16,
        timeout_s: float = 600.0,
        patience_s: float = 120.0,
    ) -> None:
        try:
            import httpx
        except ImportError:
            raise MissingDependency(
                "a client of hub serve needs httpx: pip install 'posttrain-hub[serve]'"
            ) from None
        if batch < 1 or concurrency < 1:
            raise BadInput("batch and concurrency should be at least 1")
        self.url, self.mix, self.batch, self.patience_s = url.rstrip("/"), mix, batch, patience_s
        token = token or os.environ.get("HUB_TOKEN", "").strip() or None
        if token and (not token.isprintable() or " " in token):
            raise BadInput("the token should have no spaces, line ends or other characters that are not seen")
        self._http = httpx.AsyncClient(
            headers={b"Authorization": b"Bearer " + token.encode()} if token else {},
            limits=httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency),
            timeout=httpx.Timeout(timeout_s, connect=10.0, pool=None),
        )
        self._room = asyncio.Semaphore(concurrency)
        self._about: dict[str, Any] | None = None

    async def about(self) -> Mapping[str, Any]:
        """Return what the service says of the mix: name, sha256, rewards, weights, compares, is_scheduled.

        Raises:
            ServiceError: it cannot be asked, or has no such mix.
        """
        if self._about is None:
            answer = await self._ask("GET", f"{self.url}/v1/mixes", None)
            try:
                mixes = {each["name"]: each for each in answer["mixes"]}
                self._about = mixes[self.mix] if self.mix is not None else next(iter(mixes.values()))
            except (TypeError, AttributeError):
                raise ServiceRefused(f"{self.url} is no reward service: {answer!r:.200}") from None
            except (KeyError, StopIteration):
                known = ", ".join(mixes) or "none"
                raise ServiceRefused(f"{self.url} has no mix {self.mix!r} (it has: {known})") from None
        return self._about

    async def score(
        self, samples: Iterable[Sample], *, step: int | None = None, engine: None = None
    ) -> list[MixScore]:
        """Score samples: one result per sample, in their order, as `hub.Mix.score` gives them.

        Args:
            samples: what they hold must be what JSON has (a tuple arrives as a list).
            step: the training step, for schedules.
            engine: the service has its own.

        Raises:
            BadInput: a sample holds what JSON does not have.
            RewardFailed: a reward failed and the mix says `on_failure = "raise"`.
            ServiceUnavailable: the service was not there, or had no room, for `patience_s`.
            ServiceRefused: it does not take the request.
        """
        listed = list(samples)
        about = await self.about()
        groups: Sequence[int | None] = [None] * len(listed)
        starts = range(0, len(listed), self.batch)
        parts = [list(range(start, min(start + self.batch, len(listed)))) for start in starts]
        if about["compares"]:
            groups = numbers = _numbered(listed)
            parts = _whole_groups(numbers, self.batch)
        results: list[MixScore | None] = [None] * len(listed)

        async def ask(part: list[int]) -> None:
            for index, result in zip(part, await self._score(listed, groups, part, step), strict=True):
                results[index] = result

        tasks = [asyncio.ensure_future(ask(part)) for part in parts]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        return [result for result in results if result is not None]

    ascore = score

    async def _score(
        self, samples: Sequence[Sample], groups: Sequence[int | None], part: list[int], step: int | None
    ) -> list[MixScore]:
        assert self._about is not None
        url = f"{self.url}/v1/mixes/{self._about['name']}/score"
        body = write_samples([samples[index] for index in part], [groups[index] for index in part], step)
        try:
            async with self._room:
                answer = await self._ask("POST", url, body)
        except _TooLarge as error:
            middle = len(part) // 2
            if groups[part[0]] is not None or not middle:  # groups are not cut
                raise ServiceRefused(str(error)) from None
            halves = part[:middle], part[middle:]
            found = [await self._score(samples, groups, half, step) for half in halves]
            return [*found[0], *found[1]]
        try:
            return read_results(answer, len(part))
        except ValueError as error:
            raise ServiceRefused(f"{url}: {error}") from error

    async def _ask(self, method: str, url: str, body: bytes | None) -> Any:
        """Send a request, again and again where that may help; return the answer's JSON."""
        import httpx

        headers = {"Idempotency-Key": uuid.uuid4().hex, "Content-Type": "application/json"}
        end, attempt = time.monotonic() + self.patience_s, 0
        while True:
            wait_s = 0.0
            try:
                response = await self._http.request(
                    method, url, content=body, headers=headers if body is not None else {}
                )
                if response.status_code not in _AGAIN:
                    return _read(response, url)
                trouble = _trouble(response, url)
                wait_s = _retry_after(response.headers.get("Retry-After"))
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise ServiceRefused(f"{url} is no address: {error}") from error
            except httpx.HTTPError as error:
                trouble = f"{url} does not answer: {type(error).__name__}: {error}"
            attempt += 1
            backoff = min(_LONGEST_WAIT_S, 0.1 * 2**attempt) * random.uniform(0.5, 1.0)
            wait_s = max(backoff, wait_s * random.uniform(1.0, 1.5))
            if time.monotonic() + wait_s > end:
                raise ServiceUnavailable(f"{trouble} (asked {attempt} times in {self.patience_s:g} s)")
            await asyncio.sleep(wait_s)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class Client:
    """The same from ordinary code, any thread and inside running event loops; it can be pickled and forked.

    It has what code uses of a `hub.Mix` that it scores with: `score`, `ascore`, `names`, `groupwise`,
    `compares` and `is_scheduled`; so it can stand in a mix's place, e.g. in `hub.Gatherer`. Its thread ends
    when it is closed, or when nobody has it any more.

    Args:
        url: as for `AsyncClient`.
        mix: as for `AsyncClient`.
        options: its others.
    """

    def __init__(self, url: str, mix: str | None = None, **options: Any) -> None:
        self._arguments = (url, mix, options)
        self._lock = threading.Lock()
        self._closed = False
        self._start()

    def score(
        self, samples: Iterable[Sample], *, step: int | None = None, engine: None = None
    ) -> list[MixScore]:
        """Score samples; see `AsyncClient.score`. An interrupt while waiting cancels what is under way."""
        waiting = self._call(self._client().score(samples, step=step))
        try:
            return waiting.result()
        except BaseException:
            waiting.cancel()
            raise

    async def ascore(
        self, samples: Iterable[Sample], *, step: int | None = None, engine: None = None
    ) -> list[MixScore]:
        """`score` from a coroutine; cancelling it cancels the work."""
        return await asyncio.wrap_future(self._call(self._client().score(samples, step=step)))

    @property
    def names(self) -> tuple[str, ...]:
        """The rewards' names."""
        return tuple(self.about()["rewards"])

    @property
    def groupwise(self) -> tuple[str, ...]:
        """Names of rewards that compare the completions of one prompt."""
        return tuple(self.about()["groupwise"])

    @property
    def compares(self) -> tuple[str, ...]:
        """What in the mix needs all completions of a prompt at once; empty where nothing does."""
        return tuple(self.about()["compares"])

    @property
    def is_scheduled(self) -> bool:
        """Whether a weight changes over training steps."""
        return bool(self.about()["is_scheduled"])

    def about(self) -> Mapping[str, Any]:
        """Return what the service says of the mix; see `AsyncClient.about`."""
        return self._call(self._client().about()).result()

    def close(self) -> None:
        """Close the connections and end the thread; what is under way is cancelled."""
        with self._lock:
            self._closed = True
            self._end()
            if self._pid == os.getpid():
                self._thread.join()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        url, mix, options = self._arguments
        return (_again, (url, mix, options))

    def _client(self) -> AsyncClient:
        """The client that sends, of this process: a fork's has no thread."""
        with self._lock:
            if self._closed:
                raise ServiceError("this client is closed")
            if self._pid != os.getpid():
                self._start()
            return self._inner

    def _start(self) -> None:
        url, mix, options = self._arguments
        self._inner = AsyncClient(url, mix, **options)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=_run, args=(self._loop, self._inner), name="hub-serve-client", daemon=True
        )
        self._thread.start()
        self._pid = os.getpid()
        self._end = weakref.finalize(self, _stop, self._loop, self._pid)
        self._end.atexit = False

    def _call(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)


def _run(loop: asyncio.AbstractEventLoop, inner: AsyncClient) -> None:
    """What a client's thread does until it is closed, or nobody has it any more."""
    loop.run_forever()
    loop.run_until_complete(_end(inner))
    loop.close()


async def _end(inner: AsyncClient) -> None:
    under_way = asyncio.all_tasks() - {asyncio.current_task()}
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)
    await inner.aclose()
    await asyncio.sleep(0)  # transports close their sockets in the loop's next round


def _stop(loop: asyncio.AbstractEventLoop, pid: int) -> None:
    if pid == os.getpid():
        loop.call_soon_threadsafe(loop.stop)


class _TooLarge(Exception):
    """The service takes smaller requests than this."""


def _again(url: str, mix: str | None, options: dict[str, Any]) -> Client:
    return Client(url, mix, **options)


def _numbered(samples: Sequence[Sample]) -> list[int]:
    """A number for each sample's group: its own, or its prompt."""
    numbers: dict[Hashable, int] = {}
    keys = ((True, s.group) if s.group is not None else (False, repr(s.prompt)) for s in samples)
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def _whole_groups(groups: Sequence[int], batch: int) -> list[list[int]]:
    """Parts of about `batch` samples, each of whole groups."""
    members: dict[int, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    parts: list[list[int]] = []
    for mine in members.values():
        if not parts or len(parts[-1]) + len(mine) > batch:
            parts.append([])
        parts[-1] += mine
    return parts


def _read(response: "httpx.Response", url: str) -> Any:
    if response.status_code == 413:
        raise _TooLarge(_trouble(response, url))
    if response.status_code != 200:
        raise ServiceRefused(_trouble(response, url))
    try:
        return response.json()
    except ValueError as error:
        raise ServiceRefused(f"{url} answered what is not JSON: {error}") from error


def _trouble(response: "httpx.Response", url: str) -> str:
    """What an answer says is wrong.

    Raises:
        RewardFailed: a reward failed, and the mix stops at that.
    """
    try:
        error = response.json()["error"]
        code, message = error["code"], error["message"]
    except (ValueError, TypeError, KeyError):
        code, message = "", response.text[:300]
    if code == "reward_failed":
        raise RewardFailed(message)
    return f"{url} answered {response.status_code}: {message}"


def _retry_after(header: str | None) -> float:
    try:
        return max(0.0, float(header)) if header else 0.0
    except ValueError:  # a date
        return 0.0
