"""Conversations: rows that go on after what the model answered to an earlier one."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import ConfigError, DataError, GeneratorError, OptionError
from hub.evaluation.plan import make_plan
from hub.evaluation.recipe import hash_recipe
from hub.evaluation.run import evaluate
from hub.evaluation.stored import read_run
from hub.evaluation.turns import refuse_turns


@hub.reward(needs=["wanted"])
def holds(sample: hub.Sample) -> float:
    return float(sample["wanted"] in sample.text)


class Echo:
    """Answers with the number of messages it saw and the first words of each; keeps what it was asked."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.asked: list[tuple[Any, hub.Decoding]] = []
        self.stop_after = stop_after

    def generate(self, prompts: Sequence[Any], decoding: hub.Decoding) -> Iterator[hub.Completion]:
        for index in reversed(range(len(prompts))):
            if self.stop_after is not None and len(self.asked) >= self.stop_after:
                raise GeneratorError("the server is gone")
            prompt = prompts[index]
            self.asked.append((prompt, decoding))
            said = [prompt] if isinstance(prompt, str) else [message["content"] for message in prompt]
            yield hub.Completion(index, f"{len(said)}: {' | '.join(said)}", tokens=1)

    def describe(self) -> Mapping[str, Any]:
        return {"generator": "echo"}

    def close(self) -> None:
        pass


def row(name: str, prompt: Any = None, **columns: Any) -> dict[str, Any]:
    return {"id": name, "prompt": name if prompt is None else prompt, "wanted": ":", **columns}


TALK = [
    row("a/1", category="x"),
    row("b/1", [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "b/1"}], category="y"),
    row("a/2", after="a/1", category="x"),
    row("b/2", after="b/1", category="y"),
    row("b/3", [{"role": "user", "content": "b/3"}], after="b/2", category="y"),
    row("c", category="z"),
]


def talk(rows: list[dict[str, Any]], **more: Any) -> hub.Benchmark:
    mix = {"reward": [{"use": f"{__file__}:holds"}]}
    return hub.Benchmark("talk", lambda split: rows, mix, "Talks.", category="category", **more)


def said(prompt: Any) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in prompt]


def test_each_turn_is_asked_behind_what_the_model_answered(tmp_path: Path, engine: hub.Engine) -> None:
    echo = Echo()
    result = evaluate(make_plan(talk(TALK)), echo, tmp_path / "run", engine=engine)
    by_id = {line["id"]: line for line in read_run(tmp_path / "run").samples.values()}
    assert list(by_id) == [row["id"] for row in TALK]
    assert by_id["a/1"]["prompt"] == "a/1"
    assert said(by_id["a/2"]["prompt"]) == [("user", "a/1"), ("assistant", "1: a/1"), ("user", "a/2")]
    third = said(by_id["b/3"]["prompt"])
    assert [role for role, _ in third] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert third[2][1] == by_id["b/1"]["completion"]
    assert third[4][1] == by_id["b/2"]["completion"]
    # What the model was asked is what is written down.
    assert [prompt for prompt, _ in echo.asked if not isinstance(prompt, str) and len(prompt) == 6] == [
        by_id["b/3"]["prompt"]
    ]
    assert len(echo.asked) == len(TALK)
    assert result["scores"]["total"]["mean"] == 1.0
    assert result["scores"]["categories"]["y"]["n"] == 3


def test_the_turns_of_a_conversation_are_one_draw_of_the_interval(tmp_path: Path, engine: hub.Engine) -> None:
    """Twice the same values are no more evidence: the standard error is that of the conversations."""
    first = [row(f"{n}/1", wanted=":" if n % 2 else "never") for n in range(8)]
    second = [row(f"{n}/2", after=f"{n}/1", wanted=one["wanted"]) for n, one in enumerate(first)]
    alone = evaluate(make_plan(talk(first)), Echo(), tmp_path / "one", engine=engine)["scores"]["total"]
    both = evaluate(make_plan(talk(first + second)), Echo(), tmp_path / "two", engine=engine)["scores"][
        "total"
    ]
    assert (alone["n"], both["n"], both["prompts"]) == (8, 16, 8)
    assert both["standard_error"] == pytest.approx(alone["standard_error"])


