"""`hub results`: what runs say, in every format, and nothing of a run that could drive a terminal or a sheet."""

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import hub
from hub.errors import ConfigError
from hub.evaluation.checked import CURE
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub.evaluation.stored import StoredRun, find_runs, read_run
from hub_results.every_eval_ever import aggregate, instances, model_id
from hub_results.hugging_face import entry
from hub_results.listing import COLUMNS, choose, rows
from hub_results.samples import samples
from hub_results.tables import as_csv, as_markdown

BENCHMARK = """
import hub

def rows(split):
    for n in range(6):
        yield {"id": f"q{n}", "prompt": f"{n}", "answer": str(n), "kind": "odd" if n % 2 else "even"}

@hub.reward(needs=["answer"])
def right(sample):
    if sample.text == "break":
        raise RuntimeError("the disk | is <full>")
    return None if sample.text == "abstain" else float(sample.text == sample["answer"])

def lengths(lines):
    return {"length": [len(line["completion"]) for line in lines], "lines": len(lines)}

mix = {"reward": [{"use": __file__ + ":right"}]}
many = hub.Benchmark("many", "many:rows", mix, "Numbers.", category="kind", metrics="many:lengths")

def talk(split):
    for n in range(2):
        yield {"id": f"t{n}/1", "prompt": f"{n}", "answer": str(n), "kind": "safe"}
        yield {"id": f"t{n}/2", "prompt": f"{n + 2}", "answer": str(n), "kind": "unsafe", "after": f"t{n}/1"}

rates = {"reward": [
    {"use": __file__ + ":right", "name": kind, "when": {"kind": kind}, "weight": 0.0} for kind in ("safe", "unsafe")
] + [{"use": __file__ + ":right", "name": "costs", "weight": -1.0}]}
talks = hub.Benchmark("my/talks", "many:talk", rates, "Talks.", category="kind", metrics="many:lengths",
                      headline=("safe", "unsafe"), lower_is_better=("safe", "lines"))
"""


class Says:
    """A generator that answers as it is told."""

    def __init__(self, name: str, answers: Sequence[str]) -> None:
        self.name, self.answers = name, answers

    def generate(self, prompts: Sequence[Any], decoding: hub.Decoding) -> Iterator[hub.Completion]:
        for index, prompt in enumerate(prompts):
            asked = prompt if isinstance(prompt, str) else prompt[-1]["content"]
            yield hub.Completion(index, self.answers[int(asked)], "length" if index == 1 else "stop", 3)

    def describe(self) -> Mapping[str, Any]:
        return {"generator": "says", "folder": f"models/{self.name}", "weights": "0123456789abcdef"}

    def close(self) -> None:
        pass


ANSWERS = {
    "good": ["0", "1", "2", "3", "x", "5"],
    "odd": ["0", "break", "abstain", "\x1b[31mred\x07", "4", "=1+1"],
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    (folder / "many.py").write_text(BENCHMARK)
    with hub.Engine(1) as engine:
        for name, answers in ANSWERS.items():
            plan = make_plan(f"{folder}/many.py:many")
            evaluate(plan, Says(name, answers), folder / "runs" / name / "many", engine=engine)
    return folder


@pytest.fixture
def odd(root: Path) -> StoredRun:
    return read_run(root / "runs" / "odd")


def hub_results(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("hub")), "results", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_rows_are_what_the_result_says(odd: StoredRun) -> None:
    (row,) = rows(odd)
    assert list(row) == list(COLUMNS)
    total = odd.result["scores"]["total"]
    assert (row["score"], [row["low"], row["high"]]) == (total["mean"], total["interval_95"])
    assert (row["n"], row["failed"], row["model"]) == (4, 1, "models/odd")
    assert [row["score"] for row in rows(odd, ["category:even", "right"])] == [1.0, 0.5]
    with pytest.raises(ConfigError, match="did you mean 'category:even'"):
        list(rows(odd, ["category:eve"]))


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ({}, ["good", "odd"]),
        ({"model": "g*"}, ["good"]),
        ({"model": "models/odd"}, ["odd"]),
        ({"benchmark": "few"}, []),
        ({"newest": True}, ["good", "odd"]),
    ],
)
def test_runs_are_chosen_by_patterns(root: Path, patterns: Any, expected: list[str]) -> None:
    runs, problems = find_runs(root)
    assert [run.path.parent.name for run in choose(runs, **patterns)] == expected
    assert problems == []


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("all", ["q0", "q1", "q2", "q3", "q4", "q5"]),
        ("right", ["q0", "q4"]),
        ("wrong", ["q3", "q5"]),
        ("failed", ["q1"]),
        ("abstained", ["q2"]),
        ("cut", ["q1"]),
    ],
)
def test_samples_by_what_came_of_them(odd: StoredRun, kind: str, expected: list[str]) -> None:
    assert [line["id"] for line in samples(odd, kind)] == expected


