"""A sample of Miles or slime as the hub's (facts: `miles.utils.types.Sample` of miles-rl 0.0.2)."""

from collections.abc import Mapping
from typing import Any

import hub
from hub.training.completion import without_end
from hub.training.prompt import prompt_key


def sample_of(sample: Any, label: str) -> hub.Sample:
    """Return what rewards see of a sample.

    Its columns are those of the metadata; `label`, where there is one; and `completion_ids`, the response's
    tokens. These trainers keep the token at which the model stopped in the response (`no_stop_trim`, and
    `--rollout-skip-special-tokens` is off): it is taken off.

    Args:
        sample: the trainer's; its prompt is text, with the chat template where the trainer applies it, or
            messages.
        label: which column the sample's label becomes.
    """
    columns = dict(sample.metadata) if isinstance(sample.metadata, Mapping) else {}
    if sample.label is not None:
        columns[label] = sample.label
    if sample.response_length:
        columns["completion_ids"] = list(sample.tokens[-sample.response_length :])
    group = sample.group_index if sample.group_index is not None else prompt_key(sample.prompt)
    return hub.Sample(sample.prompt, without_end(sample.response), columns, group, sample.index)


def is_aborted(sample: Any) -> bool:
    """Whether the trainer broke its generation off: what there is of it says nothing about the model."""
    return bool(sample.status.value == "aborted")
