"""Whether verl, as it is configured, can do what a mix needs."""

from typing import Any

import hub
from hub.errors import ConfigError

HELD = 1000
"""Samples that one reward worker holds at most: Ray's limit for an actor with coroutines (ray 2.60.0)."""
ROLLOUT = "actor_rollout_ref.rollout"


def check(mix: hub.Mix, config: Any) -> None:
    """Raise where verl, as it is configured, cannot do what the mix needs.

    Args:
        mix: the mix.
        config: verl's whole configuration.

    Raises:
        ConfigError: with what to set.
    """
    if setting(config, "reward.reward_model.enable", False) and not setting(
        config, "reward.custom_reward_function.path", None
    ):
        raise ConfigError(
            "with reward.reward_model.enable=True verl never asks a reward manager: set it to False"
        )
    legacy = not setting(config, "trainer.use_v1", True)
    if mix.is_scheduled and legacy:
        raise ConfigError("a weight changes over steps, which verl tells with trainer.use_v1=True only")
    if not mix.compares:
        return
    what = ", ".join(mix.compares)
    if legacy:
        raise ConfigError(
            f"{what}: needs whole groups; with trainer.use_v1=False verl adds copies of samples to them"
        )
    if setting(config, "algorithm.adv_estimator", "grpo") == "remax":
        raise ConfigError(f"{what}: needs whole groups, to which remax adds a greedy completion")
    _check_capacity(what, config)


def _check_capacity(what: str, config: Any) -> None:
    """Raise where the reward workers cannot hold all samples that may wait for their groups at once."""
    workers = int(setting(config, "reward.num_workers", 1))
    fit = HELD if workers == 1 else HELD * workers * 4 // 5  # verl picks a worker at random: some hold more
    for key, count in _waiting(what, fit, config).items():
        if count > fit:
            needed = -int(-count // (HELD * 4 // 5))
            raise ConfigError(
                f"{what}: needs whole groups; by {key} up to {count:.0f} samples may wait for theirs, and a "
                f"reward worker holds {HELD}: set reward.num_workers={needed} or more, not {workers}"
            )


def _waiting(what: str, fit: int, config: Any) -> dict[str, float]:
    """How many samples may be under way at once, by the setting that decides it."""
    filtering = "algorithm.filter_groups"
    mode = setting(config, "trainer.v1.trainer_mode", "sync")
    batches = 1.0
    if mode != "sync":
        batches += float(setting(config, f"trainer.v1.{mode}.num_warmup_batches", 0))
    elif setting(config, f"{filtering}.enable", False):
        batches = float(setting(config, f"{filtering}.max_inflight_gen_batches", 1))
    prompts = int(setting(config, "data.train_batch_size", 0))
    waiting = {"data.train_batch_size": prompts * batches * int(setting(config, f"{ROLLOUT}.n", 1))}
    per_prompt = int(setting(config, f"{ROLLOUT}.val_kwargs.n", 1))
    if per_prompt > 1 and validates(config):  # a group of one waits for nobody
        batch = setting(config, "data.val_batch_size", None)
        if batch is None and setting(config, "data.val_files", None):
            raise ConfigError(
                f"{what}: needs whole groups, and with data.val_batch_size=null all validation data waits at "
                f"once: set it to at most {fit // per_prompt}, or {ROLLOUT}.val_kwargs.n to 1"
            )
        waiting["data.val_batch_size"] = int(batch or 0) * per_prompt
    return waiting


def validates(config: Any) -> bool:
    """Whether verl evaluates on validation data at all."""
    before, every = (
        setting(config, "trainer.val_before_train", True),
        setting(config, "trainer.test_freq", -1),
    )
    return bool(before) or int(every) > 0 or bool(setting(config, "trainer.val_only", False))


def is_shared(config: Any) -> bool:
    """Whether samples of one group come to several reward workers."""
    import ray

    return bool(ray.is_initialized()) and int(setting(config, "reward.num_workers", 1)) != 1


def setting(config: Any, key: str, default: Any) -> Any:
    """Return what verl's configuration says under a dotted key; `default` where it says nothing."""
    from omegaconf import OmegaConf

    value = OmegaConf.select(config, key)
    return default if value is None else value
