"""Grades with a task's own filters and metrics, in worker processes and without the task's data.

`process_results` of some tasks parses what the model wrote with code that can hang; here it is killed, and
costs that one sample.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.sample import Sample
from hub.score import Outcome, Score
from hub_lm_eval.find_task import find_task
from hub_lm_eval.plain import plain
from hub_lm_eval.tasks import load_task, read_config


class TaskReward:
    """A metric of one of lm-eval's tasks on one document.

    The score's `info` has every metric by lm-eval's name for it ("exact_match,strict-match"), and what the
    filter took for the answer. Where no metric is a number for one document, as with F1 over all, it
    abstains.

    Args:
        task: the task's name, or the path of its YAML.
        metric: which of them is the value; "": the first.
    """

    def __init__(self, task: str, metric: str = "") -> None:
        self._path, self._metric = find_task(task), metric
        self._config = read_config(self._path, resolve=True)
        self._task: Any = None

    def __call__(self, sample: Sample) -> Score:
        """Grade one document."""
        from lm_eval.api.instance import Instance

        task = self._ready(sample)
        doc = sample["doc"]
        likelihoods = sample.get("likelihoods")
        if likelihoods is None:
            answers: list[Any] = [sample.text]
        elif task.OUTPUT_TYPE == "loglikelihood_rolling":
            answers = [likelihoods[0][0]]
        else:
            answers = [(logprob, is_greedy) for logprob, is_greedy in likelihoods]
        instances = [
            Instance(task.OUTPUT_TYPE, doc, ("",), place, (str(self._path), 0, 1), [answer])
            for place, answer in enumerate(answers)
        ]
        task._instances = instances
        task.apply_filters()
        found: dict[str, Any] = {}
        for kind in instances[0].filtered_resps:
            results = [instance.filtered_resps[kind] for instance in instances]
            metrics = task.process_results(doc, results)
            found |= {f"{name},{kind}": plain(value) for name, value in metrics.items()}
        return self._score(found, instances[0].filtered_resps)

    def _score(self, metrics: dict[str, Any], filtered: Mapping[str, Any]) -> Score:
        info: dict[str, Any] = {"metrics": metrics}
        numbers = {key: value for key, value in metrics.items() if isinstance(value, int | float)}
        chosen = self._metric or next(iter(numbers), "")
        answer = filtered.get(chosen.rpartition(",")[2])
        if isinstance(answer, str):
            info["answer"] = answer
        if not chosen:
            detail = f"no metric of {', '.join(metrics)} is a number for one document"
            return Score(None, "aggregated", detail, info, Outcome.ABSTAINED)
        if chosen not in numbers:
            return Score.failed("bad_value", f"no number {chosen!r} among {', '.join(metrics)}", info)
        if numbers[chosen] != numbers[chosen]:
            return Score.failed("bad_value", f"{chosen} is NaN", info)
        return Score(float(numbers[chosen]), info=info)

    def _ready(self, sample: Sample) -> Any:
        """The task, made of the first document in place of its data."""
        if self._task is None:
            self._task = _without_data(self._path, self._config, sample["doc"])
        multiple = sample.get("multiple")
        if multiple and hasattr(self._task, "multiple_target"):
            self._task.multiple_input, self._task.multiple_target = multiple
        return self._task


def _without_data(path: Path, config: dict[str, Any], doc: Mapping[str, Any]) -> Any:
    if "class" in config:
        return load_task(path)
    from lm_eval.api.task import ConfigurableTask

    kept = {key: value for key, value in config.items() if key not in ("tag", "group", "task_list")}
    changed: dict[str, Any] = {
        "custom_dataset": lambda **_: _Anything(doc),
        "process_docs": None,
        "num_fewshot": 0,
        "fewshot_split": None,
        "fewshot_config": None,
        "metadata": {},
        "dataset_kwargs": None,
    }
    return ConfigurableTask(config=kept | changed)


class _Documents(list[Any]):
    """One document, as much of a dataset as a task needs."""

    @property
    def features(self) -> Mapping[str, Any]:
        return dict(self[0])


class _Anything:
    """Has the document in every split."""

    def __init__(self, doc: Mapping[str, Any]) -> None:
        self._documents = _Documents([doc])

    def __getitem__(self, split: str) -> _Documents:
        return self._documents
