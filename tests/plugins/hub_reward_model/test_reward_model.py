"""The same values as one plain call of transformers for each text, whatever shares the batch."""

import gc
import json
import logging
import math
import shutil
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

import hub
import hub.testing
from hub.errors import ConfigError, HubError, MissingDependency, OptionError
from hub.score import Score
from hub_reward_model import loaded as loaded_module
from hub_reward_model.batches import in_batches
from hub_reward_model.reward_model import RewardModel

TOLERANCE = 1e-4
"""What docs/reward-models.md states for float32."""
SAMPLES = [
    hub.Sample("What is 2 + 2?", "4"),
    hub.Sample("What is 2 + 2?", "It is five, I would say, or perhaps six."),
    hub.Sample([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}], "Because."),
    hub.Sample("", ""),
    hub.Sample("Grüße", "Ünïcödé 🦉" * 5),
    hub.Sample("Two turns", [{"role": "assistant", "content": "One."}, {"role": "user", "content": "And?"},
                             {"role": "assistant", "content": "Two."}]),
]  # fmt: skip


def messages(sample: hub.Sample) -> list[dict[str, Any]]:
    """What the chat template is given."""
    found: list[dict[str, Any]] = []
    for text, role in ((sample.prompt, "user"), (sample.completion, "assistant")):
        found += [{"role": role, "content": text}] if isinstance(text, str) else [dict(one) for one in text]
    return found


def plain(folder: Path, samples: list[hub.Sample]) -> list[float]:
    """One call of transformers for each sample."""
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder)
    model: Any = transformers.AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
    model.eval()
    found = []
    for sample in samples:
        tokens = tokenizer.apply_chat_template(messages(sample), return_tensors="pt", return_dict=True)
        with torch.no_grad():
            found.append(float(model(**tokens).logits[0, 0]))
    return found


def values(scores: list[Score]) -> list[float]:
    assert all(score.value is not None for score in scores), scores
    return [score.value for score in scores]  # type: ignore[misc]


@pytest.mark.parametrize("pad", [True, False], ids=["pad token", "no pad token in the configuration"])
@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_the_values_are_transformers_own(saved: Callable[..., Path], pad: bool, batch_size: int) -> None:
    folder = saved(pad=pad)
    found = RewardModel(str(folder), batch_size=batch_size)(SAMPLES)
    expected = plain(folder, SAMPLES)
    assert values(found) == pytest.approx(expected, abs=TOLERANCE)
    assert max(expected) - min(expected) > 100 * TOLERANCE  # otherwise nothing is compared


def test_a_missing_pad_token_changes_nothing_about_the_model(saved: Callable[..., Path]) -> None:
    model = RewardModel(str(saved(pad=False)))
    model(SAMPLES)
    assert model._loaded.model.config.pad_token_id is None


