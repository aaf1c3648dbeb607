"""Offers benchmarks of mathematics and of programs; the user has the data of `math` and `aime`."""

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
    yield hub.Benchmark(
        "math",
        "hub_benchmarks.own_math:math",
        {"math": 1.0},
        "Competition problems, from your own copy (Hendrycks et al. 2021, arXiv 2103.03874)",
        splits=("test", "train"),
        decoding=hub.Decoding(max_new_tokens=2048),
        category="subject",
    )
    yield hub.Benchmark(
        "math-500",
        "hub_benchmarks.own_math:math_500",
        {"math": 1.0},
        "500 test problems of MATH, from your own copy (Lightman et al. 2023, arXiv 2305.20050)",
        decoding=hub.Decoding(max_new_tokens=2048),
        category="subject",
    )
    yield hub.Benchmark(
        "aime",
        "hub_benchmarks.own_math:aime",
        {"math": 1.0},
        "Problems of the American Invitational Mathematics Examination, from your own copy",
        decoding=hub.Decoding(max_new_tokens=8192),
        category="year",
    )
    yield hub.Benchmark(
        "humaneval",
        "hub_benchmarks.humaneval:rows",
        {"code": 1.0},
        "Python functions from their docstrings (Chen et al. 2021, arXiv 2107.03374; openai/human-eval, MIT)",
        decoding=hub.Decoding(max_new_tokens=1024),
    )
    yield hub.Benchmark(
        "mbpp",
        "hub_benchmarks.mbpp:rows",
        # The data's own solution of task 123 takes 3 s on a free core.
        {"reward": [{"use": "code", "weight": 1.0, "with": {"wall_s": 10.0}}]},
        "Short Python programs from one sentence (Austin et al. 2021, arXiv 2108.07732; CC-BY-4.0)",
        splits=("test", "train", "validation", "prompt"),
        decoding=hub.Decoding(max_new_tokens=1024),
    )
