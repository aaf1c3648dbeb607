"""The service as an ASGI application: routes, and what surrounds every request."""

import asyncio
import base64
import binascii
import functools
import hashlib
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.errors import EngineError
from hub_serve import openrlhf, pooling, remote_rm
from hub_serve.decode import read_request
from hub_serve.exchange import Answer, Exchange
from hub_serve.mixes import Served
from hub_serve.refused import CLOSE, ClientGone, Refused, busy
from hub_serve.service import SHORT_BYTES, Service
from hub_serve.wire import write_results

Handler = Callable[[Exchange], Awaitable[Answer]]
Protocol = Callable[[Service, Served, Exchange, bytes], Coroutine[Any, Any, Answer]]

PROTOCOLS: dict[str, Protocol] = {
    "get_reward": openrlhf.answer,
    "remote_rm": remote_rm.answer,
    **{form: functools.partial(pooling.answer, form=form) for form in pooling.FORMS},
}
"""By path: /get_reward asks the first mix, /mixes/NAME/get_reward the one called NAME."""
OPEN = frozenset(("/healthz", "/readyz"))
"""Paths that need no token."""
LARGE_ANSWER = 1 << 16
"""Bytes of an answer that may lie in a connection's buffer while nobody reads it."""
NOT_ADMITTED = frozenset(("/healthz", "/readyz", "/metrics", "/v1/mixes"))
"""Routes that are answered while the service drains, and do not keep it from ending."""
_log = logging.getLogger("hub_serve.access")
_errors = logging.getLogger("hub_serve.errors")


