"""Offers the benchmarks `mt-bench`, `mt-bench-pairs` and `alpaca-eval`, and the generator `answers`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hub

_LOWER = ("unreadable", "spread of repeats", "judge requests", "judge cost")
_ENDINGS = (".json", ".jsonl", ".json.gz", ".jsonl.gz")


@hub.hookimpl
def hub_benchmarks() -> Iterator[hub.Benchmark]:
    # The rows say what the judge is asked: they are made here, of the benchmark's own prompts.
    rows: dict[str, Any] = {"rows": "all"}
    answers = {**rows, "max_tokens": 2048}
    yield hub.Benchmark(
        "mt-bench",
        "hub_chat_evals.mt_bench:rows",
        {"judge": {"with": answers}},
        "Two turns of chat, rated 1 to 10 by a judge; your own copy (Zheng et al. 2023, arXiv 2306.05685)",
        decoding=hub.Decoding(max_new_tokens=1024),
        category="category",
        metrics="hub_chat_evals.metrics:of_turns",
        lower_is_better=_LOWER,
    )
    yield hub.Benchmark(
        "mt-bench-pairs",
        "hub_chat_evals.mt_bench:pairs",
        {"judge-versus": {"with": answers}},
        "MT-Bench against a baseline's answers, both orders; your own copy (arXiv 2306.05685)",
        decoding=hub.Decoding(max_new_tokens=1024),
        category="category",
        metrics="hub_chat_evals.metrics:of_pairs",
        lower_is_better=("losses %", *_LOWER),
    )
    yield hub.Benchmark(
        "alpaca-eval",
        "hub_chat_evals.alpaca:rows",
        {"judge-versus": {"with": {**rows, "temperature": 1.0, "max_tokens": 1}}},
        "AlpacaEval 2: preferred to GPT-4 by a judge; your own copy (Dubois et al. 2024, arXiv 2404.04475)",
        decoding=hub.Decoding(max_new_tokens=2048),
        category="dataset",
        metrics="hub_chat_evals.metrics:of_preferences",
        lower_is_better=_LOWER,
    )


@hub.hookimpl
def hub_generators() -> Iterator[hub.GeneratorPlugin]:
    yield hub.GeneratorPlugin(
        "answers",
        "hub_chat_evals.answers:StoredAnswers",
        "A file of answers that were made before: AlpacaEval's outputs, FastChat's, or prompt and completion",
        accepts=lambda model: model.endswith(_ENDINGS) and Path(model).is_file(),
    )
