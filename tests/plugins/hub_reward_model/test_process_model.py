"""Each step's value is what plain transformers gives at its mark, for the three kinds of models there are."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

import hub
from hub.errors import OptionError
from hub.score import Score
from hub_reward_model.process_model import ProcessRewardModel
from hub_reward_model.steps import Layout

TOLERANCE = 1e-4
PROMPT = "What is 2 + 3 * 4?"
STEPS = ["First 3 * 4 = 12.", "Then 2 + 12 = 14.", "The answer is 14."]
QWEN: dict[str, Any] = {"more": ("<extra_0>",), "num_labels": 2}
SHEPHERD: dict[str, Any] = {"chat": False, "plain": ("ки",)}


def chat(tokenizer: Any, completion: str, system: str = "") -> Any:
    messages = [{"role": "system", "content": system}] if system else []
    messages += [{"role": "user", "content": PROMPT}, {"role": "assistant", "content": completion}]
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    return tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]


def steps_of(score: Score) -> list[float]:
    assert score.value is not None, score
    found: list[float] = score.info["steps"]
    return found


@pytest.mark.parametrize("system", ["", "Reason step by step."])
def test_a_token_classifier_with_its_own_mark(saved: Callable[..., Path], system: str) -> None:
    """As Qwen2.5-Math-PRM's model card does it: the second label's probability at every <extra_0>."""
    folder = saved("Qwen2ForTokenClassification", **QWEN)
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder)
    model: Any = transformers.AutoModelForTokenClassification.from_pretrained(folder)
    tokens = chat(tokenizer, "<extra_0>".join(STEPS) + "<extra_0>", system)
    with torch.no_grad():
        chances = model(tokens).logits.softmax(-1)[0, :, 1]
    expected = chances[tokens[0] == tokenizer.convert_tokens_to_ids("<extra_0>")].tolist()
    assert len(expected) == 3
    reward = ProcessRewardModel(str(folder), system=system)
    found = reward(
        [hub.Sample(PROMPT, "\n\n".join(STEPS)), hub.Sample("Hi", "x"), hub.Sample("Hi", "long " * 20)]
    )
    assert steps_of(found[0]) == pytest.approx(expected, abs=TOLERANCE)
    assert found[0].value == min(steps_of(found[0]))
    assert [len(steps_of(score)) for score in found[1:]] == [1, 1]


def test_qwens_own_class_is_read_without_its_code(saved: Callable[..., Path], tmp_path: Path) -> None:
    """Qwen2ForProcessRewardModel has two layers on top; transformers does not know the class."""
    folder = saved("Qwen2ForTokenClassification", **QWEN)
    weights = load_file(folder / "model.safetensors")
    size = weights["score.weight"].shape[1]
    generator = torch.Generator().manual_seed(0)
    first = torch.nn.Linear(size, size)
    second = torch.nn.Linear(size, 2)
    with torch.no_grad():
        for parameter in (*first.parameters(), *second.parameters()):
            parameter.normal_(generator=generator)
    plain: Any = transformers.Qwen2Model.from_pretrained(folder)
    weights = {name: weight for name, weight in weights.items() if not name.startswith("score")}
    for number, layer in (("0", first), ("2", second)):
        weights |= {f"score.{number}.weight": layer.weight.data, f"score.{number}.bias": layer.bias.data}
    transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(
        json.dumps({**config, "architectures": ["Qwen2ForProcessRewardModel"]})
    )
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(tmp_path)
    tokens = chat(tokenizer, "<extra_0>".join(STEPS) + "<extra_0>")
    with torch.no_grad():
        chances = second(torch.relu(first(plain(tokens).last_hidden_state))).softmax(-1)[0, :, 1]
    expected = chances[tokens[0] == tokenizer.convert_tokens_to_ids("<extra_0>")].tolist()
    (found,) = ProcessRewardModel(str(tmp_path))([hub.Sample(PROMPT, "\n\n".join(STEPS))])
    assert steps_of(found) == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize("chat", [False, True])
def test_a_token_classifier_of_trl(saved: Callable[..., Path], chat: bool) -> None:
    """TRL's PRMTrainer encodes prompt, steps and line ends each alone, with no chat template.

    Together ".\\n" would be one token here, as it is for Qwen and Llama 3, and the label's token would be missing.
    """
    folder = saved("Qwen2ForTokenClassification", num_labels=2, chat=chat, merges=((".", "Ċ"),))
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder)
    model: Any = transformers.AutoModelForTokenClassification.from_pretrained(folder)

    def ids(text: str) -> list[int]:
        found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
        return found

    assert len(ids("a.\n")) == 2
    tokens, places = [tokenizer.bos_token_id, *ids(PROMPT)], []
    for step in STEPS:
        tokens += [*ids(step), *ids("\n")]
        places.append(len(tokens) - 1)
    with torch.no_grad():
        expected = model(torch.tensor([tokens])).logits.softmax(-1)[0, places, 1].tolist()
    (found,) = ProcessRewardModel(str(folder))([hub.Sample(PROMPT, "\n".join(STEPS))])
    assert steps_of(found) == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_causal_model(saved: Callable[..., Path], batch_size: int) -> None:
    """As Math-Shepherd's model card does it: `+` against `-` after every ки."""
    folder = saved("LlamaForCausalLM", **SHEPHERD)
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder)
    model: Any = transformers.AutoModelForCausalLM.from_pretrained(folder)
    text = PROMPT + " " + "".join(f"Step {number}: {step} ки\n" for number, step in enumerate(STEPS, 1))
    tokens = tokenizer(text, return_tensors="pt")["input_ids"]
    candidates = [tokenizer(sign)["input_ids"][0] for sign in "+-"]
    with torch.no_grad():
        scores = model(tokens).logits[0][:, candidates].softmax(-1)[:, 0]
    expected = scores[tokens[0] == tokenizer.convert_tokens_to_ids("ки")].tolist()
    reward = ProcessRewardModel(str(folder), write="Step {number}: {step}{mark}\n", batch_size=batch_size)
    others = [hub.Sample("Hi", "x"), hub.Sample(PROMPT, "")]
    found = reward([*others, hub.Sample(PROMPT, "\n".join(STEPS))])
    assert len(expected) == 3
    assert steps_of(found[2]) == pytest.approx(expected, abs=TOLERANCE)


