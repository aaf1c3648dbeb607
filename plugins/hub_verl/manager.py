"""The reward manager: what verl's reward workers call for each sample of a rollout."""

from typing import Any

import hub
from hub.errors import BadInput, ConfigError
from hub.training.needs import TOKENS
from hub_verl.columns import columns_of, plain
from hub_verl.configured import ROLLOUT, check, is_shared, setting, validates
from hub_verl.scores import Size, scores_of
from hub_verl.settings import Settings


def reward_manager(settings: Settings) -> type[Any]:
    """Return a class for `reward.reward_manager` (`source=importlib`); the mix is read now, and checked.

    verl loads it in its driver before it starts a worker, so what is wrong with the mix stops the run there.

    Args:
        settings: what was exported.

    Raises:
        ConfigError: the mix has changed since, or is wrong.
    """
    from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase

    mix = settings.mix()

    class HubRewardManager(RewardManagerBase):  # type: ignore[misc]
        """Scores samples with a mix of the hub."""

        def __init__(
            self,
            config: Any,
            tokenizer: Any,
            compute_score: Any,
            reward_router_address: str | None = None,
            reward_model_tokenizer: Any = None,
        ) -> None:
            super().__init__(config, tokenizer, compute_score)
            check(mix, config)
            self._size = int(setting(config, f"{ROLLOUT}.n", settings.group_size))
            self._validation_size = (
                int(setting(config, f"{ROLLOUT}.val_kwargs.n", self._size))
                if validates(config)
                else self._size
            )
            self._score = scores_of(settings, shared=is_shared(config))

        async def run_single(self, data: Any) -> dict[str, Any]:
            """Return the reward of a sample, the last of `data`, and what to log."""
            row = data[-1].non_tensor_batch
            tokens = _response(data[-1])
            text, ids = await self.loop.run_in_executor(
                None, lambda: (self.tokenizer.decode(tokens, skip_special_tokens=True), tokens.tolist())
            )
            ground_truth = (row.get("reward_model") or {}).get("ground_truth")
            columns = columns_of(row.get("data_source"), ground_truth, row.get("extra_info"), settings.answer)
            columns[TOKENS] = ids
            columns["num_turns"] = plain(row.get("__num_turns__"))
            if row.get("uid") is None:
                raise BadInput("verl gave a sample without uid, so its group is not known")
            sample = hub.Sample(_prompt(row.get("raw_prompt")), text, columns, str(row["uid"]))
            lowered = await self._score(sample, self._size_of(columns), _step(mix, row))
            return {"reward_score": lowered.value, "reward_extra_info": as_info(lowered)}

        def _size_of(self, columns: dict[str, Any]) -> Size:
            """How many samples the group of a row has; validation may generate another number."""
            split = columns.get("split")
            if split in settings.validation:
                return Size(self._validation_size)
            is_sure = split is not None or self._size == self._validation_size
            if mix.compares and not is_sure:
                raise BadInput(
                    f"{', '.join(mix.compares)}: training has {self._size} completions per prompt and "
                    f"validation {self._validation_size}, and the row does not say which it is: give rows of "
                    f"the validation data extra_info.split = {settings.validation[0]!r} and the others "
                    "another one, or both numbers the same value"
                )
            return Size(self._size, is_sure)

    return HubRewardManager


def as_info(lowered: hub.Lowered) -> dict[str, float]:
    """Return what verl logs beside the reward: always the same keys, as verl takes the first sample's."""
    return {"score": lowered.value, **lowered.numbers()}


def _response(item: Any) -> Any:
    """The response's tokens, without the padding behind them."""
    tokens = item.batch["responses"]
    length = tokens.shape[-1]
    return tokens[: int(item.batch["attention_mask"][-length:].sum())]


def _prompt(raw: Any) -> Any:
    """The chat messages, or the text; verl makes arrays of lists."""
    prompt = plain(raw)
    return "" if prompt is None else prompt


def _step(mix: hub.Mix, row: Any) -> int | None:
    """The training step, counted from 0 as in other trainers; verl counts from 1."""
    step = row.get("global_steps")
    if step is None or int(step) < 0:
        if mix.is_scheduled:
            raise ConfigError("a weight changes over steps, and verl gave no global_steps with this sample")
        return None
    return max(0, int(step) - 1)
