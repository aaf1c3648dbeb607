"""Offers benchmarks, and the rewards that grade those of instructions and of answers as text."""

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
        splits=("test", "train"),
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
        splits=("test", "train"),
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
    yield hub.Benchmark(
        "cruxeval",
        "hub_benchmarks.cruxeval:rows",
        {
            "reward": [
                {"use": "literal-answer", "weight": 0.0},
                {"use": "code", "weight": 1.0, "gate": "literal-answer >= 1"},
            ]
        },
        "Outputs and inputs of Python functions, to be told (Gu et al. 2024, arXiv 2401.03065; MIT)",
        splits=("test", "train"),
        decoding=hub.Decoding(max_new_tokens=1024),
        category="predict",
    )
    yield hub.Benchmark(
        "ifeval",
        "hub_benchmarks.ifeval:rows",
        {
            "reward": [
                {"use": "ifeval", "name": "strict", "weight": 1.0},
                {"use": "ifeval", "name": "loose", "weight": 0.0, "with": {"mode": "loose"}},
            ]
        },
        "Instructions that a program can verify (Zhou et al. 2023, arXiv 2311.07911; Apache-2.0)",
        splits=("test", "train"),
        decoding=hub.Decoding(max_new_tokens=1280),
    )
    yield hub.Benchmark(
        "bbh",
        "hub_benchmarks.bbh:rows",
        {"final-answer": 1.0},
        "BIG-Bench Hard: 27 tasks of reasoning (Suzgun et al. 2022, arXiv 2210.09261; MIT)",
        splits=("test", "train"),
        decoding=hub.Decoding(max_new_tokens=1024),
        category="task",
    )
    yield hub.Benchmark(
        "truthfulqa",
        "hub_benchmarks.truthfulqa:choices",
        {"multiple-choice": 1.0},
        "Questions that people answer wrongly, by letter (Lin et al. 2021, arXiv 2109.07958; Apache-2.0)",
        splits=("test", "train"),
        decoding=hub.Decoding(max_new_tokens=512),
        category="category",
    )
    yield hub.Benchmark(
        "truthfulqa-likelihood",
        "hub_benchmarks.truthfulqa:likelihoods",
        {
            "reward": [
                {"use": "likeliest", "name": "mc1", "weight": 1.0},
                {"use": "likeliest", "name": "mc2", "weight": 0.0, "with": {"measure": "mc2"}},
            ]
        },
        "TruthfulQA by the likelihood of its answers: mc1, and mc2 beside it (arXiv 2109.07958)",
        category="category",
    )
    yield hub.Benchmark(
        "preferences",
        "hub_benchmarks.preferences:rows",
        {"prefers": 1.0},
        "Pairs to evaluate rewards on, in RewardBench's format (Lambert et al. 2024, arXiv 2403.13787)",
        category="subset",
        metrics="hub_benchmarks.length_bias:measure",
    )


@hub.hookimpl
def hub_rewards() -> Iterator[hub.Reward]:
    yield hub.Reward(
        "ifeval",
        "hub_benchmarks.follow:IfEval",
        "1.0 where the completion follows all of the row's verifiable instructions, else 0.0",
        needs=("instruction_id_list", "kwargs"),
        preload=("hub_benchmarks.follow",),
        range=(0.0, 1.0),
    )
    yield hub.Reward(
        "final-answer",
        "hub_benchmarks.final_answer:FinalAnswer",
        "1.0 where the completion's final answer is the reference as text, else 0.0",
        needs=("answer",),
        range=(0.0, 1.0),
    )
    yield hub.Reward(
        "literal-answer",
        "hub_benchmarks.literal:LiteralAnswer",
        "1.0 where the completion's function returns a literal and does nothing else, else 0.0",
        needs=("entry_point",),
        uses=("literal",),
        range=(0.0, 1.0),
    )
    yield hub.Reward(
        "likeliest",
        "hub_benchmarks.likeliest:Likeliest",
        "What the likelihoods of a row's answers say of the true ones: mc1 or mc2",
        needs=("mc1", "mc2"),
        uses=("likelihoods",),
        range=(0.0, 1.0),
    )
    yield hub.Reward(
        "prefers",
        "hub_benchmarks.prefers:prefers",
        "1.0 where rewards value the better completions more than the others, 0.5 for a tie, else 0.0",
        needs=("chosen",),
        uses=("values",),
        range=(0.0, 1.0),
    )
