"""What is done with a model in training leaves no trace in it, nor in any random state."""

import random
from typing import Any

import numpy
import pytest
import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from hub_trl.undisturbed import undisturbed


@pytest.fixture
def model() -> LlamaForCausalLM:
    """In the middle of a training: gradients, a frozen weight, one layer that does not train."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=16,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        attention_dropout=0.5,
        max_position_embeddings=64,
        rope_parameters={"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0},
    )
    made = LlamaForCausalLM(config)
    made.activation_checkpointing_enable()
    made.config.use_cache = False
    made.train()
    made.model.layers[1].eval()
    made.model.norm.weight.requires_grad_(False)
    ids = torch.arange(8).unsqueeze(0)
    made(input_ids=ids, labels=ids).loss.backward()
    return made


def look(model: torch.nn.Module) -> dict[str, Any]:
    """Everything of a model that training depends on, as plain data."""
    found: dict[str, Any] = {}
    for name, module in model.named_modules():
        plain = {
            key: value for key, value in vars(module).items() if isinstance(value, str | int | float | None)
        }
        found[f"attributes of {name}"] = (
            module.training,
            getattr(module, "gradient_checkpointing", None),
            sorted(plain.items()),
        )
    for name, held in model.named_buffers():
        found[f"buffer {name}"] = held.tolist()
    for name, weight in model.named_parameters():
        gradient = None if weight.grad is None else weight.grad.tolist()
        found[f"weight {name}"] = (weight.tolist(), weight.requires_grad, gradient)
    found["config"] = str(model.config)
    return found


def draws() -> list[Any]:
    return [random.random(), numpy.random.rand(3).tolist(), torch.rand(3).tolist()]


def disturb(model: LlamaForCausalLM, how: str) -> None:
    if how == "draws":
        draws()
    elif how == "seeds":
        random.seed(1)
        numpy.random.seed(1)
        torch.manual_seed(1)
    elif how == "modes":
        model.train()
        model.activation_checkpointing_disable()  # type: ignore[no-untyped-call]
    elif how == "config":
        model.config.use_cache = True
        model.config.new = 1
    elif how == "settings":
        model.generation_config = GenerationConfig(temperature=0.1)  # type: ignore[no-untyped-call]
    elif how == "gradients":
        model.zero_grad()
        model.model.norm.weight.requires_grad_(True)
    elif how == "a long text":  # rotary embeddings grow with it
        with torch.inference_mode():
            model(input_ids=torch.zeros(1, 200, dtype=torch.long))
    elif how == "an error":
        draws()
        model.train()
        raise RuntimeError


@pytest.mark.parametrize(
    "how", ["draws", "seeds", "modes", "config", "settings", "gradients", "a long text", "an error"]
)
def test_all_is_as_it_was(model: LlamaForCausalLM, how: str) -> None:
    before, settings = look(model), model.generation_config
    states = random.getstate(), numpy.random.get_state(), torch.get_rng_state()
    expected = draws()
    random.setstate(states[0])
    numpy.random.set_state(states[1])
    torch.set_rng_state(states[2])
    try:
        with undisturbed(model):
            assert not any(module.training for module in model.modules())
            disturb(model, how)
            changed = look(model) != before or model.generation_config is not settings
    except RuntimeError:
        changed = True
    assert changed, "the test disturbs nothing"
    assert look(model) == before
    assert model.generation_config is settings
    assert draws() == expected


def test_training_goes_on_after_a_long_text(model: LlamaForCausalLM) -> None:
    with undisturbed(model):
        disturb(model, "a long text")
    model.train()
    ids = torch.arange(8).unsqueeze(0)
    model(input_ids=ids, labels=ids).loss.backward()
