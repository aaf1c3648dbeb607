r"""Samples and results as JSON: what the native endpoint takes and gives, for both of its ends.

A sample is {"prompt", "completion", "columns", "group", "id"}, of which only the completion must be there;
a result is a line of `hub score` with the outcome of the total and each reward's weighted part. Numbers are
written so that they are read back bit for bit.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hub.errors import BadInput
from hub.mix.combine import MixScore
from hub.sample import Sample
from hub.score import Outcome, Score
from hub_serve.refused import Refused, unfit

DEPTH = 100
"""How deep lists and objects may be inside each other in a prompt, a completion or a column."""
NAME = 200
"""Characters that a sample's group and id may have: the id is sent back."""
_KEYS = frozenset(("prompt", "completion", "columns", "group", "id"))
_SCALARS = frozenset((str, int, float, bool, type(None)))


def read_samples(given: Any, max_batch: int) -> tuple[list[Sample], int | None]:
    """Return the samples of a request, and its training step.

    Raises:
        Refused: it has another form, or too many samples.
    """
    if type(given) is not dict or type(given.get("samples")) is not list:
        raise unfit(
            "", 'the body should be an object: {"samples": [{"prompt": ..., "completion": ...}, ...]}'
        )
    if unknown := given.keys() - {"samples", "step"}:
        raise unfit(min(unknown)[:100], "unknown key; there are: samples, step")
    step = given.get("step")
    if step is not None and (type(step) is not int or step < 0):
        raise unfit("step", "should be a whole number, at least 0, or left out")
    found = given["samples"]
    check_count(len(found), max_batch)
    return [_read_sample(one, index) for index, one in enumerate(found)], step


def check_count(count: int, max_batch: int) -> None:
    """Refuse a batch that is too large.

    Raises:
        Refused: it is.
    """
    if count > max_batch:
        message = f"{count} samples in one request; at most {max_batch} are taken: send them in parts"
        raise Refused(413, "batch_too_large", message)


def check_depth(value: Any, where: str, left: int = DEPTH) -> None:
    """Refuse what is too deeply nested for the code behind.

    Raises:
        Refused: it is.
    """
    if type(value) in _SCALARS:
        return
    if not left:
        raise unfit(where, f"lists and objects are more than {DEPTH} deep in each other")
    for inner in value.values() if type(value) is dict else value:
        if type(inner) not in _SCALARS:
            check_depth(inner, where, left - 1)


def _read_sample(one: Any, index: int) -> Sample:
    if type(one) is not dict or "completion" not in one:
        raise unfit(f"samples[{index}]", 'should be an object with a "completion"')
    if not one.keys() <= _KEYS:
        unknown = min(one.keys() - _KEYS)[:100]
        raise unfit(f"samples[{index}].{unknown}", f"unknown key; there are: {', '.join(sorted(_KEYS))}")
    get = one.get
    prompt, completion, columns = get("prompt", ""), one["completion"], get("columns") or {}
    if type(columns) is not dict:
        raise unfit(f"samples[{index}].columns", "should be an object: the row's columns by name")
    if type(prompt) is not str or type(completion) is not str:
        check_depth([prompt, completion], f"samples[{index}]")
    if not _SCALARS.issuperset(map(type, columns.values())):
        for name, value in columns.items():
            check_depth(value, f"samples[{index}].columns.{name[:100]}")
    if "group" not in one and "id" not in one:
        return Sample(prompt, completion, columns)
    check_names(get("group"), get("id"), index)
    return Sample(prompt, completion, columns, get("group"), get("id"))


def check_names(group: Any, own: Any, index: int) -> None:
    """Refuse a sample's group and id where they are not what can be sent back.

    Raises:
        Refused: one is.
    """
    for key, name in (("group", group), ("id", own)):
        fits = name is None or (len(name) <= NAME if type(name) is str else type(name) is int)
        if not fits or (type(name) is int and name.bit_length() > 64):
            message = f"should be a text of at most {NAME} characters or a whole number of at most 64 bits"
            raise unfit(f"samples[{index}].{key}", message)


