"""`.eval_results/*.yaml` of a model repository (huggingface_hub 2.4, `EvalResultEntry`)."""

from typing import Any

from hub.errors import ConfigError
from hub.evaluation.stored import StoredRun
from hub_results.listing import finished, metrics_of

DATASETS = {
    "gsm8k": ("openai/gsm8k", "main"),
    "svamp": ("ChilleD/SVAMP", "default"),
    "gsm-hard": ("reasoning-machines/gsm-hard", "default"),
    "humaneval": ("openai/openai_humaneval", "openai_humaneval"),
    "mbpp": ("google-research-datasets/mbpp", "full"),
    "math-500": ("HuggingFaceH4/MATH-500", "default"),
}
"""Data set and task, by benchmark; of others they must be given."""


def entry(run: StoredRun, metric: str, dataset: str | None = None, task: str | None = None) -> str:
    """Return the file's text for one metric of a run.

    Args:
        run: what was evaluated.
        metric: as for `hub_results.listing.rows`.
        dataset: the data set's id; None: the one that is known for the benchmark.
        task: the task's id within it; None: the known one, else "default".

    Raises:
        ConfigError: the data set is not known, or the metric has no value.
    """
    import yaml
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    known = DATASETS.get(run.benchmark)
    if dataset is None and known is None:
        raise ConfigError(f"which data set {run.benchmark!r} is of is not known: give --dataset org/name")
    account = metrics_of(run)[metric]
    if account["mean"] is None:
        raise ConfigError(f"{run.path}: {metric} has no value")
    notes = [f"posttrain-hub {run.result.get('versions', {}).get('hub', '?')}", metric, *run.result["flags"]]
    if account["failed"]:
        notes.append(f"{account['failed']} of {account['n'] + account['failed']} could not be scored")
    made: Any = EvalResultEntry(
        dataset_id=dataset or (known[0] if known else ""),
        task_id=task or (known[1] if known and dataset is None else "default"),
        value=account["mean"],
        date=finished(run) or None,
        notes="; ".join(notes),
    )
    return str(yaml.safe_dump(eval_result_entries_to_yaml([made]), sort_keys=False, allow_unicode=True))
