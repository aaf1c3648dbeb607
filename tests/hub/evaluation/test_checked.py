"""A run whose samples are not all there, or make other numbers than its result says, is no run to use."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import DataError
from hub.evaluation.checked import CURE, check_run
from hub.evaluation.compare import compare
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub.evaluation.stored import read_run


def run_on(benchmark: Any, folder: Path, scripted: Any, engine: hub.Engine, **plan: Any) -> Path:
    generator = scripted(lambda prompt, seed: "2" if prompt.startswith("1 ") else "break")
    evaluate(make_plan(benchmark, **plan), generator, folder, engine=engine)
    return folder


@pytest.fixture
def folder(tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine) -> Path:
    """A run of four prompts, one of them right."""
    return run_on(sums.benchmark("exact"), tmp_path / "run", scripted, engine, options={"count": 4})


def line_lost(lines: list[Any], result: Any) -> None:
    del lines[2]


def line_twice(lines: list[Any], result: Any) -> None:
    lines.append({**lines[0], "result": {**lines[0]["result"], "sample": 1}})


def strange_row(lines: list[Any], result: Any) -> None:
    lines[2]["result"]["row"] = 99


def row_in_words(lines: list[Any], result: Any) -> None:
    lines[2]["result"]["row"] = "two"


def value_changed(lines: list[Any], result: Any) -> None:
    lines[1]["result"]["total"]["value"] = 0.0


def reward_changed(lines: list[Any], result: Any) -> None:
    lines[1]["result"]["scores"]["exact"]["value"] = 0.0


def mean_changed(lines: list[Any], result: Any) -> None:
    result["scores"]["total"]["mean"] = 0.99


def mean_lost(lines: list[Any], result: Any) -> None:
    del result["scores"]["total"]["mean"]


def values_lost(lines: list[Any], result: Any) -> None:
    for line in lines:
        line["result"]["total"]["value"] = None


def no_scores(lines: list[Any], result: Any) -> None:
    del lines[3]["result"]["total"]


BROKEN: list[tuple[Callable[[list[Any], Any], None], str]] = [
    (line_lost, "run: holds 3 of 4 samples"),
    (line_twice, "run: holds 5 of 4 samples"),
    (strange_row, "run: holds 3 of 4 samples"),
    (row_in_words, "run: is not what a run writes (TypeError: "),
    (value_changed, "run: result.json says 0.25 on 'score', but samples.jsonl makes 0"),
    (reward_changed, "run: result.json says 0.25 on 'exact', but samples.jsonl makes 0"),
    (mean_changed, "run: result.json says 0.99 on 'score', but samples.jsonl makes 0.25"),
    (mean_lost, "run: result.json has no mean of 'score', though samples have values"),
    (values_lost, "run: result.json says 0.25 on 'score', but samples.jsonl makes none"),
    (no_scores, "run: is not what a run writes (KeyError: 'total')"),
]


def break_run(folder: Path, change: Callable[[list[Any], Any], None]) -> None:
    samples, result = folder / "samples.jsonl", folder / "result.json"
    lines, about = (
        [json.loads(line) for line in samples.read_text().splitlines()],
        json.loads(result.read_text()),
    )
    change(lines, about)
    samples.write_text("".join(json.dumps(line) + "\n" for line in lines))
    result.write_text(json.dumps(about))


@pytest.mark.parametrize(("change", "words"), BROKEN, ids=[case[0].__name__ for case in BROKEN])
def test_a_broken_run_is_refused(folder: Path, change: Callable[[list[Any], Any], None], words: str) -> None:
    whole = read_run(folder)
    check_run(whole)
    assert compare(whole, whole).first == 0.25
    break_run(folder, change)
    with pytest.raises(DataError, match=re.escape(words)):
        check_run(read_run(folder))
    metric = "exact" if change is reward_changed else "score"
    for runs in ((whole, read_run(folder)), (read_run(folder), whole)):
        with pytest.raises(DataError, match=re.escape(words)):
            compare(*runs, metric)


def test_failures_categories_and_several_completions_are_no_faults(
    tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine
) -> None:
    several: dict[str, Any] = {"samples_per_prompt": 3, "decoding": {"temperature": 1.0}}
    check_run(read_run(run_on(sums.benchmark("moody"), tmp_path / "some", scripted, engine, **several)))
    rows = [{"id": n, "prompt": f"{n} ?", "answer": "2", "kind": "ab"[n % 2]} for n in range(4)]
    for name, answer in (("one", 1), ("none", 4)):
        # "break" fails; in the second run, everything: there is no mean, and nothing to make one of.
        mix = {"reward": [{"use": f"{sums.__file__}:moody"}]}
        benchmark = hub.Benchmark(
            name,
            lambda split, first=answer: (
                rows[:first] if first == 1 else [{**row, "prompt": "9"} for row in rows]
            ),
            mix,
            "Kinds.",
            category="kind",
        )
        check_run(read_run(run_on(benchmark, tmp_path / name, scripted, engine)))
    assert read_run(tmp_path / "none").result["scores"]["total"]["mean"] is None


def test_a_category_is_checked(tmp_path: Path, sums: Any, scripted: Any, engine: hub.Engine) -> None:
    rows = [{"id": n, "prompt": f"{n} ?", "answer": "2", "kind": "ab"[n % 2]} for n in range(4)]
    mix = {"reward": [{"use": f"{sums.__file__}:exact"}]}
    benchmark = hub.Benchmark("kinds", lambda split: rows, mix, "Kinds.", category="kind")
    folder = run_on(benchmark, tmp_path / "run", scripted, engine)
    check_run(read_run(folder))
    break_run(folder, lambda lines, result: result["scores"]["categories"]["a"].update(mean=1.0))
    with pytest.raises(DataError, match=r"says 1 on 'category:a', but samples\.jsonl makes 0"):
        check_run(read_run(folder))


def test_the_command_compares_no_broken_run(folder: Path) -> None:
    break_run(folder, line_lost)
    command = [str(Path(sys.executable).with_name("hub")), "compare", "run", "run"]
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: run: holds 3 of 4 samples: {CURE}\n"