def test_every_sample_goes_on_with_its_own_conversation(tmp_path: Path, engine: hub.Engine) -> None:
    class Seeded(Echo):
        def generate(self, prompts: Sequence[Any], decoding: hub.Decoding) -> Iterator[hub.Completion]:
            for one in super().generate(prompts, decoding):
                yield hub.Completion(one.index, f"seed {decoding.seed}: {one.text}")

    plan = make_plan(talk(TALK), samples_per_prompt=3, decoding={"temperature": 1.0})
    evaluate(plan, Seeded(), tmp_path / "run", engine=engine)
    samples = read_run(tmp_path / "run").samples
    lines = {(line["id"], key[1]): line for key, line in samples.items()}
    assert len({lines["a/1", k]["completion"] for k in range(3)}) == 3
    for k in range(3):
        assert lines["a/2", k]["prompt"][1]["content"] == lines["a/1", k]["completion"]


@pytest.mark.parametrize("stop_after", range(6))
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(
    tmp_path: Path, engine: hub.Engine, stop_after: int
) -> None:
    plan = make_plan(talk(TALK))
    evaluate(plan, Echo(), tmp_path / "whole", engine=engine)
    with pytest.raises(GeneratorError):
        evaluate(plan, Echo(stop_after), tmp_path / "run", engine=engine)
    rest = Echo()
    evaluate(plan, rest, tmp_path / "run", engine=engine, resume=True)
    assert len(rest.asked) == len(TALK) - stop_after
    whole, resumed = ((tmp_path / name / "samples.jsonl").read_text() for name in ("whole", "run"))
    assert resumed == whole


