"""A mix as PPOTrainer's reward model: its real training, and the module alone."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import PreTrainedTokenizerFast

import hub
from hub.errors import BadInput, ConfigError
from hub_trl.ppo import RewardModel

ROWS: list[dict[str, Any]] = [
    {"prompt": "2+2?", "answer": "4"},
    {"prompt": "2+2? And ten", "answer": "14"},
    {"prompt": [{"role": "user", "content": "2+2?"}], "answer": "4"},
]


@hub.reward(lane="inline", needs=["answer"])
def right(sample: hub.Sample) -> float:
    if sample.text == "bad":
        raise ValueError("told to")
    return float(sample.text == sample["answer"])


@hub.reward(lane="inline", group=True, needs=[])
def compares(samples: list[hub.Sample]) -> list[float]:
    return [0.0] * len(samples)


def rewards_of(model: RewardModel, tokenizer: Any, pairs: list[tuple[int, str]]) -> list[float]:
    """What the trainer reads at the last token, asked as trl 1.12's `get_reward` asks."""
    pad = tokenizer.pad_token_id
    prompts = [model.tokenized[row]["input_ids"] for row, _ in pairs]
    responses = [tokenizer(text)["input_ids"] for _, text in pairs]
    width, length = max(map(len, prompts)), max(map(len, responses)) + 2
    sequences = [
        [pad] * (width - len(prompt)) + prompt + response + [pad] * (length - len(response))
        for prompt, response in zip(prompts, responses, strict=True)
    ]
    ids = torch.tensor(sequences)
    mask = ids != pad
    backbone = getattr(model, model.base_model_prefix)
    output = backbone(input_ids=ids.masked_fill(~mask, 0), attention_mask=mask, use_cache=False)
    scores = model.score(output.hidden_states[-1])
    assert scores.shape == (len(pairs), width + length, 1)
    return [float(scores[i, width + len(r) - 1, 0]) for i, r in enumerate(responses)]


def test_rows_are_found_by_their_prompts(
    engine: hub.Engine, tokenizer: PreTrainedTokenizerFast, caplog: pytest.LogCaptureFixture
) -> None:
    model = RewardModel(hub.Mix({right: 2.0}), tokenizer, ROWS, engine=engine)
    assert rewards_of(model, tokenizer, [(0, "4"), (1, "14"), (2, "4"), (1, "4")]) == [2.0, 2.0, 2.0, 0.0]
    assert rewards_of(model, tokenizer, [(1, "14"), (1, "4")]) == [2.0, 0.0], "one begins with another"
    assert rewards_of(model, tokenizer, [(0, "4"), (0, "bad"), (2, "5")]) == [2.0, 1.0, 0.0]
    assert model.numbers()["hub/missing"] == pytest.approx(1 / 9)
    assert rewards_of(model, tokenizer, [(0, "bad")]) == [1.25], "the mean of all until then"
    assert (model.samples, model.missing) == (10, 2)
    assert "none of 1 samples has a total" in caplog.text
    numbers = model.numbers()
    assert (numbers["hub/missing"], numbers["hub/failed/right"]) == (1.0, 1.0)


def test_a_prompt_that_it_was_not_given(engine: hub.Engine, tokenizer: PreTrainedTokenizerFast) -> None:
    model = RewardModel(hub.Mix({right: 1.0}), tokenizer, ROWS[:1], engine=engine)
    with pytest.raises(BadInput, match="'3\\+3"):
        model.score(torch.tensor([tokenizer("3+3? 6")["input_ids"]]))


REFUSED: list[tuple[dict[Any, Any], list[dict[str, Any]], str]] = [
    ({compares: 1.0}, ROWS, "compares: needs several completions"),
    ({right: [[0, 1.0], [9, 2.0]]}, ROWS, "PPOTrainer tells no step"),
    ({right: 1.0}, [*ROWS, {"prompt": "2+2?", "answer": "5"}], "row 4 has the prompt of an earlier row"),
    ({right: 1.0}, [{"prompt": "2+2?"}], "row 1 has no column 'answer'"),
    ({right: 1.0}, [{"answer": "4"}], "need a column 'prompt'"),
]


@pytest.mark.parametrize(("rewards", "rows", "said"), REFUSED)
def test_what_ppo_cannot_do(
    tokenizer: PreTrainedTokenizerFast, rewards: dict[Any, Any], rows: list[dict[str, Any]], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        RewardModel(hub.Mix(rewards), tokenizer, rows)


def test_the_log_gets_the_rewards_numbers(engine: hub.Engine, tokenizer: PreTrainedTokenizerFast) -> None:
    model = RewardModel(hub.Mix({right: 1.0}), tokenizer, ROWS, engine=engine)
    rewards_of(model, tokenizer, [(0, "4"), (0, "5")])
    logs: dict[str, Any] = {"loss": 0.0}
    state: Any = SimpleNamespace(log_history=[dict(logs)])
    model.log.on_log(None, state, None, logs=logs)  # type: ignore[arg-type]
    assert logs["rewards/right/mean"] == state.log_history[0]["rewards/right/mean"] == 0.5


def test_the_trainer_itself(in_trl: Callable[..., Any], model_folder: Path) -> None:
    found = in_trl("1.12.0", Path(__file__).with_name("in_ppo.py"), model_folder)
    assert found["version"] == "1.12.0"
    assert len(found["log"]) == 3
    updates = list(zip(found["calls"], found["given"], strict=True))
    answers = {f"What is {n}+{n}?": str(2 * n) for n in (1, 5, 50, 500)}
    missing = 0
    for call, given in updates:
        assert call["answers"] == [answers[prompt] for prompt in call["prompts"]]
        valid = [total for total in call["totals"] if total is not None]
        expected = [sum(valid) / len(valid) if total is None else total for total in call["totals"]]
        assert given == pytest.approx(expected)
        missing += call["totals"].count(None)
    kinds = {kind for call, _ in updates for kind in call["kinds"]}
    assert kinds == {"str", "list"}
    for (_, given), entry in zip(updates[:3], found["log"], strict=True):
        assert entry["objective/scores"] == pytest.approx(sum(given) / 4)
        assert entry["rewards/think-format/mean"] == 0
        assert 0 <= entry["hub/missing"] < 1
    assert found["missing"] == missing > 0
