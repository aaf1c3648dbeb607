"""Rows of a task: a dataset of the package for "test", and for "train" rows of another seed without those."""

from collections.abc import Callable, Iterator
from typing import Any

from hub.errors import OptionError
from hub_reasoning_gym.dataset import apart, open_dataset
from hub_reasoning_gym.entry import write_entry

PROMPT = (
    "{question}\n\nThink step by step. Then write your final answer, and nothing else, between <answer> and "
    "</answer>."
)
TRAIN = 2**31
"""What is added to a seed for rows to train on; a row's own seed is that plus its number."""
ROUNDS = 20
"""Datasets of `size` that are searched for rows to train on."""


def rows_of(task: str) -> Callable[..., Iterator[dict[str, Any]]]:
    """Return the function that makes the rows of a task."""

    def rows(
        split: str,
        size: int = 50,
        seed: int = 0,
        level: int | None = None,
        config: dict[str, Any] | None = None,
        prompt: str = PROMPT,
    ) -> Iterator[dict[str, Any]]:
        """Yield rows with the columns `prompt`, `task`, `answer`, `entry` and `config`.

        `answer` is an answer that the verifier takes, "" where the package gives none; `entry` and `config`
        are for the verifier.

        Args:
            split: "test": the rows of `reasoning_gym.create_dataset(task, seed=seed, size=size)`. "train":
                rows of another seed, none of which asks what one of these asks.
            size: how many rows.
            seed: which ones.
            level: of the task's curriculum, from 0, the easiest; None: the task's own defaults.
            config: fields of the task's configuration, e.g. {max_terms = 3}.
            prompt: {question} stands for the question.

        Raises:
            OptionError: an option will not do, or there are too few other rows to train on.
        """
        if "{question}" not in prompt:
            raise OptionError(f"reasoning-gym/{task}: the prompt has no {{question}} in it: {prompt!r}")
        given = {} if config is None else dict(config)
        drawn = (
            _test(task, size, seed, level, given)
            if split == "test"
            else _train(task, size, seed, level, given)
        )
        for name, entry in drawn:
            yield {
                "id": name,
                "prompt": prompt.replace("{question}", entry["question"]),
                "task": task,
                "answer": "" if entry["answer"] is None else str(entry["answer"]),
                "entry": write_entry(entry),
                "config": repr({"level": level, "config": given}),
            }

    return rows


def _test(
    task: str, size: int, seed: int, level: int | None, config: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    dataset = open_dataset(task, seed, size, level, config)
    for number in range(size):
        with apart((seed + number) % 2**32):
            entry = dataset[number]
        yield f"{task}-{seed}-{number}", entry


def _train(
    task: str, size: int, seed: int, level: int | None, config: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    tested = {_key(entry) for _, entry in _test(task, size, seed, level, config)}
    left = size
    for number in range(ROUNDS):
        start = (seed + TRAIN + number * size) % 2**32
        for name, entry in _test(task, size, start, level, config):
            if left and _key(entry) not in tested:
                left -= 1
                yield name, entry
        if not left:
            return
    raise OptionError(
        f"reasoning-gym/{task} has too few questions: of {ROUNDS * size} only {size - left} are none of the "
        "test's: lower size, or change config or level"
    )


def _key(entry: dict[str, Any]) -> str:
    return " ".join(entry["question"].split()).casefold()
