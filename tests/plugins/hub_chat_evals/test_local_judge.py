"""The whole path with a model on this machine as the judge: served, asked over HTTP, by `hub eval`.

The model is tiny and its weights are random, so it says nothing that could be read; that its answers and
log-probabilities arrive, and come out as what they are, is what can be seen here.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.cli.main import main
from hub.evaluation.stored import read_run
from tests.plugins.hub_generators import tiny_model

HUB = str(Path(sys.executable).with_name("hub"))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # AlpacaEval's judge has a system message, which the tiny model's own template refuses.
    folder = tiny_model.save(tmp_path_factory.mktemp("judge"), context=16384)
    template = folder / "chat_template.jinja"
    template.write_text(re.sub(r"{% if m\['role'\] == 'system' %}.*?{% endif %}", "", template.read_text()))
    command = [HUB, "serve-model", str(folder), "--port", "0", "--name", "tiny"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as server:
        assert server.stdout is not None
        yield server.stdout.readline().rsplit(maxsplit=1)[-1]
        server.send_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("benchmark", "reward", "detail"),
    [
        (
            "alpaca-eval",
            "judge-versus",
            r"neither 'm' nor 'M' is among the judge's likeliest tokens \('.*', '.*'\)",
        ),
        ("mt-bench", "judge", "the judge's answer has no verdict"),
    ],
)
def test_a_model_on_this_machine_is_the_judge(
    benchmark: str,
    reward: str,
    detail: str,
    address: str,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--limit", "2", "--max-new-tokens", "8", "--benchmark-option", "controls=1", "--out", "out"]
    options += ["--with", f"{reward}.url={address}", "--with", f"{reward}.model=tiny"]
    options += ["--with", "judge.max_tokens=8"] if reward == "judge" else []
    with pytest.raises(SystemExit) as ended:
        main(["eval", address, "--on", benchmark, *options])
    assert ended.value.code == 1  # what could not be scored is told
    run = read_run(tmp_path / "out" / benchmark)
    totals = [line["result"]["total"] for line in run.samples.values()]
    assert len(totals) == (4 if benchmark == "mt-bench" else 2)
    for total in totals:
        assert (total["outcome"], total["reason"]) == ("failed", "bad_value")
        assert re.search(detail, total["detail"])
    metrics = run.result["scores"]["metrics"]
    assert (metrics["unreadable"], metrics["judge requests"]) == (
        1.0,
        len(totals) * 2.5,
    )
