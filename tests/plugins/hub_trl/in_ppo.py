"""Three updates of TRL's real PPOTrainer, in an environment with trl 1.12. Argument: the folder of conftest.py's model.

Prints what the reward model was asked and answered, and what the trainer logged.
"""

import json
import sys
import tempfile
from typing import Any

import torch
import trl
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer
from trl.experimental.ppo import PPOConfig, PPOTrainer

import hub
from hub_trl.ppo import RewardModel


@hub.reward(lane="inline", needs=["answer", "completion_ids"])
def tokens(sample: hub.Sample) -> float:
    total = sum(sample["completion_ids"])
    if total % 3 == 0:
        raise ValueError("told to")
    return total % 17 / 17 + float(sample["answer"])


def main(folder: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows: list[dict[str, Any]] = [
        {"prompt": f"What is {n}+{n}?", "answer": str(2 * n)} for n in (1, 5, 50, 500)
    ]
    rows += [
        {"prompt": [{"role": "user", "content": row["prompt"]}], "answer": row["answer"]} for row in rows
    ]
    mix = hub.Mix({tokens: 2.0, "think-format": 0.5})
    rewards = RewardModel(mix, tokenizer, rows)
    calls: list[dict[str, Any]] = []
    score = mix.score

    def recording(samples: Any, **keys: Any) -> Any:
        results = score(samples, **keys)
        calls.append(
            {
                "prompts": [sample.prompt_text for sample in samples],
                "kinds": [type(sample.completion).__name__ for sample in samples],
                "answers": [sample["answer"] for sample in samples],
                "totals": [result.value for result in results],
            }
        )
        return results

    mix.score = recording  # type: ignore[method-assign]
    given: list[list[float]] = []
    forward = rewards.score

    def watched(ids: torch.Tensor) -> torch.Tensor:
        out = forward(ids)
        given.append(out[:, -1, 0].tolist())
        return out

    rewards.score = watched  # type: ignore[method-assign]
    models = [AutoModelForCausalLM.from_pretrained(folder) for _ in range(2)]
    value = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=1)
    data = Dataset.from_list(rewards.tokenized)
    config = PPOConfig(
        tempfile.mkdtemp(),
        per_device_train_batch_size=4,
        gradient_accumulation_steps=1,
        num_ppo_epochs=1,
        num_mini_batches=1,
        total_episodes=12,
        response_length=8,
        stop_token="eos",
        report_to="none",
        save_strategy="no",
        bf16=False,
        use_cpu=True,
        disable_tqdm=True,
        num_sample_generations=0,
        missing_eos_penalty=None,
        logging_steps=1,
    )
    trainer = PPOTrainer(
        args=config,
        processing_class=tokenizer,
        model=models[0],
        ref_model=models[1],
        reward_model=rewards,
        value_model=value,
        train_dataset=data,
        eval_dataset=data,
        callbacks=[rewards.log],
    )
    trainer.train()
    log = [entry for entry in trainer.state.log_history if "objective/scores" in entry]
    counts = {"samples": rewards.samples, "missing": rewards.missing}
    print(json.dumps({"version": trl.__version__, "calls": calls, "given": given, "log": log, **counts}))


if __name__ == "__main__":
    main(*sys.argv[1:])
