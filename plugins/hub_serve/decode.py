"""Bodies of requests, decoded: fast by msgspec where they are plain, else by the standard library.

msgspec 0.22.0 takes no more than `json` does, and gives equal values for it: texts, floats bit for bit,
integers of any size, the last of equal keys. What it does not take (NaN, single surrogates, numbers beyond a
float, other encodings, what is no JSON at all) is read again by `json`, which takes it or says what is wrong.
"""

import json
from typing import Any

import msgspec

from hub.sample import Sample, quick_sample
from hub_serve.refused import Refused
from hub_serve.wire import check_count, check_names, read_samples

_NOT_TAKEN = (msgspec.MsgspecError, ValueError, RecursionError)


class _Sample(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The usual sample: texts, and columns that are not nested; `read_samples` takes the others."""

    completion: str
    prompt: str = ""
    columns: dict[str, str | int | float | bool | None] = msgspec.field(default_factory=dict)
    group: str | int | None = None
    id: str | int | None = None


class _Request(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    samples: list[_Sample]
    step: int | None = None


_any = msgspec.json.Decoder()
_request = msgspec.json.Decoder(_Request)


def read_json(body: bytes) -> Any:
    """Return what a body says.

    Raises:
        Refused: it is not JSON in UTF-8.
    """
    try:
        return _any.decode(body)
    except _NOT_TAKEN:
        pass
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        raise Refused(400, "not_json", f"the body is not JSON: {error}"[:500]) from None
    except (ValueError, RecursionError) as error:
        raise Refused(400, "not_json", f"the body cannot be read as JSON: {error}"[:500]) from None


def read_request(body: bytes, max_batch: int) -> tuple[list[Sample], int | None]:
    """Return the samples of a request to the native endpoint, and its training step.

    Raises:
        Refused: it is not JSON, has another form, or too many samples.
    """
    try:
        request = _request.decode(body)
    except _NOT_TAKEN:
        return read_samples(read_json(body), max_batch)
    if request.step is not None and request.step < 0:
        return read_samples(read_json(body), max_batch)
    check_count(len(request.samples), max_batch)
    samples = []
    for index, one in enumerate(request.samples):
        if one.group is not None or one.id is not None:
            check_names(one.group, one.id, index)
        samples.append(quick_sample(one.prompt, one.completion, one.columns, one.group, one.id))
    return samples, request.step
