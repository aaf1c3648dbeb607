"""Who is ranked where, with which uncertainty, and why others are not ranked."""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.evaluation.compare import compare
from hub.evaluation.stored import read_run
from hub_leaderboard.board import Board
from hub_leaderboard.plain import as_json
from hub_leaderboard.ranks import holm
from hub_leaderboard.standing import Standing, find_all, make_standing
from hub_leaderboard.table import show

Make = Callable[..., Any]
MANY = {"use": "many"}
LONG = {"use": "long", "higher_is_better": False, "chance": 100.0, "best": 0.0}


def stand(board: Board, *roots: Path) -> Standing:
    return make_standing(board, *find_all(roots))


def places(standing: Standing) -> list[tuple[str, Any]]:
    return [(row.model, row.ranks) for row in standing.rows]


def reasons(standing: Standing) -> dict[str, str]:
    return {one.run.path.name: "; ".join(one.reasons) for one in standing.left}


@pytest.fixture(scope="module")
def three(make_run: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """good 38 of 40, fair 36, poor 8."""
    root = tmp_path_factory.mktemp("three")
    for name, bound in (("good", 38), ("fair", 36), ("poor", 8)):
        make_run(root / name, name, lambda n, bound=bound: n < bound)
    return root


def test_models_that_no_test_tells_apart_share_ranks(three: Path, make_board: Make) -> None:
    standing = stand(make_board(MANY), three)
    assert places(standing) == [("good", (1, 2)), ("fair", (1, 2)), ("poor", (3, 3))]
    good = standing.rows[0]
    result = read_run(three / "good").result["scores"]["total"]
    assert (good.score, good.interval) == (result["mean"], tuple(result["interval_95"]))
    for pair in standing.pairs:
        first, second = (standing.rows[at].cells[0] for at in (pair.first, pair.second))
        assert first is not None
        assert second is not None
        theirs = compare(second.run, first.run)
        assert (pair.p_value, pair.test) == (theirs.p_value, theirs.test)
        assert pair.difference == pytest.approx(theirs.difference)
    assert [pair.corrected for pair in standing.pairs] == holm([pair.p_value for pair in standing.pairs])


def test_every_run_is_ranked_or_left_out_with_its_reason(
    three: Path, make_run: Make, make_board: Make, tmp_path: Path
) -> None:
    root = tmp_path / "runs"
    shutil.copytree(three, root)
    make_run(root / "limited", "a", limit=5)
    make_run(root / "optioned", "b", options={"first": 3})
    make_run(root / "warm", "c", decoding={"temperature": 0.5})
    make_run(root / "twice", "d", samples_per_prompt=2, decoding={"temperature": 0.5})
    make_run(root / "broken", "e", says=lambda n, seed: "break" if n < 4 else f"{n}!")
    make_run(root / "elsewhere", "f", on="long")
    (root / "torn").mkdir()
    shutil.copy(root / "good" / "recipe.json", root / "torn")
    shutil.copytree(root / "good", root / "cut")
    (root / "cut" / "samples.jsonl").write_bytes((root / "cut" / "samples.jsonl").read_bytes()[:-40])
    shutil.copytree(root / "good", root / "strange")
    (root / "strange" / "result.json").write_text('{"format": 1}')
    shutil.copytree(root / "good", root / "forged")
    forged = json.loads((root / "forged" / "result.json").read_text())
    forged["scores"]["total"]["mean"] = 1.0
    (root / "forged" / "result.json").write_text(json.dumps(forged))
    standing = stand(make_board(MANY), root)
    assert [row.model for row in standing.rows] == ["good", "fair", "poor"]
    assert reasons(standing) == {
        "limited": "only the first 5 of 40 rows",
        "optioned": "benchmark option first: 3, on the board the default",
        "warm": "decoding changed from the benchmark's own",
        "twice": "2 samples per prompt, the board asks for 1; decoding changed from the benchmark's own",
        "broken": "4 of 40 completions could not be scored (exception 4): the board asks for a coverage of 0.99",
    }
    problems = sorted(standing.problems)
    for folder, what in (
        ("cut", "cannot be read"),
        ("forged", "result.json says 1 on 'score', but samples.jsonl makes 0.95"),
        ("strange", "is not what a run writes: scores.total.n is missing"),
        ("torn", "the run is not complete"),
    ):
        assert any(f"/{folder}" in one and what in one for one in problems), (folder, problems)
    assert len(problems) == 4
    assert standing.elsewhere == {"long": 1}
    ranked = [str(cell.run.path) for row in standing.rows for cell in row.cells if cell]
    assert len(ranked) + len(standing.left) + len(problems) + 1 == len(list(root.iterdir()))


def test_a_board_may_ask_for_what_others_leave_out(make_run: Make, make_board: Make, tmp_path: Path) -> None:
    make_run(tmp_path / "five", "a", limit=5, options={"first": 3}, decoding={"temperature": 0.5})
    asked = {"rows": 5, "options": {"first": 3}, "decoding": {"temperature": 0.5}}
    assert places(stand(make_board({**MANY, **asked}), tmp_path)) == [("a", (1, 1))]
    for more in (
        {"rows": 6},
        {"decoding": {"temperature": 0.5, "top_p": 0.9}},
        {"data_hash": "0" * 8},
        {"mix": "0" * 8},
    ):
        standing = stand(make_board({**MANY, **asked, **more}), tmp_path)
        assert places(standing) == []
        assert len(standing.left[0].reasons) == 1


def test_runs_of_another_recipe_are_never_mixed_in(make_run: Make, make_board: Make, tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_run(tmp_path / name, name)
    make_run(tmp_path / "c", "c")
    recipe = json.loads((tmp_path / "c" / "recipe.json").read_text())
    recipe["recipe"]["mix"]["rewards"][0]["code"] = "right@another version"
    (tmp_path / "c" / "recipe.json").write_text(json.dumps(recipe))
    standing = stand(make_board(MANY), tmp_path)
    assert [row.model for row in standing.rows] == ["a", "b"]
    assert reasons(standing)["c"].startswith("another recipe than the ranked runs: mix.rewards[0].code: ")


def test_the_last_run_of_a_model_counts_whatever_its_folder_or_seed(
    make_run: Make, make_board: Make, tmp_path: Path
) -> None:
    for name, seed, right in (("first", 0, 10), ("second", 1, 20), ("third", 2, 30)):
        make_run(
            tmp_path / name,
            "same",
            lambda n, right=right: n < right,
            on="few",
            decoding={"seed": seed, "temperature": 1.0},
        )
    for number, name in enumerate(("second", "third", "first")):
        result = json.loads((tmp_path / name / "result.json").read_text())
        result["time"]["finished"] = f"2026-01-0{number + 1}T00:00:00+00:00"
        (tmp_path / name / "result.json").write_text(json.dumps(result))
    standing = stand(make_board({"use": "few", "decoding": {"temperature": 1.0}}), tmp_path)
    assert [row.score for row in standing.rows] == [0.25]
    assert reasons(standing) == {
        name: f"an older run of this model: {tmp_path / 'first'} counts" for name in ("second", "third")
    }


def test_models_are_named_by_what_tells_them_apart(make_run: Make, make_board: Make, tmp_path: Path) -> None:
    for number, folder in enumerate(("x/model", "y/model", "z", "z")):
        known = {"folder": f"/home/me/{folder}", "weights": f"{number}" * 64}
        make_run(tmp_path / str(number), str(number), known=known)
    known = {"folder": "", "weights": "", "model": "org/name", "revision": "abc"}
    make_run(tmp_path / "id", "id", known=known)
    for revision in ("1", "2"):
        known = {"folder": "", "weights": "", "model": "org/twice", "revision": revision}
        make_run(tmp_path / f"twice{revision}", "twice", known=known)
    names = sorted(row.model for row in stand(make_board(MANY), tmp_path).rows)
    assert [names[0], *names[3:]] == ["org/name", "x/model", "y/model", "z 22222222", "z 33333333"]
    assert len(set(names)) == 7
    assert [name[:10] for name in names[1:3]] == ["org/twice ", "org/twice "]


def test_the_same_weights_with_another_configuration_are_another_model(
    make_run: Make, make_board: Make, tmp_path: Path
) -> None:
    for config in ("a", "b"):
        known = {"folder": "/home/me/z", "weights": "1" * 64, "config": config * 64}
        make_run(tmp_path / config, config, known=known)
    names = [row.model for row in stand(make_board(MANY), tmp_path).rows]
    assert len(set(names)) == 2
    assert all(name.startswith("z ") for name in names)


REWARD = {
    "name": "mine",
    "use": "r.py:mine",
    "code": "/home/me/x/r.py:mine@123",
    "timeout_s": 10.0,
    "with": {},
}
ASKED = [
    ("its chat template", {"chat_template": True}, {"chat_template": False}, ["m, chat_template false", "m, chat_template true"]),
    ("another endpoint", {"endpoint": "chat"}, {"endpoint": "completions"}, ["m, endpoint chat", "m, endpoint completions"]),
    ("what is sent besides", {"extra": {"effort": "low"}}, {"extra": {"effort": "high"}}, ["m ", "m "]),
    ("other answers under one name", {"answers": "1" * 64}, {"answers": "2" * 64}, ["m ", "m "]),
    ("rewards of other code", {"rewards": {"rewards": [REWARD]}}, {"rewards": {"rewards": [{**REWARD, "code": "/home/me/x/r.py:mine@456"}]}}, ["m ", "m "]),
    ("rewards with other options", {"rewards": {"rewards": [REWARD]}}, {"rewards": {"rewards": [{**REWARD, "with": {"max": 1}}]}}, ["m ", "m "]),
    ("the same rewards elsewhere", {"rewards": {"rewards": [REWARD]}}, {"rewards": {"rewards": [{**REWARD, "use": "y/r.py:mine", "code": "/home/me/y/r.py:mine@123", "timeout_s": 20.0}]}}, ["m"]),
    ("another batch size", {"batch_size": 1}, {"batch_size": 2}, ["m"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "named"), [one[1:] for one in ASKED], ids=[one[0] for one in ASKED]
)
def test_a_model_that_is_asked_otherwise_is_another_row(
    first: dict[str, Any],
    second: dict[str, Any],
    named: list[str],
    make_run: Make,
    make_board: Make,
    tmp_path: Path,
) -> None:
    for name, how in (("a", first), ("b", second)):
        known = {"folder": "", "weights": "", "model": "m", **how}
        make_run(tmp_path / name, "m", known=known)
    names = sorted(row.model for row in stand(make_board(MANY), tmp_path).rows)
    assert [name[: len(begin)] for name, begin in zip(names, named, strict=True)] == named
    assert len(set(names)) == len(named)


@pytest.mark.parametrize("metric", ["score", "right", "category:odd"])
def test_metrics(three: Path, make_board: Make, metric: str) -> None:
    standing = stand(make_board({**MANY, "metric": metric}), three)
    wanted = {"score": 0.9, "right": 0.9, "category:odd": 0.9}[metric]
    assert standing.rows[1].score == wanted
    assert standing.rows[1].cells[0].values.completions == (20 if metric == "category:odd" else 40)  # type: ignore[union-attr]


def test_a_category_of_a_benchmark_with_a_headline(make_run: Make, make_board: Make, tmp_path: Path) -> None:
    make_run(tmp_path / "a", "a", lambda n: n % 4 < 2, on="headed")
    standing = stand(make_board({"use": "headed", "metric": "category:odd"}), tmp_path)
    assert [row.score for row in standing.rows] == [0.5]


def test_what_a_reward_leaves_unjudged_is_not_out_of_the_count(
    make_run: Make, make_board: Make, tmp_path: Path
) -> None:
    make_run(tmp_path / "model", "model", on="half")
    make_run(tmp_path / "reward", "reward", on="half", known={"rewards": {"rewards": [REWARD]}})
    standing = stand(make_board({"use": "half"}), tmp_path)
    assert places(standing) == [("model", (1, 1))]
    assert "20 of 40 completions could not be scored (abstained 20)" in str(standing.left[0])


def test_what_is_better_lower_is_never_ranked_as_better_higher(
    make_run: Make, make_board: Make, tmp_path: Path
) -> None:
    for name, size in (("short", 2), ("long", 9)):
        make_run(tmp_path / name, name, says=lambda n, seed, size=size: "x" * size, on="headed")
    entry = {"use": "headed", "metric": "length"}
    standing = stand(make_board(entry), tmp_path)
    assert (standing.rows, len(standing.left)) == ((), 2)
    assert "of length less is better: say so in the board, higher_is_better = false" in str(standing.left[0])
    standing = stand(make_board({**entry, "higher_is_better": False}), tmp_path)
    assert places(standing) == [("short", (1, 1)), ("long", (2, 2))]


def test_a_metric_that_a_run_does_not_have_is_said(three: Path, make_board: Make) -> None:
    standing = stand(make_board({**MANY, "metric": "category:add"}), three)
    assert standing.rows == ()
    assert "did you mean 'category:odd'" in standing.problems[0]


def test_pass_at_k(make_run: Make, make_board: Make, tmp_path: Path) -> None:
    draws = random.Random(1)
    drawn = {name: [draws.random() < share for _ in range(400)] for name, share in (("a", 0.6), ("b", 0.1))}
    for name, right in drawn.items():
        given = iter(right)
        make_run(
            tmp_path / name, name, says=lambda n, seed, given=given: f"{n}!" if next(given) else "no",
            on="few", samples_per_prompt=4, options={"count": 30},
        )  # fmt: skip
    entry = {"use": "few", "metric": "pass@2", "samples_per_prompt": 4, "options": {"count": 30}}
    standing = stand(make_board(entry), tmp_path)
    assert places(standing) == [("a", (1, 1)), ("b", (2, 2))]
    for row in standing.rows:
        total = read_run(tmp_path / row.model).result["scores"]["total"]
        assert row.score == pytest.approx(total["pass_at_k"]["2"])
        assert row.interval is not None
        assert row.score is not None
        assert row.interval[0] < row.score < row.interval[1]


def test_a_metric_of_the_benchmarks_own_is_tied_unless_its_error_is_known(
    make_run: Make, make_board: Make, tmp_path: Path
) -> None:
    for name, size in (("a", 50), ("b", 5)):
        make_run(tmp_path / name, name, says=lambda n, seed, size=size: "x" * size, on="own")
    board = make_board({"use": "own", "metric": "metric:mean length"})
    assert places(stand(board, tmp_path)) == [("a", (1, 2)), ("b", (1, 2))]
    for name in ("a", "b"):
        result = json.loads((tmp_path / name / "result.json").read_text())
        result["scores"]["metric_estimates"] = {
            "mean length": {"standard_error": 2.0, "interval_95": [1.0, 60.0]}
        }
        (tmp_path / name / "result.json").write_text(json.dumps(result))
    standing = stand(board, tmp_path)
    assert places(standing) == [("a", (1, 1)), ("b", (2, 2))]
    assert standing.rows[0].interval == (1.0, 60.0)
    assert standing.pairs[0].test == "z, unpaired"
    assert (
        "did you mean 'metric:mean length'"
        in stand(make_board({"use": "own", "metric": "metric:mean lenth"}), tmp_path).problems[0]
    )


@pytest.fixture(scope="module")
def two_benchmarks(make_run: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("two")
    for name, bound, size in (("a", 30, 10), ("b", 25, 50), ("c", 10, 90)):
        make_run(root / name / "many", name, lambda n, bound=bound: n < bound)
        make_run(root / name / "long", name, says=lambda n, seed, size=size: "x" * (size + n % 3), on="long")
    make_run(root / "half" / "many", "half")
    return root


def test_normalized_and_what_lacks_a_benchmark_has_no_rank(two_benchmarks: Path, make_board: Make) -> None:
    board = make_board({**MANY, "weight": 3.0, "chance": 0.1}, LONG, combine="normalized")
    standing = stand(board, two_benchmarks)
    assert places(standing) == [("a", (1, 1)), ("b", (2, 2)), ("c", (3, 3)), ("half", None)]
    mean = 10 + sum(n % 3 for n in range(40)) / 40
    assert standing.rows[0].score == pytest.approx(0.75 * (0.75 - 0.1) / 0.9 + 0.25 * (100 - mean) / 100)
    many, long = (cell.values.interval for cell in standing.rows[0].cells if cell)
    assert many is not None
    assert long is not None
    below = ((0.75 * (0.75 - many[0]) / 0.9) ** 2 + (0.25 * (long[1] - mean) / 100) ** 2) ** 0.5
    above = ((0.75 * (many[1] - 0.75) / 0.9) ** 2 + (0.25 * (mean - long[0]) / 100) ** 2) ** 0.5
    score = standing.rows[0].score
    assert score is not None
    assert standing.rows[0].interval == pytest.approx((score - below, score + above))
    assert {pair.test for pair in standing.pairs} == {"sign flips"}


def test_the_interval_of_shares_stays_within_0_and_1(
    make_run: Make, make_board: Make, tmp_path: Path
) -> None:
    for name, count in (("many", 3), ("few", 4)):
        more = {"decoding": {"temperature": 0.0}} if name == "few" else {}
        make_run(tmp_path / name, "a", lambda n: n == 0, on=name, options={"count": count}, **more)
    entries = [
        {"use": "many", "options": {"count": 3}},
        {"use": "few", "options": {"count": 4}, "decoding": {"seed": 0}},
    ]
    (row,) = stand(make_board(*entries), tmp_path).rows
    assert row.interval is not None
    assert 0 < row.interval[0] < (1 / 3 + 1 / 4) / 2 < row.interval[1] < 1


def test_win_rate(two_benchmarks: Path, make_board: Make) -> None:
    standing = stand(make_board(MANY, LONG, combine="win-rate"), two_benchmarks)
    # a is right where b is on 25 rows and alone on 5, where c is on 10 and alone on 20; always the shorter one
    many = (0.5 + 0.5 * 5 / 40 + 0.5 + 0.5 * 20 / 40) / 2
    assert standing.rows[0].score == pytest.approx((many + 1.0) / 2)
    scores = [row.score for row in standing.ranked]
    assert sum(score for score in scores if score is not None) == pytest.approx(1.5)
    assert standing.rows[-1].ranks is None


def test_a_single_model_has_nobody_to_win_against(three: Path, make_board: Make) -> None:
    (row,) = stand(make_board(MANY, combine="win-rate"), three / "good").rows
    assert (row.ranks, row.score, row.interval) == ((1, 1), None, None)


def test_lower_may_be_better(two_benchmarks: Path, make_board: Make) -> None:
    standing = stand(make_board({"use": "long", "higher_is_better": False}), two_benchmarks)
    assert places(standing) == [("a", (1, 1)), ("b", (2, 2)), ("c", (3, 3))]
    scores = [row.score for row in standing.rows]
    assert scores == sorted(scores, key=float)  # type: ignore[arg-type]


def test_a_tie_of_chance_stays_one_among_many_models(
    make_run: Make, make_board: Make, tmp_path: Path
) -> None:
    """Twelve equally good models: without the correction for 66 pairs some would be told apart."""
    draws = random.Random(3)
    for number in range(12):
        right = {n for n in range(40) if draws.random() < 0.5}
        make_run(tmp_path / str(number), f"m{number}", lambda n, right=right: n in right)
    standing = stand(make_board(MANY), tmp_path)
    assert min(pair.p_value for pair in standing.pairs) < 0.05
    assert {row.ranks for row in standing.rows} == {(1, 12)}


def test_the_same_folder_twice_is_one_run(three: Path, make_board: Make) -> None:
    standing = stand(make_board(MANY), three, three / "good", three / ".." / three.name)
    assert len(standing.rows) == 3
    assert standing.left == ()


def test_the_folder_of_a_training_is_no_run_and_no_problem(
    three: Path, make_board: Make, tmp_path: Path
) -> None:
    (tmp_path / "grpo").mkdir()
    (tmp_path / "grpo" / "recipe.json").write_text('{"mix": "", "model": {"path": "x"}, "data": {}}')
    standing = stand(make_board(MANY), three, tmp_path)
    assert (len(standing.rows), standing.problems) == (3, ())


def test_no_run_at_all(tmp_path: Path, make_board: Make) -> None:
    standing = stand(make_board(MANY), tmp_path)
    assert (standing.rows, standing.left, standing.pairs) == ((), (), ())
    assert json.dumps(as_json(standing))


def mark_imported(run: Path, prompt: str, template: bool = True) -> None:
    """What a run of another tool looks like: its own recipe, prompts in its model's template."""
    recipe = json.loads((run / "recipe.json").read_text())
    if template:
        recipe["recipe"]["benchmark"]["options"]["chat_template"] = True
    recipe["recipe"]["imported"] = {"tool": "lm-eval", "version": "0.4.13"}
    recipe["recipe"]["mix"]["rewards"][0]["code"] = "lm-eval 0.4.13"
    (run / "recipe.json").write_text(json.dumps(recipe))
    lines = [json.loads(line) for line in (run / "samples.jsonl").read_text().splitlines()]
    changed = [{**line, "doc": {"n": line["id"]}, "prompt": f"{prompt}{line['prompt']}"} for line in lines]
    (run / "samples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in changed))


def test_imported_runs_are_ranked_only_where_the_board_says_so(
    make_run: Make, make_board: Make, tmp_path: Path
) -> None:
    make_run(tmp_path / "own", "own", lambda n: n < 30)
    for name, bound in (("theirs", 20), ("others", 1)):
        make_run(tmp_path / name, name, lambda n, bound=bound: n < bound)
        mark_imported(tmp_path / name, f"<{name}>")
    standing = stand(make_board(MANY), tmp_path)
    assert places(standing) == [("own", (1, 1))]
    why = "imported from lm-eval 0.4.13: the board takes the hub's own runs only"
    assert reasons(standing) == {"others": why, "theirs": why}
    standing = stand(make_board(MANY, imported=True), tmp_path)
    assert [row.model for row in standing.rows] == ["own", "theirs", "others"]
    tests = {(pair.first, pair.second): pair.test for pair in standing.pairs}
    assert tests == {(0, 1): "z, unpaired", (0, 2): "z, unpaired", (1, 2): "McNemar, exact"}
    assert standing.rows[2].ranks == (3, 3)
    assert [cell["imported"] for row in as_json(standing)["rows"] for cell in row["benchmarks"]] == [
        None, "lm-eval 0.4.13", "lm-eval 0.4.13",
    ]  # fmt: skip
    make_run(tmp_path / "short", "short", options={"count": 7})
    mark_imported(tmp_path / "short", "")
    assert reasons(stand(make_board(MANY, imported=True), tmp_path / "short", tmp_path / "own")) == {
        "short": "imported, with other numbers of rows or completions than the hub's own runs"
    }


@pytest.mark.parametrize(("prompt", "ranked"), [("", True), ("Be brief. ", False)])
def test_imported_runs_that_asked_otherwise_are_not_ranked_beside_the_hubs(
    prompt: str, ranked: bool, make_run: Make, make_board: Make, tmp_path: Path
) -> None:
    make_run(tmp_path / "own", "own", lambda n: n < 30)
    make_run(tmp_path / "theirs", "theirs", lambda n: n < 20)
    mark_imported(tmp_path / "theirs", prompt, template=False)
    standing = stand(make_board(MANY, imported=True), tmp_path)
    assert [row.model for row in standing.rows] == (["own", "theirs"] if ranked else ["own"])
    why = "imported, and asked other prompts than the hub's own runs"
    assert reasons(standing) == ({} if ranked else {"theirs": why})


def every_path(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from every_path(value[key], (*at, key))


def with_value(text: str, at: tuple[Any, ...], value: Any) -> str:
    changed = inner = json.loads(text)
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return json.dumps(changed)


@pytest.mark.parametrize("name", ["recipe.json", "result.json", "samples.jsonl"])
def test_no_file_of_one_run_costs_another_run_its_place(
    make_run: Make, make_board: Make, tmp_path: Path, name: str
) -> None:
    """Each value of a run's files in turn is of another kind: the run is ranked, left out or a problem."""
    for model in ("a", "b"):
        make_run(tmp_path / model, model, lambda n: n % 2 == 0, options={"count": 3})
    board, file = make_board({**MANY, "options": {"count": 3}}), tmp_path / "b" / name
    first, *rest = file.read_text().splitlines() if name == "samples.jsonl" else [file.read_text()]
    for at in every_path(json.loads(first)):
        values: tuple[Any, ...] = (None, [], True, "\x1b[2J", float("inf"))
        for value in values if at else ():
            file.write_text("\n".join([with_value(first, at, value), *rest]) + "\n")
            standing = stand(board, tmp_path)
            json.dumps(as_json(standing))
            places = [row.model for row in standing.rows], [one.model for one in standing.left]
            assert sum("a" in names for names in places) == 1, (at, value)
            assert len([*places[0], *places[1], *standing.problems, *standing.elsewhere]) == 2, (at, value)


def test_names_of_others_do_not_drive_the_terminal(
    make_run: Make, make_board: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(tmp_path / "a", "\x1b[2J\x07name", known={"weights": "1" * 64})
    show(stand(make_board(MANY), tmp_path))
    printed = capsys.readouterr().out
    assert "\x1b[2J" not in printed
    assert "\x07" not in printed
    assert "\\x1b[2J\\x07name" in printed
