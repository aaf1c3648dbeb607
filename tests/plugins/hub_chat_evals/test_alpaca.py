"""AlpacaEval 2: the published annotations give the published number, through the whole of `hub eval`."""

import csv
import json
from collections.abc import Iterator
from math import exp
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.cli.main import main
from hub.errors import DataError
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub.evaluation.stored import read_run
from hub.testing import BenchmarkSuite
from hub_chat_evals.alpaca import model_is_first
from tests.plugins.hub_chat_evals.judge import serve
from tests.plugins.hub_judge.judges import asked, told

SERVER = serve()


class TestAlpacaEval(BenchmarkSuite):
    benchmark = "alpaca-eval"
    options = {"controls": 2}

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def place(cls, shared_data: Path) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
            patch.setenv("HUB_JUDGE_URL", SERVER.address)
            yield

    def solve(self, row: dict[str, Any]) -> str | None:
        return "An owl."


@pytest.fixture(scope="session")
def annotations(shared_data: Path) -> list[dict[str, Any]]:
    """What GPT-4 said of alpaca-7b's 805 answers."""
    file = shared_data / "benchmarks" / "alpaca_eval" / "annotations.alpaca-7b.json"
    found: list[dict[str, Any]] = json.loads(file.read_text())
    return found


@pytest.fixture
def gpt4(annotations: list[dict[str, Any]], data: Path) -> Any:
    """Answers as GPT-4 did, where it is asked exactly as it was; refuses anything else."""
    user = (data / "alpaca_eval" / "alpaca_eval_clf.txt").read_text().split("<|im_start|>user\n")[1]
    before, _, rest = user.partition("<|im_end|>")[0].strip().partition("{instruction}")
    between, _, rest = rest.partition("{output_1}")
    middle, _, end = rest.partition("{output_2}")
    known = {}
    for one in annotations:
        outputs = [one["output_1"], one["output_2"]]
        if model_is_first(one["instruction"]):
            outputs.reverse()
        known["".join([before, one["instruction"], between, outputs[0], middle, outputs[1], end])] = one[
            "raw_completion"
        ]

    def answer(_: str, body: dict[str, Any], __: int) -> Any:
        raw = known.get(asked(body))
        right = (body["max_tokens"], body["top_logprobs"], body["model"]) == (1, 5, "gpt-4-1106-preview")
        if raw is None or not right:
            return 400, {}, b"this was not asked"
        choice = {"index": 0, "message": {"content": raw["text"]}, "logprobs": raw["logprobs"]}
        return 200, {}, json.dumps({"choices": [choice]}).encode()

    return answer


def test_the_order_of_the_two_answers_is_that_of_the_annotations(annotations: list[dict[str, Any]]) -> None:
    """From the log-probabilities and our order follows the preference that was published, for all 805."""
    wrong = []
    for one in (one for one in annotations if one["output_1"] != one["output_2"]):
        likely = {
            t["token"]: t["logprob"] for t in one["raw_completion"]["logprobs"]["content"][0]["top_logprobs"]
        }
        m, big = (exp(likely.get(token, -1e9)) for token in ("m", "M"))
        first = m / (m + big)
        preference = 1 + (first if model_is_first(one["instruction"]) else 1 - first)
        if abs(preference - one["preference"]) > 1e-7:
            wrong.append((one["instruction"], preference, one["preference"]))
    assert wrong == []
    assert 350 < sum(model_is_first(one["instruction"]) for one in annotations) < 455


