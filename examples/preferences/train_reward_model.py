"""Trains a reward model on pairs, with TRL's RewardTrainer (trl 1.16.0).

    python train_reward_model.py MODEL PAIRS OUT [STEPS]

MODEL is a folder or model id of a language model; it gets a head with one output. PAIRS is JSONL with the
columns prompt, chosen and rejected. TRL ends each text with the end-of-text token: so must the form that is
scored with.
"""

import sys

import torch
from datasets import load_dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from trl import RewardConfig, RewardTrainer  # type: ignore[attr-defined]


def train(model: str, pairs: str, out: str, steps: int) -> None:
    """Write the trained model and its tokenizer to `out`."""
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(model)
    head = AutoModelForSequenceClassification.from_pretrained(model, num_labels=1, dtype=torch.float32)
    rows = load_dataset("json", data_files=pairs, split="train").select_columns(
        ["prompt", "chosen", "rejected"]
    )
    settings = RewardConfig(
        out,
        max_steps=steps,
        per_device_train_batch_size=64,
        learning_rate=1e-3,
        lr_scheduler_type="cosine",
        warmup_steps=20,
        max_length=128,
        logging_steps=50,
        save_strategy="no",
        report_to="none",
        use_cpu=not torch.cuda.is_available(),
        bf16=False,
    )
    trainer = RewardTrainer(head, args=settings, train_dataset=rows, processing_class=tokenizer)
    trainer.train()
    trainer.save_model(out)


if __name__ == "__main__":
    train(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]) if len(sys.argv) > 4 else 400)
