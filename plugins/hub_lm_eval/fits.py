"""Which benchmarks run inside lm-eval: said when their YAML is written, and when lm-eval reads it."""

from collections.abc import Mapping
from typing import Any

from hub.errors import ConfigError
from hub.evaluation.plan import Plan, make_plan
from hub.evaluation.turns import refuse_turns


def make_fitting_plan(given: Mapping[str, Any]) -> Plan:
    """Return the plan of a benchmark that lm-eval can run.

    Args:
        given: `benchmark` (a name, or path/to/file.py:name) and, where wanted, `split`, `options`, `mix`.

    Raises:
        ConfigError: it compares likelihoods or asks in turns, or its mix is none for lm-eval.
        HubError: what `hub.evaluation.plan.make_plan` raises.
    """
    plan = make_plan(
        given["benchmark"], split=given.get("split"), options=given.get("options"), mix=given.get("mix")
    )
    name = plan.benchmark.name
    if "continuations" in plan.rows[0]:
        raise ConfigError(f"benchmark {name!r} compares likelihoods, which does not run inside lm-eval")
    refuse_turns(plan.rows, name, "lm-eval")
    if plan.mix.config.on_failure == "raise":
        raise ConfigError(
            f'the mix of {name!r} says on_failure = "raise"; lm-eval would lose every completion: use "mask"'
        )
    taken = {"score", "error_rate", "abstain_rate"} & set(plan.mix.names)
    if taken and len(plan.mix.names) > 1:
        raise ConfigError(
            f"the mix of {name!r} calls a reward {taken.pop()!r}, as the total is called: rename it"
        )
    return plan