def test_a_lost_file_of_completions_loses_no_conversation(tmp_path: Path, engine: hub.Engine) -> None:
    plan = make_plan(talk(TALK))
    evaluate(plan, Echo(), tmp_path / "whole", engine=engine)
    with pytest.raises(GeneratorError):
        evaluate(plan, Echo(3), tmp_path / "run", engine=engine)
    run = tmp_path / "run"
    whole = [json.loads(line) for line in (tmp_path / "whole" / "samples.jsonl").read_text().splitlines()]
    (run / "completions.jsonl").write_text("")
    (run / "samples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in whole[:2]))
    evaluate(plan, Echo(), run, engine=engine, resume=True)
    assert [json.loads(line) for line in (run / "samples.jsonl").read_text().splitlines()] == whole


@pytest.mark.parametrize(
    ("limit", "ids"),
    [
        (1, ["a/1", "a/2"]),
        (2, ["a/1", "b/1", "a/2", "b/2", "b/3"]),
        (3, [row["id"] for row in TALK]),
        (9, [row["id"] for row in TALK]),
    ],
)
def test_a_limit_counts_conversations_and_keeps_them_whole(limit: int, ids: list[str]) -> None:
    assert [row["id"] for row in make_plan(talk(TALK), limit=limit).rows] == ids


BAD = {
    "itself": ([row("a", after="a")], "row 1, 'a', goes on after 'a', which is itself"),
    "no row": ([row("a"), row("b", after="z")], "row 2, 'b', goes on after 'z', which no row has as its id"),
    "a later row": ([row("a", after="b"), row("b")], "row 1, 'a', goes on after 'b', which is row 2"),
    "a cycle": (
        [row("a", after="c"), row("b", after="a"), row("c", after="b")],
        "row 1, 'a', goes on after 'c', which is row 3: a row goes on after an earlier one",
    ),
    "a list": ([row("a"), row("b", after=["a"])], "goes on after .*, not the id of a row"),
    "true": ([row("a"), row("b", after=True)], "goes on after True, not the id of a row"),
    "another type": ([{**row("a"), "id": 1}, row("b", after="1")], "goes on after '1', which no row has"),
    "likelihoods": (
        [row("a", continuations=["x"]), row("b", continuations=["y"], after="a")],
        "has continuations, so it cannot go on",
    ),
    "decoding: text": ([row("a", decoding="greedy")], "row 1 has a decoding that is no mapping"),
    "decoding: unknown": ([row("a", decoding={"temprature": 1})], "'temprature': did you mean 'temperature'"),
    "decoding: range": ([row("a", decoding={"top_p": 0})], "a decoding that is out of range"),
    "decoding: type": ([row("a", decoding={"temperature": "hot"})], "a decoding that is out of range"),
}


@pytest.mark.parametrize("case", BAD)
def test_rows_that_cannot_be_asked_are_refused(case: str) -> None:
    rows, message = BAD[case]
    with pytest.raises(DataError, match=message):
        make_plan(talk(rows))


def test_no_after_and_no_decoding_is_as_good_as_no_column() -> None:
    plan = make_plan(talk([row("a", after=None, decoding=None)]))
    refuse_turns(plan.rows, "talk", "nobody")
    assert "decoding_given" not in plan.recipe({})


HOT, COLD = {"temperature": 0.7}, {"temperature": 0.0, "max_new_tokens": 5}


@pytest.mark.parametrize(
    ("given", "hot", "cold", "plain"),
    [
        ({}, (0.7, 512), (0.0, 5), (0.1, 512)),
        ({"temperature": 0.3}, (0.3, 512), (0.3, 5), (0.3, 512)),
        ({"max_new_tokens": 9}, (0.7, 9), (0.0, 9), (0.1, 9)),
        ({"temperature": 0.1}, (0.1, 512), (0.1, 5), (0.1, 512)),
    ],
)
def test_a_row_changes_the_decoding_unless_the_user_has(
    tmp_path: Path,
    engine: hub.Engine,
    given: dict[str, Any],
    hot: tuple[float, int],
    cold: tuple[float, int],
    plain: tuple[float, int],
) -> None:
    rows = [row("h", decoding=HOT), row("c", decoding=COLD), row("p"), row("h2", after="h", decoding=HOT)]
    plan = make_plan(talk(rows, decoding=hub.Decoding(temperature=0.1)), decoding=given)
    echo = Echo()
    result = evaluate(plan, echo, tmp_path / "run", engine=engine)
    found = {str(prompt): (used.temperature, used.max_new_tokens) for prompt, used in echo.asked}
    assert (found["h"], found["c"], found["p"]) == (hot, cold, plain)
    assert [value for prompt, value in found.items() if "assistant" in prompt] == [hot]
    assert ("decoding changed from the benchmark's own" in result["flags"]) == bool(given)


def test_what_the_user_gave_is_part_of_the_recipe() -> None:
    """The same decoding, but in one the rows' own temperature counts, and in the other the user's."""
    bench = talk([row("a", decoding=HOT)], decoding=hub.Decoding(temperature=0.1))
    recipes = [make_plan(bench, decoding=given).recipe({}) for given in ({}, {"temperature": 0.1})]
    assert recipes[0]["decoding"] == recipes[1]["decoding"]
    assert hash_recipe(recipes[0]) != hash_recipe(recipes[1])


def test_several_samples_are_refused_where_they_are_the_same_or_cannot_be_compared() -> None:
    with pytest.raises(OptionError, match="temperature 0, as of row 'c', are all the same"):
        make_plan(
            talk([row("h", decoding=HOT), row("c", decoding=COLD)], decoding=hub.Decoding(temperature=1)),
            samples_per_prompt=2,
        )
    mix = {"aggregate": "normalize_then_sum", "reward": [{"use": f"{__file__}:holds"}]}
    bench = hub.Benchmark("talk", lambda split: TALK, mix, "Talks.", decoding=hub.Decoding(temperature=1))
    with pytest.raises(ConfigError, match="samples of a later turn have different prompts"):
        make_plan(bench, samples_per_prompt=2)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            TALK,
            r"benchmark 'talk' asks in turns \(row 'a/2' goes on after 'a/1'\), which X cannot do: run it",
        ),
        ([row("a", decoding=HOT)], r"has rows with a decoding of their own \(row 'a'\)"),
    ],
)
def test_other_runners_refuse_them(rows: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        refuse_turns(rows, "talk", "X")


def test_stored_samples_are_graded_again_with_their_conversation(tmp_path: Path, engine: hub.Engine) -> None:
    evaluate(make_plan(talk(TALK)), Echo(), tmp_path / "run", engine=engine)
    lines = [json.loads(line) for line in (tmp_path / "run" / "samples.jsonl").read_text().splitlines()]
    samples = [hub.Sample(line["prompt"], line["completion"], {"wanted": "a/1"}) for line in lines]
    scores = hub.Mix({f"{__file__}:holds": 1.0}).score(samples, engine=engine)
    assert [score.value for score in scores] == [1.0, 0.0, 1.0, 0.0, 0.0, 0.0]
