"""Completes prompts with a server that speaks OpenAI's protocol, many requests at once.

The requests run on an event loop in a thread of its own, so it works inside a running loop and can be
interrupted. Not here: log-probabilities, tools, images, several completions in one request.
"""

import asyncio
import contextlib
import os
import queue
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import httpx  # noqa: TID253 - this module is imported when a server is opened

from hub.errors import GeneratorError, OptionError
from hub.generator import Completion, Decoding
from hub.sample import Text
from hub_generators.openai_request import Refused, ask, read_completion
from hub_generators.prompts import as_messages
from hub_generators.stop import cut

HARMLESS = "Hello"
"""Asked where a prompt was refused, to tell whether the server refuses all of them."""


class OpenAIGenerator:
    """A server that speaks OpenAI's protocol: vLLM, SGLang, llama.cpp, Ollama, OpenAI itself, ...

    The key, where one is needed, is read from HUB_OPENAI_API_KEY or OPENAI_API_KEY and recorded nowhere.

    Args:
        model: the server's address, e.g. "http://localhost:8000/v1".
        served_name: the model's name there; None: the only one that `GET /models` lists.
        endpoint: "chat" (the server applies the chat template; a prompt of which the decoding says that it
            gets none goes to "completions" all the same) or "completions" (plain text goes in).
        concurrency: requests at once.
        retries: further tries of a request that met overload, a server's failure, a broken connection or
            no answer in time.
        backoff_s: seconds before the first retry; doubles with each.
        timeout_s: longest that one answer may take to be whole, in seconds; then it is tried again.
        extra: more keys for the body of each request, e.g. {"top_k": 20}.

    Raises:
        GeneratorError: the server cannot be reached, or serves several models and none is named.
        OptionError: an option is out of range.
    """

    def __init__(
        self,
        model: str,
        *,
        served_name: str | None = None,
        endpoint: Literal["chat", "completions"] = "chat",
        concurrency: int = 16,
        retries: int = 6,
        backoff_s: float = 0.5,
        timeout_s: float = 600.0,
        extra: dict[str, Any] | None = None,
    ) -> None:
        if concurrency < 1 or retries < 0 or backoff_s < 0 or timeout_s <= 0:
            raise OptionError(
                "generator 'openai': concurrency is at least 1, retries and backoff_s at least 0, timeout_s "
                "greater than 0"
            )
        self._address = model.rstrip("/")
        self._shown = re.sub(r"//[^/@]*@", "//", self._address)
        self._chat = endpoint == "chat"
        self._concurrency, self._retries, self._backoff_s = concurrency, retries, backoff_s
        self._timeout_s = timeout_s
        self._extra = dict(extra or {})
        self._served: dict[str, Any] = {}
        self._name = served_name or self._only_model()

    def generate(self, prompts: Sequence[Text], decoding: Decoding) -> Iterator[Completion]:
        """Complete each prompt once; yield each completion when the server has answered.

        Raises:
            GeneratorError: the server refuses whatever it is asked so, cannot be reached any more, or answers
                garbage.
        """
        bodies = [self._body(prompt, index, decoding) for index, prompt in enumerate(prompts)]
        paths = ["/chat/completions" if "messages" in body else "/completions" for body in bodies]
        done: queue.SimpleQueue[Completion | BaseException | None] = queue.SimpleQueue()
        loop = asyncio.new_event_loop()
        work = loop.create_task(self._ask_all(paths, bodies, decoding, done))

        def run() -> None:
            try:
                loop.run_until_complete(work)
                done.put(None)
            except BaseException as error:
                done.put(error)
            finally:
                loop.close()

        thread = threading.Thread(target=run, name="hub-openai", daemon=True)
        thread.start()
        try:
            while (item := done.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            with contextlib.suppress(RuntimeError):  # the loop is closed: all was done
                loop.call_soon_threadsafe(work.cancel)
            thread.join()

    def describe(self) -> Mapping[str, Any]:
        """Return the address, the model's name, what the server says about it, and how it is asked."""
        return {
            "generator": "openai",
            "address": self._shown,
            "model": self._name,
            "served": {key: self._served[key] for key in ("owned_by", "root") if key in self._served},
            "endpoint": "chat" if self._chat else "completions",
            "extra": self._extra,
            "libraries": {"httpx": httpx.__version__},
        }

    def close(self) -> None:
        """Do nothing: connections are closed with each call of `generate`."""

    def _client(self) -> httpx.AsyncClient:
        key = os.environ.get("HUB_OPENAI_API_KEY") or os.environ.get("OPENAI_API_KEY")
        try:
            return httpx.AsyncClient(
                base_url=self._address,
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=httpx.Timeout(self._timeout_s, connect=30.0),
                limits=httpx.Limits(max_connections=self._concurrency),
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise GeneratorError(
                f"{self._shown!r} is not an address like http://host:port/v1: {error}"
            ) from error

    def _only_model(self) -> str:
        """The one model that the server lists."""

        async def list_models() -> Any:
            async with self._client() as client:
                return await ask(client, "/models", None, 0, 0.0, self._timeout_s)

        try:
            answer = _run_apart(list_models)
        except Refused as refused:
            raise GeneratorError(str(refused)) from refused
        models = answer.get("data") if isinstance(answer, dict) else None
        listed = [m for m in models if isinstance(m, dict) and "id" in m] if isinstance(models, list) else []
        if len(listed) == 1:
            self._served = listed[0]
            return str(listed[0]["id"])
        known = ", ".join(str(model["id"]) for model in listed[:20]) or "none"
        raise GeneratorError(
            f"{self._shown}/models lists {len(listed)} models ({known}): say which with the generator "
            "option served_name=MODEL"
        )

    def _is_chat(self, prompt: Text, decoding: Decoding) -> bool:
        return self._chat and (decoding.chat_template or not isinstance(prompt, str))

    def _body(self, prompt: Text, index: int, decoding: Decoding) -> dict[str, Any]:
        if self._is_chat(prompt, decoding):
            asked: dict[str, Any] = {"messages": as_messages(prompt)}
        elif isinstance(prompt, str):
            asked = {"prompt": prompt}
        else:
            raise GeneratorError(
                f"prompt {index} is chat messages, but endpoint=completions takes plain text: "
                "use endpoint=chat"
            )
        asked |= {
            "model": self._name,
            "max_tokens": decoding.max_new_tokens,
            "temperature": decoding.temperature,
        }
        if decoding.temperature > 0:
            asked |= {"top_p": decoding.top_p, "seed": decoding.seed}
        if decoding.stop:
            asked["stop"] = list(decoding.stop)
        return asked | self._extra

    async def _ask_all(
        self,
        paths: Sequence[str],
        bodies: Sequence[Mapping[str, Any]],
        decoding: Decoding,
        done: "queue.SimpleQueue[Completion | BaseException | None]",
    ) -> None:
        todo = iter(enumerate(zip(paths, bodies, strict=True)))
        one_at_a_time, answers = asyncio.Lock(), False

        async def check_others(
            client: httpx.AsyncClient, path: str, body: Mapping[str, Any], refused: Refused
        ) -> None:
            """Raise where the server refuses everything, and not this prompt only."""
            nonlocal answers
            async with one_at_a_time:
                if answers and not refused.broke:
                    return
                try:
                    await ask(client, path, _another(body), self._retries, self._backoff_s, self._timeout_s)
                except (Refused, GeneratorError):
                    raise GeneratorError(str(refused)) from refused
                answers = True

        async def worker(client: httpx.AsyncClient) -> None:
            nonlocal answers
            for index, (path, body) in todo:
                try:
                    answer = await ask(client, path, body, self._retries, self._backoff_s, self._timeout_s)
                except Refused as refused:
                    await check_others(client, path, body, refused)
                    done.put(Completion.refusal(index, str(refused)))
                    continue
                completion = read_completion(answer, index, path.startswith("/chat"))
                text, stopped = cut(completion.text, decoding.stop)  # some servers leave the stop text in
                finish = "stop" if stopped else completion.finish
                done.put(replace(completion, text=text, finish=finish))
                answers = True

        async with self._client() as client:
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(min(self._concurrency, len(bodies))):
                        group.create_task(worker(client))
            except ExceptionGroup as errors:
                raise errors.exceptions[0] from None


def _another(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same request with a prompt that nothing can be wrong with."""
    if "messages" in body:
        return {**body, "messages": [{"role": "user", "content": HARMLESS}]}
    return {**body, "prompt": HARMLESS}


def _run_apart(make: Any) -> Any:
    """Run a coroutine on a loop of its own in a thread: the caller may be inside a running loop."""
    result: list[Any] = []

    def run() -> None:
        try:
            result.append(asyncio.run(make()))
        except BaseException as error:
            result.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    if isinstance(result[0], BaseException):
        raise result[0]
    return result[0]