def test_one_value_of_the_steps(saved: Callable[..., Path]) -> None:
    folder = str(saved("Qwen2ForTokenClassification", **QWEN))
    sample = hub.Sample(PROMPT, "\n\n".join(STEPS))
    found = {
        how: ProcessRewardModel(folder, aggregate=how)([sample])[0]
        for how in ("min", "mean", "last", "product")
    }
    a, b, c = steps_of(found["min"])
    expected = {"min": min(a, b, c), "mean": (a + b + c) / 3, "last": c, "product": a * b * c}
    assert {how: score.value for how, score in found.items()} == pytest.approx(expected)


TEXTS: list[tuple[str, Layout, str, list[str]]] = [
    ("several blank lines", Layout(r"\n\s*\n", "#", "{step}{mark}"), "a\n\n\n b \n\n", ["a", "b"]),
    ("spaces on a blank line", Layout(r"\n\s*\n", "#", "{step}{mark}"), "a\n \t\nb", ["a", "b"]),
    ("numbered", Layout(r"(?m)^\d+\. ", "#", "{step}{mark}"), "1. a\n2. b", ["a", "b"]),
    ("braces in a step", Layout(r"\n", "#", "{step}{mark}"), "{mark}\n{step}", ["{mark}", "{step}"]),
    ("nothing", Layout(r"\n", "#", "{step}{mark}"), " \n", [""]),
    (
        "numbered by the layout",
        Layout(r"\n", "#", "Step {number}: {step}{mark}"),
        "a\nb",
        ["Step 1: a", "Step 2: b"],
    ),
]


@pytest.mark.parametrize(
    ("layout", "text", "steps"), [case[1:] for case in TEXTS], ids=[case[0] for case in TEXTS]
)
def test_steps(layout: Layout, text: str, steps: list[str]) -> None:
    assert [before for before, _ in layout.write_steps(text)] == steps


def test_a_completion_cannot_add_marks(saved: Callable[..., Path]) -> None:
    reward = ProcessRewardModel(str(saved("Qwen2ForTokenClassification", **QWEN)))
    honest, hacked = reward(
        [hub.Sample(PROMPT, "One step."), hub.Sample(PROMPT, "One<extra_0> step.<|end|>")]
    )
    assert len(steps_of(hacked)) == 1
    assert hacked.value == honest.value
    assert hacked.info["special_tokens"] == ["<extra_0>", "<|end|>"]


def test_what_is_too_long_earns_nothing(saved: Callable[..., Path]) -> None:
    folder = str(saved("Qwen2ForTokenClassification", **QWEN))
    samples = [hub.Sample(PROMPT, "word " * 100), hub.Sample(PROMPT, "short")]
    zero, other = ProcessRewardModel(folder)(samples)
    assert (zero.value, zero.reason) == (0.0, "too_long")
    assert other.reason == ""
    failed, same = ProcessRewardModel(folder, too_long="fail")(samples)
    assert failed.reason == "bad_input"
    assert same.value == pytest.approx(other.value, abs=TOLERANCE)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"separator": "("}, "separator is no regular expression"),
    ({"write": "{mark}{step}"}, "write has {step} and behind it {mark}"),
    ({"form": "chat"}, "has no chat template"),
    ({"form": "{prompt}"}, "form is auto, chat, or a template with {completion} in it"),
    ({"good": "good"}, "'good' is 4 tokens of this model, not one"),
    ({"max_length": -5}, "max_length is 1 to"),
    ({"max_length": 0}, "max_length is 1 to"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED, ids=lambda value: str(value)[:30])
def test_what_cannot_be_is_refused(saved: Callable[..., Path], options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        ProcessRewardModel(str(saved("LlamaForCausalLM", **SHEPHERD)), **options)
    assert message in str(caught.value)


def test_a_head_for_whole_texts_is_refused_although_it_fits_tokens(encoder: Path) -> None:
    with pytest.raises(
        OptionError, match="is a BertForSequenceClassification, which has no head that was trained"
    ):
        ProcessRewardModel(str(encoder))
