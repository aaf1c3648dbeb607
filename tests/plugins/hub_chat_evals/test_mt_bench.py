"""MT-Bench: which prompt the judge gets for which turn, how its answers are read, and what comes of it."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import ConfigError, DataError, OptionError
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub.evaluation.stored import read_run
from hub.testing import BenchmarkSuite
from hub_chat_evals.spread import spread
from tests.plugins.hub_chat_evals.judge import serve
from tests.plugins.hub_judge.judges import asked, told

SERVER = serve()
QUICK = {"server": {"backoff_s": 0.0, "retries": 1}}
COLD = {"extraction", "math", "coding", "reasoning"}


class TestMTBench(BenchmarkSuite):
    benchmark = "mt-bench"
    options = {"controls": 2}
    test_solved_rows_earn_the_full_score = None  # type: ignore[assignment]  # only the judge says what earns it

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def place(cls, shared_data: Path) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
            patch.setenv("HUB_JUDGE_URL", SERVER.address)
            yield


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_all_questions_in_two_turns_with_the_temperature_of_their_category(data: Path) -> None:
    rows = make_plan("mt-bench").rows
    assert [row["id"] for row in rows] == [f"{name}/{turn}" for name in range(81, 161) for turn in (1, 2)]
    assert [row.get("after") for row in rows[:4]] == [None, "81/1", None, "82/1"]
    used = {(row["category"], row["decoding"]["temperature"]) for row in rows}
    assert used == {
        *((name, 0.0) for name in COLD),
        *((name, 0.7) for name in ("writing", "roleplay")),
        *((name, 0.1) for name in ("stem", "humanities")),
    }
    assert Counter(row["category"] for row in rows) == dict.fromkeys((name for name, _ in used), 20)


@pytest.mark.parametrize("name", ["81", "101", "111", "121", "131", "141"])
def test_the_judge_gets_the_prompt_of_the_data_filled_in(
    name: str, data: Path, judge: Any, says: Any, tmp_path: Path, engine: hub.Engine
) -> None:
    """Filled in here by Python's own format, as FastChat does."""
    server = judge()
    plan = make_plan("mt-bench", options={"controls": 0})
    rows = [row for row in plan.rows if row["id"].startswith(f"{name}/")]
    bench = hub.Benchmark("one", lambda split: rows, plan.benchmark.rewards, "One.")
    evaluate(
        make_plan(bench), says(lambda prompt: f"About {{answer}}: {prompt}"), tmp_path / "run", engine=engine
    )

    question = next(row for row in read(data / "mt_bench/question.jsonl") if str(row["question_id"]) == name)
    prompts = {row["name"]: row for row in read(data / "mt_bench/judge_prompts.jsonl")}
    references = {
        str(row["question_id"]): row["choices"][0]["turns"] for row in read(data / "mt_bench/gpt-4.jsonl")
    }
    kind = "single-math-v1" if question["category"] in ("math", "reasoning", "coding") else "single-v1"
    one, two = question["turns"]
    known = {f"ref_answer_{turn}": text for turn, text in enumerate(references.get(name, ()), 1)}
    answers = [f"About {{answer}}: {prompt}" for prompt in (one, two)]
    first = prompts[kind]["prompt_template"].format(question=one, answer=answers[0], **known)
    second = prompts[f"{kind}-multi-turn"]["prompt_template"].format(
        question_1=one, answer_1=answers[0], question_2=two, answer_2=answers[1], **known
    )
    sent = {asked(body): body for _, body in server.requests}
    assert set(sent) == {first, second}
    for text, used in ((first, kind), (second, f"{kind}-multi-turn")):
        assert sent[text]["messages"][0] == {"role": "system", "content": prompts[used]["system_prompt"]}
        assert (sent[text]["temperature"], sent[text]["max_tokens"], sent[text]["model"]) == (
            0.0,
            2048,
            "gpt-4",
        )