def write_results(samples: Sequence[Sample], results: Sequence[MixScore]) -> bytes:
    """Return the answer with one result per sample, in their order."""
    names = list(results[0].scores) if results else []
    quoted = [json.dumps(name).replace("%", "%%") for name in names]
    scores = ", ".join([f"{name}: {{%s}}" for name in quoted])
    parts = ", ".join([f"{name}: %s" for name in quoted])
    line = f'{{"id": %s, %s, "scores": {{{scores}}}, "weighted": {{{parts}}}}}'
    columns = [
        ["null" if sample.id is None else json.dumps(sample.id) for sample in samples],
        _texts("score", [result.total for result in results]),
        *(_texts("value", [result.scores[name] for result in results]) for name in names),
        *(_numbers([result.weighted[name] for result in results]) for name in names),
    ]
    lines = [line % row for row in zip(*columns, strict=True)]
    return f'{{"results": [{", ".join(lines)}]}}'.encode()


def read_results(answer: Any, count: int) -> list[MixScore]:
    """Return the results of an answer.

    Raises:
        ValueError: it is not an answer for this many samples.
    """
    try:
        found = [_read_result(one) for one in answer["results"]]
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not an answer of hub serve: {type(error).__name__}: {error}") from error
    if len(found) != count:
        raise ValueError(f"{len(found)} results for {count} samples")
    return found


def write_samples(samples: Sequence[Sample], groups: Sequence[int | None], step: int | None) -> bytes:
    """Return the body of a request.

    Args:
        samples: their columns must be what JSON has; tuples become lists.
        groups: a number for each sample's group; None: those of an equal prompt.
        step: the training step.

    Raises:
        BadInput: a sample holds what JSON does not have.
    """
    tables = []
    for index, (sample, group) in enumerate(zip(samples, groups, strict=True)):
        table: dict[str, Any] = {"prompt": sample.prompt, "completion": sample.completion}
        if sample.columns:
            table["columns"] = dict(sample.columns)
        for value in table.values():
            if type(value) is not str:
                _check_plain(value, index)
        if group is not None:
            table["group"] = group
        tables.append(table)
    body: dict[str, Any] = {"samples": tables}
    if step is not None:
        body["step"] = step
    return json.dumps(body).encode()


def _check_plain(value: Any, index: int) -> None:
    if isinstance(value, Mapping):
        inner: Iterable[Any] = value.values()
        for key in value:
            if type(key) is not str:
                raise BadInput(f"sample {index}: the key {key!r:.80} is no text, and JSON has no other keys")
        if type(value) is not dict:
            raise BadInput(f"sample {index} holds a {type(value).__name__}: make a dict of it")
    elif isinstance(value, list | tuple):
        inner = value
    elif isinstance(value, str | int | float | bool | None):
        return
    else:
        raise BadInput(
            f"sample {index} holds a {type(value).__name__}, which JSON does not have: {value!r:.80}"
        )
    for one in inner:
        if type(one) not in _SCALARS:
            _check_plain(one, index)


def _texts(key: str, scores: Sequence[Score]) -> list[str]:
    """Each score's text; of a score that is there several times, as 0 and 1 are, it is made once."""
    known: dict[int, str] = {}
    return [known.get(id(score)) or known.setdefault(id(score), _score(key, score)) for score in scores]


def _numbers(parts: Sequence[float | None]) -> list[str]:
    return ["null" if part is None else repr(part) for part in parts]


def _score(key: str, score: Score) -> str:
    """The keys and values of a score, as `Score.as_dict` has them, without the braces."""
    if score.value is not None and not (
        score.reason or score.detail or score.info
    ):  # the usual one, and fast
        return f'"{key}": {score.value!r}, "outcome": "scored", "reason": ""'
    plain = score.as_dict()
    plain = {key: plain.pop("value"), **plain}
    try:
        return json.dumps(plain, allow_nan=False)[1:-1]
    except (TypeError, ValueError, RecursionError):
        plain["info"] = {"repr": repr(plain.get("info"))[:2000]}
        return json.dumps(plain)[1:-1]


def _read_result(one: dict[str, Any]) -> MixScore:
    scores = {name: _read_score(plain["value"], plain) for name, plain in one["scores"].items()}
    return MixScore(_read_score(one["score"], one), scores, one["weighted"])


def _read_score(value: float | None, plain: dict[str, Any]) -> Score:
    outcome = Outcome(plain["outcome"])
    return Score(value, plain["reason"], plain.get("detail", ""), plain.get("info") or {}, outcome)
