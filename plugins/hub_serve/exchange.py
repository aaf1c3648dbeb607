"""One request and its answer, as the endpoints see it."""

import asyncio
import json
import re
import secrets
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from hub_serve.refused import CLOSE, ClientGone, Refused

T = TypeVar("T")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")


@dataclass(eq=False)
class Exchange:
    """A request that is being answered.

    Args:
        scope: ASGI's.
        receive: ASGI's.
        headers: the request's, by name in small letters; of one given twice the last.
        id: the client's `X-Request-Id`, or a new one.
        route: the path's pattern, for metrics.
        mix: the name of the mix that it asks for.
        samples: how many it holds.
        detail: what is worth logging beside its status.
        held: bytes of memory that it takes; see `Service.hold`.
    """

    scope: Mapping[str, Any]
    receive: Any
    headers: dict[bytes, bytes] = field(init=False)
    id: str = field(init=False)
    route: str = "unmatched"
    mix: str = ""
    samples: int = 0
    detail: str = ""
    held: int = 0
    gone: bool = False

    def __post_init__(self) -> None:
        self.headers = dict(self.scope["headers"])
        given = self.headers.get(b"x-request-id", b"")
        self.id = given.decode() if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)

    def query(self, known: tuple[str, ...]) -> dict[str, list[str]]:
        """Return the query's parameters.

        Raises:
            Refused: one is not known.
        """
        raw = self.scope["query_string"]
        if not raw:
            return {}
        found: dict[str, list[str]] = {}
        try:
            pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=20)
        except ValueError as error:
            raise Refused(400, "bad_query", f"the query cannot be read: {error}"[:200]) from None
        for name, value in pairs:
            if name not in known:
                message = f"unknown query parameter {name[:50]!r}; there are: {', '.join(known)}"
                raise Refused(400, "bad_query", message)
            found.setdefault(name, []).append(value)
        return found

    @property
    def run(self) -> str:
        """The client's `X-Hub-Run`; "" where it sends none."""
        return self.headers.get(b"x-hub-run", b"").decode("latin-1")

    async def body(self, limit: int, timeout_s: float, take: Callable[[bytes], None]) -> bytes:
        """Return the request's body.

        Args:
            limit: the most bytes that it may have.
            timeout_s: seconds in which it must have come.
            take: called with each part of it as it comes; may refuse it.

        Raises:
            Refused: it is larger than `limit` bytes, does not come in time, is packed, or `take` refuses it.
            ClientGone: the connection was closed before its end.
        """
        packed = self.headers.get(b"content-encoding", b"identity").lower()
        if packed != b"identity":
            raise Refused(415, "packed", "a packed body (Content-Encoding) is not taken", CLOSE)
        message = f"the body is larger than {limit} bytes: send fewer samples at once"
        length = self.headers.get(b"content-length", b"")
        if length.isdigit() and int(length[:20]) > limit:
            raise Refused(413, "body_too_large", message, CLOSE)
        parts, size = [], 0
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    event = await self.receive()
                    if event["type"] == "http.disconnect":
                        raise ClientGone
                    part = event.get("body", b"")
                    size += len(part)
                    if size > limit:
                        raise Refused(413, "body_too_large", message, CLOSE)
                    take(part)
                    parts.append(part)
                    if not event.get("more_body", False):
                        return parts[0] if len(parts) == 1 else b"".join(parts)
        except TimeoutError:
            message = f"the body did not come within {timeout_s:g} s"
            raise Refused(408, "body_too_slow", message, CLOSE) from None

    async def unless_gone(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what the work returns; cancel it when the client closes the connection.

        Raises:
            ClientGone: it did.
        """
        task = asyncio.current_task()
        assert task is not None
        watch = asyncio.get_running_loop().create_task(self._watch(task))
        try:
            return await work
        except asyncio.CancelledError:
            if not self.gone:
                raise
            task.uncancel()
            raise ClientGone from None
        finally:
            watch.cancel()

    async def _watch(self, task: "asyncio.Task[Any]") -> None:
        with suppress(asyncio.CancelledError):
            while (await self.receive())["type"] != "http.disconnect":
                pass
            self.gone = True
            task.cancel()


@dataclass(frozen=True)
class Answer:
    """What is sent back.

    Args:
        body: bytes of JSON, or of `media_type`.
        status: of HTTP.
        media_type: of the body.
        headers: sent with it.
    """

    body: bytes
    status: int = 200
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200) -> "Answer":
        """Answer with a value; it holds no NaN and no infinity."""
        return cls(json.dumps(value, allow_nan=False).encode(), status)
