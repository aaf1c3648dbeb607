"""The generators `transformers`, `vllm` and `openai`."""

import re
from collections.abc import Iterator
from pathlib import Path

import hub


@hub.hookimpl
def hub_generators() -> Iterator[hub.GeneratorPlugin]:
    model_id = re.compile(r"[\w.-]+(/[\w.-]+)?(@[\w./-]+)?")
    yield hub.GeneratorPlugin(
        "transformers",
        "hub_generators.transformers_start:TransformersGenerator",
        "A local folder, or a model id like org/name@revision, with transformers in this process",
        accepts=lambda model: _is_folder(model) or model_id.fullmatch(model) is not None,
    )
    yield hub.GeneratorPlugin(
        "vllm",
        "hub_generators.vllm_model:VLLMGenerator",
        "A local folder, or a model id like org/name@revision, with vLLM in this process, on GPUs",
    )
    yield hub.GeneratorPlugin(
        "openai",
        "hub_generators.openai_server:OpenAIGenerator",
        "A server that speaks OpenAI's protocol (vLLM, SGLang, llama.cpp, ...), at http://host:port/v1",
        accepts=lambda model: model.startswith(("http://", "https://")),
    )


def _is_folder(model: str) -> bool:
    """Whether it is one, or a revision of one, which the generator refuses with the reason."""
    return any(Path(name).is_dir() for name in (model, model.partition("@")[0]) if name)