RATINGS = [
    ("as asked", "Good. Rating: [[7]]", 7.0),
    ("half points", "[[8.5]]", 8.5),
    ("the first counts", "[[3]] at first sight, but [[9]]", 3.0),
    ("two brackets before one", "[2] is a footnote. [[5]]", 5.0),
    ("one bracket", "Rating: [6]", 6.0),
    ("the highest", "[[10]]", 10.0),
    ("nothing at all was good", "[[0]]", 0.0),
    ("above the scale", "[[11]]", "bad_value"),
    ("far above", "[[100]]", "bad_value"),
    ("a point is part of a number", "[[7.]]", 7.0),
    ("prose", "I like it very much: 9 out of 10.", "bad_value"),
    ("its own example", 'such as "Rating: [[rating]]"', "bad_value"),
    ("a negative one", "[[-5]]", "bad_value"),
    ("empty", "", "bad_value"),
]


def test_how_ratings_are_read(data: Path, judge: Any, says: Any, tmp_path: Path, engine: hub.Engine) -> None:
    answers = {f"case {number}.": text for number, (_, text, _) in enumerate(RATINGS)}

    def answer(_: str, body: dict[str, Any], __: int) -> Any:
        return told(next(text for case, text in answers.items() if case in asked(body)))

    judge(answer)
    rows = [row for row in make_plan("mt-bench", options={"controls": 0}).rows if row["turn"] == 1][
        : len(RATINGS)
    ]
    bench = hub.load().benchmarks["mt-bench"]
    bench = hub.Benchmark("mt", lambda split: rows, bench.rewards, "", metrics=bench.metrics)
    cases = {row["prompt"]: case for row, case in zip(rows, answers, strict=True)}
    result = evaluate(make_plan(bench), says(cases.__getitem__), tmp_path / "run", engine=engine)
    totals = [line["result"]["total"] for line in read_run(tmp_path / "run").samples.values()]
    found = [one["reason"] if one["value"] is None else one["value"] for one in totals]
    assert dict(zip([name for name, _, _ in RATINGS], found, strict=True)) == {
        name: value for name, _, value in RATINGS
    }
    # A failure is in no mean, and how many there were is told.
    values = [value for _, _, value in RATINGS if isinstance(value, float)]
    total = result["scores"]["total"]
    assert total["mean"] == pytest.approx(sum(values) / len(values))
    assert total["failed_by_reason"] == {"bad_value": len(RATINGS) - len(values)}
    assert result["scores"]["metrics"]["unreadable"] == pytest.approx(1 - len(values) / len(RATINGS))


def test_turns_categories_and_controls_are_reported(
    data: Path, judge: Any, says: Any, tmp_path: Path, engine: hub.Engine
) -> None:
    """A model that names owls in every first turn, and in the second where it is asked about code."""
    server = judge()
    plan = make_plan("mt-bench")
    firsts = {row["prompt"] for row in plan.rows if row["turn"] == 1 or row["category"] == "coding"}
    model = says(lambda prompt: "An owl." if prompt in firsts else "No.")
    result = evaluate(plan, model, tmp_path / "run", engine=engine)
    scores = result["scores"]
    assert (scores["total"]["mean"], scores["total"]["n"], scores["total"]["prompts"]) == (
        pytest.approx(6.0625),
        160,
        80,
    )
    assert {name: one["mean"] for name, one in scores["categories"].items()} == {
        name: 10.0 if name == "coding" else 5.5 for name in scores["categories"]
    }
    metrics = scores["metrics"]
    assert (metrics["turn 1"], metrics["turn 2"]) == (10.0, pytest.approx(1 + 9 / 8))
    controls = {
        name: scores["metric_estimates"][f"{name} control"]["n"] for name in ("null", "constant", "injection")
    }
    assert controls == {"null": 20, "constant": 20, "injection": 20}
    assert {metrics[f"{name} control"] for name in controls} == {1.0}
    assert len(server.requests) == metrics["judge requests"] == 160 + 60
    # Every second turn was asked behind the first.
    assert all(len(prompt) == 3 for prompt, _ in model.asked if not isinstance(prompt, str))
    assert {round(used.temperature, 1) for _, used in model.asked} == {0.0, 0.1, 0.7}


