"""What could not be scored by a fault of the infrastructure is scored again, and nothing else is."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub.evaluation.stored import read_run
from hub.evaluation.table import show_results
from hub.evaluation.valued import RewardsUnderTest

SAMPLED: dict[str, Any] = {"samples_per_prompt": 3, "decoding": {"temperature": 1.0}}


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]


def write(prompt: str, seed: int) -> str:
    return "x" * (1 + (sum(prompt.encode()) * 7 + seed) % 5)


BUSY: set[str] = set()
"""Completions that the rewards do not get to, as a server would not."""


@hub.reward(lane="inline")
def reached(sample: hub.Sample) -> hub.Score | float:
    return hub.Score.failed("overloaded", "no room") if sample.text in BUSY else float(len(sample.text))


@hub.reward(lane="async", group=True, deterministic=False)
async def rank(samples: list[hub.Sample]) -> list[hub.Score]:
    """How many of the group are shorter."""
    if any(sample.text in BUSY for sample in samples):
        return [hub.Score.failed("unavailable", "gone")] * len(samples)
    return [hub.Score(sum(len(other.text) < len(one.text) for other in samples)) for one in samples]


@hub.reward(lane="inline", uses=["likelihoods"])
def told(sample: hub.Sample) -> hub.Score | float:
    return hub.Score.failed("overloaded") if BUSY else sample["likelihoods"][1][0]


def graded(reward: Any, rows: Any) -> hub.Benchmark:
    return hub.Benchmark("graded", rows, {"reward": [{"use": reward}]}, "Graded.")


@pytest.fixture
def busy() -> Iterator[set[str]]:
    yield BUSY
    BUSY.clear()


@pytest.mark.parametrize("reward", [reached, rank], ids=["alone", "together"])
@pytest.mark.parametrize("lost", [0, 1, 5])
def test_the_run_ends_as_if_nothing_had_failed(
    tmp_path: Path,
    sums: Any,
    busy: set[str],
    scripted: Any,
    engine: hub.Engine,
    reward: Any,
    lost: int,
) -> None:
    plan = make_plan(graded(reward, sums.rows), **SAMPLED)
    expected = evaluate(plan, scripted(write), tmp_path / "whole", engine=engine)
    busy.update(["xx", "xxxx"])
    folder = tmp_path / "run"
    result = evaluate(plan, scripted(write), folder, engine=engine)
    assert 0 < result["scores"]["total"]["failed"] <= 18
    assert result["scores"]["total"]["completions"] == 18
    if lost:  # stopped before the end, with the end of a file lost
        (folder / "result.json").unlink()
        kept = (folder / "samples.jsonl").read_text().splitlines(keepends=True)[:-lost]
        (folder / "samples.jsonl").write_text("".join(kept))
    else:  # still out of reach: the same again, and no completion is made for it
        none = scripted(write, stop_after=0)
        assert evaluate(plan, none, folder, resume=True, engine=engine)["scores"] == result["scores"]
    busy.clear()
    seen: list[tuple[int, int]] = []
    last = scripted(write)
    mended = evaluate(plan, last, folder, resume=True, engine=engine, progress=lambda *at: seen.append(at))
    assert len(last.asked) == lost
    assert mended["scores"] == expected["scores"]
    assert (folder / "samples.jsonl").read_bytes() == (tmp_path / "whole/samples.jsonl").read_bytes()
    assert (seen[0][1], seen[-1]) == (0, (18, 0))
    assert read_run(folder).result == mended
    assert sorted(file.name for file in folder.iterdir()) == ["recipe.json", "result.json", "samples.jsonl"]


def test_a_stop_while_it_is_scored_again_loses_no_completion(
    tmp_path: Path, sums: Any, busy: set[str], scripted: Any, engine: hub.Engine, monkeypatch: Any
) -> None:
    plan = make_plan(graded(reached, sums.rows), **SAMPLED)
    busy.update(["xx", "xxxx"])
    before = evaluate(plan, scripted(write), tmp_path, engine=engine)
    completions = {line["id"]: line["completion"] for line in lines(tmp_path)}

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("hub.evaluation.run.Grader.add", stop)
        with pytest.raises(KeyboardInterrupt):
            evaluate(plan, scripted(write, stop_after=0), tmp_path, resume=True, engine=engine)
    assert len(lines(tmp_path)) == before["scores"]["total"]["scored"]
    busy.clear()
    result = evaluate(plan, scripted(write, stop_after=0), tmp_path, resume=True, engine=engine)
    assert (result["scores"]["total"]["scored"], result["scores"]["total"]["failed"]) == (18, 0)
    assert {line["id"]: line["completion"] for line in lines(tmp_path)} == completions


def test_other_failures_stay(tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine) -> None:
    plan = make_plan(sums.benchmark("moody"))
    result = evaluate(plan, scripted(lambda prompt, seed: "break"), tmp_path, engine=engine)
    assert result["scores"]["total"]["failed_by_reason"] == {"exception": 6}
    again = evaluate(plan, scripted(write, stop_after=0), tmp_path, resume=True, engine=engine)
    assert again == result  # the time it took too


def test_likelihoods_are_kept(tmp_path: Path, busy: set[str], engine: hub.Engine) -> None:
    """Of a row with continuations, what is scored again is what the model said of each."""
    rows = [{"id": n, "prompt": f"{n}?", "continuations": ["a", "b"]} for n in range(3)]

    class Teller:
        asked = 0

        def loglikelihood(self, asked: Sequence[Any]) -> Iterator[tuple[int, tuple[float, bool]]]:
            for number, (_, text) in enumerate(asked):
                self.asked += 1
                yield number, (-1.5, True) if text == "b" else (float("-inf"), False)

        def generate(self, prompts: Any, decoding: Any) -> Iterator[hub.Completion]:
            raise AssertionError

        def describe(self) -> dict[str, Any]:
            return {"generator": "teller"}

        def close(self) -> None:
            pass

    plan = make_plan(graded(told, lambda split: rows))
    evaluate(plan, Teller(), tmp_path / "whole", engine=engine)
    busy.add("b")
    teller = Teller()
    result = evaluate(plan, teller, tmp_path / "run", engine=engine)
    assert result["scores"]["total"]["failed_by_reason"] == {"overloaded": 3}
    busy.clear()
    evaluate(plan, teller, tmp_path / "run", resume=True, engine=engine)
    assert teller.asked == 6
    assert (tmp_path / "run/samples.jsonl").read_bytes() == (tmp_path / "whole/samples.jsonl").read_bytes()


def test_rewards_under_test_are_asked_again(tmp_path: Path, engine: hub.Engine) -> None:
    """What they did not value is no value to score again: they are to be asked."""
    gone = ["yes"]

    @hub.reward(lane="inline")
    def size(sample: hub.Sample) -> hub.Score | float:
        if gone and sample.text == "long":
            return hub.Score.failed("unavailable", "gone")
        return float(len(sample.text))

    rows = [
        {"id": n, "prompt": "?", "chosen": 1, "completions": [one, "a"]}
        for n, one in enumerate(("long", "bb"))
    ]
    benchmark = hub.Benchmark("pairs", lambda split: rows, {"reward": [{"use": "prefers"}]}, "Pairs.")
    plan = make_plan(benchmark)
    result = evaluate(plan, RewardsUnderTest(hub.Mix({size: 1.0}), engine), tmp_path, engine=engine)
    assert result["scores"]["total"]["failed_by_reason"] == {"unavailable": 1}
    gone.clear()
    again = evaluate(
        plan, RewardsUnderTest(hub.Mix({size: 1.0}), engine), tmp_path, resume=True, engine=engine
    )
    assert (again["scores"]["total"]["mean"], again["scores"]["total"]["failed"]) == (1.0, 0)


@hub.reward(lane="inline", deterministic=False)
def troubled(sample: hub.Sample) -> hub.Score | float:
    if sample.text == "x":
        raise ValueError("it's\x1b[2J red")
    return (
        hub.Score.failed("unavailable", f"{len(sample.text)} is away\nfor now")
        if sample.text in BUSY
        else 1.0
    )


def test_what_failed_is_said_with_its_first_detail_and_what_helps(
    tmp_path: Path, sums: Any, busy: set[str], scripted: Any, engine: hub.Engine, capsys: Any
) -> None:
    busy.update(["xx", "xxx"])
    generator = scripted(lambda prompt, seed: None if prompt[0] == "0" else "x" * int(prompt[0]))
    result = evaluate(make_plan(graded(troubled, sums.rows)), generator, tmp_path, engine=engine)
    first = result["scores"]["rewards"]["troubled"]["first_failed"]
    assert (first["no_completion"], first["unavailable"]) == ("'0 + 0' is too long", "2 is away\nfor now")
    assert first["exception"].startswith("ValueError: it's\x1b[2J red")
    show_results([(tmp_path, result)])
    shown = capsys.readouterr().out
    assert "graded: troubled failed on 1: exception; the first: ValueError: it's\\x1b[2J red (" in shown
    assert (
        "graded: troubled failed on 2: unavailable (--resume scores again); the first: 2 is away for now\n"
        in shown
    )
    assert shown.count("is too long") == 1
