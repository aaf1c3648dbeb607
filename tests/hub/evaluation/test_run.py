"""Whole evaluations: what they write, and that interruptions change nothing."""

import json
import random
import threading
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import ConfigError, DataError, GeneratorError, RewardFailed
from hub.evaluation.plan import Plan, make_plan
from hub.evaluation.run import evaluate
from hub.evaluation.statistics import korn_graubard


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]


def test_a_run_writes_its_result_and_every_sample(
    tmp_path: Path, sums: Any, solver: Any, engine: hub.Engine
) -> None:
    seen: list[tuple[int, int]] = []
    state = random.getstate()
    result = evaluate(
        make_plan(sums.sums),
        solver,
        tmp_path,
        engine=engine,
        about={"command": "hub eval"},
        progress=lambda *at: seen.append(at),
    )
    assert random.getstate() == state
    total = result["scores"]["total"]
    assert (total["mean"], total["n"], total["scored"], total["failed"], total["abstained"]) == (
        4 / 6,
        6,
        6,
        0,
        0,
    )
    assert total["interval_method"] == "wilson"
    assert total["interval_95"] == pytest.approx([0.29999, 0.90324], abs=1e-4)
    assert total["standard_error"] == pytest.approx(0.21082, abs=1e-4)
    assert {name: c["mean"] for name, c in result["scores"]["categories"].items()} == {
        "even": 2 / 3,
        "odd": 2 / 3,
    }
    assert list(result["scores"]["rewards"]) == ["exact"]
    assert result["completions"] == {"count": 6, "finish": {"stop": 6}, "mean_tokens": 1.0, "max_tokens": 1}
    assert result["flags"] == []
    assert result["command"] == "hub eval"
    assert result["model"] == {"generator": "scripted", "weights": "abc", "device": "cpu"}
    assert set(result["versions"]) == {"hub", "python", "benchmark", "generator", "rewards"}
    assert set(result["hardware"]) == {"system", "processor", "cores", "gpus"}
    assert (seen[0], seen[-1]) == ((0, 0), (6, 0))
    assert json.loads((tmp_path / "result.json").read_text()) == result
    assert sorted(file.name for file in tmp_path.iterdir()) == ["recipe.json", "result.json", "samples.jsonl"]
    assert [line["id"] for line in lines(tmp_path)] == [f"test-{n}" for n in range(6)]
    assert lines(tmp_path)[5] == {
        "id": "test-5",
        "answer": "10",
        "parity": "odd",
        "prompt": "5 + 5",
        "completion": "0",
        "result": {
            "row": 5,
            "sample": 0,
            "finish": "stop",
            "tokens": 1,
            "total": {"value": 0.0, "outcome": "scored", "reason": ""},
            "scores": {"exact": {"value": 0.0, "outcome": "scored", "reason": ""}},
        },
    }


def test_completions_are_scored_while_others_are_made(
    tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine
) -> None:
    scored = threading.Event()

    def answer(prompt: str, seed: int) -> str:
        if prompt == "5 + 5":  # the last one
            assert scored.wait(timeout=60), "nothing was scored while this prompt was open"
        return "0"

    evaluate(
        make_plan(sums.sums),
        scripted(answer),
        tmp_path,
        engine=engine,
        progress=lambda done, failed: scored.set() if done else None,
    )
    assert len(lines(tmp_path)) == 6


@pytest.mark.parametrize("reward", ["exact", "rank"])
@pytest.mark.parametrize("samples", [1, 3])
def test_an_interrupted_run_goes_on_and_ends_the_same(
    tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine, reward: str, samples: int
) -> None:
    def answer(prompt: str, seed: int) -> str:
        return str(hash_of(prompt, seed) ** 9)[: hash_of(prompt, seed)]

    keys: dict[str, Any] = {"samples_per_prompt": samples, "decoding": {"temperature": 1.0}}
    plan = make_plan(sums.benchmark(reward), **keys)
    whole = evaluate(plan, scripted(answer), tmp_path / "whole", engine=engine)
    expected = (tmp_path / "whole" / "samples.jsonl").read_bytes()
    for stop in range(6 * samples):
        folder = tmp_path / str(stop)
        first, second = scripted(answer, stop_after=stop), scripted(answer)
        with pytest.raises(GeneratorError, match="the server is gone"):
            evaluate(plan, first, folder, engine=engine)
        assert not (folder / "result.json").exists()
        result = evaluate(plan, second, folder, resume=True, engine=engine)
        assert (folder / "samples.jsonl").read_bytes() == expected
        assert result["scores"] == whole["scores"]
        assert len(first.asked) + len(second.asked) == 6 * samples
        assert len({*first.asked, *second.asked}) == 6 * samples


def hash_of(prompt: str, seed: int) -> int:
    return 1 + (sum(prompt.encode()) * 7 + seed) % 9


