"""What is checked before a model is loaded, and what a recipe is made of."""

from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import ConfigError, DataError, OptionError, PluginError, UnknownName
from hub.evaluation.plan import make_plan
from hub.evaluation.recipe import differences, hash_recipe
from hub.evaluation.summary import make_flags

FILE = str(Path(__file__).with_name("sums.py"))
MODEL = {"generator": "scripted", "weights": "abc", "device": "cpu"}

BAD: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("an unknown benchmark", {"use": "gsm8"}, UnknownName, "unknown benchmark 'gsm8': did you mean 'gsm8k'"),
    ("no such file", {"use": "nowhere.py:sums"}, ConfigError, "no file 'nowhere.py'"),
    ("no such name in the file", {"use": f"{FILE}:sum"}, UnknownName, "did you mean 'sums'"),
    ("a name that is no benchmark", {"use": f"{FILE}:rows"}, ConfigError, "function, not a hub.Benchmark"),
    ("an unknown split", {"split": "tests"}, UnknownName, "did you mean 'test'"),
    ("an unknown option", {"options": {"cuont": 3}}, OptionError, "no option 'cuont': did you mean 'count'"),
    ("an option of another type", {"options": {"count": "3"}}, OptionError, "option 'count' is '3', but should be int"),
    ("a limit of none", {"limit": 0}, OptionError, "at least 1, not 0"),
    ("no samples", {"samples_per_prompt": 0}, OptionError, "at least 1, not 0"),
    ("greedy samples", {"samples_per_prompt": 4}, OptionError, "4 samples per prompt at temperature 0 are all the same"),
    ("decoding out of range", {"decoding": {"top_p": 1.5}}, OptionError, "out of range"),
    ("rows that raise", {"options": {"bad": "an exception"}}, DataError, "sums.*cannot be read: RuntimeError: the disk is gone"),
    ("a row that is no dict", {"options": {"bad": "no dict"}}, DataError, "row 4 is .*not a dict"),
    ("a row without a prompt", {"options": {"bad": "no prompt"}}, DataError, "row 4 has no prompt"),
    ("an id that is a list", {"options": {"bad": "an odd id"}}, DataError, "row 4 has the id \\[7\\], not a text or an int"),
    ("an id twice", {"options": {"bad": "an id twice"}}, DataError, "row 4 has the id 'test-0' of row 1"),
    ("a column that results need", {"options": {"bad": "a column of ours"}}, DataError, "row 4 has a column 'result'"),
    ("no rows", {"options": {"count": 0}}, DataError, "the split 'test' has no rows"),
    ("a column that a reward needs", {"options": {"bad": "no answer"}}, ConfigError, "sums.*row 4 has no column 'answer'"),
    ("an unknown reward", {"mix": {"exakt": 1.0}}, UnknownName, "benchmark 'sums'.*unknown reward 'exakt'"),
    ("no mix file", {"mix_file": "nowhere.toml"}, ConfigError, "nowhere.toml"),
    ("rows that are nowhere", {"rows": "sums:sevens"}, UnknownName, "sevens"),
    ("rows that cannot be imported", {"rows": "no_such_module:rows"}, Exception, "no_such_module"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "error", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_bad_input_is_one_clear_error(
    sums: Any, keys: dict[str, Any], error: type[Exception], words: str
) -> None:
    changed = {key: keys.pop(key) for key in ("rows",) if key in keys}
    benchmark = sums.benchmark(**changed)
    if "mix" in keys:
        benchmark = hub.Benchmark("sums", "sums:rows", keys.pop("mix"), "Sums.")
    if "mix_file" in keys:
        keys["mix"] = keys.pop("mix_file")
    with pytest.raises(error, match=words):
        make_plan(**{"use": benchmark, **keys})


def test_a_file_that_raises_is_named(tmp_path: Path) -> None:
    file = tmp_path / "bench.py"
    file.write_text("1 / 0")
    with pytest.raises(PluginError, match=r"bench.py cannot be imported: ZeroDivisionError"):
        make_plan(f"{file}:b")


def test_a_benchmark_of_a_file_remembers_it(sums: Any) -> None:
    plan = make_plan(f"{FILE}:sums", limit=2, split="train")
    assert [row["id"] for row in plan.rows] == ["train-0", "train-1"]
    assert (plan.total_rows, plan.completions) == (6, 2)
    assert str(plan.benchmark.origin) == FILE
    assert len(plan.benchmark.origin.version) == 12


CHANGES: list[tuple[str, dict[str, Any], str]] = [
    ("the split", {"split": "train"}, "benchmark.data_hash"),
    ("an option", {"options": {"count": 7}}, "benchmark.data_hash"),
    ("the limit", {"limit": 3}, "benchmark.rows: 6, now 3"),
    ("the seed", {"decoding": {"seed": 1}}, "decoding.seed: 0, now 1"),
    ("a stop text", {"decoding": {"stop": ("x",)}}, "decoding.stop: [], now ['x']"),
    ("samples", {"decoding": {"temperature": 1.0}, "samples_per_prompt": 2}, "samples_per_prompt: 1, now 2"),
    ("the mix", {"mix": hub.Mix({f"{FILE}:moody": 1.0})}, "mix.rewards"),
    ("a weight", {"mix": hub.Mix({f"{FILE}:exact": 2.0})}, "mix.rewards"),
    ("the model", {"model": {**MODEL, "weights": "def"}}, "model.weights: 'abc', now 'def'"),
]


@pytest.mark.parametrize(("keys", "words"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_whatever_decides_the_numbers_is_in_the_recipe(sums: Any, keys: dict[str, Any], words: str) -> None:
    keys = dict(keys)
    model = keys.pop("model", MODEL)
    old, new = make_plan(sums.sums).recipe(MODEL), make_plan(sums.sums, **keys).recipe(model)
    assert hash_recipe(old) != hash_recipe(new)
    assert any(words in difference for difference in differences(old, new))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, ["a[1].b: 2, now 3"]),
        ({"a": [1]}, {"a": [1, 2]}, ["a: [1], now [1, 2]"]),
        ({"a": None}, {}, ["a: None, now not given"]),
        ({"a": "x" * 200 + "1"}, {"a": "x" * 200 + "22"}, [f"a: ...{'x' * 40}1', now ...{'x' * 40}22'"]),
        ({"a": "x" * 200}, {"a": ""}, [f"a: '{'x' * 79}, now ''"]),
        ({"a": [{}]}, {"a": [{}]}, []),
    ],
)
def test_differences_are_shown_where_they_are(old: Any, new: Any, expected: list[str]) -> None:
    assert list(differences(old, new)) == expected


def test_where_a_model_runs_is_not_in_the_recipe(sums: Any) -> None:
    plan = make_plan(sums.sums)
    moved = {**MODEL, "device": "cuda", "batch_size": 64, "address": "http://elsewhere", "folder": "/tmp/x"}
    assert plan.recipe(MODEL) == make_plan(sums.sums).recipe(moved)


def test_what_sets_a_run_apart_is_said(sums: Any) -> None:
    mix = hub.Mix({f"{FILE}:exact": 1.0})
    plan = make_plan(
        sums.sums, split="train", options={"count": 5}, limit=2, mix=mix, decoding={"max_new_tokens": 8}
    )
    assert make_flags(plan) == [
        "only the first 2 of 5 rows",
        "split 'train', not 'test'",
        "benchmark options: count=5",
        "graded with another mix: given in Python",
        "decoding changed from the benchmark's own",
    ]
