"""Answers HTTP: /v1/models, /v1/chat/completions, /v1/completions, and /health."""

import asyncio
import hmac
import json
import logging
import time
import uuid
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub_serve_model.batches import Batches, Reply
from hub_serve_model.request import Refused, read_request

LARGEST_BODY = 16 << 20
"""Bytes of a request."""
UNLIKELY = -9999.0
"""What OpenAI's protocol has for the log-probability of a token that is none of the likeliest."""
_log = logging.getLogger("hub_serve_model")


def make_app(batches: Batches, name: str, longest: int, token: str | None) -> Starlette:
    """Return the application.

    Args:
        batches: completes.
        name: what clients call the model.
        longest: tokens of a completion where a request does not say.
        token: what clients must send as their key; None: nothing.
    """

    async def models(request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": name, "object": "model", "owned_by": "hub"}]})

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def chat(request: Request) -> Response:
        return await complete(request, True)

    async def text(request: Request) -> Response:
        return await complete(request, False)

    async def complete(request: Request, is_chat: bool) -> Response:
        asked = read_request(await _json(request), is_chat, name, longest)
        reply = await _or_disconnect(request, batches.ask(asked))
        return JSONResponse(_answer(reply, name, is_chat))

    def guarded(endpoint: Any) -> Any:
        async def answer(request: Request) -> Response:
            try:
                if token is not None and not hmac.compare_digest(_key(request), token.encode()):
                    raise Refused("the key is missing or wrong", 401)
                answered: Response = await endpoint(request)
                return answered
            except Refused as refused:
                return _error(str(refused), refused.status)
            except ClientDisconnect:
                return Response(status_code=499)
            except Exception as error:
                _log.exception("a request failed")
                return _error(f"{type(error).__name__}: {error}", 500)

        return answer

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/v1/models", guarded(models)),
            Route("/v1/chat/completions", guarded(chat), methods=["POST"]),
            Route("/v1/completions", guarded(text), methods=["POST"]),
        ]
    )


def _key(request: Request) -> bytes:
    return request.headers.get("authorization", "").removeprefix("Bearer ").encode()


async def _json(request: Request) -> Any:
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > LARGEST_BODY:
            raise Refused(f"a request has at most {LARGEST_BODY >> 20} MiB", 413)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Refused(f"the body is not JSON: {error}") from None


async def _or_disconnect(request: Request, asked: Any) -> Reply:
    """Wait for the completion, but no longer than the client does."""
    reply, gone = asyncio.ensure_future(asked), asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({reply, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not reply.done():
            raise ClientDisconnect
        found: Reply = await reply
        return found
    finally:
        reply.cancel()
        gone.cancel()


def _answer(reply: Reply, name: str, chat: bool) -> dict[str, Any]:
    completion = reply.completion
    choice: dict[str, Any] = {"index": 0, "finish_reason": completion.finish}
    top = [
        {"token": token, "logprob": logprob, "bytes": list(token.encode(errors="replace"))}
        for token, logprob in reply.likely
    ]
    if chat:
        choice["message"] = {"role": "assistant", "content": completion.text}
        written = next((one for one in top if one["token"] == completion.text), None)
        own = written or {"token": completion.text, "logprob": UNLIKELY, "bytes": None}
        choice["logprobs"] = {"content": [{**own, "top_logprobs": top}]} if top else None
    else:
        choice["text"] = completion.text
        likely = {one["token"]: one["logprob"] for one in top}
        choice["logprobs"] = {"tokens": [completion.text], "top_logprobs": [likely]} if top else None
    counts = {"prompt_tokens": completion.prompt_tokens, "completion_tokens": completion.tokens}
    usage = {which: count for which, count in counts.items() if count is not None}
    if len(usage) == 2:
        usage["total_tokens"] = sum(usage.values())
    return {
        "id": f"cmpl-{uuid.uuid4().hex}",
        "object": "chat.completion" if chat else "text_completion",
        "created": int(time.time()),
        "model": name,
        "choices": [choice],
        "usage": usage,
    }


def _error(message: str, status: int) -> Response:
    kind = "invalid_request_error" if status < 500 else "server_error"
    headers = {"Retry-After": "1"} if status == 429 else None
    return JSONResponse({"error": {"message": message, "type": kind, "code": status}}, status, headers)
