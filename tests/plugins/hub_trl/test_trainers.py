"""The adapter in TRL's real trainers, on a model with random weights."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
import trl
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer, RLOOConfig, RLOOTrainer  # type: ignore[attr-defined]

import hub
import hub_trl
from hub_trl import versions
from hub_trl.versions import LEAVES_OUT_MISSING, has

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*pin_memory.*:UserWarning"),
]
# What runs in workers is in a file of its own: they import it, and this one imports torch.
has_answer = hub.find_reward(f"{Path(__file__).with_name('rewards.py')}:has_answer")
raises = hub.find_reward(f"{Path(__file__).with_name('rewards.py')}:raises")
sometimes_hangs = hub.find_reward(f"{Path(__file__).with_name('rewards.py')}:sometimes_hangs")
TRAINERS = {"grpo": (GRPOTrainer, GRPOConfig), "rloo": (RLOOTrainer, RLOOConfig)}
PROMPTS = Dataset.from_dict({"prompt": ["What is 1+1?", "What is 2+2?"], "answer": ["2", "4"]})


def test_it_is_the_version_that_was_asked_for() -> None:
    """By scripts/test-trl-versions."""
    assert trl.__version__ == os.environ.get("HUB_TEST_TRL", trl.__version__)
    assert versions.LOWEST <= versions.installed() == tuple(map(int, trl.__version__.split(".")[:2]))


@hub.reward(needs=["completion_ids"], lane="inline")
def tokens(sample: hub.Sample) -> float:
    return float(sum(sample["completion_ids"]) % 17 / 17)


@hub.reward(uses=["completion_ids"], lane="inline")
class FailsOn:
    """1.0, but fails on the completions that it is told."""

    def __init__(self, completions: list[Any]) -> None:
        self.completions = completions

    def __call__(self, sample: hub.Sample) -> float:
        if sample.get("completion_ids") in self.completions:
            raise ValueError("told to")
        return 1.0


@hub.reward(lane="inline")
def role(sample: hub.Sample) -> float:
    """What kind of data arrives: messages in, messages out."""
    assert sample.prompt_text == "What is 1+1?"
    assert not isinstance(sample.prompt, str)
    assert not isinstance(sample.completion, str)
    return float(len(sample.completion))


def make(
    algorithm: str,
    mix: hub.Mix,
    engine: hub.Engine,
    model: Path,
    quick: dict[str, Any],
    data: Dataset = PROMPTS,
    asynchronous: bool = False,
    **settings: Any,
) -> Any:
    trainer, config = TRAINERS[algorithm]
    arguments = {**quick, **hub_trl.trainer_arguments(mix, algorithm=algorithm), **settings}
    return trainer(
        model=str(model),
        reward_funcs=hub_trl.reward_funcs(mix, algorithm=algorithm, asynchronous=asynchronous, engine=engine),
        args=config(**arguments),
        train_dataset=data,
    )


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[list[hub.MixScore]]:
    """The results of every batch that a mix scores."""
    batches: list[list[hub.MixScore]] = []
    score, ascore = hub.Mix.score, hub.Mix.ascore

    def recording(self: hub.Mix, *args: Any, **keys: Any) -> list[hub.MixScore]:
        batches.append(score(self, *args, **keys))
        return batches[-1]

    async def arecording(self: hub.Mix, *args: Any, **keys: Any) -> list[hub.MixScore]:
        batches.append(await ascore(self, *args, **keys))
        return batches[-1]

    monkeypatch.setattr(hub.Mix, "score", recording)
    monkeypatch.setattr(hub.Mix, "ascore", arecording)
    return batches


def mean(values: Sequence[float | None]) -> Any:
    present = [value for value in values if value is not None]
    return pytest.approx(sum(present) / len(present), abs=1e-6) if present else None


@pytest.mark.parametrize(("algorithm", "asynchronous"), [("grpo", False), ("grpo", True), ("rloo", True)])
def test_the_log_has_the_hubs_numbers(
    algorithm: str,
    asynchronous: bool,
    engine: hub.Engine,
    model_folder: Path,
    quick: dict[str, Any],
    recorded: list[list[hub.MixScore]],
) -> None:
    mix = hub.Mix({tokens: 1.0, has_answer: {"weight": 0.2, "gate": "tokens >= 0.5"}})
    trainer = make(algorithm, mix, engine, model_folder, quick, asynchronous=asynchronous)
    trainer.train()
    logs = [entry for entry in trainer.state.log_history if "reward" in entry]
    assert len(logs) == len(recorded) == 3
    for entry, results in zip(logs, recorded, strict=True):
        assert entry["reward"] == mean([result.value for result in results])
        for name in mix.names:
            assert entry[f"rewards/{name}/mean"] == mean([r.scores[name].value for r in results])
            assert entry[f"hub/failed/{name}"] == 0
        assert entry["hub/missing"] == 0
        assert entry["hub/seconds"] > 0
        assert entry["hub/run_ms_p99/tokens"] >= entry["hub/run_ms_p50/tokens"] > 0


def advantages(trainer: Any) -> tuple[list[list[int]], torch.Tensor]:
    """Generate for one batch, score it and let TRL compute the advantages."""
    torch.manual_seed(0)
    inputs = [PROMPTS[index // 4] for index in range(8)]
    output = trainer._generate_and_score_completions(inputs)
    ids = [
        [int(token) for token, kept in zip(row, mask, strict=True) if kept]
        for row, mask in zip(output["completion_ids"], output["completion_mask"], strict=True)
    ]
    return ids, output["advantages"]


@pytest.mark.parametrize("algorithm", ["grpo", "rloo"])
def test_a_failed_sample_changes_nobody_elses_advantage(
    algorithm: str, engine: hub.Engine, model_folder: Path, quick: dict[str, Any]
) -> None:
    quick["per_device_train_batch_size"] = 8
    if algorithm == "rloo":
        quick["beta"] = 0.0

    def run(failing: list[list[int]]) -> tuple[list[list[int]], torch.Tensor]:
        mix = hub.Mix({tokens: 1.0, FailsOn: {"weight": 0.5, "with": {"completions": failing}}})
        return advantages(make(algorithm, mix, engine, model_folder, quick))

    ids, whole = run([])
    assert len(set(map(tuple, ids))) == 8, "the random completions differ"
    ids_again, masked = run([ids[1]])
    assert ids_again == ids
    assert abs(masked[1]) <= (0 if has(LEAVES_OUT_MISSING) else 1e-6)
    assert torch.equal(masked[4:], whole[4:]), "the other group"
    totals = torch.tensor([sum(i) % 17 / 17 + 0.5 for i in ids])
    others = totals[[0, 2, 3]]
    # Before, the failed one is given the others' mean, and what divides by the number of samples sees 4.
    count = 3 if has(LEAVES_OUT_MISSING) else 4
    if algorithm == "grpo":
        expected = (others - others.mean()) / (others.std() * (2 / (count - 1)) ** 0.5 + 1e-4)
    else:
        expected = (others - others.mean()) * count / (count - 1)
    assert torch.allclose(masked[[0, 2, 3]], expected, atol=1e-4)
    assert not torch.allclose(masked[[0, 2, 3]], whole[[0, 2, 3]], atol=1e-3), "the failure left its mark"


@pytest.mark.parametrize("algorithm", ["grpo", "rloo"])
def test_a_group_without_a_total_teaches_nothing(
    algorithm: str, engine: hub.Engine, model_folder: Path, quick: dict[str, Any]
) -> None:
    quick["per_device_train_batch_size"] = 8
    ids, _ = advantages(make(algorithm, hub.Mix({tokens: 1.0}), engine, model_folder, quick))
    mix = hub.Mix({tokens: 1.0, FailsOn: {"with": {"completions": ids[:4]}}})
    _, found = advantages(make(algorithm, mix, engine, model_folder, quick, beta=0.0))
    assert torch.equal(found[:4], torch.zeros(4))
    assert found[4:].abs().max() > 0.1


def test_rloo_clips_and_normalises_beside_a_missing_value(
    engine: hub.Engine, model_folder: Path, quick: dict[str, Any]
) -> None:
    quick |= {"per_device_train_batch_size": 8, "beta": 0.0, "reward_clip_range": (0.6, 0.9)}
    ids, _ = advantages(make("rloo", hub.Mix({tokens: 1.0}), engine, model_folder, quick))
    mix = hub.Mix({tokens: 1.0, FailsOn: {"weight": 0.5, "with": {"completions": [ids[1]]}}})
    _, found = advantages(make("rloo", mix, engine, model_folder, quick))
    totals = torch.tensor([sum(i) % 17 / 17 + 0.5 for i in ids])
    assert not torch.equal(totals, totals.clamp(0.6, 0.9))
    if not has(LEAVES_OUT_MISSING):
        totals[1] = totals[[0, 2, 3]].mean()  # given before it is clipped, so its advantage is not quite 0
    rows = [0, 2, 3] if has(LEAVES_OUT_MISSING) else [0, 1, 2, 3]
    kept = totals[rows].clamp(0.6, 0.9)
    expected = (kept - kept.mean()) * len(rows) / (len(rows) - 1)
    assert torch.allclose(found[rows], expected, atol=1e-5)
    if has(LEAVES_OUT_MISSING):
        assert found[1] == 0
    _, normalized = advantages(make("rloo", mix, engine, model_folder, quick, normalize_advantages=True))
    assert normalized[rows].std() > found[rows].std()


def test_the_table_of_completions_has_reasons(
    engine: hub.Engine, model_folder: Path, quick: dict[str, Any]
) -> None:
    mix = hub.Mix({"math": 1.0, raises: 0.5}, on_failure="drop")
    trainer = make("grpo", mix, engine, model_folder, quick, log_completions=True)
    trainer.train()
    tables = sorted(Path(quick["output_dir"]).rglob("completions_*.parquet"))
    assert len(tables) == 3
    for table in map(pq.read_table, tables):
        rows = table.to_pylist()
        assert len(rows) == 4
        for row in rows:
            assert row["hub/reason/raises"].startswith("exception; ValueError: broken")
            assert "answer=" in row["hub/reason/math"] or "no_answer" in row["hub/reason/math"]


def test_dropping_keeps_the_other_rewards_of_the_sample(
    engine: hub.Engine, model_folder: Path, quick: dict[str, Any]
) -> None:
    quick["per_device_train_batch_size"] = 8
    ids, _ = advantages(make("grpo", hub.Mix({tokens: 1.0}), engine, model_folder, quick))
    mix = hub.Mix(
        {tokens: 1.0, FailsOn: {"weight": 0.5, "with": {"completions": [ids[1]]}}}, on_failure="drop"
    )
    _, dropped = advantages(make("grpo", mix, engine, model_folder, quick))
    totals = torch.tensor([sum(i) % 17 / 17 + (0.0 if i == ids[1] else 0.5) for i in ids[:4]])
    assert torch.allclose(dropped[:4], (totals - totals.mean()) / (totals.std() + 1e-4), atol=1e-4)


def test_a_hanging_reward_does_not_stop_training(
    engine: hub.Engine, model_folder: Path, quick: dict[str, Any], recorded: list[list[hub.MixScore]]
) -> None:
    mix = hub.Mix({tokens: 1.0, sometimes_hangs: {"timeout_s": 0.5}})
    trainer = make("grpo", mix, engine, model_folder, quick)
    trainer.train()
    assert trainer.state.global_step == 3
    scores = [result.scores["sometimes-hangs"] for results in recorded for result in results]
    hung = [score for score in scores if score.reason == "timeout"]
    assert hung
    assert len(hung) < len(scores)
    shares = [entry["hub/missing"] for entry in trainer.state.log_history if "hub/missing" in entry]
    assert sum(shares) == pytest.approx(len(hung) / 4)


@pytest.mark.parametrize("algorithm", ["grpo", "rloo"])
def test_conversations(algorithm: str, engine: hub.Engine, model_folder: Path, quick: dict[str, Any]) -> None:
    prompt = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 1+1?"}]
    trainer = make(
        algorithm, hub.Mix({role: 1.0}), engine, model_folder, quick, Dataset.from_dict({"prompt": [prompt]})
    )
    trainer.train()
    assert trainer.state.log_history[0]["rewards/role/mean"] == 1.0


def test_a_schedule_follows_the_trainers_step(
    engine: hub.Engine, model_folder: Path, quick: dict[str, Any], recorded: list[list[hub.MixScore]]
) -> None:
    mix = hub.Mix({tokens: [[0, 1.0], [2, 3.0]], has_answer: 0.5})
    trainer = make("grpo", mix, engine, model_folder, quick)
    trainer.train()
    logs = [entry for entry in trainer.state.log_history if "reward" in entry]
    for step, (entry, results) in enumerate(zip(logs, recorded, strict=True)):
        parts = {name: [r.scores[name].value or 0.0 for r in results] for name in mix.names}
        expected = [
            (1.0 + step) * t + 0.5 * a for t, a in zip(parts["tokens"], parts["has-answer"], strict=True)
        ]
        assert entry["reward"] == entry["rewards/total/mean"] == mean(expected)
        assert entry["rewards/tokens/mean"] == mean(parts["tokens"])


def test_normalising_in_the_hub_equals_normalising_in_trl(
    engine: hub.Engine, model_folder: Path, quick: dict[str, Any]
) -> None:
    """GDPO with weights that change, in one function, against TRL's own GDPO at the same weights."""
    quick["per_device_train_batch_size"] = 8
    constant = hub.Mix({tokens: 1.0, has_answer: 0.5}, aggregate="normalize_then_sum")
    scheduled = hub.Mix({tokens: [[0, 1.0], [1000, 0.0]], has_answer: 0.5}, aggregate="normalize_then_sum")
    ids, expected = advantages(make("grpo", constant, engine, model_folder, quick))
    ids_again, found = advantages(make("grpo", scheduled, engine, model_folder, quick))
    assert ids == ids_again
    assert torch.allclose(found, expected, atol=1e-3)
    assert found.std() > 0.1


def test_raise_ends_training_with_the_reason(
    engine: hub.Engine, model_folder: Path, quick: dict[str, Any]
) -> None:
    mix = hub.Mix({sometimes_hangs: {"timeout_s": 0.2}}, on_failure="raise")
    trainer = make("grpo", mix, engine, model_folder, quick, max_steps=20)
    with pytest.raises(hub.errors.RewardFailed, match="'sometimes-hangs': timeout"):
        trainer.train()
