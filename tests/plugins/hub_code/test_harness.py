"""The check of the grading itself, on a part of the data; benchmarks/code_harness.py checks all of it."""

import json
from pathlib import Path
from typing import Any

import pytest

import hub
from benchmarks.code_harness import CHEATS, check, problems
from hub.cli.main import main

HARD = {
    "humaneval": ("HumanEval/32", "HumanEval/38", "HumanEval/50", "HumanEval/53", "HumanEval/148"),
    "mbpp": ("mbpp-11", "mbpp-101", "mbpp-367", "mbpp-533", "mbpp-596", "mbpp-927"),
}
"""Helpers of the prompt, random tests, classes in the set-up, a type as an argument, sizes of objects."""
EVERY = 16
PASSES = {"passed": "pass", "failed": "fail", "memory": "oom", "output_limit": "killed"}


@pytest.mark.parametrize("benchmark", list(HARD))
def test_solutions_pass_and_cheats_do_not(
    benchmark: str, sandbox: str, shared_data: Path, monkeypatch: pytest.MonkeyPatch, engine: hub.Engine
) -> None:
    monkeypatch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
    rows = [
        row
        for n, row in enumerate(problems(benchmark))
        if n % (4 * EVERY) == 0 or row["id"] in HARD[benchmark]
    ]
    assert len(rows) >= 5
    lines = {line.program: line for line in check(engine, benchmark, rows, sandbox)}
    assert set(lines) >= {"solution", *CHEATS}
    assert [each for line in lines.values() for each in line.unexpected] == []
    assert lines["solution"].verdicts == {"passed": len(rows)}
    assert all("passed" not in lines[name].verdicts for name in CHEATS)


def test_a_completion_cannot_replace_the_helpers_that_the_tests_use(
    sandbox: str, shared_data: Path, monkeypatch: pytest.MonkeyPatch, engine: hub.Engine
) -> None:
    monkeypatch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
    (row,) = (row for row in problems("humaneval") if row["entry_point"] == "find_zero")
    reward = hub.find_reward("code").bind({"sandbox": sandbox})
    cheat = "```python\ndef poly(xs, x):\n    return 0\n\ndef find_zero(xs):\n    return 0\n```"
    scores = engine.score(reward, [hub.Sample("", text, row) for text in (cheat, row["solution"])])
    assert [score.reason for score in scores] == ["failed", ""]


def test_hostile_and_honest_programs(sandbox: str, shared_data: Path, tmp_path: Path) -> None:
    """`hub score` gives every program of the file its verdict; those that take their time are left out."""
    rows: list[dict[str, Any]] = json.loads((shared_data / "sandbox" / "programs_dev.json").read_text())
    rows = [row for row in rows if "timeout" not in row["accept"]]
    for row in rows:
        row |= {key: eval(text) for key, text in (row.get("expand") or {}).items()}
    (tmp_path / "programs.json").write_text(json.dumps(rows))
    output = tmp_path / "scores.jsonl"
    command = [
        "score",
        "--reward",
        "code",
        "--map",
        "completion=code",
        f"{tmp_path}/programs.json",
        "-o",
        str(output),
    ]
    with pytest.raises(SystemExit) as done:
        main([*command, "--with", f"code.sandbox={sandbox}", "--workers", "2"])
    assert done.value.code == 0
    scores = [json.loads(line)["scores"]["code"] for line in output.read_text().splitlines()]
    verdicts = [score["info"]["verdict"] for score in scores]
    assert len(verdicts) == len(rows) > 60
    wrong = [
        (row["id"], verdict)
        for row, verdict in zip(rows, verdicts, strict=True)
        if PASSES.get(verdict, verdict) not in row["accept"]
    ]
    assert wrong == []
    assert all((score["value"] == 1.0) == (score["info"]["verdict"] == "passed") for score in scores)