def interrupted(folder: Path, plan: Plan, scripted: Any, engine: hub.Engine) -> None:
    """Leave a run that stopped after four completions, all of them scored."""
    scored = threading.Event()

    def answer(prompt: str, seed: int) -> str:
        if prompt == "3 + 3":
            assert scored.wait(timeout=60)
        return prompt

    generator = scripted(answer, stop_after=5)
    with pytest.raises(GeneratorError):
        evaluate(
            plan,
            generator,
            folder,
            engine=engine,
            progress=lambda done, failed: scored.set() if done >= 4 else None,
        )


@pytest.mark.parametrize("name", ["samples.jsonl", "completions.jsonl"])
def test_a_torn_last_line_is_made_good(
    tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine, name: str
) -> None:
    plan = make_plan(sums.sums)
    interrupted(tmp_path / "torn", plan, scripted, engine)
    content = (tmp_path / "torn" / name).read_bytes()
    others = {file.name: file.read_bytes() for file in (tmp_path / "torn").iterdir()}
    evaluate(plan, scripted(lambda prompt, seed: prompt), tmp_path / "whole", engine=engine)
    expected = (tmp_path / "whole" / "samples.jsonl").read_bytes()
    assert content.count(b"\n") >= 4
    for cut in {0, 1, *range(3, len(content), 29), len(content) - 1, len(content)}:
        folder = tmp_path / f"cut-{cut}"
        folder.mkdir()
        for file, kept in others.items():
            (folder / file).write_bytes(kept)
        (folder / name).write_bytes(content[:cut])
        evaluate(plan, scripted(lambda prompt, seed: prompt), folder, resume=True, engine=engine)
        assert (folder / "samples.jsonl").read_bytes() == expected, cut


