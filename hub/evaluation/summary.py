"""What result.json says: scores with their uncertainty, what could not be scored, what was run."""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from hub.evaluation.checked import headed
from hub.evaluation.folder import FORMAT, REFUSED, Key
from hub.evaluation.plan import Plan
from hub.evaluation.recipe import describe_mix, hash_recipe
from hub.evaluation.statistics import estimate, pass_at_k
from hub.evaluation.turns import conversations
from hub.evaluation.votes import maj_at_k
from hub.plugins import open_target
from hub.score import Outcome

_log = logging.getLogger(__name__)


def make_result(
    plan: Plan,
    recipe: Mapping[str, Any],
    samples: Mapping[Key, Mapping[str, Any]],
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the content of result.json.

    Args:
        plan: what was evaluated.
        recipe: as in recipe.json.
        samples: every line of samples.jsonl by its key.
        about: what else is to be recorded: the model, where, when and with what it ran.
    """
    benchmark = plan.benchmark
    return {
        "format": FORMAT,
        "recipe": hash_recipe(recipe),
        "scores": make_scores(plan, samples),
        "completions": _describe_completions(samples),
        "flags": make_flags(plan),
        "benchmark": {
            **recipe["benchmark"],
            "options": _plain(plan.options),
            "total_rows": plan.total_rows,
            "summary": benchmark.summary,
            "offered_by": str(benchmark.origin),
            "headline": list(_headline(plan)),
            "lower_is_better": _lower_is_better(plan),
            "note": "" if plan.mix_name else benchmark.note,
            "sources": [dict(source) for source in plan.sources],
        },
        "decoding": recipe["decoding"],
        "samples_per_prompt": plan.samples_per_prompt,
        "mix": _plain(describe_mix(plan.mix, whole=True)),
        **about,
    }


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    return dict(json.loads(json.dumps(data, default=str)))


def make_scores(plan: Plan, samples: Mapping[Key, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the account of the mix's total, of each reward, and of the total (or headline) by category.

    A completion's answer, for the total's maj@k, is what the first reward that names one found in it.
    """
    keys = sorted(samples)
    results = {key: samples[key]["result"] for key in keys}
    # A benchmark's own numbers are of what was written: a prompt that was refused has no completion.
    made = [samples[key] for key in keys if samples[key]["completion"] is not None]
    metrics, estimates = ({}, {}) if plan.mix_name else _metrics(plan, made)
    totals = {key: _with_answer(results[key]) for key in keys}
    begins = conversations(plan.rows)
    rewards = {
        name: account({key: results[key]["scores"][name] for key in keys}, begins) for name in plan.mix.names
    }
    categories: dict[str, dict[Key, Any]] = {}
    if plan.benchmark.category:
        for key in keys:
            category = str(plan.rows[key[0]].get(plan.benchmark.category))
            categories.setdefault(category, {})[key] = headed(results[key], _headline(plan), totals[key])
    return {
        "total": account(totals, begins),
        "rewards": rewards,
        "categories": {name: account(scores, begins) for name, scores in sorted(categories.items())},
        "metrics": metrics,
        "metric_estimates": estimates,
    }


def account(scores: Mapping[Key, Mapping[str, Any]], begins: Sequence[int] = ()) -> dict[str, Any]:
    """Return mean, uncertainty and coverage of scores, as plain data.

    What failed is in no mean: it says nothing about the model. It is counted beside it, with the first detail
    of each reason, and `mean_if_failed_are_0` is what the mean would be if each of them had earned nothing.

    >>> found = account({(0, 0): {"value": 1.0, "outcome": "scored", "reason": ""},
    ...                  (1, 0): {"value": None, "outcome": "failed", "reason": "timeout"}})
    >>> found["mean"], found["failed"], found["failed_by_reason"], found["mean_if_failed_are_0"]
    (1.0, 1, {'timeout': 1}, 0.5)

    A reward may put into its scores' `info` an `answer`, the text that maj@k lets vote, and `parts`, values
    by name, such as which of several instructions were followed. Over these, `parts` has the mean and what
    each part's is.

    Args:
        scores: by row and number of the completion.
        begins: for each row, the row that its conversation begins with; the uncertainty is over these, as the
            turns of a conversation are not independent. Empty: every row stands alone.
    """
    groups = [[value for value, _ in group] for group in _by_prompt(scores)]
    votes = [[(_answer(info), value) for value, info in group] for group in _by_prompt(scores)]
    found = _mean([[value for value, _ in group] for group in _by_prompt(scores, begins)])
    outcomes = Counter(score["outcome"] for score in scores.values())
    failed = [score for _, score in sorted(scores.items()) if score["outcome"] == Outcome.FAILED]
    first = {str(score["reason"]): str(score.get("detail", "")) for score in reversed(failed)}
    counted = found["n"] + len(failed)
    binary = all(value in (0.0, 1.0) for group in groups for value in group)
    several = any(len(group) > 1 for group in groups)
    return {
        **found,
        "pass_at_k": pass_at_k(groups) if binary and several else {},
        "maj_at_k": maj_at_k(votes),
        "parts": _parts(scores),
        "completions": len(scores),
        "scored": outcomes[Outcome.SCORED],
        "abstained": outcomes[Outcome.ABSTAINED],
        "failed": len(failed),
        "failed_by_reason": dict(sorted(Counter(str(score["reason"]) for score in failed).items())),
        "first_failed": dict(sorted(first.items())),
        "mean_if_failed_are_0": (found["mean"] or 0.0) * found["n"] / counted if counted else None,
    }


def make_flags(plan: Plan) -> list[str]:
    """Return what sets this run apart from the benchmark as it is offered, in words."""
    flags = []
    if len(plan.rows) < plan.total_rows:
        flags.append(f"only the first {len(plan.rows)} of {plan.total_rows} rows")
    if plan.split != plan.benchmark.splits[0]:
        flags.append(f"split {plan.split!r}, not {plan.benchmark.splits[0]!r}")
    if plan.options:
        flags.append("benchmark options: " + ", ".join(f"{k}={v!r}" for k, v in sorted(plan.options.items())))
    if plan.mix_name:
        flags.append(f"graded with another mix: {plan.mix_name}")
    for reward, given in sorted(plan.reward_options.items()):
        flags.append(f"options of {reward}: " + ", ".join(f"{k}={v!r}" for k, v in sorted(given.items())))
    own = {name for row in plan.rows for name in row.get("decoding") or ()}
    if plan.decoding != plan.benchmark.decoding or own & plan.changes.keys():
        flags.append("decoding changed from the benchmark's own")
    return flags


def _headline(plan: Plan) -> tuple[str, ...]:
    headline = plan.benchmark.headline
    return headline if set(headline) <= set(plan.mix.names) else ()


def _lower_is_better(plan: Plan) -> list[str]:
    """Rewards, and the benchmark's own numbers, of which less is better."""
    taken = (reward.name for reward in plan.mix.rewards if reward.config.weight.points[-1][1] < 0)
    said = () if plan.mix_name else plan.benchmark.lower_is_better
    return sorted({*taken, *said})


def _metrics(plan: Plan, lines: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The benchmark's numbers, None where one is not finite; and of those that are means, what `_mean` says.

    What the benchmark raises is logged, and loses no run.
    """
    if not plan.benchmark.metrics:
        return {}, {}
    try:
        found = open_target(plan.benchmark.metrics, plan.benchmark.origin)(lines)
        listed = {str(name): value for name, value in found.items()}
        means = {name: _mean(_groups(value)) for name, value in listed.items() if _is_list(value)}
        single = {
            name: means[name]["mean"] if name in means else float(value) if isfinite(value) else None
            for name, value in listed.items()
        }
        return single, means
    except Exception as error:
        _log.warning("the metrics of %s: %s: %s", plan.benchmark.name, type(error).__name__, error)
        return {}, {}


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _groups(values: Sequence[Any]) -> list[list[float]]:
    """Values by prompt, without those that are not finite."""
    listed = (one if _is_list(one) else [one] for one in values)
    return [[float(value) for value in group if isfinite(value)] for group in listed]


def _mean(groups: Sequence[Sequence[float]]) -> dict[str, Any]:
    found = estimate(groups)
    return {
        "mean": found.mean,
        "standard_error": found.standard_error,
        "interval_95": None if found.low is None else [found.low, found.high],
        "interval_method": found.method,
        "n": found.n,
        "prompts": found.prompts,
    }


def _parts(scores: Mapping[Key, Mapping[str, Any]]) -> dict[str, Any]:
    """The mean over all parts of all completions, and over each part's own; {} where there are none."""
    groups = [[info.get("parts") or {} for _, info in group] for group in _by_prompt(scores)]
    names = sorted({name for group in groups for parts in group for name in parts})
    if not names:
        return {}
    whole = _mean([[float(value) for parts in group for value in parts.values()] for group in groups])
    each = ([[float(parts[name]) for parts in group if name in parts] for group in groups] for name in names)
    return {**whole, "by_name": dict(zip(names, map(_mean, each), strict=True))}


def _with_answer(result: Mapping[str, Any]) -> Mapping[str, Any]:
    infos = (score.get("info", {}) for score in result["scores"].values())
    found = next((info["answer"] for info in infos if _answer(info) is not None), None)
    return result["total"] if found is None else {**result["total"], "info": {"answer": found}}


def _answer(info: Mapping[str, Any]) -> str | None:
    found = info.get("answer")
    return found if isinstance(found, str) and found else None


def _by_prompt(
    scores: Mapping[Key, Mapping[str, Any]], begins: Sequence[int] = ()
) -> Iterable[Sequence[tuple[float, dict[str, Any]]]]:
    """The value and info of what was scored, by prompt, or by the conversation that `begins` tells."""
    groups: dict[int, list[tuple[float, dict[str, Any]]]] = {}
    for (row, _), score in sorted(scores.items()):
        scored = groups.setdefault(begins[row] if begins else row, [])
        if score["value"] is not None:
            scored.append((score["value"], score.get("info") or {}))
    return groups.values()


def _describe_completions(samples: Mapping[Key, Mapping[str, Any]]) -> dict[str, Any]:
    results = [line["result"] for line in samples.values()]
    tokens = [result["tokens"] for result in results if result["tokens"] is not None]
    refused = [result["total"]["detail"] for result in results if result["finish"] == REFUSED]
    return {
        "count": len(results),
        "finish": dict(sorted(Counter(result["finish"] for result in results).items())),
        "mean_tokens": sum(tokens) / len(tokens) if tokens else None,
        "max_tokens": max(tokens, default=None),
        **({"refused": refused[0]} if refused else {}),
    }
