"""GRPO with DeepSpeed on a CPU. Arguments: the model's folder, where to write, ZeRO's stage.

Started by torchrun, with as many processes as it likes. Prints what the trainer logged, as JSON.
"""

import json
import os
import sys
from typing import Any

from accelerate import PartialState  # type: ignore[import-untyped]
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer  # type: ignore[attr-defined]

import hub
import hub_trl


@hub.reward(lane="inline", needs=["completion_ids"])
def tokens(sample: hub.Sample) -> float:
    return float(sum(sample["completion_ids"]) % 17 / 17)


@hub.reward(group=True, needs=[], name="largest-group")
def largest(samples: list[hub.Sample]) -> list[float]:
    return [len(samples)] * len(samples)


def main(model: str, out: str, stage: str) -> None:
    mix = hub.Mix({"math": 1.0, tokens: 0.5, largest: 0.25})
    share = 4 // int(os.environ["WORLD_SIZE"])  # a prompt's completions are spread over the processes
    # accelerate makes one world of several processes on a CPU only where it is told the backend before
    os.environ["ACCELERATE_USE_DEEPSPEED"] = "true"
    PartialState(backend="gloo")
    config = GRPOConfig(
        out,
        accelerator_config={"use_configured_state": True},
        # with use_cpu=True accelerate would leave DeepSpeed out without a word
        deepspeed={
            "train_micro_batch_size_per_gpu": share,
            "gradient_accumulation_steps": 1,
            "zero_optimization": {"stage": int(stage)},
            "zero_allow_untested_optimizer": True,
        },
        per_device_train_batch_size=share,
        num_generations=4,
        max_completion_length=8,
        max_steps=2,
        logging_steps=1,
        report_to="none",
        save_strategy="no",
        bf16=False,
        disable_tqdm=True,
        **hub_trl.trainer_arguments(mix),
    )
    rows = [{"prompt": f"{n}+{n}?", "answer": str(2 * n)} for n in range(4)]
    functions: Any = hub_trl.reward_funcs(mix)
    trainer = GRPOTrainer(model, reward_funcs=functions, args=config, train_dataset=Dataset.from_list(rows))
    trainer.train()
    log = [entry for entry in trainer.state.log_history if "reward" in entry]
    if trainer.accelerator.is_main_process:
        print(json.dumps({"wrapped": type(trainer.model_wrapped).__name__, "log": log}))


if __name__ == "__main__":
    main(*sys.argv[1:])
