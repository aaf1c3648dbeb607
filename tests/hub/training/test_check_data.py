"""`hub export TRAINER mix.toml --data FILE`: what a mix lacks in each trainer's data is found before training."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub.cli.export import command
from hub.errors import ConfigError, DataError
from hub.training.export import export

MIX = """
[[reward]]
use = "math"
when = { task = "math" }
map = { answer = "gold" }

[[reward]]
use = "think-format"
"""
VERL = {
    "data_source": "d",
    "prompt": [],
    "reward_model": {"ground_truth": "4"},
    "extra_info": {"task": "math"},
}
MILES = {"prompt": "q", "ref": "4", "metadata": {"task": "math"}}
SKYRL = {
    "prompt": [],
    "env_class": "hub",
    "reward_spec": {"ground_truth": "4"},
    "extra_info": {"task": "math"},
}
PLAIN = {"prompt": "q", "task": "math", "gold": "4"}
ROWS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    # trainer, options, a row that has it all
    ("trl", {}, PLAIN),
    ("areal", {}, PLAIN),
    ("verl", {"answer": "gold"}, VERL),
    ("openrlhf", {"label_key": "ref"}, {"prompt": "q", "ref": json.dumps({"task": "math", "gold": "4"})}),
    ("miles", {"label": "gold", "label_key": "ref"}, MILES),
    (
        "slime",
        {"label": "gold", "label_key": "ref", "metadata_key": "more"},
        {"ref": "4", "more": {"task": "math"}},
    ),
    ("skyrl", {"label": "gold"}, SKYRL),
]


@pytest.fixture
def mix(tmp_path: Path) -> Path:
    (tmp_path / "mix.toml").write_text(MIX)
    return tmp_path / "mix.toml"


def data(mix: Path, *rows: dict[str, Any]) -> Path:
    path = mix.parent / "train.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def without(row: dict[str, Any], name: str) -> dict[str, Any]:
    """The row without a value somewhere in it."""
    cut: dict[str, Any] = json.loads(
        json.dumps(row).replace(f'"{name}"', '"other"').replace(f'\\"{name}\\"', '\\"other\\"')
    )
    return cut


@pytest.mark.parametrize(("trainer", "options", "row"), ROWS)
def test_a_column_that_is_not_there_is_found_in_each_trainers_rows(
    mix: Path, trainer: str, options: dict[str, Any], row: dict[str, Any]
) -> None:
    path = data(mix, row, row)
    told = export(trainer, mix, mix.parent / "out", data=[path], **options).instructions
    assert f"# {path}: 2 rows, each with what the mix needs\n" in told
    path = data(mix, row, without(row, "task"))
    assert "2 rows, " in export(trainer, mix, mix.parent / "out", data=[path], **options).instructions, (
        "not routed"
    )
    path = data(mix, without(row, "task"))
    with pytest.raises(ConfigError, match=r"no row has a column 'task'"):
        export(trainer, mix, mix.parent / "out2", data=[path], **options)
    assert not (mix.parent / "out2").exists()


WRONG: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("trl", {}, without(PLAIN, "gold"), r"train.jsonl, as trl .* row 2 has no column 'gold'.* 'math' takes"),
    (
        "trl",
        {},
        {**PLAIN, "completions": 1},
        r"row 2: the data has a column 'completions', which is what TRL",
    ),
    (
        "verl",
        {"answer": "gold"},
        without(VERL, "ground_truth"),
        r"row 2 has no column 'gold'.*as such: .*reward_model",
    ),
    (
        "verl",
        {"answer": "gold"},
        {**VERL, "extra_info": "task"},
        r"row 2: 'extra_info' is 'task', but verl wants",
    ),
    ("openrlhf", {}, PLAIN, r"--data.label_key: --with label_key=NAME"),
    ("openrlhf", {"label_key": "ref"}, PLAIN, r"row 2: no column 'ref', .* \(it has: gold, prompt, task\)"),
    ("miles", {"label": "gold", "label_key": "ref"}, PLAIN, r"row 2: no column 'ref'"),
    (
        "miles",
        {"label": "gold", "label_key": "ref"},
        {"ref": "4", "metadata": [1]},
        r"row 2: 'metadata' is \[1\]",
    ),
    ("tinker", {}, PLAIN, r"tinker makes its rows in Python.*mix.check"),
]


@pytest.mark.parametrize(("trainer", "options", "row", "said"), WRONG)
def test_what_is_wrong_is_said_with_the_row(
    mix: Path, trainer: str, options: dict[str, Any], row: dict[str, Any], said: str
) -> None:
    good = next((good for name, _, good in ROWS if name == trainer), PLAIN)
    with pytest.raises(ConfigError, match=said):
        export(trainer, mix, mix.parent / "out", data=[data(mix, good, row)], **options)


def test_files_that_are_none(mix: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.jsonl"):
        export("trl", mix, mix.parent / "out", data=[mix.parent / "gone.jsonl"])
    with pytest.raises(ConfigError, match="has no rows"):
        export("trl", mix, mix.parent / "out", data=[data(mix)])


def test_on_the_command_line(mix: Path) -> None:
    path = data(mix, MILES)
    given = ["miles", str(mix), "--out", str(mix.parent / "out"), "--data", str(path), "--with", "label=gold"]
    done = CliRunner().invoke(command, [*given, "--with", "label_key=ref"], catch_exceptions=False)
    assert done.exit_code == 0
    assert f"# {path}: 1 row, with what the mix needs" in done.output
    assert done.output.rstrip().endswith("--label-key ref")
