"""What cannot ask in turns says so, whatever it is asked with."""

from dataclasses import replace
from pathlib import Path

import pytest

from hub.cli.main import main
from hub.errors import ConfigError
from hub.origin import Origin
from hub.plugins import load, open_target

MESSAGE = r"'mt-bench' asks in turns \(row '81/2' goes on after '81/1'\)"


def test_lm_eval(data: Path) -> None:
    pytest.importorskip("lm_eval", reason="lm-eval is not installed")
    make = open_target("hub_lm_eval.hub_task:HubTask", Origin())
    with pytest.raises(ConfigError, match=MESSAGE + ", which lm-eval cannot do: run it with hub eval"):
        make({"benchmark": "mt-bench"})


def test_inspect(data: Path) -> None:
    pytest.importorskip("inspect_ai", reason="Inspect is not installed")
    make = open_target("hub_inspect.task:make_task", Origin())
    with pytest.raises(ConfigError, match=MESSAGE):
        make("mt-bench", None, None, {})


def test_training(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a benchmark that offers its rows for it; MT-Bench does not."""
    known = load().benchmarks
    trainable = replace(known["mt-bench"], splits=("test", "train"))
    monkeypatch.setitem(known.items, "mt-bench", trainable)
    recipe = tmp_path / "grpo.toml"
    recipe.write_text(
        '[model]\npath = "tiny"\n[trainer]\nalgorithm = "grpo"\noutput = "out"\n'
        '[data]\nbenchmark = "mt-bench"\n[[reward]]\nuse = "length"\nwith = { max = 9 }\n'
    )
    with pytest.raises(SystemExit) as ended:
        main(["train", str(recipe)])
    assert ended.value.code == 2
    assert (
        "asks in turns (row '81/2' goes on after '81/1'), which training cannot do" in capsys.readouterr().err
    )
