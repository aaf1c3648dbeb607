"""Models that are not whole: one clear error, and never a completion that random numbers made."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from hub.errors import GeneratorError
from hub.generator import Decoding
from hub.open import open_generator

WEIGHTS = "model.safetensors"
TENSOR = "model.layers.0.mlp.down_proj.weight"


def without_a_tensor(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    del weights[TENSOR]
    save_file(weights, folder / WEIGHTS, {"format": "pt"})


def not_a_number(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    weights[TENSOR] = torch.full_like(weights[TENSOR], float("nan"))
    save_file(weights, folder / WEIGHTS, {"format": "pt"})


def half_copied(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:5000])


def without_config(folder: Path) -> None:
    (folder / "config.json").unlink()


@pytest.mark.parametrize("slots", [True, False])
@pytest.mark.parametrize(
    ("spoil", "decoding", "words"),
    [
        (without_a_tensor, Decoding(4), f"lacks weights .{TENSOR}.*random numbers"),
        (not_a_number, Decoding(4), "logits are no numbers"),
        (not_a_number, Decoding(4, temperature=1.0, top_p=0.9), "logits are no numbers"),
        (half_copied, Decoding(4), "the folder .* cannot be loaded .*incomplete"),
        (without_config, Decoding(4), "holds no model: there is no config.json"),
    ],
)
def test_it_is_refused(
    plain_model: Path,
    tmp_path: Path,
    spoil: Callable[[Path], None],
    decoding: Decoding,
    words: str,
    slots: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not slots:
        monkeypatch.setattr("hub_generators.transformers_model.fits", lambda model: False)
    folder = Path(shutil.copytree(plain_model, tmp_path / "model"))
    spoil(folder)
    with pytest.raises(GeneratorError, match=f"(?s){words}"):
        list(open_generator(str(folder), "transformers").generate(["x", "2+2?"], decoding))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("./nosuch", "there is no folder"),
        ("runs/train/checkpoint-100", "there is no folder"),
        ("http://127.0.0.1:9/v1", "there is no folder"),
        (__file__, "is a file"),
    ],
)
def test_what_is_no_name_of_a_model(name: str, words: str) -> None:
    with pytest.raises(GeneratorError, match=words):
        open_generator(name, "transformers")
