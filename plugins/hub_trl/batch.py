"""The batch that TRL gives to reward functions: as samples, and to know it again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from hub import MixScore, Sample

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
        arguments: the other arguments; those that are lists with one value per sample are columns.
        pairs: the second half has the same prompts as the first, so that two samples are a group; else a
            group is what has the same prompt.
    """
    count = len(completions)
    columns = {
        name: values
        for name, values in arguments.items()
        if name not in (*NOT_COLUMNS, "prompt")  # AsyncGRPOTrainer of trl<1.8 gives the messages of it
        and isinstance(values, list | tuple)
        and len(values) == count
    }
    samples = []
    for index, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
        mine = {name: values[index] for name, values in columns.items() if values[index] is not ABSENT}
        group = str(index % (count // 2)) if pairs else _group(prompt)
        samples.append(Sample(prompt, completion, mine, group))
    return samples


def _group(prompt: Any) -> str:
    return prompt if isinstance(prompt, str) else json.dumps(prompt, sort_keys=True, default=repr)


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
