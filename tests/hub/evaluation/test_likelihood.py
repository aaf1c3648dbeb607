"""Rows of which the model tells how likely given texts are, and what a benchmark reports beside its scores."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import DataError, GeneratorError, OptionError
from hub.evaluation.likelihood import pairs
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate

ROWS = [
    {"id": "a", "prompt": "2+2=", "continuations": ["3", "4"], "gold": 1},
    {"id": "b", "prompt": "", "continuations": [["x=", "1"], [None, "y"], ["", "z"]], "gold": 0},
    {"id": "c", "prompt": "2+3=", "continuations": ["5"], "gold": 0},
]
KNOWN = {
    ("2+2=", "3"): -2.5,
    ("2+2=", "4"): -0.1,
    ("x=", "1"): -3.0,
    (None, "y"): -4.0,
    ("", "z"): float("-inf"),
}


@hub.reward(needs=["gold"], uses=["likelihoods"])
def chooses(sample: hub.Sample) -> float:
    """1.0 where the reference is the most likely."""
    logprobs = [logprob for logprob, _ in sample["likelihoods"]]
    return float(logprobs.index(max(logprobs)) == sample["gold"])


class Teller:
    """Tells likelihoods out of order; stops after some."""

    def __init__(self, stop_after: int | None = None, nan: bool = False, refuses: str = "") -> None:
        self.asked: list[tuple[str | None, str]] = []
        self.stop_after, self.nan, self.refuses = stop_after, nan, refuses

    def generate(self, prompts: Sequence[Any], decoding: hub.Decoding) -> Iterator[hub.Completion]:
        raise AssertionError("nothing is to be written")

    def loglikelihood(
        self, asked: Sequence[tuple[str | None, str]]
    ) -> Iterator[tuple[int, tuple[float, bool] | str]]:
        for number in reversed(range(len(asked))):
            if self.stop_after is not None and len(self.asked) >= self.stop_after:
                raise GeneratorError("the server is gone")
            self.asked.append(asked[number])
            if asked[number][1] == self.refuses:
                yield number, "too long"
                continue
            yield number, (float("nan") if self.nan else KNOWN.get(asked[number], -9.0), number % 2 == 0)

    def describe(self) -> Mapping[str, Any]:
        return {"generator": "teller"}

    def close(self) -> None:
        pass


def told(rows: Any = ROWS, **more: Any) -> hub.Benchmark:
    mix = {"reward": [{"use": chooses, "weight": 1.0}]}
    return hub.Benchmark("told", lambda split: list(rows), mix, "Three rows.", **more)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]


def test_each_row_is_told_and_graded(tmp_path: Path, engine: hub.Engine) -> None:
    result = evaluate(make_plan(told()), Teller(), tmp_path / "run", engine=engine)
    assert result["scores"]["total"]["mean"] == 1.0
    found = lines(tmp_path / "run")
    assert [line["completion"] for line in found] == ["4", "1", "5"]
    assert [line["result"]["finish"] for line in found] == ["told"] * 3
    assert found[0]["likelihoods"] == [[-2.5, True], [-0.1, False]]
    assert found[1]["likelihoods"][2] == ["-inf", True]
    assert result["completions"]["finish"] == {"told": 3}


def test_an_interrupted_run_asks_only_for_rows_that_are_not_whole(tmp_path: Path, engine: hub.Engine) -> None:
    plan = make_plan(told())
    with pytest.raises(GeneratorError, match="is gone"):
        evaluate(plan, Teller(stop_after=5), tmp_path / "run", engine=engine)
    teller = Teller()
    evaluate(plan, teller, tmp_path / "run", resume=True, engine=engine)
    assert teller.asked == [("2+2=", "4"), ("2+2=", "3")]
    again = evaluate(plan, Teller(), tmp_path / "whole", engine=engine)
    assert lines(tmp_path / "run") == lines(tmp_path / "whole")
    assert again["scores"]["total"]["n"] == 3


def test_a_text_that_is_refused_costs_its_row_only(tmp_path: Path, engine: hub.Engine) -> None:
    plan = make_plan(told())
    total = evaluate(plan, Teller(refuses="y"), tmp_path / "run", engine=engine)["scores"]["total"]
    assert (total["n"], total["failed_by_reason"]) == (2, {"no_completion": 1})
    found = lines(tmp_path / "run")[1]
    assert (found["completion"], found["result"]["total"]["detail"]) == (None, "too long")
    assert "likelihoods" not in found
    again = evaluate(plan, Teller(), tmp_path / "run", resume=True, engine=engine)
    assert again["scores"]["total"]["mean"] == 1.0


def test_a_generator_that_cannot_tell_is_named(tmp_path: Path, scripted: Any, engine: hub.Engine) -> None:
    with pytest.raises(GeneratorError, match="Scripted cannot tell how likely"):
        evaluate(make_plan(told()), scripted(lambda prompt, seed: ""), tmp_path / "run", engine=engine)
    with pytest.raises(GeneratorError, match="row 2: the probability of '5' is no number"):
        evaluate(make_plan(told()), Teller(nan=True), tmp_path / "other", engine=engine)


BAD: list[tuple[str, Any, str]] = [
    ("none", [], "no list of texts"),
    ("a text", "yes", "no list of texts"),
    ("a number", [3], "no text and no"),
    ("three", [["a", "b", "c"]], "no text and no"),
    ("a context that is a number", [[3, "b"]], "no text and no"),
]


@pytest.mark.parametrize(
    ("continuations", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_bad_continuations(continuations: Any, words: str) -> None:
    with pytest.raises(DataError, match=f"row 1 .*{words}"):
        make_plan(told([{"id": 1, "prompt": "x", "continuations": continuations, "gold": 0}]))


def test_rows_are_of_one_kind_and_sampled_once() -> None:
    with pytest.raises(DataError, match="row 2 has continuations where row 1 has not"):
        make_plan(told([ROWS[0], {"id": 2, "prompt": "x", "gold": 1}]))
    with pytest.raises(DataError, match="a prompt of messages"):
        make_plan(told([{**ROWS[0], "prompt": [{"role": "user", "content": "2+2="}]}]))
    with pytest.raises(DataError, match="'likelihoods'"):
        make_plan(told([{**ROWS[0], "likelihoods": []}]))
    with pytest.raises(OptionError, match="samples nothing"):
        make_plan(told(), samples_per_prompt=2, decoding={"temperature": 1.0})


def test_pairs() -> None:
    assert pairs(ROWS[0]) == [("2+2=", "3"), ("2+2=", "4")]
    assert pairs(ROWS[1]) == [("x=", "1"), (None, "y"), ("", "z")]


def metrics(lines: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    return {"rows": len(lines), "first": lines[0]["likelihoods"][0][0], "none": float("nan")}


def test_a_benchmark_reports_numbers_of_its_own(
    tmp_path: Path, engine: hub.Engine, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    from hub.evaluation.table import show_results

    result = evaluate(make_plan(told(metrics=metrics)), Teller(), tmp_path / "run", engine=engine)
    assert result["scores"]["metrics"] == {"rows": 3.0, "first": -2.5, "none": None}
    show_results([(tmp_path / "run", result)])
    assert any(line.split()[:2] == ["first", "-2.500"] for line in capsys.readouterr().out.splitlines())
    broken = make_plan(told(metrics=lambda lines: lines[9]))
    found = evaluate(broken, Teller(), tmp_path / "broken", engine=engine)
    assert (found["scores"]["metrics"], found["scores"]["total"]["mean"]) == ({}, 1.0)
    assert "the metrics of told: IndexError" in caplog.text
    other = make_plan(told(metrics=metrics), mix=hub.Mix({chooses: 1.0}))
    assert evaluate(other, Teller(), tmp_path / "other", engine=engine)["scores"]["metrics"] == {}
