"""Lets a model in training be used for something else, and gives everything back as it was."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy  # noqa: TID253 - imported when training begins
import torch  # noqa: TID253

PLAIN = (bool, int, float, str, type(None))


@contextmanager
def undisturbed(model: torch.nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode; afterwards it and all random states are what they were.

    That is: the random states of Python, NumPy and torch, on the CPU and on the model's device; of every
    module its mode, its other plain attributes (flags, sizes that caches have grown to), its generation
    settings and its buffers; of every parameter whether it has a gradient, and which; the config's plain
    values. Weights are not copied: whoever uses the model must not change them.

    Args:
        model: not wrapped for training.
    """
    device = next(model.parameters()).device
    states = random.getstate(), numpy.random.get_state(), torch.get_rng_state(), _device_state(device)
    kept = [_Kept(module) for module in model.modules()]
    gradients = [(weight, weight.requires_grad, weight.grad) for weight in model.parameters()]
    config: dict[str, Any] = vars(model.config) if hasattr(model, "config") else {}
    values = _plain(config)
    try:
        model.eval()
        yield
    finally:
        for one in kept:
            one.restore()
        for weight, required, gradient in gradients:
            weight.requires_grad_(required)
            weight.grad = gradient
        _put_back(config, values)
        random.setstate(states[0])
        numpy.random.set_state(states[1])
        torch.set_rng_state(states[2])
        _set_device_state(device, states[3])
        if device.type == "cuda":
            torch.cuda.empty_cache()  # blocks of odd sizes, which training would stumble over


class _Kept:
    """A module as it was, without its weights and its children."""

    def __init__(self, module: torch.nn.Module) -> None:
        self._module = module
        self._plain = _plain(vars(module))
        self._settings = vars(module).get("generation_config")
        self._buffers = dict(module._buffers)
        self._contents = {name: held.clone() for name, held in self._buffers.items() if held is not None}

    def restore(self) -> None:
        attributes = vars(self._module)
        _put_back(attributes, self._plain)
        if self._settings is not None:
            attributes["generation_config"] = self._settings
        self._module._buffers.clear()
        self._module._buffers.update(self._buffers)
        for name, content in self._contents.items():
            held = self._buffers[name]
            assert held is not None
            held.data.copy_(content)


def _device_state(device: torch.device) -> Any:
    if device.type == "cpu":
        return None
    module: Any = torch.get_device_module(device)
    return module.get_rng_state() if device.type == "mps" else module.get_rng_state(device)


def _set_device_state(device: torch.device, state: Any) -> None:
    if state is None:
        return
    module: Any = torch.get_device_module(device)
    module.set_rng_state(state, *(() if device.type == "mps" else (device,)))


def _plain(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if isinstance(value, PLAIN)}


def _put_back(attributes: dict[str, Any], plain: dict[str, Any]) -> None:
    for name in [name for name in _plain(attributes) if name not in plain]:
        del attributes[name]
    attributes.update(plain)
