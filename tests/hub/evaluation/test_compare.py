"""Two runs of one benchmark: the tests against published numbers, and what is left out is counted."""

import json
import math
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import ConfigError, DataError
from hub.evaluation.compare import _mcnemar, _sign_flips, compare
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub.evaluation.stored import StoredRun, find_runs, read_run

Make = Callable[..., StoredRun]


@pytest.fixture
def make(tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine) -> Make:
    """Runs a benchmark with a model that answers as told: by row "+" right, "-" wrong, else that text."""

    def run(name: str, answers: str | list[str], reward: str = "exact", **options: Any) -> StoredRun:
        def answer(prompt: str, seed: int) -> str:
            number = int(prompt.split()[0])
            return {"+": str(2 * number), "-": "wrong"}.get(answers[number], answers[number])

        per_prompt = options.pop("samples_per_prompt", 1)
        decoding = {"temperature": 1.0} if per_prompt > 1 else {}
        plan = make_plan(
            sums.benchmark(reward),
            options={"count": len(answers)},
            samples_per_prompt=per_prompt,
            decoding=decoding,
        )
        evaluate(plan, scripted(answer, name=name), tmp_path / name, engine=engine)
        return read_run(tmp_path / name)

    return run


def test_a_paired_comparison(make: Make) -> None:
    first, second = make("a", "++--++--++"), make("b", "+++-++-+++")
    found = compare(first, second)
    assert (found.metric, found.prompts, found.left_out, found.test) == ("score", 10, 0, "McNemar, exact")
    assert (found.first, found.second) == (0.6, 0.8)
    assert found.difference == pytest.approx(0.2)
    assert found.p_value == 0.5  # two flips, both up
    assert [(flip.id, flip.first, flip.second) for flip in found.flips] == [
        ("test-2", 0, 1),
        ("test-7", 0, 1),
    ]
    assert not found.differs
    error = math.sqrt(sum((d - 0.2) ** 2 for d in [0] * 8 + [1] * 2) / 9 / 10)
    assert found.detectable == pytest.approx(2.8016 * error, rel=1e-4)


def test_a_run_does_not_differ_from_itself(make: Make) -> None:
    run = make("a", "+-+-+-")
    found = compare(run, run)
    assert (found.difference, found.p_value, found.flips, found.detectable) == (0.0, 1.0, (), None)


def test_what_failed_is_in_neither_mean_and_counted(make: Make) -> None:
    first = make("a", ["+", "break", "-", "+", "-", "abstain"], "moody")
    second = make("b", ["-", "+", "break", "+", "-", "+"], "moody")
    found = compare(first, second)
    assert (found.prompts, found.left_out) == (3, 3)
    assert (found.first, found.second) == (2 / 3, 1 / 3)


def test_nothing_in_common(make: Make) -> None:
    found = compare(make("a", ["break", "+"], "moody"), make("b", ["+", "break"], "moody"))
    assert (found.prompts, found.p_value, found.difference, found.left_out) == (0, None, None, 2)


def test_several_completions_of_a_prompt_count_as_one(make: Make) -> None:
    first, second = (make(name, text, samples_per_prompt=4) for name, text in (("a", "+-"), ("b", "++")))
    found = compare(first, second)
    assert (found.prompts, found.test, found.p_value) == (2, "sign flips", 1.0)


@pytest.mark.parametrize(
    ("up", "down", "expected"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),
        (5, 0, 0.0625),
        (6, 0, 0.03125),
        (10, 2, 0.03857421875),
        (5, 5, 1.0),
        (9, 1, 0.021484375),
    ],
)
def test_mcnemar_is_the_binomial(up: int, down: int, expected: float) -> None:
    assert _mcnemar([1.0] * up + [-1.0] * down + [0.0] * 20) == pytest.approx(expected, rel=1e-12)


def test_sign_flips_drawn_and_counted_agree() -> None:
    draws = random.Random(3)
    for _ in range(5):
        few = [draws.gauss(0.4, 1) for _ in range(13)]
        exact = _sign_flips(few)
        drawn = _sign_flips([*few, 1e-12])  # one more, which moves nothing, so that it draws
        assert drawn == pytest.approx(exact, abs=0.02)
    assert _sign_flips([1.0] * 30) == 0.0001
    assert _sign_flips([0.0] * 9) == 1.0