def test_a_group_that_was_torn_is_scored_again_as_a_whole(
    tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine
) -> None:
    plan = make_plan(sums.benchmark("rank"), samples_per_prompt=3, decoding={"temperature": 1.0})
    answers = scripted(lambda prompt, seed: "x" * hash_of(prompt, seed))
    evaluate(plan, answers, tmp_path, engine=engine)
    expected = (tmp_path / "samples.jsonl").read_bytes()
    made = [
        {
            "row": r["result"]["row"],
            "sample": r["result"]["sample"],
            "text": r["completion"],
            "finish": "stop",
            "tokens": 1,
        }
        for r in lines(tmp_path)
    ]
    (tmp_path / "result.json").unlink()
    (tmp_path / "completions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in made))
    (tmp_path / "samples.jsonl").write_bytes(
        b"".join(expected.splitlines(keepends=True)[:8])
    )  # two groups and two thirds
    silent = scripted(lambda prompt, seed: "never asked", stop_after=0)
    evaluate(plan, silent, tmp_path, resume=True, engine=engine)
    assert (tmp_path / "samples.jsonl").read_bytes() == expected


def test_a_complete_run_is_shown_again_not_run_again(
    tmp_path: Path, sums: Any, solver: Any, scripted: Any, engine: hub.Engine
) -> None:
    plan = make_plan(sums.sums)
    result = evaluate(plan, solver, tmp_path, engine=engine)
    silent = scripted(lambda prompt, seed: "never asked", stop_after=0)
    assert evaluate(plan, silent, tmp_path, resume=True, engine=engine) == result
    with pytest.raises(DataError, match=r"complete: --resume shows its result"):
        evaluate(plan, silent, tmp_path, engine=engine)


def test_an_interrupt_stops_at_once_and_keeps_what_is_there(
    tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine
) -> None:
    plan = make_plan(sums.sums)
    with pytest.raises(KeyboardInterrupt):
        evaluate(
            plan, scripted(lambda p, s: p, stop_after=4, error=KeyboardInterrupt()), tmp_path, engine=engine
        )
    made = (tmp_path / "completions.jsonl").read_text().splitlines()
    assert len(made) == 4
    second = scripted(lambda p, s: p)
    evaluate(plan, second, tmp_path, resume=True, engine=engine)
    assert len(second.asked) == 2


def test_a_failure_is_no_score_and_stays_in_sight(
    tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine
) -> None:
    said = ["0", "2", "break", "break", "abstain", "wrong"]
    generator = scripted(lambda prompt, seed: said[int(prompt.split()[0])])
    done: list[tuple[int, int]] = []
    result = evaluate(
        make_plan(sums.benchmark("moody")),
        generator,
        tmp_path,
        engine=engine,
        progress=lambda *at: done.append(at),
    )
    total = result["scores"]["total"]
    assert total["mean"] == 2 / 3
    assert (total["n"], total["completions"]) == (3, 6)
    assert (total["scored"], total["failed"], total["abstained"]) == (3, 2, 1)
    assert total["failed_by_reason"] == {"exception": 2}
    assert total["mean_if_failed_are_0"] == 2 / 5
    assert done[-1] == (6, 2)
    assert "RuntimeError: broken" in lines(tmp_path)[2]["result"]["scores"]["moody"]["detail"]


def test_a_mix_can_ask_that_a_failure_stops_the_run(
    tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine
) -> None:
    mix = hub.Mix({sums.moody: 1.0}, on_failure="raise")
    plan = make_plan(sums.sums, mix=mix)
    with pytest.raises(RewardFailed, match="broken"):
        evaluate(plan, scripted(lambda prompt, seed: "break"), tmp_path, engine=engine)
    assert not (tmp_path / "result.json").exists()


def test_several_samples_per_prompt(tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine) -> None:
    generator = scripted(lambda prompt, seed: str(2 * int(prompt[0])) if seed % 2 else "no")
    plan = make_plan(sums.sums, samples_per_prompt=4, decoding={"temperature": 0.7, "seed": 3})
    result = evaluate(plan, generator, tmp_path, engine=engine)
    seeds = {seed for _, seed in generator.asked}
    right = sum(seed % 2 for seed in seeds)
    assert len(seeds) == 4
    assert 0 < right < 4
    total = result["scores"]["total"]
    assert (total["mean"], total["n"], total["prompts"]) == (right / 4, 24, 6)
    assert total["interval_method"] == "korn-graubard"
    assert tuple(total["interval_95"]) == korn_graubard([[float(k < right) for k in range(4)]] * 6)
    assert total["pass_at_k"]["1"] == pytest.approx(right / 4)
    assert total["pass_at_k"]["4"] == 1.0
    assert [line["result"]["sample"] for line in lines(tmp_path)] == [0, 1, 2, 3] * 6


def test_whatever_a_reward_or_model_writes_can_be_recorded(
    tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine
) -> None:
    generator = scripted(lambda prompt, seed: "half a character \ud83d, a null \x00 and a line \u2028 end")
    result = evaluate(make_plan(sums.benchmark("odd_info")), generator, tmp_path, engine=engine)
    assert result["scores"]["total"]["mean"] == 0.5
    content = (tmp_path / "samples.jsonl").read_bytes().decode()
    assert content.count("\n") == 6
    line = json.loads(content.split("\n")[0])
    assert line["completion"] == generator.answer("", 0)
    assert line["result"]["scores"]["odd-info"]["info"]["ratio"] == "nan"


OTHER = [
    ("another format", {"format": 99}, "result.json: is of format 99, this hub reads 1"),
    ("no scores", {"format": 1}, "is not what a run writes: .* is missing"),
    ("nothing", {}, "result.json: is of format None, this hub reads 1"),
]


@pytest.mark.parametrize(("found", "words"), [case[1:] for case in OTHER], ids=[case[0] for case in OTHER])
def test_a_result_of_another_kind_is_not_shown(
    tmp_path: Path, sums: Any, solver: Any, engine: hub.Engine, found: dict[str, int], words: str
) -> None:
    evaluate(make_plan(sums.sums), solver, tmp_path, engine=engine)
    (tmp_path / "result.json").write_text(json.dumps(found))
    with pytest.raises(DataError, match=words):
        evaluate(make_plan(sums.sums), solver, tmp_path, resume=True, engine=engine)


BROKEN = [
    ("an answer to nothing", [hub.Completion(7, "x")], "answered prompt 7 of 6"),
    ("two answers to one", [hub.Completion(0, "x"), hub.Completion(0, "x")], "answered prompt 0 of 6"),
    ("answers left out", [hub.Completion(1, "x")], "left 5 of 6 prompts without an answer"),
]


@pytest.mark.parametrize(("made", "words"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_generator_that_breaks_its_contract_is_named(
    tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine, made: list[hub.Completion], words: str
) -> None:
    generator = scripted(lambda prompt, seed: "x")
    generator.generate = lambda prompts, decoding: iter(made)
    with pytest.raises(GeneratorError, match=words):
        evaluate(make_plan(sums.sums), generator, tmp_path, engine=engine)


def test_a_reward_that_cannot_be_set_up_is_found_before_anything_is_made(
    tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine
) -> None:
    file = tmp_path / "broken.py"
    file.write_text(
        "import hub\n@hub.reward\nclass Broken:\n    def __init__(self): raise OSError('no model')\n    def __call__(self, s): return 1.0\n"
    )
    generator = scripted(lambda prompt, seed: "x")
    plan = make_plan(sums.sums, mix=hub.Mix({f"{file}:Broken": 1.0}))
    with pytest.raises(ConfigError, match="no model"):
        evaluate(plan, generator, tmp_path / "run", engine=engine)
    assert generator.asked == []