class App:
    """An ASGI application for a service.

    Args:
        service: what answers.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        token = service.settings.token
        self._token = None if token is None else _digest(token.encode())
        routes = [
            self._route("/v1/mixes/{name}/score", "POST", self._score),
            *(self._route(f"/{path}", "POST", self._ask(path, answer)) for path, answer in PROTOCOLS.items()),
            *(
                self._route(f"/mixes/{{name}}/{path}", "POST", self._ask(path, a))
                for path, a in PROTOCOLS.items()
            ),
            self._route("/v1/mixes", "GET", self._mixes),
            self._route("/healthz", "GET", self._healthz),
            self._route("/readyz", "GET", self._readyz),
            self._route("/metrics", "GET", self._metrics),
        ]
        self._router = Router(routes, redirect_slashes=False, default=_no_such_path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: whatever happens, with one answer, counted and logged."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1000})
            return
        exchange, start = Exchange(scope, receive), time.perf_counter()
        scope["hub_serve"] = exchange
        self.service.under_way += 1
        status = 499
        try:
            answer = await self._answer(exchange, scope, receive, send)
            status = answer.status
            await send(
                {"type": "http.response.start", "status": status, "headers": _headers(exchange, answer)}
            )
            large = len(answer.body) > LARGE_ANSWER
            if large:
                self.service.hold(exchange, len(answer.body))
            await send({"type": "http.response.body", "body": answer.body, "more_body": large})
            if large:
                await send({"type": "http.response.body"})  # waits until the client has read
        except ClientGone:
            status = 499
        finally:
            del scope["hub_serve"]  # a circle, which would keep the body until a collection
            self.service.under_way -= 1
            self.service.release(exchange)
            seconds = time.perf_counter() - start
            self.service.metrics.answered(exchange.route, status, seconds)
            if self.service.settings.access_log:
                _log.info("request", extra={"fields": _fields(exchange, status, seconds)})

    async def _answer(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> Answer:
        try:
            self._check_origin(exchange)
            self._check_token(exchange)
            await self._router(scope, receive, send)
            answer: Answer = scope.pop("hub_serve_answer")
            return answer
        except (ClientGone, asyncio.CancelledError):
            raise
        except Exception as error:
            return self._refuse(error, exchange)  # a name for it here would keep the body until a collection

    def _refuse(self, error: Exception, exchange: Exchange) -> Answer:
        refused = self._refusal(error, exchange)
        exchange.detail = refused.message
        return Answer(refused.body(exchange.id), refused.status, headers=refused.headers)

    @staticmethod
    def _refusal(error: Exception, exchange: Exchange) -> Refused:
        if isinstance(error, Refused):
            return error
        if isinstance(error, EngineError):
            return busy(str(error)[:2000], 503, "engine")
        _errors.error(
            "an error in the service", exc_info=error, extra={"fields": {"request_id": exchange.id}}
        )
        return Refused(500, "internal", f"an error in the service: {type(error).__name__}")

    def _check_origin(self, exchange: Exchange) -> None:
        origin = exchange.headers.get(b"origin")
        if origin is not None and origin.decode("latin-1") not in self.service.settings.origins:
            message = "web pages are not answered; where one should be: hub serve --allow-origin URL"
            raise Refused(403, "origin", message, CLOSE)

    def _check_token(self, exchange: Exchange) -> None:
        if self._token is None or exchange.scope["path"] in OPEN:
            return
        kind, _, given = exchange.headers.get(b"authorization", b"").partition(b" ")
        if kind.lower() == b"basic":  # http://any:TOKEN@host/... for trainers that can set no header
            try:
                given = base64.b64decode(given, validate=True).partition(b":")[2]
            except (binascii.Error, ValueError):
                given = b""
        elif kind.lower() != b"bearer":
            given = b""
        if not hmac.compare_digest(_digest(given.strip()), self._token):
            message = "a token is needed: Authorization: Bearer TOKEN (or http://any:TOKEN@host/...)"
            raise Refused(401, "token", message, {"WWW-Authenticate": "Bearer", **CLOSE})

    def _route(self, path: str, method: str, handler: Handler) -> Route:
        return Route(path, _Endpoint(self.service, path, method, handler))

    async def _score(self, exchange: Exchange) -> Answer:
        served = self.service.mixes.get(exchange.scope["path_params"]["name"])
        exchange.mix = served.name
        exchange.query(())
        body = await self.service.read(exchange)

        async def make() -> Answer:
            size, most = len(body), self.service.settings.max_batch
            samples, step = await self.service.aside(size, lambda: read_request(body, most))
            exchange.samples = len(samples)
            results = await self.service.score(served, samples, step, size)
            return Answer(await self.service.aside(size, lambda: write_results(samples, results)))

        at_once = served.is_inline and len(body) <= SHORT_BYTES
        return await self.service.once(exchange, body, make, at_once=at_once)

    def _ask(self, path: str, answer: Protocol) -> Handler:
        async def ask(exchange: Exchange) -> Answer:
            name = exchange.scope["path_params"].get("name")
            served = self.service.mixes.get(name)
            exchange.mix = name or ""
            body = await self.service.read(exchange)

            async def make() -> Answer:
                return await answer(self.service, served, exchange, body)

            return await self.service.once(exchange, body, make)

        async def ask_for_verl(exchange: Exchange) -> Answer:
            try:
                return await ask(exchange)
            except Refused as refused:
                if refused.status != 429:
                    raise
                raise Refused(503, refused.code, refused.message, refused.headers) from None

        return ask_for_verl if path in pooling.FORMS else ask

    async def _mixes(self, exchange: Exchange) -> Answer:
        return Answer.json({"mixes": [served.describe() for served in self.service.mixes]})

    async def _healthz(self, exchange: Exchange) -> Answer:
        return Answer.json({"status": "alive"})

    async def _readyz(self, exchange: Exchange) -> Answer:
        if self.service.is_ready:
            return Answer.json({"status": "ready"})
        return Answer.json({"status": "draining"}, 503)

    async def _metrics(self, exchange: Exchange) -> Answer:
        text = await asyncio.to_thread(self.service.metrics.text)
        return Answer(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def open_to(app: App, origins: tuple[str, ...]) -> ASGIApp:
    """Return the application as browsers need it for pages of these origins; none: as it is."""
    if not origins:
        return app
    headers = ["Authorization", "Content-Type", "Idempotency-Key", "X-Hub-Run", "X-Request-Id"]
    shown = ["Retry-After", "X-Request-Id"]
    return CORSMiddleware(app, origins, ("GET", "POST"), headers, expose_headers=shown)


class _Endpoint:
    """A route's end: an ASGI application that leaves its answer in the scope, for `App` to send."""

    def __init__(self, service: Service, path: str, method: str, handler: Handler) -> None:
        self._service, self._path, self._handler = service, path, handler
        self._methods = ("GET", "HEAD") if method == "GET" else (method,)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange: Exchange = scope["hub_serve"]
        exchange.route = self._path
        if scope["method"] not in self._methods:
            allowed = ", ".join(self._methods)
            raise Refused(405, "method", f"this path takes {allowed}", {"Allow": allowed, **CLOSE})
        if self._service.draining and self._path not in NOT_ADMITTED:
            refused = busy("the service is ending: ask another one", 503, "draining", after_s=5)
            raise Refused(503, refused.code, refused.message, {**refused.headers, **CLOSE})
        scope["hub_serve_answer"] = await self._handler(exchange)


async def _no_such_path(scope: Scope, receive: Receive, send: Send) -> None:
    where = "samples go to /v1/mixes/NAME/score, and docs/service.md lists the other paths"
    raise Refused(404, "unknown_path", f"there is no such path here: {where}", CLOSE)


def _headers(exchange: Exchange, answer: Answer) -> list[tuple[bytes, bytes]]:
    headers = {
        "content-type": answer.media_type,
        "content-length": str(len(answer.body)),
        "x-request-id": exchange.id,
        **answer.headers,
    }
    return [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]


def _digest(token: bytes) -> bytes:
    """What is compared in place of a token, so that not even its length can be measured."""
    return hashlib.sha256(token).digest()


def _fields(exchange: Exchange, status: int, seconds: float) -> dict[str, Any]:
    scope = exchange.scope
    fields: dict[str, Any] = {
        "request_id": exchange.id,
        "method": scope["method"][:20],
        "path": scope["path"][:200],
        "status": status,
        "ms": round(seconds * 1000, 3),
        "client": scope["client"][0] if scope.get("client") else "",
    }
    if exchange.mix:
        fields["mix"] = exchange.mix
    if exchange.samples:
        fields["samples"] = exchange.samples
    if exchange.detail:
        fields["detail"] = exchange.detail[:500]
    return fields
