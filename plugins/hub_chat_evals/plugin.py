"""Offers the benchmarks `mt-bench`, `mt-bench-pairs` and `alpaca-eval`, and the generator `answers`."""

from collections.abc import Iterator
from pathlib import Path

import hub

_ENDINGS = (".json", ".jsonl", ".json.gz", ".jsonl.gz")


@hub.hookimpl
def hub_benchmarks() -> Iterator[hub.Benchmark]:
    yield hub.Benchmark(
        "mt-bench",
        "hub_chat_evals.mt_bench:rows",
        {
            "reward": [
                {
                    "use": "judge",
                    "with": {
                        "frames": False,
                        "low": 0.0,
                        "high": 10.0,
                        "normalize": False,
                        "patterns": [r"\[\[(\d+\.?\d*)\]\]", r"\[(\d+\.?\d*)\]"],
                        "max_tokens": 2048,
                    },
                }
            ]
        },
        "Two turns of chat, rated 1 to 10 by a judge; your own copy (Zheng et al. 2023, arXiv 2306.05685)",
        decoding=hub.Decoding(max_new_tokens=1024),
        category="category",
        metrics="hub_chat_evals.metrics:of_turns",
    )
    yield hub.Benchmark(
        "mt-bench-pairs",
        "hub_chat_evals.mt_bench:pairs",
        {
            "reward": [
                {
                    "use": "judge-versus",
                    "with": {
                        "frames": False,
                        "patterns": [r"\[\[(A)\]\]", r"\[\[(B)\]\]", r"\[\[(C)\]\]"],
                        "max_tokens": 2048,
                    },
                }
            ]
        },
        "MT-Bench against a baseline's answers, both orders; your own copy (arXiv 2306.05685)",
        decoding=hub.Decoding(max_new_tokens=1024),
        category="category",
        metrics="hub_chat_evals.metrics:of_pairs",
    )
    yield hub.Benchmark(
        "alpaca-eval",
        "hub_chat_evals.alpaca:rows",
        {
            "reward": [
                {
                    "use": "judge-versus",
                    "with": {"frames": False, "by_token": True, "tokens": ["m", "M"], "temperature": 1.0},
                }
            ]
        },
        "AlpacaEval 2: preferred to GPT-4 by a judge; your own copy (Dubois et al. 2024, arXiv 2404.04475)",
        decoding=hub.Decoding(max_new_tokens=2048),
        category="dataset",
        metrics="hub_chat_evals.metrics:of_preferences",
    )


@hub.hookimpl
def hub_generators() -> Iterator[hub.GeneratorPlugin]:
    yield hub.GeneratorPlugin(
        "answers",
        "hub_chat_evals.answers:StoredAnswers",
        "A file of answers that were made before: AlpacaEval's outputs, FastChat's, or prompt and completion",
        accepts=lambda model: model.endswith(_ENDINGS) and Path(model).is_file(),
    )
