"""IFEval: prompts with instructions that a program can verify (Zhou et al. 2023, arXiv 2311.07911).

Data: google-research/google-research, folder instruction_following_eval, Apache-2.0; 541 prompts, of which
copies of the older file have 540. The prompt is the data's own.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hub.errors import DataError
from hub_benchmarks.find_data import find_rows
from hub_benchmarks.share import share

COLUMNS = ("key", "prompt", "instruction_id_list", "kwargs")


def rows(split: str, path: str | None = None, train_share: float = 0.0) -> Iterator[dict[str, Any]]:
    """Yield prompts with the columns `prompt`, `instruction_id_list` and `kwargs`.

    Args:
        split: "test", or "train" with a `train_share`.
        path: a file with the columns of input_data.jsonl, or a folder with that. None: HUB_DATA/ifeval, else
            google/IFEval of the dataset hub.
        train_share: the part of the prompts that is for training and not in "test".

    Raises:
        DataError: the data is in none of these places, or is not IFEval.
        OptionError: the share is out of range.
    """
    raw = find_rows("ifeval", "input_data.jsonl", path, "google/IFEval", None, "train")
    return share("ifeval", split, train_share, _rows(raw), lambda row: row["prompt"])


def _rows(raw: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(raw):
        key, prompt, kinds, arguments = (row.get(column) for column in COLUMNS)
        if not (isinstance(prompt, str) and isinstance(kinds, list) and isinstance(arguments, list)):
            raise DataError(
                f"ifeval: row {number} has the columns {', '.join(row)}, and not all of {', '.join(COLUMNS)}"
            )
        yield {
            "id": f"ifeval-{key}",
            "prompt": prompt,
            "instruction_id_list": kinds,
            "kwargs": [_given(table) for table in arguments],
        }


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments that are there: the dataset hub's copy has every column in every row."""
    return {name: value for name, value in arguments.items() if value is not None}
