"""The reward `reasoning-gym`."""

import ast
from functools import lru_cache
from typing import Any

import hub
from hub.errors import BadInput
from hub_reasoning_gym.dataset import apart, open_dataset
from hub_reasoning_gym.entry import read_entry
from hub_reasoning_gym.guard import CONFIGURED, check_entry, guard, may_verify
from hub_reasoning_gym.names import names


class ReasoningGym:
    """What reasoning-gym's verifier of the row's task gives for the completion's answer, 0.0 to 1.0.

    The answer is what the last `<answer>` and `</answer>` hold, after what was thought. Without them the
    value is 0.0 (`no_answer`). Many verifiers give 0.01 or more for any attempt; docs/benchmarks.md lists
    those that a wrong answer can deceive. What a verifier would evaluate is given to it only where it is a
    formula, else the value is 0.0 (`no_formula`). A verifier that raises, but not on the reference answer
    (where there is none, on an empty one), cannot read this answer: 0.0 (`unreadable`). Any other that
    raises or hangs has failed.

    Args:
        partial: keep values between 0 and 1; if not, only the full score counts.
    """

    def __init__(self, partial: bool = True) -> None:
        self.partial = partial

    def __call__(self, sample: hub.Sample) -> hub.Score:
        """Score one completion.

        Raises:
            BadInput: the row's columns are not those of a reasoning-gym row.
        """
        task, entry = sample["task"], read_entry(sample["entry"])
        dataset = _dataset_of(task, sample.get("config") or "{}")
        check_entry(task, entry)
        answer = find_answer(sample.text)
        if answer is None:
            return hub.Score(0.0, "no_answer")
        info = {"answer": answer, "reference": entry["answer"]}
        if not may_verify(task, answer):
            return hub.Score(0.0, "no_formula", info=info)
        try:
            value = _ask(dataset, answer, entry)
        except Exception as error:
            if not _works(task, dataset, entry):
                raise
            return hub.Score(0.0, "unreadable", f"{type(error).__name__}: {error}", info)
        full = value >= 1.0
        return hub.Score(value if self.partial or full else 0.0, "" if full else "different", info=info)


def find_answer(text: str) -> str | None:
    """Return what the last `<answer>` and `</answer>` hold; None if there is no such pair.

    >>> find_answer("<think><answer>1</answer></think>So <answer> 2 </answer>.")
    '2'
    """
    text = text[text.rfind("</think>") + 8 :] if "</think>" in text else text
    end = text.rfind("</answer>")
    start = text.rfind("<answer>", 0, max(end, 0))
    return text[start + 8 : end].strip() if start >= 0 else None


def _ask(dataset: Any, answer: str, entry: dict[str, Any]) -> float:
    with apart():
        return float(dataset.score_answer(answer, entry))


def _works(task: str, dataset: Any, entry: dict[str, Any]) -> bool:
    reference = entry["answer"] or ""
    try:
        if not may_verify(task, reference):
            return False
        _ask(dataset, reference, entry)
    except Exception:
        return False
    return True


def _dataset_of(task: str, config: str) -> Any:
    """The dataset that verifies a task's answers; some verifiers ask its configuration."""
    if task not in names():
        raise BadInput(f"the column 'task' is {task!r:.100}, which is no task of reasoning-gym")
    try:
        given = ast.literal_eval(config)
        level, fields = given.get("level"), dict(given.get("config") or {})
        return _dataset(task, repr((level, fields) if task in CONFIGURED else (None, {})))
    except (ValueError, SyntaxError, AttributeError, TypeError, RecursionError, MemoryError) as error:
        raise BadInput(f"the column 'config' cannot be read: {error}") from error


@lru_cache(maxsize=256)
def _dataset(task: str, config: str) -> Any:
    level, fields = ast.literal_eval(config)
    dataset = open_dataset(task, 0, 1, level, fields)
    guard(task, type(dataset).__module__)
    return dataset
