"""Completes prompts with a transformers model in this process.

What is recorded is what runs: the decoding is the one given, and the model's own generation settings
(temperature, repetition penalty, ...) are not mixed in, but for its end-of-text tokens. No prompt is cut.

Not here: several GPUs, encoder-decoder models, images. vLLM or SGLang do that; see the generator `openai`.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch  # noqa: TID253 - this module is imported when a model is opened
import transformers  # noqa: TID253

from hub.errors import GeneratorError, OptionError
from hub.evaluation.fingerprint import find_snapshot, hash_config, hash_tokenizer, hash_weights
from hub.generator import Completion, Decoding, Likelihood
from hub.sample import Text
from hub_generators.in_memory import hash_config_of, hash_parameters, hash_tokenizer_of
from hub_generators.likelihood import TextLikelihood
from hub_generators.load import find_device, load_model
from hub_generators.prompts import ChatTemplate, PromptEncoder
from hub_generators.revision import split_revision
from hub_generators.sampling import OnlyNumbers, RowSampler, StopTexts, row_seeds
from hub_generators.slots import Row, Slots, fits
from hub_generators.stop import cut

BATCH_SIZE = {"cpu": 8, "cuda": 64, "mps": 16}


class TransformersGenerator:
    """A causal language model in this process.

    Args:
        model: a local folder, or a model id like "org/name" or "org/name@revision".
        chat_template: "auto" uses the tokenizer's chat template if it has one and the decoding does not say
            otherwise, "always" insists on it, "never" gives the prompt as it is.
        dtype: of the weights; "auto": float32 on a CPU, elsewhere as they are stored.
        device: a torch device; "auto": a GPU if there is one.
        batch_size: prompts at once; None: 8 on a CPU, 64 on a GPU.
        loaded: from Python only: a model and its tokenizer that are in this process already and are used as
            they are, where they are; `model` is then only what to call it.

    Raises:
        GeneratorError: the model cannot be loaded.
        OptionError: an option does not fit the model or this machine.
    """

    def __init__(
        self,
        model: str,
        *,
        chat_template: ChatTemplate = "auto",
        dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto",
        device: str = "auto",
        batch_size: int | None = None,
        loaded: tuple[Any, Any] | None = None,
    ) -> None:
        if batch_size is not None and batch_size < 1:
            raise OptionError(f"generator 'transformers': batch_size is at least 1, not {batch_size}")
        if isinstance(loaded, str):
            raise OptionError("generator 'transformers': loaded is a model itself, for use from Python")
        if loaded is not None and (dtype, device) != ("auto", "auto"):
            raise OptionError("generator 'transformers': a model that is loaded has its dtype and device")
        self._is_ours = loaded is None
        # A tensor made in inference mode that a module keeps would stop a training that goes on.
        self._no_grad = torch.inference_mode if self._is_ours else torch.no_grad
        if loaded is None:
            self._name, self._revision = split_revision(model)
            self._files = ThreadPoolExecutor(1).submit(self._describe_files) if Path(model).is_dir() else None
            self._device = find_device(device)
            if dtype == "auto" and self._device.type == "cpu":
                dtype = "float32"
            self._tokenizer, self._model = load_model(self._name, self._revision, dtype, self._device)
        else:
            self._name, self._revision, self._files = model, None, None
            self._model, self._tokenizer = loaded
            self._device = self._model.device
        self._batch_size = batch_size or BATCH_SIZE.get(self._device.type, 8)
        self._prompts = PromptEncoder(self._tokenizer, chat_template, model)
        self._room: int | None = getattr(self._model.config, "max_position_embeddings", None)
        self._ends = self._end_tokens()
        own = self._model.generation_config
        self._pad = own.pad_token_id if own.pad_token_id is not None else (*sorted(self._ends), 0)[0]
        self._description: dict[str, Any] | None = None

    def generate(self, prompts: Sequence[Text], decoding: Decoding) -> Iterator[Completion]:
        """Complete each prompt once, longest first; yield each when it is done, or its batch (see slots.py).

        Raises:
            GeneratorError: the device has too little memory.
        """
        encoded, refused = self._prompts.encode_all(prompts, decoding, self._room)
        yield from refused
        rows = _longest_first(encoded, decoding)
        try:
            yield from (
                self._in_slots(rows, decoding) if fits(self._model) else self._in_batches(rows, decoding)
            )
        except torch.OutOfMemoryError as error:
            raise GeneratorError(
                f"{self._device} has too little memory for {self._batch_size} prompts at once: lower the "
                f"generator option batch_size ({error})"
            ) from error

    def loglikelihood(
        self, asked: Sequence[tuple[str | None, str]]
    ) -> Iterator[tuple[int, Likelihood | str]]:
        """Tell how likely each text is after its context, longest first; no chat template is used.

        Raises:
            GeneratorError: a text stands alone (its context is None).
        """
        measure = TextLikelihood(self._model, self._tokenizer, self._device, self._batch_size, self._no_grad)
        yield from measure(asked)

    def begin(
        self, prompts: Sequence[Text], count: int, decoding: Decoding
    ) -> Iterator[tuple[Completion, list[tuple[str, float]]]]:
        """Complete each prompt with one token, and tell which were the likeliest, longest prompt first."""
        decoding = replace(decoding, max_new_tokens=1)
        encoded, refused = self._prompts.encode_all(prompts, decoding, self._room)
        for one in refused:
            yield one, []
        rows = _longest_first(encoded, decoding)
        for start in range(0, len(rows), self._batch_size):
            chosen = rows[start : start + self._batch_size]
            tokens, mask = self._pad_left([row.prompt for row in chosen])
            with self._with_no_settings_of_its_own(), self._no_grad():
                made = self._model.generate(
                    input_ids=tokens,
                    attention_mask=mask,
                    max_new_tokens=1,
                    do_sample=False,
                    logits_processor=self._sampler([row.seed for row in chosen], decoding),
                    output_logits=True,
                    return_dict_in_generate=True,
                )
                likely = made.logits[0].float().log_softmax(-1)
                top = likely.topk(min(count, likely.shape[-1]))
            told = zip(
                chosen,
                made.sequences[:, -1:].tolist(),
                top.values.tolist(),
                top.indices.tolist(),
                strict=True,
            )
            for row, written, logprobs, numbers in told:
                texts = (str(self._tokenizer.decode([number])) for number in numbers)
                found = self._read(written, self._ends, decoding)
                completion = Completion(row.index, *found, prompt_tokens=len(row.prompt))
                yield completion, list(zip(texts, logprobs, strict=True))

    def describe(self) -> Mapping[str, Any]:
        """Return folder or id, revision, hashes of weights, configuration and tokenizer, dtype, versions."""
        if self._description is None:
            self._description = self._describe()
        return self._description

    def close(self) -> None:
        """Let go of the model."""
        del self._model

    def _end_tokens(self) -> set[int]:
        """End-of-text tokens: the model's, and the tokenizer's (chat fine-tuning often changes only one)."""
        own = self._model.generation_config.eos_token_id
        ends = set(own) if isinstance(own, list | tuple) else {own}
        return {int(end) for end in ends | {self._tokenizer.eos_token_id} if end is not None}

    def _in_slots(self, rows: Sequence[Row], decoding: Decoding) -> Iterator[Completion]:
        special = self._prompts.special_ends(decoding.stop)
        ends = self._ends | set(special.values())
        sampler = (
            RowSampler([], decoding.temperature, decoding.top_p, self._device)
            if decoding.temperature
            else None
        )
        slots = Slots(
            self._model,
            self._tokenizer,
            size=self._batch_size,
            limit=decoding.max_new_tokens,
            pad=self._pad,
            ends=ends,
            stop=[text for text in decoding.stop if text not in special],
            sampler=sampler,
        )
        done = slots.run(rows)
        while True:
            with self._no_grad():  # not around the yield: it would hold for the caller's code too
                row = next(done, None)
            if row is None:
                return
            found = self._read(row.made, ends, decoding)
            yield Completion(row.index, *found, prompt_tokens=len(row.prompt))

    def _in_batches(self, rows: Sequence[Row], decoding: Decoding) -> Iterator[Completion]:
        for start in range(0, len(rows), self._batch_size):
            chosen = rows[start : start + self._batch_size]
            made = self._complete([row.prompt for row in chosen], [row.seed for row in chosen], decoding)
            for row, found in zip(chosen, made, strict=True):
                yield Completion(row.index, *found, prompt_tokens=len(row.prompt))

    def _complete(
        self, tokens: Sequence[Sequence[int]], seeds: Sequence[int], decoding: Decoding
    ) -> list[tuple[str, str, int]]:
        """Complete one batch; return text, finish and number of tokens of each."""
        padded, mask = self._pad_left(tokens)
        longest = padded.shape[1]
        special = self._prompts.special_ends(decoding.stop)
        stops = StopTexts(
            [text for text in decoding.stop if text not in special], self._tokenizer, longest, len(tokens)
        )
        ends = self._ends | set(special.values())
        with self._with_no_settings_of_its_own(), self._no_grad():
            made = self._model.generate(
                input_ids=padded,
                attention_mask=mask,
                max_new_tokens=decoding.max_new_tokens,
                do_sample=False,
                eos_token_id=sorted(ends) or None,
                logits_processor=self._sampler(seeds, decoding),
                stopping_criteria=transformers.StoppingCriteriaList([stops] if decoding.stop else []),
            )
        rows = made[:, longest:].tolist()
        return [
            self._read(row[:ended], ends, decoding) for row, ended in zip(rows, stops.ended_at, strict=True)
        ]

    def _sampler(self, seeds: Sequence[int], decoding: Decoding) -> transformers.LogitsProcessorList:
        processors = transformers.LogitsProcessorList([OnlyNumbers()])
        if decoding.temperature > 0:
            processors.append(RowSampler(seeds, decoding.temperature, decoding.top_p, self._device))
        return processors

    def _pad_left(self, tokens: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Prompts of one length, and which of their tokens count."""
        longest = max(map(len, tokens))
        padded = [[self._pad] * (longest - len(one)) + list(one) for one in tokens]
        mask = [[0] * (longest - len(one)) + [1] * len(one) for one in tokens]
        return torch.tensor(padded, device=self._device), torch.tensor(mask, device=self._device)

    @contextmanager
    def _with_no_settings_of_its_own(self) -> Iterator[None]:
        own, settings = self._model.generation_config, transformers.GenerationConfig
        self._model.generation_config = settings(pad_token_id=self._pad)  # type: ignore[no-untyped-call]
        try:
            yield
        finally:
            self._model.generation_config = own

    def _read(self, row: list[int], ends: set[int], decoding: Decoding) -> tuple[str, str, int]:
        end = next((place for place, token in enumerate(row) if token in ends), None)
        kept = row[:end]
        text, stopped = cut(self._tokenizer.decode(kept, skip_special_tokens=True), decoding.stop)
        ended = stopped or end is not None
        return text, "stop" if ended else "length", len(kept)

    def _describe(self) -> dict[str, Any]:
        from importlib.metadata import version

        if self._is_ours:
            known = self._files.result() if self._files else self._describe_files()
        else:
            known = {
                "model": self._name,
                "weights": hash_parameters(self._model),
                "config": hash_config_of(self._model),
                "tokenizer": hash_tokenizer_of(self._tokenizer),
            }
        weights = self._model.parameters()
        return {
            "generator": "transformers",
            **known,
            "chat_template": self._prompts.is_chat,
            "parameters": sum(weight.numel() for weight in weights),
            "dtype": str(self._model.dtype).removeprefix("torch."),
            "device": str(self._device),
            "batch_size": self._batch_size,
            "libraries": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        }

    def _describe_files(self) -> dict[str, Any]:
        folder: Path | None
        if Path(self._name).is_dir():
            folder = Path(self._name)
            known: dict[str, Any] = {"folder": str(folder.resolve())}
        else:  # the cache's folder of a model id is named after the commit
            folder = find_snapshot(self._name, self._revision)
            known = {"model": self._name, "revision": folder.name if folder else self._revision}
        return {
            **known,
            "weights": hash_weights(folder) if folder else None,
            "config": hash_config(folder) if folder else None,
            "tokenizer": hash_tokenizer(folder) if folder else None,
        }


def _longest_first(encoded: Mapping[int, list[int]], decoding: Decoding) -> list[Row]:
    seeds = row_seeds(list(encoded.values()), decoding.seed)
    rows = [Row(index, tokens, seed) for (index, tokens), seed in zip(encoded.items(), seeds, strict=True)]
    return sorted(rows, key=lambda row: (-len(row.prompt), row.index))
