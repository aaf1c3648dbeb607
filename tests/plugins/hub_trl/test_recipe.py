"""Wrong recipes: each gives one message that says where and what to do, before anything is trained."""

import json
import shutil
from pathlib import Path

import pytest

from hub.cli.main import main
from hub.errors import ConfigError
from hub_trl.configure import configure
from hub_trl.data import read_rows
from hub_trl.recipe import read_recipe

REWARDS = Path(__file__).with_name("rewards.py")
RECIPE = """\
[model]
path = "{model}"
[data]
file = "rows.jsonl"
map = {{ answer = "solution" }}
prompt = "What is {{question}}?"
[[reward]]
use = "{rewards}:has_answer"
weight = 0.5
[trainer]
algorithm = "grpo"
output = "out"
max_steps = 2
per_device_train_batch_size = 4
num_generations = 4
"""

WRONG = [
    # what, old text, new text, what the message must hold
    ("unknown table", "[model]", "[modle]", "recipe.toml:1: modle: unknown key: did you mean 'model'?"),
    (
        "unknown key of [model]",
        'path = "',
        'pth = "',
        "recipe.toml:2: model.pth: [model] has no option 'pth'",
    ),
    ("no model", 'path = "{model}"', "", "model: has no `path`"),
    (
        "missing folder",
        "{model}",
        "./nowhere",
        "recipe.toml:2: model.path: there is no folder ",
    ),
    (
        "unknown key of [data]",
        "file =",
        "fiel =",
        "data.fiel: [data] has no option 'fiel': did you mean 'file'?",
    ),
    ("missing file", "rows.jsonl", "gone.jsonl", "recipe.toml:4: data.file: there is no file"),
    (
        "two sources",
        "file =",
        'dataset = "x"\nfile =',
        "needs one of file, dataset, benchmark; it has file and",
    ),
    ("no source", 'file = "rows.jsonl"', "", "needs one of file, dataset, benchmark; it has none"),
    (
        "another ending",
        "rows.jsonl",
        "rewards.txt",
        "rewards.txt: no known format; the file's name should end in",
    ),
    ("not JSON", "rows.jsonl", "broken.jsonl", "broken.jsonl:2: not JSON"),
    ("not objects", "rows.jsonl", "lists.jsonl", "lists.jsonl:1: a row is a JSON object"),
    ("no rows", "rows.jsonl", "empty.jsonl", "empty.jsonl: there are no rows"),
    (
        "mapped column",
        '"solution"',
        '"soluton"',
        "recipe.toml:5: data.map.answer: row 1 has no column 'soluton'",
    ),
    (
        "template column",
        "{{question}}",
        "{{problem}}",
        "recipe.toml:6: data.prompt: row 1 has no column 'problem'",
    ),
    (
        "template braces",
        "{{question}}",
        "\\\\boxed{{}}",
        "data.prompt: {} names no column; for braces themselves",
    ),
    ("template half", "{{question}}", "{{", "recipe.toml:6: data.prompt: expected '}' before end of string"),
    ("no prompt", 'prompt = "What is {{question}}?"', "", "row 1 has no column 'prompt' (it has: answer, id"),
    ("limit", "[[reward]]", "limit = 0\n[[reward]]", "data.limit: should be at least 1"),
    (
        "options",
        "[[reward]]",
        "options = {{ n = 1 }}\n[[reward]]",
        "data.options: only a benchmark has options",
    ),
    (
        "option of another kind",
        "[[reward]]",
        'limit = "5"\n[[reward]]',
        "option 'limit' is '5', but should be int",
    ),
    ("completion", "[[reward]]", 'completion = "x"\n[[reward]]', "data.completion: is for SFT"),
    (
        "unknown benchmark",
        'file = "rows.jsonl"',
        'benchmark = "nope"',
        "data.benchmark: unknown benchmark 'nope'",
    ),
    (
        "TRL's column",
        '{{ answer = "solution" }}',
        '{{ answer = "solution", prompts = "id" }}',
        "column 'prompts'",
    ),
    ("no reward", "[[reward]]", "[reward]", "reward: write [[reward]], with two brackets"),
    (
        "unknown reward",
        "{rewards}:has_answer",
        "maths",
        "recipe.toml:8: reward[0].use: unknown reward 'maths'",
    ),
    ("not in the file", ":has_answer", ":hasanswer", "did you mean 'has_answer'?"),
    (
        "column of a reward",
        "{{ answer =",
        "{{ ansver =",
        "rows.jsonl: row 1 has no column 'answer', which the",
    ),
    ("not set up", ":has_answer", ":CannotBeMade", "cannot be set up: RuntimeError: no model weights here"),
    (
        "key of a reward",
        "weight = 0.5",
        "wieght = 0.5",
        "reward[0].wieght: unknown key: did you mean 'weight' or 'with'?",
    ),
    ("no mix", "[[reward]]", 'unused = "', "recipe.toml: not TOML"),
    (
        "algorithm",
        '"grpo"',
        '"ppo"',
        "recipe.toml:11: trainer.algorithm: should not be 'ppo': write one of grpo",
    ),
    ("no algorithm", 'algorithm = "grpo"', "", "trainer.algorithm: is missing: write one of grpo, rloo, sft"),
    ("rewards in SFT", '"grpo"', '"sft"', 'recipe.toml:7: reward: algorithm = "sft" takes no rewards'),
    ("no output", 'output = "out"', "", "trainer.output: should be the folder to write to"),
    ("unknown argument", "max_steps", "max_stepz", "recipe.toml:13: trainer.max_stepz: GRPOConfig of trl"),
    ("nearest argument", "max_steps", "max_stepz", "has no argument of this name: did you mean 'max_steps'"),
    ("argument renamed by TRL", "max_steps = 2", "kl_coef = 0.1", "did you mean 'beta'?"),
    (
        "argument of another kind",
        "max_steps = 2",
        'max_steps = "2"',
        "option 'max_steps' is '2', but should be int",
    ),
    (
        "argument of the hub",
        "max_steps",
        "output_dir = 'x'\nmax_steps",
        "trainer.output_dir: cannot be set: it is",
    ),
    ("refused by TRL", "num_generations = 4", "num_generations = 3", "GRPOConfig refuses it:"),
]


