"""Which folders are taken, and which are refused."""

import fcntl
import json
from pathlib import Path
from typing import Any

import pytest

from hub.errors import DataError
from hub.evaluation.fingerprint import hash_config, hash_tokenizer, hash_weights
from hub.evaluation.folder import FORMAT, open_folder
from hub.evaluation.recipe import hash_recipe

RECIPE: dict[str, Any] = {"decoding": {"seed": 0}, "benchmark": {"rows": 2}, "samples_per_prompt": 1}


def begin(folder: Path, **changes: Any) -> None:
    """Leave what an interrupted run leaves."""
    folder.mkdir(exist_ok=True)
    recipe = {"format": FORMAT, "hash": hash_recipe(RECIPE), "recipe": RECIPE, **changes}
    (folder / "recipe.json").write_text(json.dumps(recipe))
    sample = {"result": {"row": 0, "sample": 0}}
    (folder / "samples.jsonl").write_text(json.dumps(sample) + "\n")


def test_a_folder_is_made_with_its_parents_and_taken_up_again(tmp_path: Path) -> None:
    with open_folder(tmp_path / "a" / "b", RECIPE, resume=False) as run:
        assert (run.samples, run.completions, run.is_complete) == ({}, {}, False)
    with open_folder(tmp_path / "a" / "b", RECIPE, resume=True):
        pass


def test_resume_without_a_run_begins_one(tmp_path: Path) -> None:
    with open_folder(tmp_path, RECIPE, resume=True) as run:
        assert (run.path / "recipe.json").exists()


def test_what_a_kill_left_aside_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "recipe.json.tmp").write_text("{")
    with open_folder(tmp_path, RECIPE, resume=False):
        assert json.loads((tmp_path / "recipe.json").read_text())["recipe"] == RECIPE


def other_files(folder: Path) -> None:
    (folder / "thesis.tex").write_text("precious")


def unfinished(folder: Path) -> None:
    begin(folder)


def complete(folder: Path) -> None:
    begin(folder)
    (folder / "result.json").write_text("{}")


def other_recipe(folder: Path) -> None:
    begin(folder, hash="0", recipe={**RECIPE, "decoding": {"seed": 1}})


def other_format(folder: Path) -> None:
    begin(folder, format=FORMAT + 1)


def no_json(folder: Path) -> None:
    begin(folder)
    (folder / "recipe.json").write_text("{")


def no_object(folder: Path) -> None:
    begin(folder)
    (folder / "recipe.json").write_text("[]")


def bad_middle(folder: Path) -> None:
    begin(folder)
    (folder / "samples.jsonl").write_text('{"result"\n{"result": {"row": 0, "sample": 0}}\n')


def strange_line(folder: Path) -> None:
    begin(folder)
    (folder / "samples.jsonl").write_text('{"score": 1}\n')


def strange_row(folder: Path) -> None:
    begin(folder)
    with (folder / "samples.jsonl").open("a") as file:
        file.write('{"result": {"row": 2, "sample": 0}}\n')


def strange_number(folder: Path) -> None:
    begin(folder)
    (folder / "samples.jsonl").write_text('{"result": {"row": 1, "sample": -1}}\n')


def row_in_words(folder: Path) -> None:
    begin(folder)
    (folder / "samples.jsonl").write_text('{"result": {"row": "one", "sample": 0}}\n')


REFUSED = [
    (other_files, False, "holds 'thesis.tex' but no run"),
    (other_files, True, "holds 'thesis.tex' but no run"),
    (unfinished, False, "unfinished: --resume goes on with it"),
    (complete, False, "complete: --resume shows its result"),
    (other_recipe, True, r"another recipe \(decoding.seed: 1, now 0\)"),
    (other_format, True, f"format {FORMAT + 1}, this hub writes {FORMAT}"),
    (no_json, True, "recipe.json: cannot be read"),
    (no_object, True, "recipe.json: is not what a run writes"),
    (bad_middle, True, r"samples.jsonl:1: cannot be read \(JSONDecodeError"),
    (strange_line, True, r"samples.jsonl:1: cannot be read \(KeyError"),
    (
        strange_row,
        True,
        r"samples.jsonl:2: cannot be read \(ValueError: the run has no row 2, but 2, counted ",
    ),
    (
        strange_number,
        True,
        r"samples.jsonl:1: .* no sample -1, but 1, counted from 0\): restore it, or choose ",
    ),
    (row_in_words, True, r"samples.jsonl:1: .* no row 'one'"),
]