def test_a_text_that_ends_with_the_pad_token_is_read_as_transformers_does(
    tiny: Any, saved: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(saved(), folder)
    config = transformers.AutoConfig.from_pretrained(folder)
    config.pad_token_id = config.eos_token_id  # as many reward models have it
    config.save_pretrained(folder)
    assert values(RewardModel(str(folder))(SAMPLES)) == pytest.approx(plain(folder, SAMPLES), abs=TOLERANCE)


@pytest.mark.parametrize(
    "family", ["Mistral", "Qwen3", "Gemma2", "GPT2", "GPTNeoX", "OPT", "DebertaV2", "ModernBert", "Bart"]
)
def test_families(tiny: Any, family: str, tmp_path: Path) -> None:
    """Sliding windows, learnt and relative positions, encoders and decoders: padding changes none."""
    folder = tiny.save_family(tmp_path, family)
    expected = plain(folder, SAMPLES)
    assert values(RewardModel(str(folder), batch_size=8)(SAMPLES)) == pytest.approx(expected, abs=TOLERANCE)
    assert max(expected) - min(expected) > 100 * TOLERANCE


def test_roberta_sees_fewer_tokens_than_it_has_positions(tiny: Any, tmp_path: Path) -> None:
    """Its positions begin behind the padding token's, and its tokenizer need not tell how many are left."""
    folder = tiny.save_encoder(tmp_path, ("good",), "Roberta", longest=None)
    found = RewardModel(str(folder))([hub.Sample("a " * 100, "b " * 100), hub.Sample("a", "b")])
    assert [score.outcome for score in found] == ["scored", "scored"]
    assert (found[0].reason, found[0].info["tokens"]) == ("truncated", 63)


def test_in_bfloat16_a_batch_changes_little(saved: Callable[..., Path]) -> None:
    folder = str(saved())
    alone = values(RewardModel(folder, dtype="bfloat16", batch_size=1)(SAMPLES))
    together = values(RewardModel(folder, dtype="bfloat16", batch_size=8)(SAMPLES))
    assert together == pytest.approx(alone, abs=0.05 * max(1.0, *map(abs, alone)))


def test_two_texts_with_labels(encoder: Path) -> None:
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(encoder)
    model: Any = transformers.AutoModelForSequenceClassification.from_pretrained(encoder).eval()
    pairs = [("what is it?", "a duck."), ("who?", "no one at all, i think."), ("", "")]
    with torch.no_grad():
        rows = [model(**tokenizer(*pair, return_tensors="pt")).logits[0] for pair in pairs]
    samples = [hub.Sample(*pair) for pair in pairs]
    table: list[tuple[dict[str, Any], list[torch.Tensor]]] = [
        ({"label": "helpful"}, [row[1] for row in rows]),
        ({"label": 2}, [row[2] for row in rows]),
        ({"label": "0"}, [row[0] for row in rows]),
        ({"label": {"helpful": 0.5, "rude": -2.0}}, [0.5 * row[1] - 2 * row[0] for row in rows]),
        ({"label": "true", "normalize": "softmax"}, [row.softmax(0)[2] for row in rows]),
        ({"label": "true", "normalize": "sigmoid"}, [row.sigmoid()[2] for row in rows]),
    ]
    for options, expected in table:
        found = RewardModel(str(encoder), **options)(samples)
        assert values(found) == pytest.approx([float(one) for one in expected], abs=TOLERANCE), options
        assert list(found[0].info["labels"]) == ["rude", "helpful", "true"]


def test_forms(encoder: Path) -> None:
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(encoder)
    model: Any = transformers.AutoModelForSequenceClassification.from_pretrained(encoder).eval()
    sample = hub.Sample(
        [{"role": "system", "content": "short"}, {"role": "user", "content": "why?"}], "so {prompt}."
    )
    table = {
        "pair": ("short\n\nwhy?", "so {prompt}."),
        "completion": ("so {prompt}.",),
        "q {prompt} a {completion} , {prompt}": ("q short\n\nwhy? a so {prompt}. , short\n\nwhy?",),
    }
    for form, texts in table.items():
        with torch.no_grad():
            expected = float(model(**tokenizer(*texts, return_tensors="pt")).logits[0, 1])
        found = RewardModel(str(encoder), form=form, label="helpful")([sample])
        assert values(found) == pytest.approx([expected], abs=TOLERANCE), form


LONG = hub.Sample("x" * 50, "y" * 300)


@pytest.mark.parametrize("side", ["left", "right"])
def test_what_is_too_long_is_cut_and_said(
    saved: Callable[..., Path], side: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = saved()
    model = RewardModel(str(folder), truncation=side, max_length=100)  # type: ignore[arg-type]
    with caplog.at_level(logging.WARNING, "hub"):
        short, score = model([SAMPLES[0], LONG])
        model([LONG])
    assert [record.getMessage()[:31] for record in caplog.records] == ["reward-model: 1 of 2 texts have"]
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder)
    whole = tokenizer.apply_chat_template(messages(LONG), return_dict=True)["input_ids"]
    kept = [whole[0], *whole[-99:]] if side == "left" else whole[:100]
    with torch.no_grad():
        expected = model._loaded.model(torch.tensor([kept])).logits.item()
    assert score.value == pytest.approx(expected, abs=TOLERANCE)
    assert (score.reason, score.info["tokens"], score.info["cut"]) == ("truncated", 100, len(whole) - 100)
    assert (short.reason, "cut" in short.info) == ("", False)


def test_a_pair_is_cut_too(encoder: Path) -> None:
    found = RewardModel(str(encoder), label=0)([hub.Sample("a " * 100, "b " * 100)])[0]
    assert (found.reason, found.info["tokens"], found.info["cut"]) == ("truncated", 64, 203 - 64)


def test_what_is_too_long_can_fail_alone(saved: Callable[..., Path]) -> None:
    long, other = RewardModel(str(saved()), truncation="fail")([LONG, SAMPLES[0]])
    assert (long.reason, other.value is not None) == ("bad_input", True)
    assert "are more than the 256 that the model is given" in long.detail


def test_special_tokens_in_a_completion_are_told(saved: Callable[..., Path]) -> None:
    found = RewardModel(str(saved()))([hub.Sample("Hi", "Good.<|end|><|user|>Thanks!<|end|>"), SAMPLES[0]])
    assert [score.info.get("special_tokens") for score in found] == [["<|end|>", "<|user|>"], None]


def test_one_bad_sample_costs_no_other(saved: Callable[..., Path]) -> None:
    bad = [
        hub.Sample("Hi", 7),  # type: ignore[arg-type]
        hub.Sample([{"role": "critic", "content": "x"}], "y"),  # the template refuses it
        hub.Sample([{"role": "user"}], "y"),
    ]
    found = RewardModel(str(saved()))([*bad, *SAMPLES])
    assert [score.reason for score in found[:3]] == ["bad_input"] * 3
    assert "no critics" in found[1].detail
    assert values(found[3:]) == pytest.approx(plain(saved(), SAMPLES), abs=TOLERANCE)


def test_what_is_no_number_fails(saved: Callable[..., Path], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(saved(), folder)
    weights = load_file(folder / "model.safetensors")
    weights["score.weight"].fill_(math.nan)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (found,) = RewardModel(str(folder))(SAMPLES[:1])
    assert (found.outcome, found.reason) == ("failed", "bad_value")


def test_where_memory_runs_out_batches_are_halved() -> None:
    calls = []

    def call(chosen: list[int]) -> list[int]:
        calls.append(len(chosen))
        if len(chosen) > 2:
            raise torch.OutOfMemoryError("no room")
        if 4 in chosen:
            raise IndexError("index out of range")
        return [10 * index for index in chosen]

    found = in_batches([1, 2, 3, 4, 5, 6, 7], 8, call)
    assert found[:4] == [0, 10, 20, 30]
    assert found[5:] == [50, 60]
    assert isinstance(found[4], Score)
    assert (found[4].reason, found[4].detail) == ("exception", "IndexError: index out of range")
    assert calls[:3] == [7, 3, 1]
    lone = in_batches([5], 1, lambda chosen: (_ for _ in ()).throw(torch.OutOfMemoryError("no room")))
    assert isinstance(lone[0], Score)
    assert lone[0].reason == "memory"


def test_rewards_share_one_model_and_it_goes_with_the_engine(saved: Callable[..., Path]) -> None:
    one, other = str(saved()), str(saved(seed=1))
    tables: list[dict[str, Any]] = [
        {"use": "reward-model", "name": "first", "with": {"model": one}},
        {
            "use": "reward-model",
            "name": "again",
            "weight": 0.5,
            "with": {"model": one, "normalize": "sigmoid"},
        },
        {"use": "reward-model", "name": "told", "with": {"model": one, "device": "cpu", "dtype": "float32"}},
        {"use": "reward-model", "name": "other", "weight": 2.0, "with": {"model": other}},
    ]
    mix = hub.Mix.from_tables({"reward": tables})
    gc.collect()
    before = set(loaded_module._loaded)
    with hub.Engine(1) as engine:
        found = mix.score(SAMPLES, engine=engine)
        made = [weakref.ref(loaded_module._loaded[which]) for which in set(loaded_module._loaded) - before]
        assert len(made) == 2
        for name, folder in (("first", one), ("other", other)):
            expected = plain(Path(folder), SAMPLES)
            assert values([score.scores[name] for score in found]) == pytest.approx(expected, abs=TOLERANCE)
    del engine, mix
    until = time.monotonic() + 60
    while any(one() is not None for one in made) and time.monotonic() < until:
        gc.collect()  # the engine's thread lets go when it has ended
        time.sleep(0.01)
    assert [one() for one in made] == [None, None]


def test_loading_and_scoring_draw_no_random_numbers(saved: Callable[..., Path]) -> None:
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    RewardModel(str(saved(seed=3)))(SAMPLES)
    assert torch.equal(before, torch.random.get_rng_state())


REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"model": "no/such-model"},
        "there is no such folder, and the model id 'no/such-model' cannot be loaded",
    ),
    ({"form": "chatty"}, "form is auto, chat, pair, completion, or a template with {completion} in it"),
    ({"max_length": 1000}, "max_length is 1 to 256"),
    ({"batch_size": 0}, "batch_size is at least 1"),
    ({"revision": "main"}, "is a folder, and a folder has no revisions: leave out revision = 'main'"),
    ({"device": "cuda:9"}, "device 'cuda:9' cannot be used"),
    ({"label": "helpful"}, "the model has no label 'helpful' (it has: LABEL_0)"),
    ({"label": {"LABEL_0": "much"}}, "the weight of label 'LABEL_0' is 'much', not a number"),
    ({"label": 1}, "the model has no label 1"),
    ({"label": {"LABEL_0": float("inf")}}, "the weight of label 'LABEL_0' is inf, not a number"),
    ({"label": {}}, "label names none of the outputs LABEL_0"),
    ({"label": False}, "a label is a name or a number, not False"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_cannot_be_is_refused(saved: Callable[..., Path], options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        RewardModel(**{"model": str(saved()), **options})
    assert message in str(caught.value)


def test_labels_must_be_chosen(encoder: Path) -> None:
    with pytest.raises(OptionError, match=r"has 3 outputs \(rude, helpful, true\): say which counts"):
        RewardModel(str(encoder))


def test_a_chat_template_is_needed_for_chat(encoder: Path) -> None:
    with pytest.raises(OptionError, match="has no chat template: use form"):
        RewardModel(str(encoder), label=0, form="chat")


@pytest.mark.parametrize("kind", ["LlamaForCausalLM", "Qwen2ForTokenClassification"])
def test_a_model_of_another_kind_is_refused(saved: Callable[..., Path], kind: str) -> None:
    with pytest.raises(OptionError, match=f"is a {kind}, which has no head that was trained to score"):
        RewardModel(str(saved(kind)))


@pytest.mark.parametrize("told", [["LlamaForSequenceClassification"], None])
def test_a_head_that_is_not_in_the_weights_is_refused(
    saved: Callable[..., Path], tmp_path: Path, told: list[str] | None
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(saved("LlamaForCausalLM"), folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": told}))
    with pytest.raises(
        OptionError, match=r"has no trained weights for score\.weight, so its scores would be noise"
    ):
        RewardModel(str(folder))


def test_a_mix_says_what_is_wrong_before_anything_runs(tmp_path: Path) -> None:
    mix = hub.Mix({"reward-model": {"with": {"model": str(tmp_path)}}})
    with pytest.raises(
        ConfigError, match=r"'reward-model' of .* cannot be set up: .*the folder .* cannot be loaded"
    ):
        mix.warm()
    with pytest.raises(HubError, match="needs the option 'model'"):
        hub.Mix({"reward-model": 1.0})


def test_a_missing_library_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name in [name for name in sys.modules if name.startswith("hub_reward_model.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingDependency, match=r"pip install 'posttrain-hub\[reward-model\]'"):
        hub.Mix({"reward-model": {"with": {"model": "x"}}})


def test_provenance_knows_the_weights(saved: Callable[..., Path]) -> None:
    one, again, other = (RewardModel.provenance(model=str(saved(**keys))) for keys in ({}, {}, {"seed": 1}))
    assert one == again
    assert len(one["weights"]) == len(one["tokenizer"]) == 64
    assert one["weights"] != other["weights"]
