"""MT-Bench against a baseline: two games with the order swapped, and the rule of ties."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import DataError, OptionError
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub.testing import BenchmarkSuite
from tests.plugins.hub_chat_evals.judge import serve
from tests.plugins.hub_judge.judges import asked, told

SERVER = serve()


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def write_baseline(data: Path, file: Path, text: str = "It is {prompt}") -> Path:
    lines = [
        {
            "question_id": row["question_id"],
            "model_id": "base",
            "choices": [{"turns": [text.format(prompt=t) for t in row["turns"]]}],
        }
        for row in read(data / "mt_bench" / "question.jsonl")
    ]
    file.write_text("\n".join(map(json.dumps, lines)))
    return file


class TestPairs(BenchmarkSuite):
    benchmark = "mt-bench-pairs"

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def place(cls, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
        file = write_baseline(shared_data / "benchmarks", tmp_path_factory.mktemp("base") / "base.jsonl")
        cls.options = {"controls": 1, "baseline": str(file)}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
            patch.setenv("HUB_JUDGE_URL", SERVER.address)
            yield

    def solve(self, row: dict[str, Any]) -> str | None:
        return "An owl."


@pytest.mark.parametrize("name", ["81", "101"])
def test_the_judge_gets_the_prompts_of_the_data_in_both_orders(
    name: str, data: Path, judge: Any, says: Any, tmp_path: Path, engine: hub.Engine
) -> None:
    server = judge()
    plan = make_plan(
        "mt-bench-pairs",
        options={"baseline": str(write_baseline(data, tmp_path / "base.jsonl")), "controls": 0},
    )
    rows = [row for row in plan.rows if row["id"].startswith(f"{name}/")]
    bench = hub.Benchmark("one", lambda split: rows, plan.benchmark.rewards, "One.")
    evaluate(make_plan(bench), says(lambda prompt: f"I say {prompt}"), tmp_path / "run", engine=engine)
    prompts = {row["name"]: row["prompt_template"] for row in read(data / "mt_bench/judge_prompts.jsonl")}
    references = {
        str(row["question_id"]): row["choices"][0]["turns"] for row in read(data / "mt_bench/gpt-4.jsonl")
    }
    kind = "pair-math-v1" if name == "101" else "pair-v2"
    known = {f"ref_answer_{turn}": text for turn, text in enumerate(references.get(name, ()), 1)}
    one, two = (row["prompt"] for row in rows)
    mine, theirs = ([f"{say} {prompt}" for prompt in (one, two)] for say in ("I say", "It is"))
    expected = set()
    for a, b in ((mine, theirs), (theirs, mine)):
        expected.add(prompts[kind].format(question=one, answer_a=a[0], answer_b=b[0], **known))
        turns = {"answer_a_1": a[0], "answer_a_2": a[1], "answer_b_1": b[0], "answer_b_2": b[1]}
        expected.add(prompts[f"{kind}-multi-turn"].format(question_1=one, question_2=two, **turns, **known))
    assert {asked(body) for _, body in server.requests} == expected


GAMES = {
    "wins both": ("[[A]]", "[[B]]", 1.0),
    "loses both": ("[[B]]", "[[A]]", 0.0),
    "the first place wins": ("[[A]]", "[[A]]", 0.5),
    "a tie twice": ("[[C]]", "[[C]]", 0.5),
    "a win and a tie": ("[[A]]", "[[C]]", 0.5),
    "A counts before B": ("[[B]] or rather [[A]]", "[[B]]", 1.0),
    "no verdict in one game": ("[[A]]", "Both are fine.", None),
}


@pytest.mark.parametrize("case", GAMES)
def test_a_win_counts_only_where_both_games_agree(
    case: str, data: Path, judge: Any, says: Any, tmp_path: Path, engine: hub.Engine
) -> None:
    first, second, value = GAMES[case]

    def answer(_: str, body: dict[str, Any], __: int) -> Any:
        text = asked(body)
        return told(first if text.index("I say") < text.index("It is") else second)

    judge(answer)
    baseline = write_baseline(data, tmp_path / "base.jsonl", "It is so.")
    plan = make_plan("mt-bench-pairs", limit=1, options={"baseline": str(baseline), "controls": 0})
    scores = evaluate(plan, says(lambda _: "I say so."), tmp_path / "run", engine=engine)["scores"]
    assert scores["total"]["mean"] == value
    assert scores["total"]["failed"] == (2 if value is None else 0)
    if value is not None:
        shares = [scores["metrics"][f"{name} %"] for name in ("wins", "ties", "losses")]
        assert shares == [100.0 * (value == wanted) for wanted in (1.0, 0.5, 0.0)]


def test_a_baseline_is_needed_and_has_to_answer_every_turn(data: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"mt-bench-pairs\.baseline=FILE"):
        make_plan("mt-bench-pairs")
    file = tmp_path / "base.jsonl"
    file.write_text('{"question_id": 81, "choices": [{"turns": ["one"]}]}')
    with pytest.raises(DataError, match="there is no answer to turn 2 of question 81"):
        make_plan("mt-bench-pairs", options={"baseline": str(file)})