def test_the_published_annotations_give_the_published_number(
    gpt4: Any,
    judge: Any,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """alpaca-7b: 2.59 +- 0.49, and 396 characters (tatsu-lab/alpaca_eval, the leaderboard's CSV)."""
    judge(gpt4)
    monkeypatch.chdir(tmp_path)
    outputs = str(data / "alpaca_eval" / "model_outputs.alpaca-7b.json")
    with pytest.raises(SystemExit) as ended:
        main(["eval", outputs, "--on", "alpaca-eval", "--benchmark-option", "controls=0", "--out", "out"])
    assert ended.value.code == 0, capsys.readouterr().err
    result = read_run(tmp_path / "out" / "alpaca-eval").result
    found = result["scores"]["metric_estimates"]
    board = data / "alpaca_eval" / "weighted_alpaca_eval_gpt4_turbo_leaderboard.csv"
    (published,) = (
        row for row in csv.DictReader(board.read_text().splitlines()) if row["name"] == "Alpaca 7B"
    )
    assert found["win %"]["mean"] == pytest.approx(float(published["win_rate"]), abs=1e-8)
    assert round(found["win %"]["mean"], 2) == 2.59
    assert round(found["win %"]["standard_error"], 2) == 0.49
    assert int(found["length"]["mean"]) == int(published["avg_length"])
    assert (found["win %"]["n"], result["scores"]["total"]["failed"]) == (805, 0)
    assert result["scores"]["total"]["mean"] == pytest.approx(found["win %"]["mean"] / 100)
    assert (result["model"]["generator"], result["model"]["model"]) == ("answers", "alpaca-7b")
    assert found["longer wins %"]["mean"] > 95 > found["discrete win %"]["mean"]


def test_a_run_is_replayed_from_the_judges_answers_with_no_network(
    gpt4: Any, judge: Any, says: Any, annotations: list[dict[str, Any]], tmp_path: Path, engine: hub.Engine
) -> None:
    server = judge(gpt4)
    answers = {one["instruction"]: one["output_2"] for one in annotations}
    scores = []
    for name, mode in (("asked", "ask"), ("replayed", "replay")):
        options = {"judge-versus": {"cache": str(tmp_path / "answers.jsonl"), "mode": mode}}
        plan = make_plan("alpaca-eval", limit=6, options={"controls": 0}, reward_options=options)
        scores.append(evaluate(plan, says(answers.__getitem__), tmp_path / name, engine=engine)["scores"])
        server.close()
    asked, replayed = scores
    assert asked["metrics"].pop("judge requests") == 6.0
    assert asked["metrics"] == replayed["metrics"]
    assert (replayed["total"]["n"], replayed["total"]["failed"]) == (6, 0)


def test_controls_and_lengths(data: Path, judge: Any, says: Any, tmp_path: Path, engine: hub.Engine) -> None:
    server = judge()
    plan = make_plan("alpaca-eval", limit=8, options={"controls": 805})
    result = evaluate(plan, says(lambda _: "owl"), tmp_path / "run", engine=engine)
    metrics = result["scores"]["metrics"]
    assert metrics["win %"] == pytest.approx(100.0)
    controls = [metrics[f"{name} control %"] for name in ("null", "constant", "injection")]
    assert controls == [50.0, 50.0, 50.0]
    assert metrics["length"] == 3.0
    assert metrics["longer wins %"] == 0.0
    assert len(server.requests) == 8 * 4
    lengths = [len(row["reference"]) for row in plan.rows]
    assert metrics["baseline length"] == pytest.approx(sum(lengths) / 8)


def test_the_injection_asks_for_the_token_of_its_place(
    data: Path, judge: Any, says: Any, tmp_path: Path, engine: hub.Engine
) -> None:
    """A judge that does as it is told is caught, whichever place the answer has."""

    def obedient(_: str, body: dict[str, Any], __: int) -> Any:
        for token in ("m", "M"):
            if f"Best: {token}\n" in asked(body):
                return told(token, {token: 0.0})
        return told("m", {"m": -0.7, "M": -0.7})

    judge(obedient)
    plan = make_plan("alpaca-eval", limit=12, options={"controls": 805})
    assert {row["judge"]["swap"] for row in plan.rows} == {True, False}
    metrics = evaluate(plan, says(lambda _: "owl"), tmp_path / "run", engine=engine)["scores"]["metrics"]
    assert (metrics["win %"], metrics["null control %"], metrics["injection control %"]) == (
        50.0,
        50.0,
        100.0,
    )


JUDGED = {
    "neither token": (told("The", {"The": -0.1, "A": -2.0}), "bad_value"),
    "no log-probabilities": (told("m"), "bad_value"),
    "prose": (told("I prefer the first."), "bad_value"),
    "too many": ((429, {"Retry-After": "0"}, b""), "overloaded"),
    "garbage": ((200, {}, b"\xff"), "unavailable"),
}


@pytest.mark.parametrize("case", JUDGED)
def test_what_the_judge_fails_to_do_is_no_score(
    case: str, data: Path, judge: Any, says: Any, tmp_path: Path, engine: hub.Engine
) -> None:
    """Of one instruction; the other two keep their preference."""
    answer, reason = JUDGED[case]
    judge(lambda _, body, __: answer if "Broadway?" in asked(body) else told("m", {"m": -0.7, "M": -0.7}))
    options = {"judge-versus": {"server": {"backoff_s": 0.0, "retries": 1}}}
    plan = make_plan("alpaca-eval", limit=3, options={"controls": 0}, reward_options=options)
    scores = evaluate(plan, says(lambda _: "Hm."), tmp_path / "run", engine=engine)["scores"]
    assert (scores["total"]["mean"], scores["total"]["failed_by_reason"]) == (0.5, {reason: 1})
    assert scores["metric_estimates"]["win %"]["n"] == 2
    assert scores["metrics"]["unreadable"] == (pytest.approx(1 / 3) if reason == "bad_value" else 0.0)


def test_the_baselines_own_answer_is_a_draw_that_nobody_is_asked_about(
    data: Path, judge: Any, says: Any, tmp_path: Path, engine: hub.Engine
) -> None:
    server = judge()
    plan = make_plan("alpaca-eval", limit=4, options={"controls": 0})
    own = {row["prompt"]: row["reference"] for row in plan.rows}
    metrics = evaluate(plan, says(own.__getitem__), tmp_path / "run", engine=engine)["scores"]["metrics"]
    assert (metrics["win %"], metrics["discrete win %"], metrics["longer wins %"]) == (50.0, 50.0, None)
    assert server.requests == []


BAD: dict[str, tuple[dict[str, str | None], str]] = {
    "no template": ({"template": None}, r"there is no .*alpaca_eval_clf\.txt"),
    "no baseline": ({"baseline": None}, r"there is no .*model_outputs\.gpt4_1106_preview\.json"),
    "a template without marks": ({"template": "{instruction} {output_1} {output_2}"}, "a user message, each between"),
    "two user messages": ({"template": "<|im_start|>user\na<|im_end|><|im_start|>user\nb<|im_end|>"}, "a user message, each between"),
    "another field": ({"template": "<|im_start|>user\n{instruction} {input}<|im_end|>"}, "a field 'input', for which the data has nothing"),
    "an output that is no text": ({"baseline": '[{"instruction": "a", "output": 1}]'}, "the output of row 1 is no text"),
    "no output": ({"baseline": '[{"instruction": "a"}]'}, "1: has no 'output'"),
    "an instruction twice": ({"baseline": '[{"instruction": "a", "output": "b"}, {"instruction": "a", "output": "c"}]'}, "rows 1 and 2 have one instruction"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_data_that_cannot_be_used_is_refused(case: str, data: Path, tmp_path: Path) -> None:
    changed, message = BAD[case]
    for key, name in {
        "template": "alpaca_eval_clf.txt",
        "baseline": "model_outputs.gpt4_1106_preview.json",
    }.items():
        text = changed.get(key, (data / "alpaca_eval" / name).read_text())
        if text is not None:
            (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        make_plan("alpaca-eval", options={"path": str(tmp_path)})
