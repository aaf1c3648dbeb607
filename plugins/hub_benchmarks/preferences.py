"""Pairs of completions of which one is better, to evaluate rewards on.

The data's columns are RewardBench's: `prompt`, `chosen`, `rejected`, `subset` and `id` (Lambert et al. 2024,
arXiv 2403.13787; allenai/reward-bench@05a9005); as in RewardBench 2 (Malik et al. 2025, arXiv 2506.01937)
there may be lists of texts in `chosen` and `rejected`. Whole conversations, which may hold the prompt, will
do as well, as preference data for training has them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.errors import DataError
from hub_benchmarks.find_data import find_rows

DATASET, SPLIT = "allenai/reward-bench", "filtered"
PROMPTS = ("prompt", "question", "input")
SUBSETS = ("subset", "category", "domain")


def rows(
    split: str,
    path: str | None = None,
    dataset: str = DATASET,
    config: str | None = None,
    dataset_split: str = "",
) -> Iterator[dict[str, Any]]:
    """Yield rows with `prompt`, `completions`, `subset`, and `chosen`: how many, from the first, are better.

    Args:
        split: "test".
        path: a file of your own, or a folder with preferences.jsonl in it; None: as in HUB_DATA, or else
            from the dataset hub.
        dataset: the dataset hub's id.
        config: a part of that dataset.
        dataset_split: its split; "": "filtered" of RewardBench, "test" of others.

    Raises:
        DataError: it is not to be had, or a row is no preference.
    """
    wanted = dataset_split or (SPLIT if dataset == DATASET else "test")
    raw = list(find_rows("preferences", "preferences.jsonl", path, dataset, config, wanted))
    read = [_read(row, number) for number, row in enumerate(raw, 1)]
    names = [_name(row, number) for number, row in enumerate(raw, 1)]
    if len(set(names)) < len(names):  # RewardBench numbers each subset anew
        names = [f"{row['subset']}/{name}" for row, name in zip(read, names, strict=True)]
    seen: Counter[str | int] = Counter()
    for row, name in zip(read, names, strict=True):
        seen[name] += 1
        yield {"id": name if seen[name] == 1 else f"{name}#{seen[name]}", **row}


def _read(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    for column in ("chosen", "rejected"):
        if not isinstance(row.get(column), str | list | tuple) or not row[column]:
            if row.get(column) == "":
                continue
            have = ", ".join(row)
            raise DataError(
                f"preferences: row {number} has no {column!r} that is text, a list of texts, or messages: "
                f"{row.get(column)!r:.80} (it has: {have})"
            )
    prompt: Any = next((row[name] for name in PROMPTS if row.get(name) is not None), None)
    chosen, rejected = row["chosen"], row["rejected"]
    if _is_conversation(chosen) and _is_conversation(rejected):
        same = _shared(chosen, rejected)
        prompt = [dict(message) for message in chosen[:same]] or prompt
        chosen, rejected = [list(chosen[same:])], [list(rejected[same:])]
    elif isinstance(chosen, str) and isinstance(rejected, str):
        chosen, rejected = [chosen], [rejected]
    elif not all(isinstance(text, list | tuple) and _are_texts(text) for text in (chosen, rejected)):
        raise DataError(
            f"preferences: row {number}: chosen and rejected are both text, both lists of texts, or both "
            "messages"
        )
    if prompt is None:
        raise DataError(f"preferences: row {number} has no prompt (it has: {', '.join(row)})")
    subset = next((str(row[name]) for name in SUBSETS if row.get(name) is not None), "")
    return {
        "prompt": prompt,
        "completions": [*chosen, *rejected],
        "chosen": len(chosen),
        "subset": subset or "all",
    }


def _name(row: Mapping[str, Any], number: int) -> str | int:
    name = row.get("id")
    return name if isinstance(name, str | int) and not isinstance(name, bool) else number


def _is_conversation(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(one, Mapping) and "role" in one for one in value
    )


def _are_texts(value: Sequence[Any]) -> bool:
    return all(isinstance(one, str) for one in value)


def _shared(one: Sequence[Any], other: Sequence[Any]) -> int:
    """How many messages two conversations begin with that are the same; what is left of each is not empty."""
    most = min(len(one), len(other)) - 1
    return next((place for place in range(most) if dict(one[place]) != dict(other[place])), most)
