"""`hub export verl`: the file that verl loads, and the overrides that name it."""

from pathlib import Path
from typing import Any

import hub
from hub.errors import ConfigError, nearest
from hub.training.needs import TOKENS, columns_needed
from hub.training.waiting import SURE_S
from hub_verl.overrides import command, override
from hub_verl.settings import Settings

FILE = "hub_verl_reward.py"
GROUPED = ("grpo", "grpo_passk", "grpo_vectorized", "gpg", "opo", "reinforce_plus_plus_baseline", "rloo")
ESTIMATORS = (
    *GROUPED, "gae", "gdpo", "optimal_token_baseline", "reinforce_plus_plus", "remax", "rloo_vectorized",
    "tir_optimal_token_baseline",
)  # fmt: skip
"""`algorithm.adv_estimator` of verl 0.9.1."""
TAKEN = (
    "acc", "data_source", "extra_info", "index", "raw_prompt", "reward", "reward_model", "rm_scores", "score",
    "uid",
)  # fmt: skip
"""What verl calls its own columns, beside which it keeps the rewards' scores."""

_CLASS = '''"""A mix of the hub for verl, written by `hub export`; export again after a change."""

from hub_verl import function
from hub_verl.manager import reward_manager
from hub_verl.settings import Settings

SETTINGS = {settings}

HubRewardManager = reward_manager(SETTINGS)
"""For reward.reward_manager: knows each sample's group, and the training step."""
'''
_FUNCTIONS = '''

async def compute_score(
    data_source,
    solution_str,
    ground_truth,
    extra_info=None,
    reward_router_address=None,
    reward_model_tokenizer=None,
):
    """For reward.custom_reward_function: returns score, and what to log."""
    return await function.score(SETTINGS, data_source, solution_str, ground_truth, extra_info)


def evaluate(data_source, solution_str, ground_truth, extra_info=None):
    """For verl.trainer.main_eval: returns the total."""
    return function.evaluate(SETTINGS, data_source, solution_str, ground_truth, extra_info)
'''


def export(
    mix: hub.Mix,
    *,
    path: Path,
    sha256: str,
    out: Path,
    group_size: int = 8,
    estimator: str | None = None,
    answer: str = "answer",
    group_by: str = "index",
    prompt: str | None = None,
    validation: str = "test val validation",
    wait_s: float = SURE_S,
) -> hub.Exported:
    """Write the file that verl loads; tell the overrides.

    Args:
        mix: what to score with.
        path: its file.
        sha256: the file's digest.
        out: the folder to write to.
        group_size: completions per prompt (`actor_rollout_ref.rollout.n`).
        estimator: `algorithm.adv_estimator`, e.g. "grpo", "rloo", "gae" (PPO), "gdpo"; by default "grpo", or
            "reinforce_plus_plus_baseline" where the mix normalises each reward, as that is GDPO's last step.
        answer: the column that `reward_model.ground_truth` becomes for rewards.
        group_by: the column of `extra_info` by which `compute_score` knows a prompt; the manager needs none.
        prompt: the column of `extra_info` with the prompt's text, for `compute_score`.
        validation: values of `extra_info.split` that mark the validation data, separated by spaces.
        wait_s: seconds without a new sample after which a group that is not whole is scored as it is.

    Raises:
        ConfigError: verl cannot do what the mix needs.
    """
    normalizes = mix.config.aggregate == "normalize_then_sum"
    chosen = estimator or ("reinforce_plus_plus_baseline" if normalizes else "grpo")
    _check(mix, chosen, group_size)
    settings = Settings(
        path=str(path),
        sha256=sha256,
        answer=answer,
        raw=chosen == "gdpo",
        group_size=group_size,
        group_by=group_by,
        prompt=prompt,
        validation=tuple(validation.split()),
        wait_s=float(wait_s),
    )
    needs_groups = mix.groupwise if settings.raw else mix.compares
    text = _CLASS.format(settings=settings.source())
    lacking = _only_manager(mix, needs_groups)
    with_functions = not lacking
    if with_functions:
        text += _FUNCTIONS
    file = out / FILE
    lines = command([
        ("reward.reward_manager.source", "importlib"),
        ("reward.reward_manager.module.path", str(file)),
        ("reward.reward_manager.name", "HubRewardManager"),
        ("actor_rollout_ref.rollout.n", group_size),
        *_algorithm(mix, chosen),
    ])  # fmt: skip
    if needs_groups:
        lines += _about_groups(needs_groups)
    lines += _about_functions(file) if with_functions else _why_none(lacking)
    return hub.Exported({FILE: text}, "\n".join(lines))


