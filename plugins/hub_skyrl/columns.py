"""What SkyRL gives to an environment of a row, as columns."""

from collections.abc import Mapping
from typing import Any


def columns_of_row(row: Mapping[str, Any], *, label: str = "answer") -> dict[str, Any]:
    """Return the columns: those of the row but prompt and environment, of `extra_info`, and the ground truth.

    Args:
        row: of the data.
        label: which column the `ground_truth` of `reward_spec` becomes.
    """
    given = {name: value for name, value in row.items() if name not in ("prompt", "env_class")}
    specification = given.pop("reward_spec", None) or {}
    columns = {**(given.pop("extra_info", None) or {}), **given}
    if "ground_truth" in specification:
        columns[label] = specification["ground_truth"]
    return columns
