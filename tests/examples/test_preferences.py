"""What examples/preferences shows, with fewer steps: rewards that are learnt from pairs, and evaluated on others."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hub.cli.main import main
from hub.target import load_file

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LEARNT = str(EXAMPLES / "preferences" / "bradley_terry.py") + ":BradleyTerry"


def evaluate(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    with pytest.raises(SystemExit) as ended:
        main(["eval", *arguments, "--on", "preferences", "--json"])
    shown = capsys.readouterr()
    assert ended.value.code == 0, shown.err
    (result,) = json.loads(shown.out)
    scores: dict[str, Any] = result["scores"]
    return {**scores, "model": result["model"]}


def test_words_and_length_on_real_preferences(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Learnt from half of GPT-4's verdicts; without length it is better where the better answer is shorter."""
    pytest.importorskip("sklearn", reason="the example needs scikit-learn")
    monkeypatch.chdir(tmp_path)
    file = shared_data / "benchmarks" / "alpaca_eval" / "annotations.alpaca-7b.json"
    lines = []
    for number, row in enumerate(json.loads(file.read_text(encoding="utf-8"))):
        texts = [row["output_1"], row["output_2"]][:: -1 if row["preference"] > 1.5 else 1]
        lines.append(
            json.dumps({"id": number, "prompt": row["instruction"], "chosen": texts[0], "rejected": texts[1]})
        )
    Path("train.jsonl").write_text("\n".join(lines[:400]), encoding="utf-8")
    Path("test.jsonl").write_text("\n".join(lines[400:]), encoding="utf-8")
    on = [
        "--reward",
        LEARNT,
        "--with",
        "BradleyTerry.pairs=train.jsonl",
        "--benchmark-option",
        "path=test.jsonl",
    ]
    whole = evaluate(capsys, *on)
    words = evaluate(capsys, *on, "--with", "BradleyTerry.length=false")
    for found in (whole, words):
        assert found["total"]["n"] == 405
        assert found["total"]["interval_95"][0] > 0.88
    assert whole["metrics"]["chosen shorter"] < words["metrics"]["chosen shorter"]
    assert whole["metrics"]["length correlation"] > words["metrics"]["length correlation"]
    (reward,) = whole["model"]["rewards"]["rewards"]
    assert len(reward["provenance"]["pairs"]) == 64


def test_a_trained_reward_model_tells_right_sums_from_wrong_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    load_file(str(EXAMPLES / "quickstart" / "make_model.py")).build(Path("model"), 0)
    load_file(str(EXAMPLES / "preferences" / "make_pairs.py")).make(Path("pairs"))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    script = str(EXAMPLES / "preferences" / "train_reward_model.py")
    command = [sys.executable, script, "model", "pairs/train.jsonl", "trained", "40"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-4000:]
    found = evaluate(
        capsys,
        *("--reward", "reward-model", "--with", "reward-model.model=trained"),
        *(
            "--with",
            "reward-model.form={prompt}{completion}<|end|>",
            "--benchmark-option",
            "path=pairs/test.jsonl",
        ),
    )
    assert found["total"]["n"] == 180
    assert found["total"]["interval_95"][0] > 0.5
    (reward,) = found["model"]["rewards"]["rewards"]
    assert len(reward["provenance"]["weights"]) == 64