def _check(mix: hub.Mix, estimator: str, group_size: int) -> None:
    if estimator not in ESTIMATORS:
        raise ConfigError(f"verl 0.9.1 has no estimator {estimator!r}{nearest(estimator, ESTIMATORS)}")
    if group_size == 1 and (estimator in GROUPED or mix.compares):
        raise ConfigError(f"group_size=1: {estimator} of this mix compares completions of one prompt")
    for name in mix.names:
        if name in TAKEN:
            raise ConfigError(
                f"verl has a column {name!r} of its own: give this reward another `name` in the mix"
            )
    if estimator == "remax" and mix.compares:
        raise ConfigError(f"{', '.join(mix.compares)}: remax adds a greedy completion to each group")
    if estimator == "gdpo":
        if mix.config.aggregate != "normalize_then_sum":
            raise ConfigError('estimator=gdpo: say so in the mix too: aggregate = "normalize_then_sum"')
        if mix.is_scheduled:
            raise ConfigError(
                "estimator=gdpo: verl's gdpo_reward_weights are constant, and a weight of this mix changes "
                "over steps"
            )
        if mix.groupwise:
            raise ConfigError(
                f"{', '.join(mix.groupwise)}: needs whole groups, which verl's older trainer does not give, "
                "and only that one has gdpo; leave estimator out"
            )


def _algorithm(mix: hub.Mix, estimator: str) -> list[tuple[str, Any]]:
    """The overrides of `algorithm`."""
    overrides: list[tuple[str, Any]] = [("algorithm.adv_estimator", estimator)]
    if estimator == "gdpo":
        weights = mix.weights()
        overrides += [
            ("+algorithm.gdpo_reward_keys", list(weights)),
            ("+algorithm.gdpo_reward_weights", list(weights.values())),
            ("trainer.use_v1", False),  # the newer trainer does not hand the rewards to gdpo
        ]
    elif estimator == "grpo" and mix.config.aggregate == "normalize_then_sum":
        overrides.append(("algorithm.norm_adv_by_std_in_grpo", False))  # that was done, for each reward
    return overrides


def _about_groups(names: tuple[str, ...]) -> list[str]:
    return [
        "",
        f"# Whole groups, for {', '.join(names)}: the reward workers share an actor that gathers them.",
        "# Each holds 1000 samples that wait for their group: reward.num_workers is for how many may wait.",
        "# Where validation generates another number of completions (rollout.val_kwargs.n), its rows must",
        '# say what they are: extra_info.split = "test".',
    ]


def _about_functions(file: Path) -> list[str]:
    function = "reward.custom_reward_function"
    return [
        "",
        "# With another reward manager (naive, dapo), in place of the overrides of reward.reward_manager:",
        f"#   {override(f'{function}.path', str(file))} {override(f'{function}.name', 'compute_score')}",
        "# never custom_reward_function.path, which verl 0.9.1 accepts and ignores.",
        "",
        "# To evaluate a file of responses:",
        "#   python -m verl.trainer.main_eval data.path=FILE.parquet "
        f"{override(f'+{function}.path', str(file))} {override(f'+{function}.name', 'evaluate')}",
    ]


def _only_manager(mix: hub.Mix, needs_groups: tuple[str, ...]) -> str:
    """What the mix needs that only a reward manager is given, in words; empty where it is nothing."""
    if needs_groups:
        return f"{', '.join(needs_groups)}: whole groups"
    if names := columns_needed(mix).get(TOKENS):
        return f"{', '.join(names)}: the completion's tokens"
    return "a schedule: the training step" if mix.is_scheduled else ""


def _why_none(lacking: str) -> list[str]:
    return ["", f"# No compute_score and no main_eval: they are not given what this mix needs ({lacking})."]