@pytest.fixture
def folder(tmp_path: Path, model_folder: Path) -> Path:
    rows = [{"id": n, "question": f"{n}+{n}", "solution": str(2 * n)} for n in range(4)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "broken.jsonl").write_text('{"a": 1}\n{"a": \n')
    (tmp_path / "lists.jsonl").write_text("[1]\n")
    (tmp_path / "empty.jsonl").write_text("\n")
    (tmp_path / "rewards.txt").write_text("")
    return tmp_path


def write(folder: Path, model: Path, old: str = "", new: str = "") -> Path:
    path = folder / "recipe.toml"
    assert old in RECIPE
    path.write_text(RECIPE.replace(old, new, 1).format(model=model, rewards=REWARDS))
    return path


@pytest.mark.parametrize(("old", "new", "message"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_wrong_recipes(
    folder: Path, model_folder: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    recipe = write(folder, model_folder, old, new)
    with pytest.raises(SystemExit) as stop:
        main(["train", str(recipe)])
    said = capsys.readouterr().err
    assert stop.value.code == 2, said
    error = said[said.index("error: ") :]
    assert message in error
    assert "Traceback" not in said
    assert not [entry for entry in (folder / "out").glob("**/*") if entry.is_file()]


def test_the_recipe_is_right_without_the_mistakes(
    folder: Path, model_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["train", str(write(folder, model_folder)), "--check"])
    assert stop.value.code == 0, capsys.readouterr().err


SETTINGS = [
    # setting, where it ends up
    ("trainer.max_steps=7", ("trainer", "max_steps"), 7),
    ("trainer.learning_rate = 1e-5", ("trainer", "learning_rate"), 1e-5),
    ("trainer.lr_scheduler_type=constant", ("trainer", "lr_scheduler_type"), "constant"),
    ('trainer.run_name="a = b"', ("trainer", "run_name"), "a = b"),
    ("trainer.logging_first_step=true", ("trainer", "logging_first_step"), True),
    ("reward.0.weight=[[0, 1.0], [9, 2.0]]", ("reward", 0, "weight"), [[0, 1.0], [9, 2.0]]),
    ("data.map.answer=question", ("data", "map", "answer"), "question"),
    ("on_failure=drop", ("on_failure",), "drop"),
]


@pytest.mark.parametrize(("setting", "keys", "value"), SETTINGS)
def test_settings_of_the_command_line(
    folder: Path, model_folder: Path, setting: str, keys: tuple[str | int, ...], value: object
) -> None:
    at = read_recipe(write(folder, model_folder), [setting]).written.tables
    for key in keys:
        at = at[key]  # type: ignore[index]
    assert at == value


WRONG_SETTINGS = [
    ("trainer.max_steps", "--set trainer.max_steps: should be like trainer.max_steps=4"),
    ("=4", "should be like"),
    ("trainer..x=4", "should be like"),
    ("reward.1.weight=2", "reward has 1 entries, counted from 0"),
    ("reward.first.weight=2", "reward has 1 entries, counted from 0"),
    ("trainer.output.x=2", "trainer.output is not a table"),
    ("trainer.algorithm=dpo", "--set trainer.algorithm: should not be 'dpo'"),
    ("data=3", "--set data: should be a table"),
]


@pytest.mark.parametrize(("setting", "message"), WRONG_SETTINGS)
def test_wrong_settings(folder: Path, model_folder: Path, setting: str, message: str) -> None:
    with pytest.raises(ConfigError) as found:
        read_recipe(write(folder, model_folder), [setting])
    assert message in str(found.value)


def test_a_mix_file(folder: Path, model_folder: Path) -> None:
    (folder / "mix.toml").write_text(f'on_failure = "drop"\n[[reward]]\nuse = "{REWARDS}:has_answer"\n')
    text = RECIPE.format(model=model_folder, rewards=REWARDS)
    without = text[: text.index("[[reward]]")] + text[text.index("[trainer]") :]
    (folder / "recipe.toml").write_text('mix = "mix.toml"\n' + without)
    mix = read_recipe(folder / "recipe.toml").mix
    assert mix is not None
    assert mix.config.on_failure == "drop"
    (folder / "recipe.toml").write_text('mix = "mix.toml"\n' + text)
    with pytest.raises(ConfigError, match=r"reward: belongs into mix\.toml"):
        read_recipe(folder / "recipe.toml")
    (folder / "recipe.toml").write_text(without)
    with pytest.raises(ConfigError, match=r"there is no \[\[reward\]\] and no mix"):
        read_recipe(folder / "recipe.toml")


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(("keys", "chat"), [("", True), ("chat = true", True), ("chat = false", False)])
def test_messages_where_the_model_has_a_chat_template(
    folder: Path, model_folder: Path, keys: str, chat: bool
) -> None:
    recipe = read_recipe(write(folder, model_folder, "[[reward]]", f"{keys}\n[[reward]]"))
    assert configure(recipe, read_rows(recipe)).chat is chat


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_model_without_a_chat_template(
    folder: Path, model_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(model_folder, folder / "plain")
    (folder / "plain" / "chat_template.jinja").unlink()
    recipe = read_recipe(write(folder, folder / "plain"))
    assert configure(recipe, read_rows(recipe)).chat is False
    with pytest.raises(SystemExit):
        main(["train", str(write(folder, folder / "plain", "[[reward]]", "chat = true\n[[reward]]"))])
    assert "recipe.toml:7: data.chat: chat messages need a chat template" in capsys.readouterr().err
