"""A sample of Miles or slime as the hub's (facts: `miles.utils.types.Sample` of miles-rl 0.0.2)."""

from collections.abc import Mapping
from typing import Any

import hub
from hub.errors import ConfigError
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


def columns_of_row(
    row: Mapping[str, Any],
    *,
    label: str = "answer",
    label_key: str | None = None,
    metadata_key: str = "metadata",
) -> dict[str, Any]:
    """Return the columns that rewards get of a row of the trainer's data file.

    Args:
        row: of the file.
        label: which column the label becomes.
        label_key: the row's column with the label (`--label-key`); None: there is none.
        metadata_key: the row's column with an object of columns (`--metadata-key`).

    Raises:
        ConfigError: the row has no such label, or its metadata is no object.
    """
    metadata = row.get(metadata_key) or {}
    if not isinstance(metadata, Mapping):
        raise ConfigError(f"{metadata_key!r} is {metadata!r:.60}, but should be an object of columns")
    if label_key is not None and label_key not in row:
        known = ", ".join(sorted(row)) or "none"
        raise ConfigError(f"no column {label_key!r}, which is to be the label (it has: {known})")
    found = row[label_key] if label_key is not None else None
    return {**metadata, **({} if found is None else {label: found})}


def is_aborted(sample: Any) -> bool:
    """Whether the trainer broke its generation off: what there is of it says nothing about the model."""
    return bool(sample.status.value == "aborted")
