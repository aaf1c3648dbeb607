"""Completes prompts with a transformers model in this process.

What is recorded is what runs: the decoding is the one given, and the model's own generation settings
(temperature, repetition penalty, ...) are not mixed in, but for its end-of-text tokens. No prompt is cut.

Not here: several GPUs, encoder-decoder models, images. vLLM or SGLang do that; see the generator `openai`.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch  # noqa: TID253 - this module is imported when a model is opened
import transformers  # noqa: TID253
from jinja2 import TemplateError

from hub.errors import GeneratorError, OptionError
from hub.evaluation.fingerprint import find_snapshot, hash_tokenizer, hash_weights
from hub.generator import Completion, Decoding, Likelihood
from hub.sample import Text
from hub_generators.likelihood import TextLikelihood
from hub_generators.prompts import ChatTemplate, as_messages, as_text
from hub_generators.sampling import RowSampler, StopTexts, row_seeds
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
    ) -> None:
        if batch_size is not None and batch_size < 1:
            raise OptionError(f"generator 'transformers': batch_size is at least 1, not {batch_size}")
        self._name, self._revision = _split_revision(model)
        self._device = _find_device(device)
        self._batch_size = batch_size or BATCH_SIZE.get(self._device.type, 8)
        if dtype == "auto" and self._device.type == "cpu":
            dtype = "float32"
        self._tokenizer, self._model = self._load(dtype)
        has_template = bool(self._tokenizer.chat_template)
        if chat_template == "always" and not has_template:
            raise OptionError(
                f"the tokenizer of {model!r} has no chat template: use chat_template=auto or never"
            )
        self._chat, self._insists = has_template and chat_template != "never", chat_template == "always"
        self._ends = self._end_tokens()
        own = self._model.generation_config
        self._pad = own.pad_token_id if own.pad_token_id is not None else (*sorted(self._ends), 0)[0]
        settings: Any = transformers.GenerationConfig
        self._model.generation_config = settings(pad_token_id=self._pad)
        self._description: dict[str, Any] | None = None

    def generate(self, prompts: Sequence[Text], decoding: Decoding) -> Iterator[Completion]:
        """Complete each prompt once, longest first; a batch is yielded when all of it is done.

        Raises:
            GeneratorError: a prompt does not fit the model, or the device has too little memory.
        """
        encoded = [self._encode(prompt, index, decoding) for index, prompt in enumerate(prompts)]
        self._check_room(encoded, decoding)
        seeds = row_seeds(encoded, decoding.seed)
        order = sorted(range(len(encoded)), key=lambda index: (-len(encoded[index]), index))
        for start in range(0, len(order), self._batch_size):
            chosen = order[start : start + self._batch_size]
            tokens = [encoded[index] for index in chosen]
            try:
                made = self._complete(tokens, [seeds[index] for index in chosen], decoding)
            except torch.OutOfMemoryError as error:
                raise GeneratorError(
                    f"{self._device} has too little memory for {len(chosen)} prompts at once: lower the "
                    f"generator option batch_size ({error})"
                ) from error
            for index, (text, finish, count) in zip(chosen, made, strict=True):
                yield Completion(index, text, finish, count)

    def loglikelihood(self, asked: Sequence[tuple[str | None, str]]) -> Iterator[tuple[int, Likelihood]]:
        """Tell how likely each text is after its context, longest first; no chat template is used.

        Raises:
            GeneratorError: a text does not fit the model, or stands alone (its context is None).
        """
        measure = TextLikelihood(self._model, self._tokenizer, self._device, self._batch_size)
        yield from measure(asked)

    def describe(self) -> Mapping[str, Any]:
        """Return the folder or id, revision, hash of the weights files, tokenizer, dtype and versions."""
        if self._description is None:
            self._description = self._describe()
        return self._description

    def close(self) -> None:
        """Let go of the model."""
        del self._model

    def _load(self, dtype: str) -> tuple[Any, Any]:
        where: dict[str, Any] = {} if self._revision is None else {"revision": self._revision}
        kind = dtype if dtype == "auto" else getattr(torch, dtype)
        try:
            with _bars_for_people():
                tokenizer = transformers.AutoTokenizer.from_pretrained(self._name, **where)
                model: Any = transformers.AutoModelForCausalLM.from_pretrained(
                    self._name, dtype=kind, **where
                )
            return tokenizer, model.to(self._device).eval()
        except (OSError, ValueError, RuntimeError, KeyError, ImportError) as error:
            kind_of = (
                "the folder" if Path(self._name).is_dir() else "there is no such folder, and the model id"
            )
            raise GeneratorError(
                f"{kind_of} {self._name!r} cannot be loaded by transformers {transformers.__version__}: "
                f"{type(error).__name__}: {error}"
            ) from error

    def _end_tokens(self) -> set[int]:
        """End-of-text tokens: the model's, and the tokenizer's (chat fine-tuning often changes only one)."""
        own = self._model.generation_config.eos_token_id
        ends = set(own) if isinstance(own, list | tuple) else {own}
        return {int(end) for end in ends | {self._tokenizer.eos_token_id} if end is not None}

    def _encode(self, prompt: Text, index: int, decoding: Decoding) -> list[int]:
        as_it_is = isinstance(prompt, str) and not decoding.chat_template and not self._insists
        try:
            if self._chat and not as_it_is:
                encoded = self._tokenizer.apply_chat_template(
                    as_messages(prompt), add_generation_prompt=True, tokenize=True, return_dict=True
                )
            else:
                encoded = self._tokenizer(as_text(prompt))
        except (TemplateError, TypeError, ValueError) as error:
            raise GeneratorError(
                f"prompt {index} cannot be encoded: {type(error).__name__}: {error}"
            ) from error
        tokens = [int(token) for token in encoded["input_ids"]]
        begin = self._tokenizer.bos_token_id
        if not tokens and begin is None:
            raise GeneratorError(f"prompt {index} is empty, and the tokenizer has no token to begin with")
        return tokens or [int(begin)]

    def _check_room(self, encoded: Sequence[Sequence[int]], decoding: Decoding) -> None:
        room = getattr(self._model.config, "max_position_embeddings", None)
        longest = max(range(len(encoded)), key=lambda index: len(encoded[index]), default=None)
        if room is None or longest is None:
            return
        if len(encoded[longest]) + decoding.max_new_tokens > room:
            raise GeneratorError(
                f"prompt {longest} has {len(encoded[longest])} tokens; with {decoding.max_new_tokens} new "
                f"ones that is more than the {room} that {self._name!r} can see: lower --max-new-tokens"
            )

    def _complete(
        self, tokens: Sequence[Sequence[int]], seeds: Sequence[int], decoding: Decoding
    ) -> list[tuple[str, str, int]]:
        """Complete one batch; return text, finish and number of tokens of each."""
        longest = max(map(len, tokens))
        padded = [[self._pad] * (longest - len(one)) + list(one) for one in tokens]
        mask = [[0] * (longest - len(one)) + [1] * len(one) for one in tokens]
        special = self._special_ends(decoding.stop)
        stops = StopTexts(
            [text for text in decoding.stop if text not in special], self._tokenizer, longest, len(tokens)
        )
        processors = transformers.LogitsProcessorList()
        if decoding.temperature > 0:
            processors.append(RowSampler(seeds, decoding.temperature, decoding.top_p, self._device))
        ends = self._ends | set(special.values())
        with torch.inference_mode():
            made = self._model.generate(
                input_ids=torch.tensor(padded, device=self._device),
                attention_mask=torch.tensor(mask, device=self._device),
                max_new_tokens=decoding.max_new_tokens,
                do_sample=False,
                eos_token_id=sorted(ends) or None,
                logits_processor=processors,
                stopping_criteria=transformers.StoppingCriteriaList([stops] if decoding.stop else []),
            )
        rows = made[:, longest:].tolist()
        return [
            self._read(row[:ended], ends, decoding) for row, ended in zip(rows, stops.ended_at, strict=True)
        ]

    def _special_ends(self, stop: Sequence[str]) -> dict[str, int]:
        """Stop texts that are special tokens, which decoding would leave out of the text."""
        known = self._tokenizer.added_tokens_decoder.items()
        return {str(token): number for number, token in known if token.special and str(token) in stop}

    def _read(self, row: list[int], ends: set[int], decoding: Decoding) -> tuple[str, str, int]:
        end = next((place for place, token in enumerate(row) if token in ends), None)
        kept = row[:end]
        text, stopped = cut(self._tokenizer.decode(kept, skip_special_tokens=True), decoding.stop)
        ended = stopped or end is not None
        return text, "stop" if ended else "length", len(kept)

    def _describe(self) -> dict[str, Any]:
        from importlib.metadata import version

        folder: Path | None
        if Path(self._name).is_dir():
            folder = Path(self._name)
            known: dict[str, Any] = {"folder": str(folder.resolve())}
        else:  # the cache's folder of a model id is named after the commit
            folder = find_snapshot(self._name, self._revision)
            known = {"model": self._name, "revision": folder.name if folder else self._revision}
        weights = self._model.parameters()
        return {
            "generator": "transformers",
            **known,
            "weights": hash_weights(folder) if folder else None,
            "tokenizer": hash_tokenizer(folder) if folder else None,
            "chat_template": self._chat,
            "parameters": sum(weight.numel() for weight in weights),
            "dtype": str(self._model.dtype).removeprefix("torch."),
            "device": str(self._device),
            "batch_size": self._batch_size,
            "libraries": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        }


def _split_revision(model: str) -> tuple[str, str | None]:
    if Path(model).is_dir():
        return model, None
    name, _, revision = model.partition("@")
    return name, revision or None


def _find_device(device: str) -> torch.device:
    if device == "auto":
        device = (
            "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        )
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise OptionError(f"generator 'transformers': device {device!r} cannot be used: {reason}") from error
    return found


@contextmanager
def _bars_for_people() -> Iterator[None]:
    """Leave out transformers' progress bars where nobody watches: they fill logs."""
    bars = transformers.utils.logging
    shown = bars.is_progress_bar_enabled()
    if not sys.stderr.isatty():
        bars.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()  # type: ignore[no-untyped-call]
