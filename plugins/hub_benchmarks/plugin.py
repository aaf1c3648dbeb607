"""The benchmarks `arithmetic` and `gsm8k`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_benchmarks() -> Iterator[hub.Benchmark]:
    yield hub.Benchmark(
        "arithmetic",
        "hub_benchmarks.arithmetic:rows",
        {"math": 1.0},
        "Sums, differences and products of two numbers, generated; for small models and quick checks",
        splits=("test", "train"),
        decoding=hub.Decoding(max_new_tokens=64),
        category="operation",
    )
    yield hub.Benchmark(
        "gsm8k",
        "hub_benchmarks.gsm8k:rows",
        {"math": 1.0},
        "Grade-school word problems (Cobbe et al. 2021, arXiv 2110.14168; openai/grade-school-math, MIT)",
        splits=("test", "train"),
        decoding=hub.Decoding(max_new_tokens=512),
    )