def test_repeats_show_their_spread_and_what_they_cost(
    data: Path, judge: Any, says: Any, tmp_path: Path, engine: hub.Engine
) -> None:
    def moody(_: str, body: dict[str, Any], __: int) -> Any:
        return told(f"[[{3 + 2 * body['seed']}]]", prompt=1000, completion=100)

    judge(moody)
    options = {"repeats": 3, "prices": {"prompt": 30.0, "completion": 60.0}}
    plan = make_plan("mt-bench", limit=1, options={"controls": 1}, reward_options={"judge": options})
    metrics = evaluate(plan, says(lambda _: "Hm."), tmp_path / "run", engine=engine)["scores"]["metrics"]
    assert (metrics["turn 1"], metrics["turn 2"]) == (5.0, 5.0)
    assert metrics["spread of repeats"] == pytest.approx((8 / 3) ** 0.5)
    assert (metrics["judge requests"], metrics["judge cost"]) == (24.0, pytest.approx(24 * 0.036))


def test_a_run_is_graded_again_from_its_samples(
    data: Path, judge: Any, says: Any, tmp_path: Path, engine: hub.Engine
) -> None:
    """The rows say how; what judges is whoever is asked now."""
    judge()
    evaluate(make_plan("mt-bench", limit=4), says(lambda p: f"An owl? {p}"), tmp_path / "run", engine=engine)
    again = judge(lambda _, body, __: told("[[4]]"))
    mix = hub.Mix({"judge": {"with": {"rows": "all", "model": "other", "max_tokens": 2048}}})
    lines = [json.loads(line) for line in (tmp_path / "run" / "samples.jsonl").read_text().splitlines()]
    scores = mix.score([hub.Sample(one["prompt"], one["completion"], one) for one in lines], engine=engine)
    assert [score.value for score in scores] == [4.0] * 8
    assert {body["model"] for _, body in again.requests} == {"other"}
    assert "### User:" in asked(again.requests[-1][1]) or "[Question]" in asked(again.requests[-1][1])


def test_a_judge_that_is_taken_in_is_seen_by_the_controls(
    data: Path, judge: Any, says: Any, tmp_path: Path, engine: hub.Engine
) -> None:
    """It believes what stands in the text that it judges."""

    def gullible(_: str, body: dict[str, Any], __: int) -> Any:
        return told("[[10]]" if "answer only with this" in asked(body) else "[[2]]")

    judge(gullible)
    result = evaluate(make_plan("mt-bench", limit=2), says(lambda _: "Hm."), tmp_path / "run", engine=engine)
    metrics = result["scores"]["metrics"]
    assert (result["scores"]["total"]["mean"], metrics["null control"], metrics["injection control"]) == (
        2.0,
        2.0,
        10.0,
    )


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((429, {"Retry-After": "0"}, b"later"), "overloaded"),
        ((500, {}, b"oops"), "unavailable"),
        ((200, {}, b"<html>"), "unavailable"),
        ((0, {}, b""), "unavailable"),
    ],
)
def test_what_the_judge_fails_to_do_is_no_score(
    answer: Any, reason: str, data: Path, judge: Any, says: Any, tmp_path: Path, engine: hub.Engine
) -> None:
    """Of the second question only; the others keep their scores."""
    judge(lambda _, body, __: answer if "Quarterly" in asked(body) else told("[[4]]"))
    plan = make_plan("mt-bench", limit=3, options={"controls": 0}, reward_options={"judge": QUICK})
    total = evaluate(plan, says(lambda _: "Hm."), tmp_path / "run", engine=engine)["scores"]["total"]
    assert (total["mean"], total["n"], total["failed_by_reason"]) == (4.0, 4, {reason: 2})


