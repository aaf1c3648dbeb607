"""The batch that TRL gives to reward functions: as samples, and to know it again."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from hub import MixScore, Sample
from hub.errors import BadInput
from hub.training.prompt import prompt_key

NOT_COLUMNS = ("trainer_state", "log_extra", "log_metric", "environments")
"""Arguments that TRL adds to the columns of the data."""


class Absent(Enum):
    """Stands for a column that a row does not have, where every row must have the same columns."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


def samples_of(
    prompts: Sequence[Any], completions: Sequence[Any], arguments: Mapping[str, Any], *, pairs: bool = False
) -> list[Sample]:
    """Return one sample per completion.

    Args:
        prompts: text or messages.
        completions: text or messages.
        arguments: the other arguments; lists and arrays, with one value per sample, are columns.
        pairs: the second half has the same prompts as the first, so that two samples are a group; else a
            group is what has the same prompt.

    Raises:
        BadInput: a column, or the prompts, are not as many as the completions.
    """
    count = len(completions)
    if len(prompts) != count:
        raise BadInput(f"{len(prompts)} prompts for {count} completions: give one of each per sample")
    columns = {}
    for name, given in arguments.items():
        values = None if name in (*NOT_COLUMNS, "prompt") else _listed(given)  # trl<1.8 gives a `prompt` too
        if values is None:
            continue
        if len(values) != count:
            raise BadInput(
                f"the column {name!r} has {len(values)} values for {count} completions: give one per sample"
            )
        columns[name] = values
    samples = []
    for index, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
        mine = {name: values[index] for name, values in columns.items() if values[index] is not ABSENT}
        group = str(index % (count // 2)) if pairs else prompt_key(prompt)
        samples.append(Sample(prompt, completion, mine, group))
    return samples


def _listed(values: Any) -> Sequence[Any] | None:
    """The values of a list, an array, a tensor or a table's column; None where it is none of these."""
    if isinstance(values, list | tuple):
        return values
    if isinstance(values, str | bytes | Mapping) or getattr(values, "ndim", 1) == 0:
        return None
    if callable(getattr(values, "tolist", None)):
        found: list[Any] = values.tolist()
        return found
    return list(values) if isinstance(values, Sequence) else None


@dataclass
class Scored:
    """A batch that is being scored or was, until every function has read it.

    Args:
        inputs: the very lists that TRL passed, by argument.
        completions: what the list of completions held.
        samples: the same as samples.
        results: will hold one per sample.
        readers: functions that have read it, or wait for it.
    """

    inputs: dict[str, Any]
    completions: list[Any]
    samples: list[Sample]
    results: "Future[list[MixScore]]" = field(default_factory=Future)
    readers: set[str] = field(default_factory=set)

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Around what scores it: where that raises, whoever waits for the results gets the same error."""
        try:
            yield
        except BaseException as error:
            if not self.results.done():
                self.results.set_exception(error)
            raise

    def is_of(self, inputs: Mapping[str, Any]) -> bool:
        """Whether these are the same lists: the same objects, as equal batches are scored anew."""
        return (
            self.inputs.keys() == inputs.keys()
            and all(self.inputs[name] is inputs[name] for name in inputs)
            and len(self.completions) == len(inputs["completions"])
            and all(a is b for a, b in zip(self.completions, inputs["completions"], strict=True))
        )