def test_csv_and_markdown_hold_what_a_model_wrote_harmlessly(odd: StoredRun) -> None:
    row = {**next(rows(odd)), "model": "=cmd|' /C calc'!A0", "benchmark": "a|b<script>\n"}
    (read,) = csv.DictReader(io.StringIO(as_csv([row])))
    assert read["model"] == "'=cmd|' /C calc'!A0"
    assert float(read["score"]) == row["score"]
    line = as_markdown([row]).splitlines()[-1]
    assert line.startswith("| a\\|b&lt;script>  | score |")


def test_every_eval_ever_fits_its_schemas(root: Path, shared_data: Path) -> None:
    schemas = {
        n: json.loads((shared_data / "schemas" / f"{n}.schema.json").read_text())
        for n in ("eval", "instance_level_eval")
    }
    done = hub_results(
        root, "export", "runs", "--format", "every-eval-ever", "--out", "export", "--organization", "us"
    )
    assert done.returncode == 0, done.stderr
    records = sorted((root / "export").rglob("*.json"))
    assert len(records) == 2
    for file in records:
        record = json.loads(file.read_text())
        jsonschema.validate(record, schemas["eval"])
        lines = file.with_name(f"{file.stem}_samples.jsonl").read_text().splitlines()
        assert record["detailed_evaluation_results"]["total_rows"] == len(lines)
        assert (root / "export" / record["detailed_evaluation_results"]["file_path"]).exists()
        for line in lines:
            jsonschema.validate(json.loads(line), schemas["instance_level_eval"])
            assert json.loads(line)["evaluation_id"] == record["evaluation_id"]
    assert {json.loads(file.read_text())["model_info"]["id"] for file in records} == {
        "local/good-01234567",
        "local/odd-01234567",
    }


def test_every_eval_ever_knows_turns_and_what_is_better_lower(
    root: Path, shared_data: Path, tmp_path: Path
) -> None:
    with hub.Engine(1) as engine:
        evaluate(
            make_plan(f"{root}/many.py:talks"), Says("x", ANSWERS["good"]), tmp_path / "run", engine=engine
        )
    run = read_run(tmp_path / "run")
    done = hub_results(tmp_path, "export", "run", "--format", "every-eval-ever", "--out", "out")
    assert done.returncode == 0, done.stderr
    (file,) = (tmp_path / "out" / "data" / "my-talks").glob("local/x-01234567/*.json")
    record = json.loads(file.read_text())
    schema = json.loads((shared_data / "schemas" / "eval.schema.json").read_text())
    jsonschema.validate(record, schema)
    lower = {
        one["evaluation_result_id"].removeprefix("my/talks/"): one["metric_config"]
        for one in record["evaluation_results"]
    }
    assert {name for name, config in lower.items() if config["lower_is_better"]} == {
        "safe", "costs", "metric:lines", "category:safe",
    }  # fmt: skip
    assert {"score", "unsafe", "metric:length", "category:unsafe"} <= lower.keys()
    found = {line["sample_id"]: line for line in instances(run, "e")}
    schema = json.loads((shared_data / "schemas" / "instance_level_eval.schema.json").read_text())
    for line in found.values():
        jsonschema.validate(line, schema)
    assert (found["t1/1"]["interaction_type"], found["t1/1"]["output"]) == ("single_turn", {"raw": ["1"]})
    second = found["t1/2"]
    assert (second["interaction_type"], second["output"], second["input"]["raw"]) == ("multi_turn", None, "3")
    assert [(one["role"], one["content"]) for one in second["messages"]] == [
        ("user", "1"), ("assistant", "1"), ("user", "3"), ("assistant", "3"),
    ]  # fmt: skip
    assert second["evaluation"]["num_turns"] == 2


