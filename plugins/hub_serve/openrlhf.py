"""OpenRLHF's remote reward model: `--reward.remote_url http://host:8000/get_reward`.

As openrlhf 0.11.2 asks (openrlhf/utils/agent.py, `_fetch_rewards_via_http`): {"query": [prompt and
response, special tokens kept], "prompts": [...], "labels": [...]}; it wants {"rewards", "scores",
"extra_logs"}, and repeats a request that fails five times, a second apart. Only prompt and label reach it:
other columns go into the label as JSON.
"""

from typing import Any

from hub.sample import Sample
from hub.training.label import columns_of_label
from hub_serve.decode import read_json
from hub_serve.exchange import Answer, Exchange
from hub_serve.lowered import LABEL, LOWERING, lowered
from hub_serve.mixes import Served
from hub_serve.refused import unfit
from hub_serve.service import Service
from hub_serve.split import SPLITTING, split
from hub_serve.wire import check_count, check_depth

QUERY = (*LOWERING, *SPLITTING, "label")


async def answer(service: Service, served: Served, exchange: Exchange, body: bytes) -> Answer:
    """Answer one request."""
    query = exchange.query(QUERY)
    most = service.settings.max_batch
    samples = await service.aside(len(body), lambda: read(read_json(body), query, most))
    found = await lowered(service, served, exchange, query, samples, len(body))
    numbers = [one.numbers() for one in found]
    rewards = [one.value for one in found]
    logs = {name: [each[name] for each in numbers] for name in (numbers[0] if numbers else ())}
    return Answer.json({"rewards": rewards, "scores": rewards, "extra_logs": logs})


def read(given: Any, query: dict[str, list[str]], max_batch: int) -> list[Sample]:
    """Return the samples of a request.

    Raises:
        Refused: it has another form, its lists are not of one length, or too many samples.
    """
    if type(given) is not dict or type(given.get("query")) is not list:
        raise unfit("", 'the body should be an object: {"query": [...], "prompts": [...], "labels": [...]}')
    queries = given["query"]
    check_count(len(queries), max_batch)
    prompts, labels = (_same_length(given, name, len(queries)) for name in ("prompts", "labels"))
    column = query.get("label", [LABEL])[-1]
    samples = []
    for index, (text, prompt, label) in enumerate(zip(queries, prompts, labels, strict=True)):
        if type(text) is not str:
            raise unfit(f"query[{index}]", "should be a text: prompt and response")
        if prompt is not None and type(prompt) is not str:
            raise unfit(f"prompts[{index}]", "should be a text")
        check_depth(label, f"labels[{index}]")
        before, completion = split(text, prompt, query, f"query[{index}]")
        samples.append(Sample(before, completion, columns_of_label(label, column)))
    return samples


def _same_length(given: dict[str, Any], name: str, count: int) -> list[Any]:
    found = given.get(name)
    if found is None:
        return [None] * count
    if type(found) is not list or len(found) != count:
        raise unfit(name, f"should be a list of {count}, as long as query")
    return found
