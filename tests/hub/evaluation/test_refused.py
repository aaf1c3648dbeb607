"""Prompts that a model or server refuses: each costs its own sample, and no run."""

import json
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.cli.main import main
from hub.errors import GeneratorError
from hub.evaluation.compare import compare
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub.evaluation.stored import read_run

SAMPLED: dict[str, Any] = {"samples_per_prompt": 3, "decoding": {"temperature": 1.0}}


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]


def length(prompt: str, seed: int) -> int:
    return 1 + (sum(prompt.encode()) * 7 + seed) % 9


def whole(prompt: str, seed: int) -> str:
    return "x" * length(prompt, seed)


def picky(prompt: str, seed: int) -> str | None:
    """Refuses two of the six prompts, and some samples of the others."""
    return None if prompt[0] in "14" or length(prompt, seed) == 5 else whole(prompt, seed)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main([*arguments])
    return int(left.value.code or 0)


def test_a_refusal_is_a_failure_of_its_own_sample(
    tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine
) -> None:
    done: list[tuple[int, int]] = []
    generator = scripted(lambda prompt, seed: None if prompt[0] == "3" else str(2 * int(prompt[0])))
    result = evaluate(
        make_plan(sums.sums), generator, tmp_path, engine=engine, progress=lambda *at: done.append(at)
    )
    total = result["scores"]["total"]
    assert (total["mean"], total["n"], total["completions"], total["failed"]) == (1.0, 5, 6, 1)
    assert (total["failed_by_reason"], total["mean_if_failed_are_0"]) == ({"no_completion": 1}, 5 / 6)
    assert result["scores"]["categories"]["odd"]["failed"] == 1
    assert result["completions"]["finish"] == {"refused": 1, "stop": 5}
    assert result["completions"]["refused"] == "'3 + 3' is too long"
    assert done[-1] == (6, 1)
    line = lines(tmp_path)[3]
    assert (line["prompt"], line["completion"], line["result"]["finish"]) == ("3 + 3", None, "refused")
    assert line["result"]["scores"]["exact"]["reason"] == "no_completion"
    found = compare(read_run(tmp_path), read_run(tmp_path))
    assert (found.prompts, found.left_out) == (5, 1)


@pytest.mark.parametrize("reward", ["exact", "rank"])
@pytest.mark.parametrize("stop", [0, 1, 7, 11])
def test_what_was_refused_is_asked_again(
    tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine, reward: str, stop: int
) -> None:
    """Once the cause is gone, an interrupted run and a complete one end as if nothing had been refused."""
    plan = make_plan(sums.benchmark(reward), **SAMPLED)
    expected = evaluate(plan, scripted(whole), tmp_path / "whole", engine=engine)
    with pytest.raises(GeneratorError, match="the server is gone"):
        evaluate(plan, scripted(picky, stop_after=stop), tmp_path / "run", engine=engine)
    result = evaluate(plan, scripted(picky), tmp_path / "run", resume=True, engine=engine)
    refused = {
        (line["result"]["row"], line["result"]["sample"])
        for line in lines(tmp_path / "run")
        if line["completion"] is None
    }
    assert 6 < len(refused) < 18
    assert result["scores"]["total"]["failed"] == len(refused)
    assert read_run(tmp_path / "run").result == result
    last = scripted(whole)
    mended = evaluate(plan, last, tmp_path / "run", resume=True, engine=engine)
    assert mended["scores"] == expected["scores"]
    assert (tmp_path / "run" / "samples.jsonl").read_bytes() == (
        tmp_path / "whole" / "samples.jsonl"
    ).read_bytes()
    assert len(last.asked) == len(refused)
    evaluate(plan, scripted(whole, stop_after=0), tmp_path / "run", resume=True, engine=engine)


def test_where_all_is_refused_there_is_no_result(
    tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine
) -> None:
    plan, silent = make_plan(sums.sums, **SAMPLED), scripted(lambda prompt, seed: None)
    for resume in (False, True):
        with pytest.raises(
            GeneratorError, match=r"none of 6 prompts could be completed; the first: '0 \+ 0' is"
        ):
            evaluate(plan, silent, tmp_path, resume=resume, engine=engine)
    assert len(silent.asked) == 12  # not once for each sample
    assert not (tmp_path / "result.json").exists()
    result = evaluate(plan, scripted(whole), tmp_path, resume=True, engine=engine)
    assert result["scores"]["total"]["n"] == 18


def test_a_turn_after_a_refused_one_is_not_asked(tmp_path: Path, scripted: Any, engine: hub.Engine) -> None:
    rows = [
        {"id": f"{name}/{turn}", "prompt": f"{name}/{turn}"}
        | ({"after": f"{name}/{turn - 1}"} if turn > 1 else {})
        for name in "ab"
        for turn in (1, 2, 3)
    ]
    mix = {"reward": [{"use": "length", "with": {"max": 99}}]}
    plan = make_plan(hub.Benchmark("talk", lambda split: rows, mix, "Talks."))

    def answer(prompt: Any, seed: int) -> str | None:
        text = prompt if isinstance(prompt, str) else prompt[-1]["content"]
        return None if text == "b/2" else "fine"

    generator = scripted(answer)
    evaluate(plan, generator, tmp_path, engine=engine)
    found = {line["id"]: line for line in lines(tmp_path)}
    assert [one for one in found if found[one]["completion"] is None] == ["b/2", "b/3"]
    assert found["b/2"]["prompt"][-1]["content"] == "b/2"
    assert found["b/2"]["prompt"][1]["content"] == "fine"
    assert found["b/3"]["prompt"] == "b/3"
    assert found["b/3"]["result"]["total"]["detail"] == "the turn before it, 'b/2', has no answer"
    assert len(generator.asked) == 5
    again = scripted(lambda prompt, seed: "fine")
    result = evaluate(plan, again, tmp_path, resume=True, engine=engine)
    assert (len(again.asked), result["scores"]["total"]["n"]) == (2, 6)


def test_only_rewards_that_a_row_goes_to_fail(
    tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine
) -> None:
    mix = hub.Mix.from_tables(
        {
            "reward": [
                {"use": f"{sums.__file__}:exact", "name": parity, "when": {"parity": parity}}
                for parity in ("odd", "even")
            ]
        }
    )
    plan = make_plan(sums.sums, mix=mix)
    evaluate(plan, scripted(lambda prompt, seed: None if prompt[0] == "3" else "0"), tmp_path, engine=engine)
    scores = lines(tmp_path)[3]["result"]["scores"]
    assert {name: score["outcome"] for name, score in scores.items()} == {
        "odd": "failed",
        "even": "abstained",
    }


def test_hub_score_and_hub_results_take_such_a_run(
    tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate(
        make_plan(sums.sums),
        scripted(lambda prompt, seed: None if prompt[0] == "3" else "0"),
        tmp_path / "run",
        engine=engine,
    )
    scored = tmp_path / "scores.jsonl"
    file = str(tmp_path / "run" / "samples.jsonl")
    assert run("score", "--reward", "length", "--with", "length.max=9", file, "--output", str(scored)) == 1
    found = [json.loads(line) for line in scored.read_text().splitlines()]
    assert [line["score"] for line in found] == [1.0, 1.0, 1.0, None, 1.0, 1.0]
    assert found[3]["scores"]["length"]["reason"] == "bad_input"
    capsys.readouterr()
    assert run("results", "show", str(tmp_path / "run"), "--only", "failed") == 0
    shown = capsys.readouterr().out
    assert "(there is none)" in shown
    assert "no_completion: '3 + 3' is too long" in shown
