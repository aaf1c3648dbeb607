"""One finite number per sample, for protocols that know no missing value.

With `?group_size=N` samples are gathered over requests: one that failed is given the mean of its group, so
that it moves nobody's advantage, and rewards that compare a group see all of it. Without, a sample without
a number is answered with an error, which the trainer repeats or stops at. It is never a 0.
"""

from collections.abc import Sequence
from dataclasses import replace

from hub.mix.combine import MixScore
from hub.sample import Sample
from hub.score import Failure, Outcome
from hub.training.lower import Lowered, has_total, lower_one
from hub_serve.exchange import Exchange
from hub_serve.mixes import Served
from hub_serve.refused import Refused, busy
from hub_serve.service import Service

LOWERING = ("group_size", "run")
"""Query parameters of every protocol that this file answers."""
LABEL = "answer"
"""The column of a label that is no object."""
LONGEST_RUN = 200
"""Characters of a run's name."""


async def lowered(
    service: Service,
    served: Served,
    exchange: Exchange,
    query: dict[str, list[str]],
    samples: Sequence[Sample],
    size: int,
    *,
    tells: bool = False,
) -> list[Lowered]:
    """Return the samples' numbers.

    Args:
        service: where they are scored.
        served: the mix.
        exchange: the request, for its log line.
        query: its parameters.
        samples: in the order of the numbers; those of one prompt are a group.
        size: bytes of the body that they came in.
        tells: the client has said that it reads which numbers stand for missing ones: then such a sample is
            answered at once with the mean of what is known of its group, 0.0 where nothing is.

    Raises:
        Refused: a sample has no number and no group is known, or there is no room.
    """
    exchange.mix, exchange.samples = served.name, len(samples)
    group_size = _group_size(query)
    samples = _of_run(samples, exchange, query)
    if group_size is not None:
        return await service.gather(served, served.gatherer(group_size), samples)
    if served.mix.compares:
        what = ", ".join(served.mix.compares)
        message = (
            f"{what}: needs all completions of a prompt; add ?group_size=N, the trainer's samples per prompt"
        )
        raise Refused(422, "group_size", message)
    if tells:
        return await service.gather(served, served.gatherer(None), samples)
    results = await service.score(served, samples, None, size)
    for index, result in enumerate(results):
        if not has_total(result):
            raise _missing(index, result)
    return [lower_one(result, 0.0, {}) for result in results]


def _group_size(query: dict[str, list[str]]) -> int | None:
    if "group_size" not in query:
        return None
    text = query["group_size"][-1]
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise Refused(
            422, "group_size", "group_size should be a whole number: the trainer's samples per prompt"
        )
    return int(text)


def _of_run(samples: Sequence[Sample], exchange: Exchange, query: dict[str, list[str]]) -> Sequence[Sample]:
    """The samples in groups of their run, where it has a name: another run may have the same prompts."""
    run = query["run"][-1] if "run" in query else exchange.run
    if len(run) > LONGEST_RUN:
        raise Refused(400, "bad_query", f"the run's name is longer than {LONGEST_RUN} characters")
    return [replace(sample, group=(run, repr(sample.prompt))) for sample in samples] if run else samples


def _missing(index: int, result: MixScore) -> Refused:
    """The refusal that stands for a sample without a total."""
    total = result.total
    more = "; with ?group_size=N it would be given its group's mean"
    if total.outcome is Outcome.ABSTAINED:
        return Refused(422, "no_reward", f"sample {index}: no reward of the mix applies to it{more}")
    if total.value is not None:
        return Refused(
            500, "too_large", f"sample {index}: its total, {total.value:g}, is beyond float32{more}"
        )
    message = f"sample {index}: {total.reason}: {total.detail[:500]}{more}"
    fault = Failure(total.reason).fault
    if fault in ("infrastructure", "caller"):
        return busy(message, 503, "unavailable")
    return Refused(422 if fault == "data" else 500, str(total.reason), message)
