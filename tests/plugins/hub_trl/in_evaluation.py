"""SFT in two processes, evaluated meanwhile. Arguments: the model's folder, where to write.

Started by torchrun. Each process writes RANK.json: what came of the training with and without evaluations, what
was logged of these, and how many completions this process made.
"""

import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import numpy
import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer  # type: ignore[attr-defined]

import hub
import hub_trl
from hub.errors import GeneratorError
from hub.evaluation.plan import make_plan
from hub_generators.transformers_model import TransformersGenerator

RANK = int(os.environ["RANK"])
MADE: list[int] = []


def train(model: str, out: Path, evaluate: bool) -> Any:
    loaded = AutoModelForCausalLM.from_pretrained(model, attention_dropout=0.2)
    config = SFTConfig(
        str(out / "trl"),
        per_device_train_batch_size=2,
        max_steps=2,
        logging_steps=1,
        report_to="none",
        save_strategy="no",
        bf16=False,
        use_cpu=True,
        disable_tqdm=True,
        gradient_checkpointing=False,
        learning_rate=1e-3,
    )
    data = Dataset.from_list([{"prompt": f"{n}+{n}=", "completion": str(2 * n)} for n in range(12)])
    tokenizer = AutoTokenizer.from_pretrained(model)
    trainer = SFTTrainer(loaded, args=config, train_dataset=data, processing_class=tokenizer)
    if evaluate:
        short = {"max_new_tokens": 8}
        sums = make_plan("arithmetic", options={"rows": 7, "examples": 0}, decoding=short)
        breaks = hub.Benchmark(
            "breaks",
            lambda split: [{"id": n, "prompt": f"break {n}", "answer": "1"} for n in range(4)],
            {"math": 1.0},
            "The second process fails at its share.",
        )
        folder = out / "evaluations"
        trainer.add_callback(
            hub_trl.EvaluateDuringTraining(
                trainer, [sums, make_plan(breaks, decoding=short)], every_steps=1, folder=folder
            )
        )
    trainer.train()
    return trainer


def watched(self: Any, prompts: Any, decoding: Any) -> Any:
    if RANK == 1 and any("break" in str(prompt) for prompt in prompts):
        raise GeneratorError("told to")
    if not any("break" in str(prompt) for prompt in prompts):
        MADE.append(len(prompts))
    return complete(self, prompts, decoding)


def look(trainer: Any) -> dict[str, Any]:
    weights = {
        name: weight.tolist()
        for name, weight in trainer.accelerator.unwrap_model(trainer.model).state_dict().items()
    }
    return {"weights": weights, "draws": [random.random(), float(numpy.random.rand()), float(torch.rand(()))]}


complete = TransformersGenerator.generate


def main(model: str, out: str) -> None:
    without = look(train(model, Path(out), evaluate=False))
    TransformersGenerator.generate = watched  # type: ignore[method-assign]
    trainer = train(model, Path(out), evaluate=True)
    logged = [
        {key: value for key, value in entry.items() if "seconds" not in key}
        for entry in trainer.state.log_history
        if any(key.startswith("eval_") for key in entry)
    ]
    result = {"without": without, "with": look(trainer), "logged": logged, "made": MADE}
    (Path(out) / f"{RANK}.json").write_text(json.dumps(result), encoding="utf-8")
    trainer.save_model(str(Path(out) / "model"))


if __name__ == "__main__":
    main(*sys.argv[1:])
