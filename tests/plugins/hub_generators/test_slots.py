"""Rows that come and go while others are completed: the same text as by themselves."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
)

from hub import Decoding
from hub.open import open_generator
from hub_generators import transformers_model
from hub_generators.slots import Row, Slots, fits

PROMPTS = [
    "x",
    "2+2?",
    "A much longer question, with many words.",
    "Name it.",
    "y",
    "?",
    "Say no more: say it.",
    "z",
]
SMALL: dict[str, Any] = {"vocab_size": 261, "bos_token_id": None, "eos_token_id": 256, "pad_token_id": 257}
LLAMA: dict[str, Any] = {
    **SMALL, "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "initializer_range": 0.3, "max_position_embeddings": 128,
}  # fmt: skip
GPT2: dict[str, Any] = {
    **SMALL,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 80,
    "initializer_range": 0.3,
}


@pytest.fixture
def tokenizer(plain_model: Path) -> Any:
    return AutoTokenizer.from_pretrained(plain_model)


def complete(model: Any, tokenizer: Any, decoding: Decoding, size: int) -> list[Any]:
    generator = open_generator("model", "transformers", loaded=(model.eval(), tokenizer), batch_size=size)
    return sorted(generator.generate(PROMPTS, decoding), key=lambda made: made.index)


@pytest.mark.parametrize(
    "decoding",
    [
        Decoding(20),
        Decoding(1),
        Decoding(20, temperature=1.0, top_p=0.9, seed=3),
        Decoding(40, stop=tuple("aeiou0123456789!\"#$%&'")),
        Decoding(40, temperature=1.5, stop=("<|user|>", "a", "b", "c", "\\")),
    ],
    ids=["greedy", "one token", "sampled", "stop texts", "sampled, stop texts"],
)
@pytest.mark.parametrize("size", [1, 2, 3, 8])
@pytest.mark.parametrize("kind", ["llama", "gpt2, whose positions are learned"])
def test_the_same_as_in_batches(
    kind: str, size: int, decoding: Decoding, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    model: Any = (
        LlamaForCausalLM(LlamaConfig(**LLAMA)) if kind == "llama" else GPT2LMHeadModel(GPT2Config(**GPT2))
    )
    assert fits(model)
    found = complete(model, tokenizer, decoding, size)
    monkeypatch.setattr(transformers_model, "fits", lambda model: False)
    assert found == complete(model, tokenizer, decoding, 1)
    if decoding.stop:
        assert len({one.tokens for one in found}) > 1, (
            "all are equally long, so that none leaves before others"
        )


def test_models_of_another_kind_are_completed_in_batches(tokenizer: Any) -> None:
    sliding: Any = MistralForCausalLM(MistralConfig(**LLAMA, num_key_value_heads=4, sliding_window=8))
    assert not fits(sliding)
    assert len(complete(sliding, tokenizer, Decoding(6), 3)) == len(PROMPTS)


class Counted:
    """A model that counts the rows of each call."""

    def __init__(self, model: Any) -> None:
        self._model, self.calls = model, list[tuple[int, int]]()
        self.device, self.config = model.device, model.config

    def __call__(self, **arguments: Any) -> Any:
        self.calls.append(tuple(arguments["input_ids"].shape))
        return self._model(**arguments)


def test_places_are_taken_by_rows_that_wait(plain_model: Path, tokenizer: Any) -> None:
    model = Counted(AutoModelForCausalLM.from_pretrained(plain_model))
    rows = [Row(number, tokenizer(prompt)["input_ids"], 0) for number, prompt in enumerate(PROMPTS)]
    lengths = {0: 2, 1: 9, 2: 9, 3: 2, 4: 2, 5: 2, 6: 2, 7: 2}

    class Short(Slots):
        def _is_stopped(self, row: Row) -> bool:
            return len(row.made) >= lengths[row.index]

    slots = Short(model, tokenizer, size=4, limit=64, pad=257, ends=set())
    with torch.inference_mode():
        done = [(row.index, len(row.made)) for row in slots.run(rows)]
    assert sorted(done) == sorted(lengths.items())
    assert [index for index, _ in done] == [0, 3, 4, 5, 6, 7, 1, 2], "the long ones hold nobody up"
    steps = [rows for rows, tokens in model.calls if tokens == 1 and rows]
    assert sum(steps) < 4 * 12, "rows that are done are not computed on and on"


def test_a_completion_is_there_before_the_others(plain_model: Path) -> None:
    loaded = AutoModelForCausalLM.from_pretrained(plain_model)
    generator: Any = open_generator(
        "m", "transformers", loaded=(loaded, AutoTokenizer.from_pretrained(plain_model)), batch_size=2
    )
    calls = 0

    def count(*_: Any) -> None:
        nonlocal calls
        calls += 1

    loaded.register_forward_hook(count)
    completions = generator.generate(PROMPTS, Decoding(4))
    assert next(completions).index == 2, "the longest prompt"
    assert calls == 4
    assert torch.is_grad_enabled()
    assert len(list(completions)) == len(PROMPTS) - 1
    assert calls == 16
