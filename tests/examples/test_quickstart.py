"""The quickstart, cut short by HUB_QUICK: the same code, commands and files as the whole of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / "examples" / "quickstart" / "run.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("quickstart")


def run(folder: Path) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "HUB_QUICK": "1", "COLUMNS": "120"}
    command = [sys.executable, str(RUN), "--folder", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)


def test_it_trains_evaluates_and_says_what_was_not_shown(folder: Path) -> None:
    done = run(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("before", "before-greedy", "after", "after-greedy"):
        result = json.loads((folder / name / "arithmetic" / "result.json").read_text())
        assert result["scores"]["total"]["n"] == 32
        assert set(result["scores"]["rewards"]) == {"math", "think-format"}
    assert (folder / "grpo" / "rewards.png").stat().st_size > 10_000
    assert json.loads((folder / "grpo" / "summary.json").read_text())["steps"] == 3
    assert "$ hub train grpo.toml" in done.stdout
    assert "math, sampled" in done.stdout
    assert "these numbers show nothing" in done.stdout
    after = json.loads((folder / "after-greedy" / "arithmetic" / "result.json").read_text())["scores"][
        "total"
    ]
    assert after["interval_95"] is not None or "(no interval)" in done.stdout


def test_run_again_it_does_nothing_twice(folder: Path) -> None:
    before = (folder / "grpo" / "log.jsonl").read_text()
    done = run(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "grpo" / "log.jsonl").read_text() == before


def test_a_step_that_fails_says_so_and_keeps_what_is_done(folder: Path) -> None:
    (folder / "mix.toml").write_text('[[reward]]\nuse = "mth"\n')
    done = run(folder)
    assert done.returncode == 1
    assert "did you mean 'math'" in done.stderr
    assert "what was done is kept in" in done.stdout