@pytest.mark.parametrize(
    ("prepare", "resume", "words"), REFUSED, ids=[f"{c[0].__name__}-{c[1]}" for c in REFUSED]
)
def test_folders_that_are_refused_and_left_as_they_were(
    tmp_path: Path, prepare: Any, resume: bool, words: str
) -> None:
    prepare(tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(DataError, match=words):
        open_folder(tmp_path, RECIPE, resume=resume)
    after = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.name != "completions.jsonl"}
    assert after == before


@pytest.mark.parametrize("key", [(2, 0), (0, 1), (-1, 0)], ids=str)
def test_a_completion_that_the_run_does_not_have_is_refused(tmp_path: Path, key: tuple[int, int]) -> None:
    begin(tmp_path)
    line = {"row": key[0], "sample": key[1], "text": "4", "finish": "stop", "tokens": 1}
    (tmp_path / "completions.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(DataError, match=r"completions.jsonl:1: cannot be read \(ValueError: the run has no "):
        open_folder(tmp_path, RECIPE, resume=True)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"file/run: cannot be written: Not a directory"):
        open_folder(tmp_path / "file" / "run", RECIPE, resume=False)


def test_two_processes_cannot_share_a_folder(tmp_path: Path) -> None:
    begin(tmp_path)
    with (tmp_path / "recipe.json").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DataError, match="another process is at work"):
            open_folder(tmp_path, RECIPE, resume=True)
    open_folder(tmp_path, RECIPE, resume=True).close()


def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    with open_folder(tmp_path, RECIPE, resume=False) as run, open("/dev/full", "ab", buffering=0) as full:
        run._samples_file = full
        with pytest.raises(DataError, match="No space left on device"):
            run.add_samples([((0, 0), {"result": {}})])


def test_weights_are_known_by_their_content(tmp_path: Path) -> None:
    first, second, linked = (tmp_path / name for name in ("first", "second", "linked"))
    for folder, content in ((first, b"weights"), (second, b"weights"), (linked, b"")):
        folder.mkdir()
        if content:
            (folder / "model-1.safetensors").write_bytes(content)
            (folder / "model-2.safetensors").write_bytes(b"more")
            (folder / "training_args.bin").write_bytes(str(folder).encode())
    assert hash_weights(first) == hash_weights(second)
    (second / "model-2.safetensors").write_bytes(b"other")
    assert hash_weights(first) != hash_weights(second)
    (second / "model-1.safetensors").rename(second / "model-2.safetensors")
    assert hash_weights(second) != hash_weights(first)
    assert hash_weights(linked) is None
    assert hash_tokenizer(linked) is None
    # A dataset hub's cache names large files after their SHA-256; that name is taken, the file not read.
    import hashlib

    blob = tmp_path / hashlib.sha256(b"weights").hexdigest()
    blob.write_bytes(b"not read")
    (linked / "model-1.safetensors").symlink_to(blob)
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "model-1.safetensors").write_bytes(b"weights")
    assert hash_weights(linked) == hash_weights(alone)


CONFIG = {"rope_theta": 1e4, "rms_norm_eps": 1e-6, "text_config": {"layers": 2, "use_cache": True}}
CONFIGS: list[tuple[str, str, dict[str, object], bool]] = [
    (
        "where it came from",
        "config.json",
        {**CONFIG, "_name_or_path": "a", "transformers_version": "9"},
        True,
    ),
    ("the same further down", "config.json", {**CONFIG, "text_config": {"layers": 2}}, True),
    ("the order of keys", "config.json", dict(reversed(CONFIG.items())), True),
    ("another number", "config.json", {**CONFIG, "rope_theta": 3.0}, False),
    ("a key less", "config.json", {"rope_theta": 1e4}, False),
    ("another number further down", "config.json", {**CONFIG, "text_config": {"layers": 3}}, False),
    ("an adapter", "adapter_config.json", {"lora_alpha": 16}, False),
    ("settings that are not mixed in", "generation_config.json", {"temperature": 0.6}, True),
    ("tokens that end a text", "generation_config.json", {"eos_token_id": [1, 2]}, False),
]


@pytest.mark.parametrize(("name", "content", "same"), [c[1:] for c in CONFIGS], ids=[c[0] for c in CONFIGS])
def test_a_configuration_is_known_by_what_matters(
    tmp_path: Path, name: str, content: dict[str, object], same: bool
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    before = hash_config(tmp_path)
    assert before is not None
    (tmp_path / name).write_text(json.dumps(content, indent=1))
    assert (hash_config(tmp_path) == before) is same


def test_a_configuration_that_is_none_or_broken(tmp_path: Path) -> None:
    assert hash_config(tmp_path) is None
    (tmp_path / "config.json").write_bytes(b"\xff{")
    broken = hash_config(tmp_path)
    (tmp_path / "config.json").write_bytes(b"\xff{}")
    assert None is not hash_config(tmp_path) != broken
