"""What an adapter costs beside the engine, and what a GRPO step's rewards cost with the hub and without it.

Run by hand, alone on the machine, where the trainers are: `scripts/setup-trainers`, then
`.venv-trainers/bin/python benchmarks/trainers.py`. Ways take turns; compare rows of one run only.

The first table: each trainer's own reward loop over one batch with a reward that returns a constant (the
trainer's own share), the same loop with the hub's reward, and the bare engine on the same samples: as one
batch, and asked for each on its own, all at once. What is left of the hub's loop when the trainer's own share
and the engine's batch are taken away is the adapter's.
"""

import argparse
import asyncio
import importlib.util
import json
import logging
import os
import statistics
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from rich.console import Console
from rich.table import Table

import hub
import hub_trl
from hub.training.export import export

GROUP = 8
REWARDS = """
import time
import hub

@hub.reward(needs=["answer"])
def cheap(sample: hub.Sample) -> float:
    return float(sample["answer"] in sample.text)

@hub.reward(needs=["answer"])
def millisecond(sample: hub.Sample) -> float:
    until = time.perf_counter() + 0.001
    while time.perf_counter() < until:
        pass
    return float(sample["answer"] in sample.text)
"""
MIXES = {
    "cheap, 2 us": '[[reward]]\nuse = "rewards.py:cheap"\n',
    "math": '[[reward]]\nuse = "math"\n',
    "busy for 1 ms": '[[reward]]\nuse = "rewards.py:millisecond"\n',
}
Way = Callable[[list[dict[str, Any]]], object]
"""Scores the rows of a batch."""