def test_every_eval_ever_keeps_numbers_and_leaves_no_failure_out_in_silence(odd: StoredRun) -> None:
    record = aggregate(odd, "data/x.jsonl", "00", retrieved=1.0, organization="us")
    by_name = {one["evaluation_result_id"]: one for one in record["evaluation_results"]}
    total = by_name["many/score"]["score_details"]
    assert total["score"] == 0.5
    assert json.loads(total["details"]["failed_by_reason"]) == {"exception": 1}
    assert total["uncertainty"]["confidence_interval"]["method"] == "wilson"
    assert [line["sample_id"] for line in instances(odd, "e")] == ["q0", "q3", "q4", "q5"]
    assert model_id(odd) == "local/odd-01234567"


def test_hugging_face(odd: StoredRun, root: Path) -> None:
    (made,) = yaml.safe_load(entry(odd, "score", "org/many"))
    assert made["dataset"] == {"id": "org/many", "task_id": "default"}
    assert made["value"] == 0.5
    assert "1 of 5 could not be scored" in made["notes"]
    with pytest.raises(ConfigError, match="--dataset"):
        entry(odd, "score")
    arguments = ("export", "runs/odd", "--format", "hugging-face", "--dataset", "org/many", "--out", "hf")
    assert hub_results(root, *arguments).returncode == 0
    assert yaml.safe_load((root / "hf" / ".eval_results" / "many.yaml").read_text()) == [made]


def test_the_command_lists_and_shows(root: Path) -> None:
    listed = json.loads(hub_results(root, "list", "runs", "--json", "--metric", "all").stdout)
    assert {row["metric"] for row in listed} == {
        "score",
        "right",
        "metric:length",
        "metric:lines",
        "category:even",
        "category:odd",
    }
    assert {row["score"]: row["low"] is None for row in listed if row["metric"] == "metric:lines"} == {
        6.0: True
    }
    assert all(row["low"] <= row["score"] for row in listed if row["metric"] == "metric:length")
    shown = hub_results(root, "list", "runs", "--model", "odd").stdout
    assert "0.500" in shown
    text = hub_results(root, "show", "runs/odd", "--id", "q3").stdout
    assert "\\x1b[31mred\\x07" in text
    assert "\x1b[31m" not in text.replace("\x1b[1m", "")
    failed = hub_results(root, "show", "runs/odd", "--only", "failed")
    assert "exception: RuntimeError: the disk | is <full>" in failed.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["list", "nowhere"], 2, "does not exist"),
        (["list", "runs", "--on", "few"], 0, "no complete run below runs fits"),
        (["show", "runs"], 2, "is not the folder of a run"),
        (["export", "runs", "--format", "hugging-face", "--out", "o"], 2, "2 runs fit"),
        (["export", "runs", "--format", "every-eval-ever"], 2, "needs --out"),
        (["show", "runs/odd", "--metric", "rigt"], 2, "did you mean 'right'"),
    ],
)
def test_what_is_wrong_is_said(root: Path, arguments: list[str], code: int, message: str) -> None:
    done = hub_results(root, *arguments)
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr


@pytest.mark.parametrize("kind", ["csv", "markdown", "every-eval-ever", "hugging-face"])
def test_nothing_is_exported_where_a_run_lacks_samples(root: Path, tmp_path: Path, kind: str) -> None:
    shutil.copytree(root / "runs", tmp_path / "runs")
    file = tmp_path / "runs" / "odd" / "many" / "samples.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[1:]))
    arguments = ("--format", kind, "--out", "out", "--dataset", "org/many")
    done = hub_results(tmp_path, "export", "runs" if kind != "hugging-face" else "runs/odd", *arguments)
    assert (done.returncode, done.stderr) == (
        2,
        f"error: {file.parent.relative_to(tmp_path)}: holds 5 of 6 samples: {CURE}\n",
    )
    assert not (tmp_path / "out").exists()
    assert hub_results(tmp_path, "export", "runs/good", *arguments).returncode == 0
    assert (tmp_path / "out").exists()
