"""The generator `lm-eval`, the benchmarks `lm-eval/NAME`, and the command that writes tasks for lm-eval."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_generators() -> Iterator[hub.GeneratorPlugin]:
    yield hub.GeneratorPlugin(
        "lm-eval",
        "hub_lm_eval.backend:LMEvalGenerator",
        "A model backend of lm-eval (hf, vllm, local-completions, ...): backend=NAME and its arguments",
    )


@hub.hookimpl
def hub_benchmarks() -> Iterator[hub.BenchmarkFamily]:
    yield hub.BenchmarkFamily(
        "lm-eval",
        "hub_lm_eval.tasks:make",
        "hub_lm_eval.find_task:names",
        "lm-eval's task NAME, or a YAML file: its prompts, filters and metrics, the same numbers",
    )


@hub.hookimpl
def hub_rewards() -> Iterator[hub.Reward]:
    yield hub.Reward(
        "lm-eval-task",
        "hub_lm_eval.grade:TaskReward",
        "The first metric of a task of lm-eval on one document",
        needs=("doc",),
        uses=("likelihoods", "multiple"),
        preload=("lm_eval.tasks",),
    )


@hub.hookimpl
def hub_commands() -> Iterator[hub.Command]:
    yield hub.Command("lm-eval", "hub_lm_eval.command:command", "Write benchmarks as tasks of lm-eval")
