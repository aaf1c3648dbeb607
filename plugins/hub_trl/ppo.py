"""A mix as the reward model of TRL's PPOTrainer, which TRL has up to version 1.12 (trl.experimental.ppo).

    rewards = hub_trl.ppo.RewardModel(mix, tokenizer, rows)
    PPOTrainer(args=PPOConfig(...), processing_class=tokenizer, model=..., ref_model=..., value_model=...,
               reward_model=rewards, train_dataset=Dataset.from_list(rewards.tokenized),
               callbacks=[rewards.log])

PPOTrainer takes no functions: it calls a module with the tokens of prompts and responses, and gives no
columns. So this module knows the rows, and finds each one by its prompt's tokens. Not covered: DeepSpeed,
which wants parameters to prepare; newer versions of TRL: for PPO there are verl and OpenRLHF.
"""

import logging
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import torch  # noqa: TID253 - imported when a trainer is made
from transformers import TrainerCallback  # noqa: TID253

from hub import AnyEngine, Mix, MixScore, Sample, default_engine
from hub.errors import BadInput, ConfigError
from hub.training.lower import has_total
from hub_trl.metrics import batch_metrics

_log = logging.getLogger(__name__)


class RewardModel(torch.nn.Module):
    """What PPOTrainer takes for a reward model (facts: trl 1.12.0, experimental/utils.py, `get_reward`).

    A sample without a total gets the mean of the valid totals that it is scored with (the trainer's
    `local_rollout_forward_batch_size`), or of all until then where there are none: PPO makes one completion
    per prompt, so there is no group, and what would make the advantage exactly 0 only the critic knows. It is
    counted in `missing`.

    Args:
        mix: what to score with.
        tokenizer: the one given to the trainer.
        rows: what the trainer will be given as data, with a `prompt` (text or messages) and the columns that
            the rewards read. `completion_ids` is a column too.
        engine: by default this process's own.

    Raises:
        ConfigError: the mix compares completions of one prompt, or has a schedule (PPOTrainer tells no step);
            two rows have the same prompt and other columns; a row lacks a column that a reward needs.
    """

    base_model_prefix = "backbone"

    def __init__(
        self, mix: Mix, tokenizer: Any, rows: Sequence[Mapping[str, Any]], *, engine: AnyEngine | None = None
    ) -> None:
        super().__init__()
        if mix.compares:
            names = ", ".join(mix.compares)
            raise ConfigError(f"{names}: needs several completions of a prompt; PPO makes one of each")
        if mix.is_scheduled:
            raise ConfigError("the mix has weights that change over steps, but PPOTrainer tells no step")
        mix.check({**row, "completion_ids": []} for row in rows)
        self.mix, self.samples, self.missing = mix, 0, 0
        self.backbone = _Backbone(tokenizer.pad_token_id)
        self.log: TrainerCallback = _Log(self)
        self._tokenizer, self._engine = tokenizer, engine
        self._rows: dict[tuple[int, ...], Mapping[str, Any]] = {}
        self._sum = 0.0
        self._since: list[MixScore] = []
        for number, row in enumerate(rows, 1):
            known = self._rows.setdefault(_tokens(tokenizer, row), row)
            if known != row:
                raise ConfigError(f"row {number} has the prompt of an earlier row, and other columns")

    @property
    def tokenized(self) -> list[dict[str, list[int]]]:
        """The rows as PPOTrainer wants its data: tokens and nothing else."""
        return [{"input_ids": list(tokens)} for tokens in self._rows]

    def score(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return each sequence's reward at each of its positions; the trainer takes the last.

        Args:
            tokens: (batch, length): prompts, padded on the left, and responses, padded on the right.

        Raises:
            BadInput: a prompt is not among the rows.
        """
        samples = self._samples(tokens.tolist())
        results = self.mix.score(samples, engine=self._engine)
        values = [result.value if has_total(result) else None for result in results]
        valid = [value for value in values if value is not None]
        self.samples, self.missing = self.samples + len(values), self.missing + len(values) - len(valid)
        self._sum += sum(valid)
        self._since += results
        seen = self.samples - self.missing
        mean = sum(valid) / len(valid) if valid else self._sum / seen if seen else 0.0
        if not valid:
            _log.warning("none of %d samples has a total: they are given %g", len(values), mean)
        rewards = torch.tensor([mean if value is None else value for value in values], dtype=torch.float32)
        return rewards.to(tokens.device)[:, None, None].expand(-1, tokens.shape[1], 1)

    def numbers(self) -> dict[str, float]:
        """Return what there is to log of the samples since the last call (see docs/trainers/trl.md)."""
        results, self._since = self._since, []
        return batch_metrics(results, self.mix.stats(self._engine or default_engine()), with_means=True)

    def _samples(self, sequences: list[list[int]]) -> list[Sample]:
        pad = self._tokenizer.pad_token_id
        starts = [next((i for i, t in enumerate(s) if t != pad), len(s)) for s in sequences]
        end = self._end_of_prompts(sequences, starts)
        samples = []
        for sequence, start in zip(sequences, starts, strict=True):
            row = self._rows[tuple(sequence[start:end])]
            response = [token for token in sequence[end:] if token != pad]
            text = self._tokenizer.decode(response, skip_special_tokens=True)
            is_chat = not isinstance(row["prompt"], str)
            columns = {**{k: v for k, v in row.items() if k != "prompt"}, "completion_ids": response}
            completion = [{"role": "assistant", "content": text}] if is_chat else text
            samples.append(Sample(row["prompt"], completion, columns))
        return samples

    def _end_of_prompts(self, sequences: list[list[int]], starts: list[int]) -> int:
        """Where the responses begin, which is the same in the whole batch.

        The furthest place up to which every sequence is a known prompt: one prompt may begin with another.
        """
        for length in sorted({len(tokens) for tokens in self._rows}, reverse=True):
            end = starts[0] + length
            if all(
                tuple(sequence[start:end]) in self._rows
                for sequence, start in zip(sequences, starts, strict=True)
            ):
                return end
        text = self._tokenizer.decode(sequences[0])
        raise BadInput(f"a prompt is not one of the rows that the RewardModel was given: {text!r:.200}")


class _Backbone(torch.nn.Module):
    """Gives the tokens on, where a model would give its hidden states."""

    def __init__(self, pad: int) -> None:
        super().__init__()
        self._pad = pad

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any) -> Any:
        return SimpleNamespace(hidden_states=[input_ids.masked_fill(attention_mask == 0, self._pad)])


class _Log(TrainerCallback):
    """Adds the rewards' numbers to what the trainer logs."""

    def __init__(self, model: RewardModel) -> None:
        self._model = model

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        numbers = self._model.numbers()
        if logs is not None:
            logs.update(numbers)
        if state.log_history:
            state.log_history[-1].update(numbers)


def _tokens(tokenizer: Any, row: Mapping[str, Any]) -> tuple[int, ...]:
    prompt = row.get("prompt")
    if prompt is None:
        raise ConfigError("PPO's rows need a column 'prompt': text or messages")
    if isinstance(prompt, str):
        return tuple(tokenizer(prompt)["input_ids"])
    found = tokenizer.apply_chat_template(prompt, add_generation_prompt=True, return_dict=True)
    return tuple(found["input_ids"])
