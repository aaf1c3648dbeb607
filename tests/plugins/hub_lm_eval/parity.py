"""A benchmark with known completions through lm-eval's own `simple_evaluate`: what the parity tests compare."""

from collections.abc import Callable, Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any

from lm_eval import simple_evaluate
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager

from hub_lm_eval.hub_task import FILTER, HubTask

Values = dict[str, list[float | None]]
"""By reward, and "total": the value on each row; None where there is none."""


class Recorded(LM):  # type: ignore[misc]
    """A model of lm-eval whose completions are a function of the document and of how many it was asked for."""

    def __init__(self, answer: Callable[[Mapping[str, Any], int], str]) -> None:
        super().__init__()
        self.answer = answer
        self.contexts: list[str] = []

    def generate_until(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[str]:
        self.contexts += [request.args[0] for request in requests]
        return [self.answer(request.doc, number) for number, request in enumerate(requests)]

    def loglikelihood(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        return [(-float(len(request.args[1])), number % 3 == 0) for number, request in enumerate(requests)]

    def loglikelihood_rolling(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[float]:
        return [-2.0 * len(request.args[0]) for request in requests]


def run(lm: LM, tasks: Sequence[Any], **more: Any) -> dict[str, Any]:
    """simple_evaluate without its start-up cost, and without reseeding this process."""
    seeds = dict.fromkeys(("random_seed", "numpy_random_seed", "torch_random_seed"))
    manager = TaskManager(include_defaults=False, include_path=more.pop("include_path", None))
    found = simple_evaluate(
        lm, tasks=list(tasks), task_manager=manager, **{"bootstrap_iters": 0, **seeds, **more}
    )
    assert isinstance(found, dict)
    return found


def through_lm_eval(benchmark: str, mix: Path, completions: Mapping[str, str]) -> Values:
    """Return each reward's value on each row.

    Args:
        benchmark: its name, or path/to/file.py:name.
        mix: the file that grades; of several rewards.
        completions: by the row's id.
    """
    task = HubTask({"benchmark": benchmark, "mix": str(mix), "task": "parity"})
    result = run(Recorded(lambda doc, number: completions[doc["id"]]), [task])
    samples = sorted(result["samples"]["parity"], key=lambda sample: sample["doc_id"])
    assert {sample["filter"] for sample in samples} == {FILTER}
    rewards = [name for name in samples[0]["metrics"] if name not in ("score", "error_rate", "abstain_rate")]
    values: Values = {name: [_value(sample[name]) for sample in samples] for name in rewards}
    return values | {"total": [_value(sample["score"]) for sample in samples]}


def _value(number: float) -> float | None:
    return None if isnan(number) else number
