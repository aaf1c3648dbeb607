"""What a mix needs of a row, and which trainers are told that they cannot give it."""

from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import ConfigError
from hub.training.export import export
from hub.training.needs import columns_needed

OVERLONG = '[[reward]]\nuse = "soft-overlong"\nwith = { max_tokens = 100, buffer = 20 }\n'
TOKENS = '[[reward]]\nuse = "length"\nwith = { max = 9, unit = "tokens" }\n'
WORDS = '[[reward]]\nuse = "length"\nwith = { max = 9, unit = "words" }\n'
MAPPED = '[[reward]]\nuse = "math"\nwhen = { task = "math" }\nmap = { answer = "reference" }\n'


def mix_file(folder: Path, text: str) -> Path:
    (folder / "mix.toml").write_text(text)
    return folder / "mix.toml"


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ('[[reward]]\nuse = "math"\n', {"answer": ["math"]}),
        (MAPPED, {"reference": ["math"], "task": ["math"]}),
        (OVERLONG, {"completion_ids": ["soft-overlong"]}),
        (TOKENS, {"completion_ids": ["length"]}),
        (WORDS, {}),
        (
            OVERLONG + 'map = { completion_ids = "ids" }\n' + TOKENS,
            {"ids": ["soft-overlong"], "completion_ids": ["length"]},
        ),
    ],
)
def test_the_columns_that_a_mix_needs(tmp_path: Path, text: str, needed: dict[str, list[str]]) -> None:
    assert columns_needed(hub.Mix.load(mix_file(tmp_path, text))) == needed


@pytest.mark.parametrize("text", [OVERLONG, TOKENS])
@pytest.mark.parametrize(
    ("trainer", "options"),
    [
        ("skyrl", {}),
        ("nemo-rl", {}),
        ("torchforge", {}),
        ("verifiers", {}),
        ("openrlhf", {"url": "http://host:8000"}),
        ("miles", {"url": "http://host:8000/remote_rm"}),
    ],
)
def test_who_does_not_give_tokens_says_so_before_training(
    tmp_path: Path, trainer: str, options: dict[str, Any], text: str
) -> None:
    with pytest.raises(ConfigError, match="'completion_ids'"):
        export(trainer, mix_file(tmp_path, text), tmp_path / "out", **options)
    export(trainer, mix_file(tmp_path, WORDS), tmp_path / "out", **options)


@pytest.mark.parametrize("trainer", ["trl", "verl", "openrlhf", "miles", "slime", "areal", "tinker"])
def test_who_gives_tokens(tmp_path: Path, trainer: str) -> None:
    export(trainer, mix_file(tmp_path, OVERLONG), tmp_path / "out")


@pytest.mark.parametrize(
    ("trainer", "name"), [("verl", "def compute_score"), ("openrlhf", "def reward_func")]
)
def test_functions_that_see_text_alone_are_left_out(tmp_path: Path, trainer: str, name: str) -> None:
    for text, there in ((OVERLONG, False), (WORDS, True)):
        exported = export(trainer, mix_file(tmp_path, text), tmp_path / "out", overwrite=True)
        assert (name in "".join(exported.files.values())) == there
