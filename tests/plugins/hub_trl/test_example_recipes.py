"""The recipes in examples/recipes: each can be read, and trains where a small model stands in for theirs."""

from pathlib import Path

import pytest

import hub
from hub.cli.main import main
from hub_trl.configure import configure
from hub_trl.recipe import read_recipe

FOLDER = Path(__file__).resolve().parents[3] / "examples" / "recipes"
RECIPES = sorted(path.name for path in FOLDER.glob("*.toml"))


def test_there_are_recipes() -> None:
    assert "own_reward.toml" in RECIPES


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("name", RECIPES)
def test_they_are_right(name: str, model_folder: Path) -> None:
    recipe = read_recipe(FOLDER / name, [f"model.path={model_folder}"])
    assert recipe.mix is not None
    assert recipe.output.parent == FOLDER / "runs"
    configured = configure(recipe, [{"prompt": "2+2?"}])
    assert configured.config.output_dir == str(recipe.output / "checkpoints")


def test_the_one_with_an_own_reward_trains(tmp_path: Path, model_folder: Path) -> None:
    quick = {
        "model.path": model_folder,
        "trainer.output": tmp_path / "out",
        "trainer.max_steps": 1,
        "trainer.max_completion_length": 8,
    }
    settings = [part for key, value in quick.items() for part in ("--set", f"{key}={value}")]
    with pytest.raises(SystemExit) as stop:
        main(["train", str(FOLDER / "own_reward.toml"), *settings])
    assert not stop.value.code
    assert hub.Mix({f"{FOLDER}/brief.py:brief": 1.0}).score([hub.Sample("", "So be it.")])[0].value == 1.0
    assert (tmp_path / "out" / "summary.json").exists()
