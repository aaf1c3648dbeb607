"""The remote reward model of slime and Miles: `--rm-type remote_rm --rm-url http://host:8000/remote_rm`.

As miles-rl 0.0.2 and slime at 0b420f1 ask (rollout/rm_hub/__init__.py, `remote_rm`): {"prompt", "response",
"label"}; the whole answer becomes the sample's reward. It is an object, of which `--reward-key hub/total`
takes the number and hooks of the trainer can read the rest; or, with `?reply=number`, the number alone.
slime repeats a request that fails ten times; Miles stops. The response may end in the token at which the
model stopped.

These trainers may end a group early and still wait for every answer, so unless `group_size` is given none
waits for its group, and a sample without a total is an error. With `?missing=mean` it is answered: with the
mean of what is known of its group, and hub/missing = 1.0, for trainers whose hooks leave it out.
"""

from typing import Any

from hub.sample import Sample
from hub.training.completion import without_end
from hub.training.label import columns_of_label
from hub_serve.decode import read_json
from hub_serve.exchange import Answer, Exchange
from hub_serve.lowered import LABEL, LOWERING, lowered
from hub_serve.mixes import Served
from hub_serve.refused import Refused, unfit
from hub_serve.service import Service
from hub_serve.wire import check_depth

QUERY = (*LOWERING, "label", "reply", "missing")


async def answer(service: Service, served: Served, exchange: Exchange, body: bytes) -> Answer:
    """Answer one request."""
    query = exchange.query(QUERY)
    reply = query.get("reply", ["dict"])[-1]
    if reply not in ("number", "dict"):
        raise Refused(400, "bad_query", "reply should be number or dict")
    missing = query.get("missing", ["error"])[-1]
    if missing not in ("error", "mean") or (missing == "mean" and reply == "number"):
        message = "missing should be error or mean; mean needs reply=dict, which tells what is missing"
        raise Refused(400, "bad_query", message)
    sample = await service.aside(len(body), lambda: read(read_json(body), query))
    tells = missing == "mean"
    (found,) = await lowered(service, served, exchange, query, [sample], len(body), tells=tells)
    return Answer.json(found.value if reply == "number" else {"hub/total": found.value, **found.numbers()})


def read(given: Any, query: dict[str, list[str]]) -> Sample:
    """Return the sample of a request.

    Raises:
        Refused: it has another form.
    """
    if type(given) is not dict or "response" not in given:
        raise unfit("", 'the body should be an object: {"prompt": ..., "response": ..., "label": ...}')
    prompt, response, label = given.get("prompt") or "", given["response"], given.get("label")
    for name, value in (("prompt", prompt), ("response", response)):
        if type(value) not in (str, list):
            raise unfit(name, "should be a text or a list of messages")
        check_depth(value, name)
    check_depth(label, "label")
    if "label" not in query:
        columns = columns_of_label(label, LABEL)
    else:
        columns = {} if label is None else {query["label"][-1]: label}
    return Sample(prompt, without_end(response) if type(response) is str else response, columns)