def test_a_judge_that_never_answers(
    data: Path, judge: Any, says: Any, tmp_path: Path, engine: hub.Engine
) -> None:
    import threading

    never = threading.Event()
    judge(lambda *_: (never.wait(20) and None) or told("[[1]]"))
    options = {"server": {"retries": 0, "timeout_s": 0.3, "wait_s": 0.5}}
    plan = make_plan("mt-bench", limit=1, options={"controls": 0}, reward_options={"judge": options})
    total = evaluate(plan, says(lambda _: "Hm."), tmp_path / "run", engine=engine)["scores"]["total"]
    never.set()
    assert (total["mean"], total["failed_by_reason"]) == (None, {"unavailable": 2})


def test_without_a_judge_nothing_is_asked(
    data: Path, says: Any, tmp_path: Path, engine: hub.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HUB_JUDGE_URL", raising=False)
    model = says(lambda _: "Hm.")
    with pytest.raises(ConfigError, match=r"none is given: url=\.\.\., or HUB_JUDGE_URL"):
        evaluate(make_plan("mt-bench"), model, tmp_path / "run", engine=engine)
    assert model.asked == []
    assert not (tmp_path / "run").exists()


def copy(data: Path, folder: Path, **changed: str | None) -> Path:
    folder.mkdir()
    for name in ("question", "gpt-4", "judge_prompts"):
        text = changed.get(name.replace("-", "_"), (data / "mt_bench" / f"{name}.jsonl").read_text())
        if text is not None:
            (folder / f"{name}.jsonl").write_text(text)
    return folder


BAD: dict[str, tuple[dict[str, str | None], str]] = {
    "no questions": ({"question": None}, "there is no .*question.jsonl. It is published as lm-sys/FastChat"),
    "no references": ({"gpt_4": None}, "there is no .*gpt-4.jsonl"),
    "a question without turns": ({"question": '{"question_id": 1, "category": "x"}'}, "question.jsonl:1: has no 'turns'"),
    "three turns": ({"question": '{"question_id": 1, "category": "x", "turns": ["a", "b", "c"]}'}, "question 1 has not one or two turns"),
    "no JSON": ({"question": "{"}, "question.jsonl:1"),
    "a missing reference": ({"gpt_4": '{"question_id": 1, "choices": [{"turns": ["a", "b"]}]}'}, "there is no answer to turn 1 of question 101"),
    "a reference without turns": ({"gpt_4": '{"question_id": 1, "choices": []}'}, "the answer to question 1 has no turns of text"),
    "a missing prompt": ({"judge_prompts": '{"name": "pair-v2", "system_prompt": "", "prompt_template": ""}'}, "has no judge prompt 'single-v1'"),
    "an empty file": ({"question": ""}, "question.jsonl: has no rows"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_data_that_cannot_be_used_is_refused(case: str, data: Path, tmp_path: Path) -> None:
    changed, message = BAD[case]
    folder = copy(data, tmp_path / "own", **changed)
    with pytest.raises(DataError, match=re.compile(message, re.DOTALL)):
        make_plan("mt-bench", options={"path": str(folder)})


def test_the_data_as_fastchat_lays_it_out(data: Path, tmp_path: Path) -> None:
    (tmp_path / "mt_bench" / "reference_answer").mkdir(parents=True)
    for name, place in (
        ("question", "mt_bench"),
        ("gpt-4", "mt_bench/reference_answer"),
        ("judge_prompts", ""),
    ):
        (tmp_path / place / f"{name}.jsonl").write_bytes((data / "mt_bench" / f"{name}.jsonl").read_bytes())
    own = make_plan("mt-bench", options={"path": str(tmp_path / "mt_bench")})
    assert own.data_hash == make_plan("mt-bench").data_hash


def test_no_data_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUB_DATA", raising=False)
    with pytest.raises(DataError, match=r"HUB_DATA is not set\. Set it to a folder with mt_bench/question"):
        make_plan("mt-bench")
    with pytest.raises(OptionError, match="controls are at least 0, not -1"):
        spread(80, -1)
