"""GRPO in two processes whose batches hold half of each group. Arguments: the model's folder, where to write.

Started by torchrun. Each process writes RANK.json: what it was given and what it gave, batch by batch, and what
became of a batch in which one process fails.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer  # type: ignore[attr-defined]

import hub
import hub_trl
from hub.errors import RewardFailed


@hub.reward(group=True, lane="inline", needs=["completion_ids"])
def place(samples: list[hub.Sample]) -> list[float]:
    """How many of the group have a smaller sum of tokens."""
    sums = [sum(sample["completion_ids"]) for sample in samples]
    return [float(sum(other < mine for other in sums)) for mine in sums]


@hub.reward(lane="inline", needs=["number"])
def fails(sample: hub.Sample) -> float:
    if sample["number"] == 3:
        raise ValueError("told to")
    return 1.0


def main(model: str, out: str) -> None:
    rank = int(os.environ["RANK"])
    batches: list[dict[str, Any]] = []
    mix = hub.Mix({place: [[0, 1.0], [9, 2.0]]})  # a schedule: one function, which logs for itself
    (total,) = hub_trl.reward_funcs(mix)

    def watched(**arguments: Any) -> list[float | None]:
        values: list[float | None] = total(**arguments)
        step = arguments["trainer_state"].global_step
        given = {name: arguments[name] for name in ("prompts", "completion_ids")}
        batches.append({**given, "values": values, "step": step})
        return values

    config = GRPOConfig(
        str(Path(out) / "trl"),
        per_device_train_batch_size=2,
        num_generations=4,
        max_completion_length=8,
        max_steps=2,
        logging_steps=1,
        report_to="none",
        save_strategy="no",
        bf16=False,
        use_cpu=True,
        disable_tqdm=True,
        **hub_trl.trainer_arguments(mix),
    )
    rows = {"prompt": [f"{n}+{n}?" for n in range(4)]}
    trainer = GRPOTrainer(model, reward_funcs=watched, args=config, train_dataset=Dataset.from_dict(rows))
    trainer.train()
    failing = hub.Mix({place: 1.0, fails: 1.0}, on_failure="raise")
    function = hub_trl.reward_funcs(failing)[0]
    numbers = [2 * rank, 2 * rank + 1]
    try:
        function(prompts=["p", str(rank)], completions=["a", "b"], completion_ids=[[1], [2]], number=numbers)
        failure = ""
    except RewardFailed as error:
        failure = str(error)
    log = [entry for entry in trainer.state.log_history if "reward" in entry]
    text = json.dumps({"batches": batches, "failure": failure, "log": log})
    (Path(out) / f"{rank}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
