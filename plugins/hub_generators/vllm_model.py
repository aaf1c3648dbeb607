"""Completes prompts with vLLM in this process, on GPUs.

Prompts go in as tokens, made as for the generator `transformers`, and each completion comes out when it is
done, so that it is graded while others are being made. The model's own generation settings are not mixed in,
but for its end-of-text tokens, which vLLM adds by itself.

Written after the source of vllm-project/vllm (LLM at 0012cf6, LLMEngine at 001999d, SamplingParams at
00388f6, outputs at 003d3ee): `LLMEngine.add_request` and `step`, which `LLM.generate` itself calls. It was
not run on a GPU yet; its tests have something that stands in for vLLM.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from hub.errors import GeneratorError, MissingDependency, OptionError
from hub.evaluation.fingerprint import find_snapshot, hash_config, hash_tokenizer, hash_weights
from hub.generator import Completion, Decoding, Likelihood
from hub.sample import Text
from hub_generators.continuations import split_all
from hub_generators.prompts import ChatTemplate, PromptEncoder
from hub_generators.revision import split_revision
from hub_generators.stop import cut


class VLLMGenerator:
    """A causal language model in vLLM.

    Args:
        model: a local folder, or a model id like "org/name" or "org/name@revision".
        chat_template: "auto" uses the tokenizer's chat template if it has one and the decoding does not say
            otherwise, "always" insists on it, "never" gives the prompt as it is.
        dtype: of the weights; "auto": as they are stored, but float16 for float32.
        tensor_parallel_size: GPUs that share each layer.
        gpu_memory_utilization: the part of a GPU's memory that vLLM takes, greater than 0 and at most 1.
        max_model_len: the longest prompt and completion together, in tokens; None: as long as the model can.
        extra: more arguments of vLLM's `LLM`, e.g. {"enforce_eager": true}.

    Raises:
        MissingDependency: vLLM is not installed.
        GeneratorError: the model cannot be loaded.
        OptionError: an option is out of range, or does not fit the model.
    """

    def __init__(
        self,
        model: str,
        *,
        chat_template: ChatTemplate = "auto",
        dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto",
        tensor_parallel_size: int = 1,
        gpu_memory_utilization: float = 0.9,
        max_model_len: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        if tensor_parallel_size < 1 or not 0 < gpu_memory_utilization <= 1:
            raise OptionError(
                "generator 'vllm': tensor_parallel_size is at least 1, gpu_memory_utilization greater than 0 "
                "and at most 1"
            )
        try:
            import vllm  # type: ignore[import-not-found, unused-ignore]
        except ModuleNotFoundError as error:
            raise MissingDependency(
                f"the generator 'vllm' needs {error.name!r}, which is not installed: pip install vllm"
            ) from error
        self._vllm = vllm
        self._name, self._revision = split_revision(model)
        arguments = {
            "dtype": dtype,
            "tensor_parallel_size": tensor_parallel_size,
            "gpu_memory_utilization": gpu_memory_utilization,
            "max_model_len": max_model_len,
            "revision": self._revision,
            "tokenizer_revision": self._revision,
            "seed": 0,
            **(extra or {}),
        }
        try:
            self._llm: Any = vllm.LLM(model=self._name, **arguments)
        except (OSError, ValueError, RuntimeError, TypeError, ImportError) as error:
            raise GeneratorError(
                f"{self._name!r} cannot be loaded by vllm {vllm.__version__}: {type(error).__name__}: {error}"
            ) from error
        self._engine: Any = self._llm.llm_engine
        self._tokenizer: Any = self._llm.get_tokenizer()
        self._prompts = PromptEncoder(self._tokenizer, chat_template, model)
        self._room = int(self._engine.model_config.max_model_len)
        self._dtype = str(self._engine.model_config.dtype).removeprefix("torch.")
        self._gpus = tensor_parallel_size
        self._asked = 0
        self._description: dict[str, Any] | None = None

    def generate(self, prompts: Sequence[Text], decoding: Decoding) -> Iterator[Completion]:
        """Complete each prompt once; yield each completion when it is done.

        Raises:
            GeneratorError: vLLM cannot go on.
        """
        from hub_generators.sampling import row_seeds

        encoded, refused = self._prompts.encode_all(prompts, decoding, self._room)
        yield from refused
        special = self._prompts.special_ends(decoding.stop)
        stop = [text for text in decoding.stop if text not in special]
        common = {
            "max_tokens": decoding.max_new_tokens,
            "temperature": decoding.temperature,
            "top_p": decoding.top_p,
            "stop": stop or None,
            "stop_token_ids": sorted(special.values()) or None,
        }
        seeds = row_seeds(list(encoded.values()), decoding.seed)
        asked = {
            index: (tokens, {**common, "seed": seed})
            for (index, tokens), seed in zip(encoded.items(), seeds, strict=True)
        }
        for index, answer in self._run(asked):
            made = answer.outputs[0]
            if made.finish_reason not in ("stop", "length"):
                raise GeneratorError(f"vllm did not complete prompt {index}: {made.finish_reason}")
            text, _ = cut(str(made.text), stop)
            ends = set(special.values()) | {self._tokenizer.eos_token_id}
            tokens = list(made.token_ids)
            ended = bool(tokens) and tokens[-1] in ends
            yield Completion(
                index, text, made.finish_reason, len(tokens) - ended, prompt_tokens=len(encoded[index])
            )

    def loglikelihood(
        self, asked: Sequence[tuple[str | None, str]]
    ) -> Iterator[tuple[int, Likelihood | str]]:
        """Tell how likely each text is after its context; no chat template is used.

        Raises:
            GeneratorError: a text stands alone (its context is None), or vLLM cannot go on.
        """
        pairs, refused = split_all(self._tokenizer, asked, self._room - 1)
        yield from refused
        how = {"max_tokens": 1, "temperature": 0.0, "prompt_logprobs": 1}
        for index, answer in self._run(
            {number: (before + after, how) for number, (before, after) in pairs.items()}
        ):
            before, after = pairs[index]
            places = zip(after, answer.prompt_logprobs[len(before) :], strict=True)
            told = [(found[token].logprob, found[token].rank) for token, found in places]
            yield index, (float(sum(logprob for logprob, _ in told)), all(rank == 1 for _, rank in told))

    def describe(self) -> Mapping[str, Any]:
        """Return folder or id, revision, hashes of weights, configuration and tokenizer, dtype, versions."""
        if self._description is None:
            self._description = self._describe()
        return self._description

    def close(self) -> None:
        """Let go of the model."""
        del self._engine, self._llm

    def _run(self, asked: Mapping[int, tuple[list[int], dict[str, Any]]]) -> Iterator[tuple[int, Any]]:
        """Have vLLM answer all at once; yield which is done, and its answer."""
        from vllm.sampling_params import (  # type: ignore[import-not-found, unused-ignore]
            RequestOutputKind,
        )

        under_way: dict[str, int] = {}
        try:
            for index, (tokens, how) in asked.items():
                self._asked += 1
                name = f"hub-{self._asked}"
                parameters = self._vllm.SamplingParams(output_kind=RequestOutputKind.FINAL_ONLY, **how)
                self._engine.add_request(name, {"prompt_token_ids": tokens}, parameters)
                under_way[name] = index
            while under_way:
                for answer in self._engine.step():
                    if answer.finished:
                        yield under_way.pop(answer.request_id), answer
        except (ValueError, RuntimeError) as error:
            raise GeneratorError(f"vllm cannot go on: {type(error).__name__}: {error}") from error
        finally:
            if under_way:
                self._engine.abort_request(list(under_way))

    def _describe(self) -> dict[str, Any]:
        from importlib.metadata import version

        if Path(self._name).is_dir():
            folder: Path | None = Path(self._name)
            known: dict[str, Any] = {"folder": str(Path(self._name).resolve())}
        else:
            folder = find_snapshot(self._name, self._revision)
            known = {"model": self._name, "revision": folder.name if folder else self._revision}
        return {
            "generator": "vllm",
            **known,
            "weights": hash_weights(folder) if folder else None,
            "config": hash_config(folder) if folder else None,
            "tokenizer": hash_tokenizer(folder) if folder else None,
            "chat_template": self._prompts.is_chat,
            "dtype": self._dtype,
            "tensor_parallel_size": self._gpus,
            "libraries": {name: version(name) for name in ("torch", "transformers", "vllm")},
        }
