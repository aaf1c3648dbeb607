"""The batch that TRL gives to reward functions: as samples, and to know it again."""

import json
from collections.abc import Mapping, Sequence
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
    prompts: Sequence[Any], completions: Sequence[Any], arguments: Mapping[str, Any]
) -> list[Sample]:
    """Return one sample per completion.

    Args:
        prompts: text or messages.
        completions: text or messages.
        arguments: the other arguments; those that are lists with one value per sample are columns.
    """
    count = len(completions)
    columns = {
        name: values
        for name, values in arguments.items()
        if name not in NOT_COLUMNS and isinstance(values, list | tuple) and len(values) == count
    }
    samples = []
    for index, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
        mine = {name: values[index] for name, values in columns.items() if values[index] is not ABSENT}
        samples.append(Sample(prompt, completion, mine, _group(prompt)))
    return samples


def _group(prompt: Any) -> str:
    return prompt if isinstance(prompt, str) else json.dumps(prompt, sort_keys=True, default=repr)


@dataclass
class Scored:
    """A batch that was scored, until every function has read it.

    Args:
        inputs: the very lists that TRL passed, by argument.
        completions: what the list of completions held.
        results: one per sample.
        readers: functions that have read it.
    """

    inputs: dict[str, Any]
    completions: list[Any]
    results: list[MixScore]
    readers: set[str] = field(default_factory=set)

    def is_of(self, inputs: Mapping[str, Any]) -> bool:
        """Whether these are the same lists: the same objects, as equal batches are scored anew."""
        return (
            self.inputs.keys() == inputs.keys()
            and all(self.inputs[name] is inputs[name] for name in inputs)
            and len(self.completions) == len(inputs["completions"])
            and all(a is b for a, b in zip(self.completions, inputs["completions"], strict=True))
        )