@pytest.mark.parametrize(
    ("answers", "reward", "options", "message"),
    [
        ("+++", "exact", {}, "benchmark.data_hash"),
        ("++", "moody", {}, "mix.rewards"),
        ("++", "exact", {"samples_per_prompt": 2}, "samples_per_prompt: 1 and 2"),
    ],
)
def test_runs_of_different_recipes_are_refused(
    make: Make, answers: str, reward: str, options: Any, message: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        compare(make("a", "+-"), make("b", answers, reward, **options))


ASKS = """
class Asks:
    no_effect = ("cache", "server.retries", "judges.url")
    def __init__(self, cache: str = "", server: dict | None = None, judges: list | None = None, low: int = 0):
        pass
    def __call__(self, sample):
        return float("4" in sample.text)
"""
ALIKE: list[dict[str, Any]] = [
    {"cache": "a"},
    {"cache": "b", "server": {"retries": 3}},
    {"judges": [{"url": "x", "model": "m"}]},
]
OTHERS: list[tuple[dict[str, Any], str]] = [
    ({"low": 1}, "they differ in mix.rewards[0].with.low: not given and 1"),
    ({"server": {"key": "K", "retries": 1}}, "in mix.rewards[0].with.server: not given and {'key': 'K'}"),
    (
        {"judges": [{"model": "n", "url": "y"}]},
        "in mix.rewards[0].with.judges: not given and [{'model': 'n'}]",
    ),
]


def test_runs_that_differ_in_what_decides_no_value_are_compared(
    tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine
) -> None:
    """Where rows and rewards lie, and options that a reward says have no effect: all are recorded."""

    def rows(split: str, path: str = "", dataset: str | None = None) -> Any:
        return sums.rows(split)

    made = 0

    def run(options: dict[str, Any], **where: str) -> StoredRun:
        nonlocal made
        made += 1
        folder = tmp_path / str(made)
        folder.mkdir()
        (folder / "asks.py").write_text(ASKS)
        first, again = (
            make_plan(
                hub.Benchmark(
                    "asks", rows, {"reward": [{"use": f"{folder}/asks.py:Asks", "with": given}]}, ""
                ),
                options=where,
            )
            for given in (options, {**options, "cache": "another"})
        )
        evaluate(first, scripted(lambda prompt, seed: prompt[0]), folder / "run", engine=engine)
        evaluate(again, scripted(lambda *_: "", stop_after=0), folder / "run", resume=True, engine=engine)
        return read_run(folder / "run")

    first, second, third = run(ALIKE[0], path="here"), run(ALIKE[1], dataset="there"), run(ALIKE[2])
    assert compare(first, second).prompts == 6
    assert first.recipe == second.recipe
    assert first.result["benchmark"]["options"] == {"path": "here"}
    assert second.result["mix"]["rewards"][0]["with"] == ALIKE[1]
    assert compare(third, run({"judges": [{"url": "y", "model": "m"}]})).prompts == 6
    for options, words in OTHERS:
        with pytest.raises(ConfigError, match=re.escape(words)):
            compare(first, run(options))


def test_metrics_by_name(make: Make) -> None:
    first, second = make("a", "+-"), make("b", "-+")
    assert compare(first, second, "exact").metric == "exact"
    with pytest.raises(ConfigError, match="did you mean 'exact'"):
        compare(first, second, "exat")


def test_reading_folders(make: Make, tmp_path: Path) -> None:
    run = make("a", "+-")
    assert read_run(tmp_path).path == run.path, "a folder with a single run stands for it"
    make("b", "++")
    with pytest.raises(DataError, match=r"holds 2 runs \(a, b\)"):
        read_run(tmp_path)
    with pytest.raises(DataError, match="is not the folder of a run"):
        read_run(tmp_path / "a" / "b")
    (tmp_path / "a" / "result.json").rename(tmp_path / "kept")
    with pytest.raises(DataError, match="not complete"):
        read_run(tmp_path / "a")
    runs, problems = find_runs(tmp_path)
    assert [one.path.name for one in runs] == ["b"]
    assert len(problems) == 1
    recipe = json.loads((tmp_path / "b" / "recipe.json").read_text())
    (tmp_path / "b" / "recipe.json").write_text(json.dumps({**recipe, "format": 99}))
    with pytest.raises(DataError, match="is of format 99, this hub reads 1"):
        read_run(tmp_path / "b")


def test_the_command(make: Make, tmp_path: Path) -> None:
    make("a", "++--++--++")
    make("b", "+++-++-+++")
    command = [str(Path(sys.executable).with_name("hub")), "compare", "a", "b"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "score: 2 prompts went up, 0 down (McNemar, exact)" in shown
    assert "test-7: 0 -> 1" in shown
    told = subprocess.run(
        [*command, "--json"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    metrics = json.loads(told)["metrics"]
    assert [one["metric"] for one in metrics] == ["score", "exact"]
    assert metrics[0]["p_value"] == 0.5
    wrong = subprocess.run(
        [*command, "--metric", "x"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (wrong.returncode, "no metric 'x'" in wrong.stderr) == (2, True)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        # Both turns flip together: one conversation, not two prompts.
        ("++++++", "--++++", (3, 1.0, 2 / 3, "sign flips", 0, ["a/1"])),
        # The second turn of the first conversation failed in one run: that turn is in neither mean.
        ("++++++", "+x++++", (3, 1.0, 1.0, "sign flips", 1, [])),
        # Without values there is nothing to pair.
        ("xxxxxx", "++++++", (0, None, None, "", 6, [])),
    ],
)
def test_the_turns_of_a_conversation_are_one_pair(
    first: str, second: str, expected: Any, tmp_path: Path, engine: hub.Engine, scripted: Any, sums: Any
) -> None:
    rows: list[dict[str, Any]] = []
    for name in "abc":
        rows += [
            {"id": f"{name}/1", "prompt": f"{len(rows)}", "answer": "+"},
            {"id": f"{name}/2", "prompt": f"{len(rows) + 1}", "answer": "+", "after": f"{name}/1"},
        ]
    mix = {"reward": [{"use": f"{sums.__file__}:moody"}]}
    plan = make_plan(hub.Benchmark("talk", lambda split: rows, mix, "Talks."))
    for name, answers in (("first", first), ("second", second)):

        def answer(prompt: Any, seed: int, answers: str = answers) -> str:
            said = hub.Sample(prompt).prompt_text
            return "break" if answers[int(said)] == "x" else answers[int(said)]

        evaluate(plan, scripted(answer, name=name), tmp_path / name, engine=engine)
    found = compare(read_run(tmp_path / "first"), read_run(tmp_path / "second"))
    assert (found.prompts, found.first, found.second, found.test) == expected[:4]
    assert (found.left_out, [flip.id for flip in found.flips]) == expected[4:]
