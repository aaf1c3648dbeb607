"""Online DPO: TRL's real trainer chooses the pairs that the mix prefers."""

from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset
from transformers import AutoTokenizer

import hub
import hub_trl

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@hub.reward(needs=["answer", "completion_ids"], lane="inline")
def tokens(sample: hub.Sample) -> float:
    if len(sample["completion_ids"]) == 0:
        raise ValueError("empty")
    return float(sum(sample["completion_ids"]) % 17 + int(sample["answer"]))


def test_it_trains_on_pairs_and_a_schedule(
    engine: hub.Engine, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trl.experimental.online_dpo import OnlineDPOConfig, OnlineDPOTrainer

    batches: list[tuple[list[float | None], dict[str, Any]]] = []
    mix = hub.Mix({tokens: [[0, 1.0], [1, 3.0]], "think-format": 0.2})
    (total,) = hub_trl.reward_funcs(mix, algorithm="online_dpo", engine=engine)

    def watched(**arguments: Any) -> list[float | None]:
        batches.append((total(**arguments), arguments))
        return batches[-1][0]

    config = OnlineDPOConfig(
        str(tmp_path),
        per_device_train_batch_size=2,
        max_new_tokens=8,
        max_steps=2,
        logging_steps=1,
        report_to="none",
        save_strategy="no",
        bf16=False,
        use_cpu=True,
        disable_tqdm=True,
        **hub_trl.trainer_arguments(mix, algorithm="online_dpo"),
    )
    rows = {"prompt": ["1+1?", "2+2?"] * 4, "answer": ["2", "4"] * 4}
    trainer = OnlineDPOTrainer(
        model=str(model_folder),
        reward_funcs=[watched],
        args=config,
        train_dataset=Dataset.from_dict(rows),
        processing_class=AutoTokenizer.from_pretrained(model_folder),
    )
    trainer.train()
    logs = [entry for entry in trainer.state.log_history if "objective/scores" in entry]
    assert len(batches) == len(logs) == 2
    for step, ((values, arguments), entry) in enumerate(zip(batches, logs, strict=True)):
        expected = [
            (1.0 + 2.0 * step) * (sum(ids) % 17 + int(answer))
            for ids, answer in zip(arguments["completion_ids"], arguments["answer"], strict=True)
        ]
        assert values == expected
        assert arguments["prompts"][:2] == arguments["prompts"][2:]
        assert entry["objective/scores"] == pytest.approx(sum(expected) / 4)
        margins = [abs(expected[i] - expected[i + 2]) for i in range(2)]
        assert entry["objective/scores_margin"] == pytest.approx(sum(margins) / 2)
