"""GRPO with DeepSpeed's ZeRO-2 in one process, on a CPU. Arguments: the model's folder, where to write.

Started by torchrun. Prints what the trainer logged, as JSON.
"""

import json
import sys

from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer  # type: ignore[attr-defined]

import hub
import hub_trl


@hub.reward(lane="inline", needs=["completion_ids"])
def tokens(sample: hub.Sample) -> float:
    return float(sum(sample["completion_ids"]) % 17 / 17)


def main(model: str, out: str) -> None:
    mix = hub.Mix({"math": 1.0, tokens: 0.5})
    config = GRPOConfig(
        out,
        # with use_cpu=True accelerate would leave DeepSpeed out without a word
        deepspeed={
            "train_micro_batch_size_per_gpu": 4,
            "gradient_accumulation_steps": 1,
            "zero_optimization": {"stage": 2},
            "zero_allow_untested_optimizer": True,
        },
        ddp_backend="gloo",
        per_device_train_batch_size=4,
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
    functions = hub_trl.reward_funcs(mix)
    trainer = GRPOTrainer(model, reward_funcs=functions, args=config, train_dataset=Dataset.from_list(rows))
    trainer.train()
    log = [entry for entry in trainer.state.log_history if "reward" in entry]
    print(json.dumps({"wrapped": type(trainer.model_wrapped).__name__, "log": log}))


if __name__ == "__main__":
    main(*sys.argv[1:])