def rows(count: int, salt: str) -> list[dict[str, Any]]:
    """A batch that no cache has seen."""
    text = "So twice the number is what was asked for; adding the two gives the sum. " * 4
    return [
        {
            "prompt": f"{salt}: what is {n // GROUP} + 17?",
            "completion": f"Attempt {n} of {salt}. {text} The answer is \\boxed{{{n // GROUP + 17}}}.",
            "answer": str(n // GROUP + 17),
            "group": f"{salt}-{n // GROUP}",
        }
        for n in range(count)
    ]


def bare(mix: hub.Mix) -> Way:
    columns = ("answer",)

    def score(batch: list[dict[str, Any]]) -> object:
        samples = [
            hub.Sample(row["prompt"], row["completion"], {key: row[key] for key in columns}, row["group"])
            for row in batch
        ]
        return mix.score(samples)

    return score


def one_by_one(mix: hub.Mix) -> Way:
    async def score(samples: list[hub.Sample]) -> object:
        return await asyncio.gather(*(mix.ascore([sample]) for sample in samples))

    def prepare(batch: list[dict[str, Any]]) -> list[hub.Sample]:
        return [
            hub.Sample(row["prompt"], row["completion"], {"answer": row["answer"]}, row["group"])
            for row in batch
        ]

    return timed_apart(prepare, lambda samples: asyncio.run(score(samples)))


def verl(file: Path | None) -> Way:
    import numpy as np
    import torch
    from omegaconf import OmegaConf
    from verl import DataProto
    from verl.experimental.reward_loop.reward_manager.naive import NaiveRewardManager
    from verl.trainer.ppo.reward import load_reward_manager

    tokenizer = byte_tokenizer()
    module = {"source": "importlib", "name": "HubRewardManager", "module": {"path": str(file)}}
    reward = {
        "num_workers": 1,
        "custom_reward_function": {"path": None, "name": "compute_score"},
        "reward_manager": module if file else {"source": "register", "name": "naive"},
        "reward_model": {"enable": False},
        "sandbox_fusion": {"url": None},
        "reward_kwargs": {},
    }
    config = OmegaConf.create(
        {
            "trainer": {"experiment_name": "benchmark", "use_v1": True},
            "actor_rollout_ref": {"rollout": {"n": GROUP, "val_kwargs": {"n": 1}}},
            "algorithm": {"adv_estimator": "grpo"},
            "data": {"train_batch_size": 64},
            "reward": reward,
        }
    )
    if file:
        manager = load_reward_manager(config, tokenizer)
    else:

        async def constant(**_: Any) -> float:
            return 1.0

        manager = NaiveRewardManager(config, tokenizer, constant)

    def proto(row: dict[str, Any]) -> Any:
        tokens = tokenizer(row["completion"])["input_ids"]
        columns = {
            "uid": row["group"],
            "data_source": "benchmark",
            "reward_model": {"ground_truth": row["answer"]},
            "extra_info": {"split": "train"},
            "raw_prompt": [{"role": "user", "content": row["prompt"]}],
            "__num_turns__": 2,
        }
        arrays = {}
        for name, value in columns.items():
            arrays[name] = np.empty(1, dtype=object)
            arrays[name][0] = value
        tensors = {"prompts": torch.tensor([[1]]), "responses": torch.tensor([tokens])}
        tensors["attention_mask"] = torch.ones((1, 1 + len(tokens)), dtype=torch.long)
        return DataProto.from_dict(tensors=tensors, non_tensors=arrays)

    async def run(made: list[Any]) -> object:
        manager.loop = asyncio.get_running_loop()
        return await asyncio.gather(*(manager.run_single(one) for one in made))

    return timed_apart(lambda batch: [proto(row) for row in batch], lambda made: asyncio.run(run(made)))


def openrlhf(file: Path | None) -> Way:
    from openrlhf.utils.agent import SingleTurnAgentExecutor

    tokenizer = byte_tokenizer()
    if file:
        spec = importlib.util.spec_from_file_location(f"agent_{file.parent.name}", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        executor = module.AgentExecutor()
    else:
        constant = Path(tempfile.mkdtemp()) / "constant.py"
        constant.write_text(
            "def reward_func(queries, prompts, labels):\n"
            "    return {'rewards': 1.0, 'scores': 1.0, 'extra_logs': {}}\n"
        )
        executor = SingleTurnAgentExecutor(str(constant))

    class Engine:
        def __init__(self, texts: dict[str, list[list[int]]]) -> None:
            self.texts = texts

        async def generate(self, ids: Any, params: Any, multi_modal_data: Any = None) -> Any:
            tokens = self.texts[bytes_of(ids)].pop()
            output = SimpleNamespace(token_ids=tokens, text="", finish_reason="stop", logprobs=None)
            return SimpleNamespace(outputs=[output])

    def bytes_of(ids: Any) -> str:
        return " ".join(map(str, ids))

    def prepare(batch: list[dict[str, Any]]) -> Any:
        texts: dict[str, list[list[int]]] = {}
        for row in batch:
            key = bytes_of(tokenizer(row["prompt"])["input_ids"])
            texts.setdefault(key, []).append(tokenizer(row["completion"])["input_ids"])
        return batch, Engine(texts)

    async def run(prepared: Any) -> object:
        batch, engine = prepared
        asked = []
        for start in range(0, len(batch), GROUP):
            params = SimpleNamespace(max_tokens=10_000, logprobs=None)
            for row in batch[start : start + GROUP]:
                asked.append(
                    executor.execute(row["prompt"], row["answer"], params, 20_000, tokenizer, engine)
                )
        return await asyncio.gather(*asked)

    return timed_apart(prepare, lambda prepared: asyncio.run(run(prepared)))


def miles(module: str | None) -> Way:
    from miles.rollout.rm_hub import async_rm
    from miles.utils.types import Sample

    if module is None:
        import sys

        async def constant(args: Any, sample: Any, **_: Any) -> float:
            return 1.0

        sys.modules["hub_benchmark_constant"] = SimpleNamespace(reward=constant)  # type: ignore[assignment]
        module = "hub_benchmark_constant"
    arguments = Namespace(custom_rm_path=f"{module}.reward", group_rm=False, n_samples_per_prompt=GROUP)
    arguments.rm_type = arguments.rm_url = None

    def prepare(batch: list[dict[str, Any]]) -> list[Any]:
        return [
            Sample(
                index=n,
                group_index=row["group"],
                prompt=row["prompt"],
                response=row["completion"],
                label=row["answer"],
                status=Sample.Status.COMPLETED,
            )
            for n, row in enumerate(batch)
        ]

    async def run(samples: list[Any]) -> object:
        return await asyncio.gather(*(async_rm(arguments, sample) for sample in samples))

    return timed_apart(prepare, lambda samples: asyncio.run(run(samples)))


def timed_apart(prepare: Callable[[Any], Any], run: Callable[[Any], object]) -> Way:
    """A way whose preparation, which is the trainer's generation, is not timed: see `seconds`."""

    def way(batch: list[dict[str, Any]]) -> object:
        return run(prepare(batch))

    way.prepare, way.run = prepare, run  # type: ignore[attr-defined]
    return way


def seconds(way: Way, batch: list[dict[str, Any]]) -> float:
    prepare, run = getattr(way, "prepare", lambda given: given), getattr(way, "run", way)
    prepared = prepare(batch)
    start = time.perf_counter()
    run(prepared)
    return time.perf_counter() - start


def byte_tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(symbols)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokens = {"eos_token": "<|im_end|>", "pad_token": "<|pad|>"}
    made: Any = PreTrainedTokenizerFast
    return made(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **tokens)


def grpo_trainer(functions: list[Any], **arguments: Any) -> Any:
    """A GRPOTrainer of a tiny model, for its `_calculate_rewards`."""
    import torch

    trl: Any = importlib.import_module("trl")
    from datasets import Dataset
    from transformers import Qwen2Config, Qwen2ForCausalLM

    tokenizer = byte_tokenizer()
    size = len(tokenizer)
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=size,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    settings = trl.GRPOConfig(
        tempfile.mkdtemp(),
        per_device_train_batch_size=GROUP,
        num_generations=GROUP,
        use_cpu=True,
        bf16=False,
        report_to="none",
        **arguments,
    )
    data = Dataset.from_list([{"prompt": "a", "answer": "b"}])
    return trl.GRPOTrainer(
        Qwen2ForCausalLM(config), functions, args=settings, train_dataset=data, processing_class=tokenizer
    )


def through_trl(functions: list[Any], **arguments: Any) -> Way:
    trainer = grpo_trainer(functions, **arguments)
    trainer.model.train()

    def prepare(batch: list[dict[str, Any]]) -> Any:
        inputs = [{"prompt": row["prompt"], "answer": row["answer"]} for row in batch]
        completions = [row["completion"] for row in batch]
        return inputs, [row["prompt"] for row in batch], completions, [[1]] * len(batch)

    return timed_apart(prepare, lambda given: trainer._calculate_rewards(*given))


def constant(completions: list[str], **_: Any) -> list[float]:
    return [1.0] * len(completions)


def ways(folder: Path, name: str, mix: hub.Mix) -> Iterator[tuple[str, Way, Way]]:
    """Each trainer: its name, its loop with a constant reward, and with the hub's."""
    import sys

    mine = through_trl(hub_trl.reward_funcs(mix), **hub_trl.trainer_arguments(mix))
    yield "TRL, GRPOTrainer", through_trl([constant]), mine
    sized: dict[str, Any] = {"group_size": GROUP}
    for trainer, options in (("verl", sized), ("openrlhf", sized), ("miles", {})):
        out = folder / f"{trainer}-{name}"
        export(trainer, folder / f"{name}.toml", out, **options)
        (file,) = out.glob("*.py")
        if trainer == "miles":
            module = f"benchmark_{name}"
            file.rename(folder / f"{module}.py")
            sys.path.insert(0, str(folder))
            yield "Miles, async_rm", miles(None), miles(module)
        elif trainer == "verl":
            yield "verl, run_single", verl(None), verl(file)
        else:
            yield "OpenRLHF, executor", openrlhf(None), openrlhf(file)


def adapters(folder: Path, count: int, turns: int) -> Table:
    table = Table(title=f"one batch of {count}, medians of {turns} turns, us per sample")
    for header in (
        "reward",
        "trainer",
        "bare engine",
        "one by one",
        "trainer alone",
        "with the hub",
        "adapter",
        "of engine",
    ):
        table.add_column(header, justify="left" if header in ("reward", "trainer") else "right")
    for number, (title, text) in enumerate(MIXES.items()):
        name = f"mix{number}"
        (folder / f"{name}.toml").write_text(text)
        mix = hub.Mix.load(folder / f"{name}.toml")
        engine, single = bare(mix), one_by_one(mix)
        for trainer, alone, hubs in ways(folder, name, mix):
            times: dict[str, list[float]] = {"engine": [], "single": [], "alone": [], "hub": []}
            for turn in range(-1, turns):
                for what, way in (
                    ("engine", engine),
                    ("single", single),
                    ("alone", alone),
                    ("hub", hubs),
                ):
                    took = seconds(way, rows(count, f"{name} {trainer} {what} {turn}"))
                    if turn >= 0:
                        times[what].append(took / count * 1e6)
            a, one, b, c = (statistics.median(times[what]) for what in times)
            cost = statistics.median(
                h - e - t for e, t, h in zip(times["engine"], times["alone"], times["hub"], strict=True)
            )
            cells = (f"{a:.1f}", f"{one:.1f}", f"{b:.1f}", f"{c:.1f}", f"{cost:+.1f}", f"{cost / a:+.1%}")
            table.add_row(title if trainer.startswith("TRL") else "", trainer, *cells)
    return table


def one_step(count: int, turns: int) -> Table:
    """What the rewards of one GRPO step take: with the hub, and the same verifiers given to TRL directly."""
    from hub_format.think import ThinkFormat
    from hub_math.grade import Math

    mix = hub.Mix({"math": 1.0, "think-format": 0.2})
    math, think = Math(), ThinkFormat()

    def math_directly(completions: list[str], answer: list[str], **_: Any) -> list[float | None]:
        samples = (hub.Sample("", c, {"answer": a}) for c, a in zip(completions, answer, strict=True))
        return [math(sample).value for sample in samples]

    def think_directly(completions: list[str], **_: Any) -> list[float | None]:
        return [think(hub.Sample("", c)).value for c in completions]

    mine = through_trl(hub_trl.reward_funcs(mix), **hub_trl.trainer_arguments(mix))
    directly = through_trl([math_directly, think_directly], reward_weights=[1.0, 0.2])
    table = Table(title=f"rewards of one GRPO step, {count} completions: ms, medians of {turns} turns")
    for header in ("completions", "given to TRL directly", "the hub", "ratio"):
        table.add_column(header, justify="left" if header == "completions" else "right")
    for title, hard in (("answers like MATH's", False), ("1 % of them hard to grade", True)):
        times: dict[str, list[float]] = {"direct": [], "hub": []}
        for turn in range(-1, turns):
            for what, way in (("direct", directly), ("hub", mine)):
                batch = rows(count, f"{title} {what} {turn}")
                for n, row in enumerate(batch):
                    form = f"\\frac{{{2 * int(row['answer'])}}}{{2}}" if n % 2 else row["answer"]
                    row["completion"] = f"<think>{row['completion'][:60]}</think> \\boxed{{{form}}}"
                    if hard and n % 100 == 7:
                        row["answer"] = f"\\int_0^{{{n + turn}}} \\sin(x^2) \\, dx"
                        row["completion"] = f"\\boxed{{\\int_0^{{{n + turn}}} \\sin(x \\cdot x) dx}}"
                took = seconds(way, batch)
                if turn >= 0:
                    times[what].append(took * 1000)
        a, b = (statistics.median(times[what]) for what in ("direct", "hub"))
        table.add_row(title, f"{a:.2f}", f"{b:.2f}", f"{b / a:.2f}")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1024, help="samples in a batch")
    parser.add_argument("--turns", type=int, default=7)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rewards.py").write_text(REWARDS)
        console.print(adapters(folder, arguments.count, arguments.turns))
    console.print(one_step(arguments.count, arguments.turns))
    print(json.dumps({"cores": os.cpu_count(), "load": os.getloadavg()[0]}))


if __name__ == "__main__":
    main()
