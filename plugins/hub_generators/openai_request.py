"""One request to a server: what to retry, how long to wait, and what an answer must look like."""

import asyncio
import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx  # noqa: TID253 - imported with openai_server, late

from hub.errors import GeneratorError
from hub.generator import Completion

LONGEST_WAIT_S = 60.0
RETRIED = (408, 409, 429)
"""Statuses below 500 that may be answered differently later; 500 and above are retried too."""
OF_ONE = (400, 413, 422)
"""Statuses that may be due to what one request holds, such as a prompt that is too long. So may 500, where no
retry helps: some servers break on one prompt and answer all others."""


class Refused(Exception):
    """A request is refused, perhaps for what it holds: the server may well answer others.

    Args:
        detail: for a person.
        broke: the server broke on it, each time; so it may by now answer no others either.
    """

    def __init__(self, detail: str, broke: bool = False) -> None:
        super().__init__(detail)
        self.broke = broke


async def ask(
    client: httpx.AsyncClient,
    path: str,
    body: Mapping[str, Any] | None,
    retries: int,
    backoff_s: float,
    timeout_s: float,
) -> Any:
    """Send one request and return the JSON of its answer.

    Overload (429), a server's failure (5xx), a broken connection and no whole answer in time are tried again,
    after the time that `Retry-After` asks for, else after a wait that doubles.

    Args:
        client: knows the server's address.
        path: below the address, e.g. "/models".
        body: JSON to post; None: a GET.
        retries: further tries after the first.
        backoff_s: seconds before the first retry, give or take a half.
        timeout_s: longest that one answer may take to be whole, in seconds; httpx's own limit is for each
            piece of it, so a server that sends a byte now and then would never meet that.

    Raises:
        Refused: the server says that something is wrong with this request (`OF_ONE`), or breaks on it.
        GeneratorError: it cannot be reached, wants another key, knows no such model, has no room, or does not
            answer with JSON.
    """
    where = str(client.base_url.copy_with(userinfo=b"")).rstrip("/") + path
    # Not `json=`: that raises on halves of characters, which json.dumps writes as escapes.
    content = None if body is None else json.dumps(body)
    method, headers = ("GET", {}) if body is None else ("POST", {"Content-Type": "application/json"})
    attempt = 0
    while True:
        broke = False
        wait = min(LONGEST_WAIT_S, backoff_s * 2**attempt * random.Random().uniform(0.5, 1.5))
        try:
            async with asyncio.timeout(timeout_s):
                answer = await client.request(method, path.lstrip("/"), content=content, headers=headers)
        except TimeoutError as error:
            problem = f"no whole answer from {where} within {timeout_s:g} s (generator option timeout_s)"
            cause: Exception | None = error
        except httpx.UnsupportedProtocol as error:
            raise GeneratorError(f"{where} is no address like http://host:port/v1: {error}") from error
        except httpx.TransportError as error:
            said = f"{type(error).__name__}: {error}".rstrip(".: ")
            problem = f"no answer from {where}: {said}. Is the server running there?"
            cause = error
        except httpx.HTTPError as error:
            raise GeneratorError(f"{where}: {type(error).__name__}: {error}") from error
        else:
            cause = None
            if answer.status_code < 300:
                return _json(answer, where)
            problem = f"{where} answered {answer.status_code} {answer.reason_phrase}: {_excerpt(answer)}"
            if answer.status_code in (401, 403):
                problem += ". Set HUB_OPENAI_API_KEY or OPENAI_API_KEY"
            if answer.status_code == 404 and body is not None:
                problem += (
                    f". It may know no model {body.get('model')!r} (generator option served_name), or not "
                    "have this path (endpoint=chat or completions)"
                )
            if answer.status_code in OF_ONE:
                raise Refused(problem)
            if answer.status_code not in RETRIED and answer.status_code < 500:
                raise GeneratorError(problem)
            broke = answer.status_code == 500
            wait = _retry_after(answer, wait)
        if attempt >= retries:
            problem += f" ({attempt + 1} tries)" if attempt else ""
            raise (Refused(problem, broke=True) if broke else GeneratorError(problem)) from cause
        attempt += 1
        await asyncio.sleep(wait)


def read_completion(answer: Any, index: int, chat: bool) -> Completion:
    """Read the completion of an answer of `/chat/completions` or `/completions`.

    Raises:
        GeneratorError: it is something else.
    """
    try:
        choice = answer["choices"][0]
        text = choice["message"]["content"] if chat else choice["text"]
        finish = choice.get("finish_reason")
        usage = answer.get("usage") or {}
        tokens, given = (_count(usage.get(f"{which}_tokens")) for which in ("completion", "prompt"))
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        said = answer.get("error") if isinstance(answer, dict) else None
        said = answer if said is None else said
        raise GeneratorError(
            f"the server's answer to prompt {index} has no completion, but says {said!r:.300}"
        ) from error
    if text is None:  # the model called a tool, or only reasoned
        text = ""
    if not isinstance(text, str):
        raise GeneratorError(f"the server's answer to prompt {index} has {text!r:.100} in place of text")
    return Completion(index, text, "length" if finish == "length" else "stop", tokens, prompt_tokens=given)


def _count(number: Any) -> int | None:
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _json(answer: httpx.Response, where: str) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise GeneratorError(
            f"{where} answered with something that is not JSON: {_excerpt(answer)}. Is it the address of an "
            "OpenAI-compatible server, with /v1 at its end?"
        ) from error


def _excerpt(answer: httpx.Response) -> str:
    return repr(answer.text[:200]) if answer.text else "(an empty answer)"


def _retry_after(answer: httpx.Response, otherwise: float) -> float:
    """Seconds that the server asks to wait; it names seconds, or a date (RFC 9110, section 10.2.3)."""
    asked = answer.headers.get("retry-after", "").strip()
    if not asked:
        return otherwise
    try:
        seconds = float(asked)
    except ValueError:
        try:
            moment = parsedate_to_datetime(asked)
        except ValueError:
            return otherwise
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    return min(LONGEST_WAIT_S, max(0.0, seconds)) if seconds == seconds else otherwise
