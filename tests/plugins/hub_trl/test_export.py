"""`hub export trl`: the module that is written, and what is to be given to TRL."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import ConfigError, OptionError
from hub.training.export import export

MIX = """
[[reward]]
use = "math"

[[reward]]
use = "think-format"
weight = 0.2

[[reward]]
use = "think-format"
name = "2 functions.mix"
weight = 0.0

[[reward]]
use = "think-format"
name = "mix"
weight = 0.5
"""
GDPO = 'aggregate = "normalize_then_sum"\n'
SCHEDULE = '[[reward]]\nuse = "math"\nweight = [[0, 1.0], [9, 2.0]]\n'
EXPORTS: list[tuple[str, dict[str, Any], list[str], str]] = [
    # mix, options, names in the module, what is said
    (
        MIX,
        {},
        ["math", "think_format", "_2_functions_mix", "mix_"],
        "  - hub_trl_a_mix.mix_\nreward_weights: [1.0, 0.2, 0.0, 0.5]\n",
    ),
    (GDPO + MIX, {}, ["math"], "\nmulti_objective_aggregation: normalize_then_sum\n"),
    (GDPO + MIX, {"algorithm": "rloo"}, ["total"], "trl rloo --config FILE"),
    (MIX, {"combined": True}, ["total"], "  - hub_trl_a_mix.total\nreward_weights: [1.0]\n"),
    (SCHEDULE, {}, ["total"], "from trl import GRPOConfig, GRPOTrainer"),
    (MIX, {"algorithm": "async_grpo"}, ["math"], "from trl.experimental.async_grpo import AsyncGRPOConfig"),
    (MIX, {"algorithm": "online_dpo"}, ["total"], "from trl.experimental.online_dpo import OnlineDPOConfig"),
    (MIX, {"asynchronous": True}, ["math"], "reward_funcs:\n  - hub_trl_a_mix.math\n"),
]
READ = """
import inspect, json, hub_trl_a_mix as module
print(json.dumps([[f.__name__ for f in module.functions], module.arguments,
                  [inspect.iscoroutinefunction(f) for f in module.functions],
                  [getattr(module, n) is f for n, f in zip(NAMES, module.functions)]]))
"""


@pytest.fixture
def mix_file(tmp_path: Path) -> Path:
    return tmp_path / "a mix.toml"


@pytest.mark.parametrize(("text", "options", "names", "said"), EXPORTS)
def test_the_module_and_what_names_it(
    mix_file: Path, tmp_path: Path, text: str, options: dict[str, Any], names: list[str], said: str
) -> None:
    mix_file.write_text(text, encoding="utf-8")
    exported = export("trl", mix_file, tmp_path / "to", **options)
    assert said in exported.instructions
    if options.get("algorithm") in ("async_grpo", "online_dpo"):
        assert "--config" not in exported.instructions
    written: dict[str, Any] = {}
    exec((tmp_path / "to" / "hub_trl_a_mix.py").read_text(), written)
    functions = written["functions"]
    assert all(written[name] is function for name, function in zip(names, functions, strict=False))
    is_one = names == ["total"]
    assert [function.__name__ for function in functions] == (
        ["total"] if is_one else list(hub.Mix.load(mix_file).names)
    )


def test_it_is_a_module_for_another_process(mix_file: Path, tmp_path: Path) -> None:
    mix_file.write_text(MIX, encoding="utf-8")
    export("trl", mix_file, tmp_path / "to")

    def read() -> "subprocess.CompletedProcess[str]":
        names = ["math", "think_format", "_2_functions_mix", "mix_"]
        code = READ.replace("NAMES", repr(names))
        return subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path / "to", capture_output=True, text=True, check=False
        )

    names, arguments, is_async, same = json.loads(read().stdout)
    assert names == ["math", "think-format", "2 functions.mix", "mix"]
    assert arguments == {"reward_weights": [1.0, 0.2, 0.0, 0.5]}
    assert (is_async, same) == ([False] * 4, [True] * 4)
    mix_file.write_text(SCHEDULE, encoding="utf-8")
    assert "has changed since it was exported" in read().stderr


def test_two_mixes_in_one_process(mix_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mix_file.write_text(MIX, encoding="utf-8")
    mix_file.with_name("other.toml").write_text(SCHEDULE, encoding="utf-8")
    export("trl", mix_file, tmp_path / "to", module="chosen")
    export("trl", mix_file.with_name("other.toml"), tmp_path / "to")
    monkeypatch.syspath_prepend(str(tmp_path / "to"))
    chosen, other = map(importlib.import_module, ("chosen", "hub_trl_other"))
    assert [len(module.functions) for module in (chosen, other)] == [4, 1]
    for module in ("a.b", "class", "1st", "../x"):
        with pytest.raises(ConfigError, match="is no name for a module"):
            export("trl", mix_file, tmp_path / "to", module=module)


def test_what_trl_cannot_do(mix_file: Path, tmp_path: Path) -> None:
    mix_file.write_text(SCHEDULE, encoding="utf-8")
    with pytest.raises(ConfigError, match="AsyncGRPOTrainer tells no step"):
        export("trl", mix_file, tmp_path, algorithm="async_grpo")
    with pytest.raises(ConfigError, match="awaits nothing"):
        export("trl", mix_file, tmp_path, algorithm="online_dpo", asynchronous=True)
    with pytest.raises(ConfigError, match="not 'kto'"):
        export("trl", mix_file, tmp_path, algorithm="kto")
    with pytest.raises(OptionError, match="algoritm"):
        export("trl", mix_file, tmp_path, algoritm="grpo")
    assert list(tmp_path.glob("*.py")) == []
