"""From verl's rows to columns."""

from collections.abc import Mapping
from typing import Any

from hub.errors import ConfigError

VERLS_OWN = ("rollout_reward_scores", "experiment_name", "raw_prompt")
"""What verl's reward managers add to `extra_info`, and no reward should see."""


def columns_of_row(row: Mapping[str, Any], *, answer: str = "answer") -> dict[str, Any]:
    """Return the columns that rewards get of a row of verl's data file, with what verl's agent loop adds.

    Args:
        row: with `data_source`, `reward_model` and `extra_info`.
        answer: the column that the ground truth becomes.

    Raises:
        ConfigError: `reward_model` or `extra_info` is no table.
    """
    tables = {}
    for name in ("reward_model", "extra_info"):
        tables[name] = row.get(name)
        if tables[name] is not None and not isinstance(tables[name], Mapping):
            raise ConfigError(f"{name!r} is {tables[name]!r:.60}, but verl wants a table there")
    truth = (tables["reward_model"] or {}).get("ground_truth")
    return {"num_turns": 2, **columns_of(row.get("data_source"), truth, tables["extra_info"], answer)}


def columns_of(data_source: Any, ground_truth: Any, extra_info: Any, answer: str) -> dict[str, Any]:
    """Return a row's columns: those of `extra_info`, `data_source`, and the ground truth under its name.

    A column without a value (None) is left out: in a table of mixed data every row has every column.
    """
    columns = {
        str(name): plain(value)
        for name, value in (extra_info or {}).items()
        if value is not None and name not in VERLS_OWN
    }
    if data_source is not None:
        columns["data_source"] = plain(data_source)
    if ground_truth is not None:
        columns[answer] = plain(ground_truth)
    return columns


def plain(value: Any) -> Any:
    """Return numpy's arrays and scalars, which is what parquet files are read as, as Python's.

    >>> import numpy
    >>> plain({"tests": numpy.array(["a", "b"], dtype=object), "n": numpy.int64(2)})
    {'tests': ['a', 'b'], 'n': 2}
    """
    if isinstance(value, str | int | float | bool) and type(value).__module__ == "builtins":
        return value
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return plain(value.tolist())
    return value
