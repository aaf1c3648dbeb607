"""Completes prompts with a model backend of lm-eval: whatever it can load, the hub can evaluate.

lm-eval gives completions of one call all at once, so prompts go in pieces of similar length.
"""

import hashlib
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import lm_eval.models  # noqa: F401, TID253 - fills the registry; this module is imported late
from lm_eval.api.instance import Instance  # noqa: TID253
from lm_eval.api.registry import model_registry  # noqa: TID253

from hub.errors import GeneratorError, HubError, OptionError, UnknownName
from hub.evaluation.fingerprint import hash_config, hash_tokenizer, hash_weights
from hub.generator import Completion, Decoding, Likelihood
from hub.sample import Sample, Text

SEEDS = 2**31
WHERE = {"device": "device", "batch_size": "batch_size", "base_url": "address"}
"""Arguments that say where and how a model runs, not which it is, and what descriptions call them."""


class _Unfit(Exception):
    """A prompt that the model cannot take; others may be fine."""


class LMEvalGenerator:
    """A model backend of lm-eval.

    Args:
        model: what the backend calls `pretrained` or `model`: a folder, an id.
        backend: its name in lm-eval's registry, e.g. "hf", "vllm", "local-completions".
        chat_template: "auto" uses the chat template where the backend has one and the decoding does not say
            otherwise, "always" insists on it, "never" gives the prompt as it is.
        piece: prompts in one call; completions of a call arrive, and can be resumed after, together.
        arguments: the backend's own, e.g. dtype, device, batch_size, base_url.

    Raises:
        UnknownName: lm-eval has no such backend.
        OptionError: an argument is not the backend's, or it has no chat template.
        GeneratorError: the model cannot be loaded.
    """

    def __init__(
        self,
        model: str,
        *,
        backend: str = "hf",
        chat_template: Literal["auto", "always", "never"] = "auto",
        piece: int = 64,
        **arguments: Any,
    ) -> None:
        if backend not in model_registry:
            raise UnknownName("model backend of lm-eval", backend, model_registry.keys())
        if chat_template not in ("auto", "always", "never") or not isinstance(piece, int) or piece < 1:
            raise OptionError("generator 'lm-eval': chat_template is auto, always or never; piece at least 1")
        self._model, self._backend, self._piece, self._arguments = model, backend, piece, arguments
        self._lm = self._load()
        self._is_hf = any(kind.__name__ == "HFLM" for kind in type(self._lm).__mro__)
        has_template = _has_chat_template(self._lm, backend)
        if chat_template == "always" and not has_template:
            raise OptionError(f"lm-eval's {backend!r} has no chat template for {model!r}: use auto or never")
        self._chat, self._insists = has_template and chat_template != "never", chat_template == "always"
        self._description: dict[str, Any] | None = None

    def generate(self, prompts: Sequence[Text], decoding: Decoding) -> Iterator[Completion]:
        """Complete each prompt once, longest first; a piece is yielded when all of it is done.

        Raises:
            GeneratorError: the backend cannot.
        """
        contexts: dict[int, Any] = {}
        for index, prompt in enumerate(prompts):
            try:
                contexts[index] = self._context(prompt, decoding)
            except _Unfit as unfit:
                yield Completion.refusal(index, str(unfit))
        settings: dict[str, Any] = {
            "until": list(decoding.stop),
            "max_gen_toks": decoding.max_new_tokens,
            "do_sample": decoding.temperature > 0,
            "temperature": decoding.temperature,
        }
        if decoding.temperature > 0 and decoding.top_p < 1:
            settings["top_p"] = decoding.top_p
        if hasattr(self._lm, "_seed"):  # what backends of servers send with each request; else always 1234
            self._lm._seed = decoding.seed
        order = sorted(contexts, key=lambda index: (-len(contexts[index]), index))
        for start in range(0, len(order), self._piece):
            chosen = order[start : start + self._piece]
            texts = self._complete([contexts[index] for index in chosen], settings, decoding)
            for index, text in zip(chosen, texts, strict=True):
                yield Completion(index, text, self._finish(text, decoding))

    def loglikelihood(self, asked: Sequence[tuple[str | None, str]]) -> Iterator[tuple[int, Likelihood]]:
        """Tell how likely each text is after its context, longest first; a piece is yielded when it is done.

        Raises:
            GeneratorError: the backend cannot.
        """
        for alone in (True, False):
            numbers = [number for number, (context, _) in enumerate(asked) if (context is None) == alone]
            numbers.sort(key=lambda number: (-sum(len(text or "") for text in asked[number]), number))
            for start in range(0, len(numbers), self._piece):
                piece = numbers[start : start + self._piece]
                yield from zip(piece, self._measure([asked[number] for number in piece], alone), strict=True)

    def describe(self) -> Mapping[str, Any]:
        """Return backend, arguments, what lm-eval says of the model, hash of the weights files, versions."""
        if self._description is None:
            others = dict(self._arguments)
            where = {name: others.pop(key) for key, name in WHERE.items() if key in others}
            if "address" in where:
                where["address"] = re.sub(r"//[^/@]*@", "//", str(where["address"]))
            folder = Path(self._model)
            known = {"folder": str(folder.resolve())} if folder.is_dir() else {"model": self._model}
            tell = getattr(self._lm, "get_model_info", dict)
            self._description = {
                "generator": "lm-eval",
                "backend": self._backend,
                **known,
                "weights": hash_weights(folder) if folder.is_dir() else None,
                "config": hash_config(folder) if folder.is_dir() else None,
                "tokenizer": hash_tokenizer(folder) if folder.is_dir() else None,
                "chat_template": self._chat,
                "arguments": others,
                **where,
                **{key.removeprefix("model_"): str(value) for key, value in tell().items()},
                "libraries": {"lm_eval": version("lm_eval")},
            }
        return self._description

    def close(self) -> None:
        """Let go of the model."""
        del self._lm

    def _load(self) -> Any:
        make = model_registry.get(self._backend)
        parameters = inspect.signature(make).parameters
        # Some backends take the model's name in a base class that they hand their other arguments on to.
        taken = {name for kind in make.__mro__ for name in inspect.signature(kind.__init__).parameters}
        name = next((name for name in ("pretrained", "model") if name in taken), None)
        named = {name: self._model} if name else {}
        try:
            inspect.signature(make).bind(**named, **self._arguments)
        except TypeError as error:
            known = ", ".join(
                p for p in parameters if parameters[p].kind is not inspect.Parameter.VAR_KEYWORD
            )
            message = f"lm-eval's {self._backend!r}: {error} (its arguments: {known})"
            raise OptionError(message) from error
        try:
            return make(**named, **_where(parameters, self._arguments), **self._arguments)
        except HubError:
            raise
        except Exception as error:  # each backend has its own errors
            raise GeneratorError(
                f"lm-eval's {self._backend!r} cannot load {self._model!r}: {type(error).__name__}: {error}"
            ) from error

    def _context(self, prompt: Text, decoding: Decoding) -> Any:
        context = self._templated(prompt, decoding)
        if self._is_hf:  # lm-eval would cut it from the left without a word
            tokens, room = len(self._lm.tok_encode(context)), self._lm.max_length
            if tokens + decoding.max_new_tokens > room:
                raise _Unfit(
                    f"the prompt has {tokens} tokens; with {decoding.max_new_tokens} new ones that is more "
                    f"than the {room} that {self._model!r} can see: lower --max-new-tokens, or take another "
                    "model"
                )
        return context

    def _templated(self, prompt: Text, decoding: Decoding) -> Any:
        if isinstance(prompt, str) and not decoding.chat_template and not self._insists:
            return prompt
        messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt)
        try:
            if self._chat:
                return self._lm.apply_chat_template([dict(message) for message in messages])
        except Exception as error:
            raise _Unfit(f"the prompt does not fit the chat template: {error}") from error
        return "\n\n".join(Sample([{**message, "role": "user"}]).prompt_text for message in messages)

    def _complete(
        self, contexts: Sequence[Any], settings: Mapping[str, Any], decoding: Decoding
    ) -> list[str]:
        requests = [
            Instance("generate_until", {}, (context, dict(settings)), index)
            for index, context in enumerate(contexts)
        ]
        try:
            with _seeded(decoding, contexts):
                texts = self._lm.generate_until(requests, disable_tqdm=True)
        except Exception as error:
            raise GeneratorError(f"lm-eval's {self._backend!r}: {type(error).__name__}: {error}") from error
        if len(texts) != len(requests) or not all(isinstance(text, str) for text in texts):
            raise GeneratorError(
                f"lm-eval's {self._backend!r} gave {len(texts)} completions of {len(requests)}, or no text"
            )
        return list(texts)

    def _measure(self, asked: Sequence[tuple[str | None, str]], alone: bool) -> list[Likelihood]:
        kind = "loglikelihood_rolling" if alone else "loglikelihood"
        requests = [
            Instance(kind, {}, (text,) if alone else (context, text), number)
            for number, (context, text) in enumerate(asked)
        ]
        try:
            with redirect_stderr(StringIO()):  # some bars are shown whatever is asked
                found = getattr(self._lm, kind)(requests, disable_tqdm=True)
        except Exception as error:
            raise GeneratorError(f"lm-eval's {self._backend!r}: {type(error).__name__}: {error}") from error
        if len(found) != len(requests):
            raise GeneratorError(
                f"lm-eval's {self._backend!r} gave {len(found)} likelihoods of {len(requests)}"
            )
        return [(float(one), False) if alone else (float(one[0]), bool(one[1])) for one in found]

    def _finish(self, text: str, decoding: Decoding) -> str:
        """lm-eval does not tell why a completion ended; one that is as long as allowed was probably cut."""
        if not self._is_hf:
            return "stop"
        tokens = len(self._lm.tok_encode(text, add_special_tokens=False))
        return "length" if tokens >= decoding.max_new_tokens else "stop"


def _where(parameters: Mapping[str, inspect.Parameter], given: Mapping[str, Any]) -> dict[str, str]:
    """The device, where a backend would take a GPU that is not there."""
    import torch

    own = parameters.get("device")
    if own is None or own.default != "cuda" or "device" in given or torch.cuda.is_available():
        return {}
    return {"device": "mps" if torch.backends.mps.is_available() else "cpu"}


def _has_chat_template(lm: Any, backend: str) -> bool:
    if "chat" in backend:  # the server applies it
        return True
    try:
        tokenizer = getattr(lm, "tokenizer", None)
    except Exception:  # some backends load theirs here, and may not find it
        return False
    return bool(getattr(tokenizer, "chat_template", None))


@contextmanager
def _seeded(decoding: Decoding, contexts: Sequence[Any]) -> Iterator[None]:
    """Seed torch for one call of sampling, and put its random state back afterwards."""
    if decoding.temperature == 0:
        yield
        return
    import torch

    content = int.from_bytes(hashlib.sha256(repr(list(contexts)).encode()).digest()[:4])
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed((decoding.seed + content) % SEEDS)
        yield
