"""What the generator `vllm` asks of vLLM and makes of its answers; vLLM needs a GPU, so something stands in for it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from hub import Completion, Decoding
from hub.errors import GeneratorError, MissingDependency, OptionError
from hub.open import open_generator

ENDS = {"2+2?": ("4", "stop", None), "x": ("yes. And no", "length", None), "quiet": ("", "stop", None)}
"""What the stand-in answers to a prompt: text, why it ended, what stopped it."""


class Engine:
    """Answers one request per step, the last one first."""

    def __init__(self, folder: str, room: int) -> None:
        self.model_config = SimpleNamespace(max_model_len=room, dtype=torch.bfloat16)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder)
        self.asked: list[tuple[str, list[int], dict[str, Any]]] = []
        self.waiting: list[tuple[str, list[int], dict[str, Any]]] = []
        self.aborted: list[str] = []

    def add_request(self, name: str, prompt: dict[str, Any], parameters: Any) -> None:
        request = (name, prompt["prompt_token_ids"], vars(parameters))
        self.asked.append(request)
        self.waiting.append(request)

    def step(self) -> list[Any]:
        name, tokens, how = self.waiting.pop()
        if how.get("prompt_logprobs"):
            return [
                SimpleNamespace(request_id=name, finished=True, prompt_logprobs=self.tell(tokens), outputs=[])
            ]
        prompt = str(self.tokenizer.decode(tokens))
        if "break" in prompt:
            raise RuntimeError("the engine is dead")
        text, why, _ = next(ENDS[key] for key in ENDS if key in prompt)
        ids = self.tokenizer(text)["input_ids"] + ([self.tokenizer.eos_token_id] if why == "stop" else [])
        made = SimpleNamespace(text=text, token_ids=ids, finish_reason=why, stop_reason=None)
        half = SimpleNamespace(request_id=name, finished=False, outputs=[])
        return [half, SimpleNamespace(request_id=name, finished=True, outputs=[made])]

    def tell(self, tokens: Sequence[int]) -> list[Any]:
        """As vLLM does for `prompt_logprobs=1`: nothing for the first token, then the likeliest and the true one."""
        with torch.inference_mode():
            chances = self.model(torch.tensor([list(tokens)])).logits[0].log_softmax(-1)
        told: list[Any] = [None]
        for place, token in enumerate(tokens[1:]):
            order = chances[place].argsort(descending=True).tolist()
            ranks = {
                one: SimpleNamespace(logprob=float(chances[place, one]), rank=order.index(one) + 1)
                for one in (order[0], token)
            }
            told.append(ranks)
        return told

    def abort_request(self, names: list[str]) -> None:
        self.aborted += names


@pytest.fixture
def vllm(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The names of vLLM that are used. Its `LLM` keeps what it was given."""
    module: Any = ModuleType("vllm")
    module.__version__ = "0.0"

    class LLM:
        def __init__(self, model: str, **arguments: Any) -> None:
            if not Path(model).is_dir():
                raise ValueError("no such model")
            module.arguments = {"model": model, **arguments}
            self.llm_engine = module.engine = Engine(model, arguments["max_model_len"] or 256)

        def get_tokenizer(self) -> Any:
            return self.llm_engine.tokenizer

    module.LLM, module.SamplingParams = LLM, SimpleNamespace
    parameters: Any = ModuleType("vllm.sampling_params")
    parameters.RequestOutputKind = SimpleNamespace(FINAL_ONLY="final")
    monkeypatch.setitem(sys.modules, "vllm", module)
    monkeypatch.setitem(sys.modules, "vllm.sampling_params", parameters)
    return module


def test_prompts_and_decoding_as_vllm_wants_them(vllm: Any, plain_model: Path, model: Path) -> None:
    decoding = Decoding(7, temperature=0.5, top_p=0.9, stop=("And", "<|user|>"), seed=3)
    generator = open_generator(str(plain_model), "vllm")
    made = list(generator.generate(["2+2?", "x", "x"], decoding))
    assert made == [
        Completion(2, "yes. ", "length", 11, prompt_tokens=1),
        Completion(1, "yes. ", "length", 11, prompt_tokens=1),
        Completion(0, "4", "stop", 1, prompt_tokens=4),
    ]
    tokenizer = AutoTokenizer.from_pretrained(plain_model)
    assert [tokens for _, tokens, _ in vllm.engine.asked] == [
        tokenizer(p)["input_ids"] for p in ("2+2?", "x", "x")
    ]
    asked = [how for _, _, how in vllm.engine.asked]
    seeds = [how.pop("seed") for how in asked]
    assert len(set(seeds)) == 3
    assert all(0 <= seed < 2**63 for seed in seeds)
    number = tokenizer.convert_tokens_to_ids("<|user|>")
    assert asked[0] == {
        "output_kind": "final",
        "max_tokens": 7,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["And"],
        "stop_token_ids": [number],
    }
    again = open_generator(str(plain_model), "vllm")
    list(again.generate(["x"], decoding))
    assert vllm.engine.asked[0][2]["seed"] == seeds[1], "the same in every run"
    chat = open_generator(str(model), "vllm")
    list(chat.generate(["2+2?"], Decoding(4)))
    assert tokenizer.decode(vllm.engine.asked[0][1]) == "<|user|>2+2?<|end|><|assistant|>"
    greedy = vllm.engine.asked[0][2]
    assert (greedy["temperature"], greedy["stop"], greedy["stop_token_ids"]) == (0.0, None, None)


