"""The benchmarks `arithmetic`, `gsm8k`, `gsm-hard` and `svamp`."""

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
    yield hub.Benchmark(
        "gsm-hard",
        "hub_benchmarks.gsm_hard:rows",
        {"math": 1.0},
        "GSM8K's test problems with large, odd numbers (Gao et al. 2022, arXiv 2211.10435; MIT)",
        decoding=hub.Decoding(max_new_tokens=512),
    )
    yield hub.Benchmark(
        "svamp",
        "hub_benchmarks.svamp:rows",
        {"math": 1.0},
        "Arithmetic word problems, varied to mislead (Patel et al. 2021, arXiv 2103.07191; MIT)",
        decoding=hub.Decoding(max_new_tokens=512),
        category="type",
    )
