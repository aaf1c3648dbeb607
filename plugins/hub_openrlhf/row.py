"""What OpenRLHF hands over of a row of its data."""

from collections.abc import Mapping
from typing import Any

from hub.errors import ConfigError
from hub.training.label import columns_of_label


def columns_of_row(
    row: Mapping[str, Any], *, label: str = "answer", label_key: str | None = None
) -> dict[str, Any]:
    """Return the columns that rewards get of a row: what its label holds, and nothing else.

    Args:
        row: of the data file.
        label: the column that a label becomes, unless it is an object of columns.
        label_key: the row's column with the label.

    Raises:
        ConfigError: it is not known which column that is, or the row has none of that name.
    """
    if label_key is None:
        raise ConfigError("say which column is the label, --data.label_key: --with label_key=NAME")
    if label_key not in row:
        known = ", ".join(sorted(row)) or "none"
        raise ConfigError(f"no column {label_key!r}, which is to be the label (it has: {known})")
    return columns_of_label(row[label_key], label)
