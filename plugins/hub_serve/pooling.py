"""The routes by which reward models are asked that vLLM or SGLang serve, in vLLM's and OpenAI's forms.

    /classify        {"model", "input" | "messages"}    data[i].probs == [reward]      verl 0.9.1 with vLLM
    /v1/embeddings   the same                           data[i].embedding == [reward]  verl 0.9.1 with SGLang
    /pooling         the same                           data[i].data == [reward]       vLLM's reward models
    /score           {"model", "text_1", "text_2"}      data[i].score == reward        vLLM's pairs

verl: verl/experimental/reward_loop/reward_loop.py, `compute_score_disrm`: one text, the chat template of
the reward model applied, special tokens kept; no label and no other column, so only rewards that need none
can be asked. It repeats a request answered with 5xx 16 times, and stops at 4xx: therefore a full queue is a
503 here, not a 429.
"""

import time
import uuid
from collections.abc import Callable
from typing import Any

from hub.sample import Sample
from hub_serve.decode import read_json
from hub_serve.exchange import Answer, Exchange
from hub_serve.lowered import LOWERING, lowered
from hub_serve.mixes import Served
from hub_serve.refused import unfit
from hub_serve.service import Service
from hub_serve.split import SPLITTING, split
from hub_serve.wire import check_count, check_depth

QUERY = (*LOWERING, *SPLITTING)

FORMS: dict[str, tuple[str, Callable[[float], dict[str, Any]]]] = {
    "classify": ("classify", lambda value: {"label": None, "probs": [value], "num_classes": 1}),
    "v1/embeddings": ("embd", lambda value: {"object": "embedding", "embedding": [value]}),
    "pooling": ("pool", lambda value: {"object": "pooling", "data": [value]}),
    "score": ("score", lambda value: {"object": "score", "score": value}),
}


async def answer(service: Service, served: Served, exchange: Exchange, body: bytes, form: str) -> Answer:
    """Answer one request.

    Args:
        service: where it is scored.
        served: the mix that its path names.
        exchange: the request.
        body: its body.
        form: a key of `FORMS`.
    """
    query = exchange.query(QUERY)
    given = await service.aside(len(body), lambda: read_json(body))
    if type(given) is not dict:
        raise unfit("", "the body should be an object")
    if given.get("use_activation"):
        raise unfit("use_activation", "should be false: rewards are numbers, not probabilities")
    model = given.get("model")
    if not exchange.mix and type(model) is str and (len(service.mixes) > 1 or service.mixes.has(model)):
        served = service.mixes.get(model)
    read = (lambda: _pairs(given)) if form == "score" else (lambda: _texts(given, query))
    samples = await service.aside(len(body), read)
    check_count(len(samples), service.settings.max_batch)
    found = await lowered(service, served, exchange, query, samples, len(body))
    prefix, make = FORMS[form]
    data = [{"index": index, **make(one.value)} for index, one in enumerate(found)]
    usage = {"prompt_tokens": 0, "total_tokens": 0, "completion_tokens": 0}
    head = {"id": f"{prefix}-{uuid.uuid4().hex}", "object": "list", "created": int(time.time())}
    return Answer.json({**head, "model": model or served.name, "data": data, "usage": usage})


def _texts(given: dict[str, Any], query: dict[str, list[str]]) -> list[Sample]:
    if "messages" in given:
        return [_chat(given["messages"], "messages")]
    texts = given.get("input")
    if type(texts) is str:
        texts = [texts]
    if type(texts) is not list or not all(type(text) is str for text in texts):
        raise unfit("input", "should be a text or a list of texts (not of token numbers); or give messages")
    return [Sample(*split(text, None, query, f"input[{index}]")) for index, text in enumerate(texts)]


def _chat(messages: Any, where: str) -> Sample:
    fine = type(messages) is list and messages and all(type(message) is dict for message in messages)
    if not fine or messages[-1].get("role") != "assistant":
        raise unfit(where, "should be a list of messages of which the last is the assistant's")
    check_depth(messages, where)
    return Sample(messages[:-1], messages[-1:])


def _pairs(given: dict[str, Any]) -> list[Sample]:
    first, second = given.get("text_1"), given.get("text_2")
    prompts = [first] if type(first) is str else first
    completions = [second] if type(second) is str else second
    for name, texts in (("text_1", prompts), ("text_2", completions)):
        if type(texts) is not list or not all(type(text) is str for text in texts):
            other = "; samples go to /v1/mixes/NAME/score" if "samples" in given else ""
            raise unfit(name, f"should be a text or a list of texts{other}")
    assert type(prompts) is list
    assert type(completions) is list
    if len(prompts) == 1:
        prompts = prompts * len(completions)
    if len(prompts) != len(completions):
        raise unfit(
            "text_1", f"should be one prompt, or {len(completions)}, as many as text_2 has completions"
        )
    return [Sample(prompt, completion) for prompt, completion in zip(prompts, completions, strict=True)]
