"""`hub eval --reward`, as a person runs it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hub.cli.main import main

PAIRS = [
    {
        "prompt": "Name a bird.",
        "chosen": "An owl, for instance.",
        "rejected": "owl owl owl owl",
        "subset": "birds",
    },
    {"prompt": "Name a fish.", "chosen": "eel", "rejected": "A sparrow is one of them.", "subset": "fish"},
    {"prompt": "Name a tree.", "chosen": "Oak and ash.", "rejected": "Ash and oak.", "subset": "trees"},
]
ON = ["--on", "preferences", "--benchmark-option", "path=pairs.jsonl"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which commands run, with data, a mix and a reward in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    Path("pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in PAIRS))
    Path("mix.toml").write_text('[[reward]]\nuse = "length"\nweight = 2.0\nwith = { min = 5 }\n')
    Path("picky.py").write_text(
        "import hub\n\n@hub.reward(needs=[])\ndef picky(sample):\n"
        '    """No eels."""\n    assert "eel" not in sample.text\n    return float(len(sample.text))\n'
    )
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["eval", *arguments])
    shown = capsys.readouterr()
    code = ended.value.code
    assert isinstance(code, int), code
    return code, shown.out if code < 2 else re.sub(r"\s+", " ", shown.err)


def test_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = run(capsys, "--reward", "repetition", "--with", "repetition.ngram=1", *ON, "--out", "out")
    assert code == 0, shown
    table = [re.split(r"\s{2,}", line.strip()) for line in shown.splitlines()]
    assert ["preferences", "score", "0.667", "0.500 to 1.000", "3", "0", "0%"] in table
    assert ["chosen longer", "1.000", "0.207 to 1.000", "1", "0"] in table
    assert ["chosen shorter", "0.500", "1", "0"] in table
    assert ["birds", "1.000", "0.207 to 1.000", "1", "0"] in table
    saved = json.loads(Path("out/preferences/result.json").read_text())
    assert saved["model"]["rewards"]["rewards"][0]["with"] == {"ngram": 1}
    code, again = run(
        capsys, "--reward", "repetition", "--with", "repetition.ngram=1", *ON, "--out", "out", "--resume"
    )
    assert (code, again) == (0, shown)
    with pytest.raises(SystemExit):
        main(["results", "show", "out/preferences", "--limit", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[3:7] == [
        "completion 1, a better one: worth 0", "An owl, for instance.", "completion 2: worth -0.75", "owl owl owl owl",
    ]  # fmt: skip


def test_a_mix_file_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = run(capsys, "--reward", "mix.toml", *ON, "--json")
    (result,) = json.loads(shown)
    assert code == 0
    assert result["scores"]["total"]["mean"] == pytest.approx((0.5 + 0 + 0.5) / 3)
    assert result["model"]["model"] == "2 length(min=5)"
    assert re.fullmatch(r"runs/mix/preferences-[0-9a-f]{16}", result["folder"])


def test_a_failure_is_counted_and_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = run(capsys, "--reward", "picky.py:picky", *ON, "--json")
    (result,) = json.loads(shown)
    total = result["scores"]["total"]
    assert (code, total["n"], total["failed_by_reason"]) == (1, 2, {"exception": 1})
    assert total["mean_if_failed_are_0"] == pytest.approx(1.5 / 3)
    assert run(capsys, "--reward", "picky.py:picky", *ON, "--out", "allowed", "--allow-failures")[0] == 0


BAD: list[tuple[str, list[str], str]] = [
    ("both", ["model", "--reward", "length", *ON], "give a MODEL, or rewards with --reward in its place"),
    ("a model where rewards belong", ["x/y", *ON], "'preferences' come with completions, to evaluate rewards on"),
    ("rewards where a model belongs", ["--reward", "length", "--on", "arithmetic"], "give a model in place of --reward"),
    ("a column that is not there", ["--reward", "math", *ON], "the rewards cannot be evaluated on benchmark"),
    ("decoding", ["--reward", "length", *ON, "--temperature", "1"], "rewards complete nothing"),
    ("a generator", ["--reward", "length", *ON, "--generator", "openai"], "rewards complete nothing"),
    ("an unknown reward", ["--reward", "lenght", *ON], "unknown reward 'lenght': did you mean 'length'?"),
    ("an option of none of them", ["--reward", "length", *ON, "--with", "prefers.x=1"], "no --reward is called 'prefers'"),
    ("two mix files", ["--reward", "mix.toml", "--reward", "length", *ON], "--reward names one mix file, or rewards"),
    ("options beside a mix file", ["--reward", "mix.toml", "--with", "length.max=3", *ON], "a mix file has `with"),
    ("no model", ["--reward", "reward-model", "--with", "reward-model.model=nowhere", *ON], "cannot be set up"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_input_is_one_message_and_exit_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[Any]
) -> None:
    code, shown = run(capsys, *arguments)
    assert code == 2
    assert words in shown
