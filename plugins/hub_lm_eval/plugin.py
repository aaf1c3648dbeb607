"""The generator `lm-eval`."""

from collections.abc import Iterator

import hub


@hub.hookimpl
def hub_generators() -> Iterator[hub.GeneratorPlugin]:
    yield hub.GeneratorPlugin(
        "lm-eval",
        "hub_lm_eval.backend:LMEvalGenerator",
        "A model backend of lm-eval (hf, vllm, local-completions, ...): backend=NAME and its arguments",
    )