def test_likelihoods_are_those_of_transformers(vllm: Any, plain_model: Path) -> None:
    asked = [("2+2=", "4"), ("A longer one ", "4 or 5"), ("", "By itself.")]
    here: Any = open_generator(str(plain_model), "vllm")
    there: Any = open_generator(str(plain_model), "transformers")
    found, expected = dict(here.loglikelihood(asked)), dict(there.loglikelihood(asked))
    assert sorted(found) == [0, 1, 2]
    for number, (logprob, greedy) in expected.items():
        assert found[number] == (pytest.approx(logprob, abs=1e-4), greedy)
    assert vllm.engine.asked[0][2] == {
        "output_kind": "final", "max_tokens": 1, "temperature": 0.0, "prompt_logprobs": 1
    }  # fmt: skip


def test_what_is_no_longer_wanted_is_aborted(vllm: Any, plain_model: Path) -> None:
    completions: Any = open_generator(str(plain_model), "vllm").generate(["x", "2+2?", "quiet"], Decoding(4))
    assert next(completions) == Completion(2, "", "stop", 0, prompt_tokens=5)
    completions.close()
    assert len(vllm.engine.aborted) == 2
    assert set(vllm.engine.aborted) == {name for name, _, _ in vllm.engine.asked[:2]}


def test_the_model_is_loaded_as_asked_and_described(
    vllm: Any, plain_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {
        "dtype": "bfloat16",
        "tensor_parallel_size": 2,
        "max_model_len": 64,
        "extra": {"enforce_eager": True},
    }
    generator = open_generator(str(plain_model), "vllm", **options)
    given = vllm.arguments
    assert given["model"] == str(plain_model)
    assert (given["dtype"], given["tensor_parallel_size"], given["enforce_eager"]) == ("bfloat16", 2, True)
    first, second = generator.generate(["x" * 60, "x"], Decoding(8))
    assert "more than the 64 that" in first.refused
    assert (second.index, second.refused) == (1, "")
    told: Any = dict(generator.loglikelihood([("x", "y"), ("x" * 60, "y" * 20)]))  # type: ignore[attr-defined]
    assert "more than the 63 that the model" in told[1]
    assert told[0][0] < 0
    with monkeypatch.context() as patch:
        patch.setattr("importlib.metadata.version", lambda name: "0.0")
        described = generator.describe()
    same = open_generator(str(plain_model)).describe()
    assert (described["generator"], described["dtype"]) == ("vllm", "bfloat16")
    keys = ("folder", "weights", "config", "tokenizer", "chat_template")
    assert {key: described[key] for key in keys} == {key: same[key] for key in keys}


def test_what_goes_wrong_is_one_clear_error(
    vllm: Any, plain_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words, options in (
        ("no chat template", {"chat_template": "always"}),
        ("tensor_parallel_size", {"tensor_parallel_size": 0}),
        ("gpu_memory_utilization", {"gpu_memory_utilization": 1.5}),
    ):
        with pytest.raises(OptionError, match=words):
            open_generator(str(plain_model), "vllm", **options)
    with pytest.raises(GeneratorError, match=r"cannot be loaded by vllm 0\.0: ValueError: no such model"):
        open_generator("nobody/nothing", "vllm")
    with pytest.raises(GeneratorError, match=r"is a folder, and a folder has no revisions"):
        open_generator(f"{plain_model}@main", "vllm")
    with pytest.raises(GeneratorError, match="vllm cannot go on: RuntimeError: the engine is dead"):
        list(open_generator(str(plain_model), "vllm").generate(["x", "break"], Decoding(4)))
    assert len(vllm.engine.aborted) == 2
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(MissingDependency, match="pip install vllm"):
        open_generator(str(plain_model), "vllm")


def test_it_is_used_where_it_is_named_only(plain_model: Path) -> None:
    assert open_generator(str(plain_model)).describe()["generator"] == "transformers"
