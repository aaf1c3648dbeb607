"""The reward `process-reward-model`: what a model gives each step of a completion."""

import math
import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch  # noqa: TID253 - this module is imported when a model is used

from hub.errors import BadInput, OptionError
from hub.sample import Sample
from hub.score import Score
from hub_reward_model.batches import batch_size_for, forward, in_batches
from hub_reward_model.loaded import Dtype, Kind, Which, architecture, describe, load
from hub_reward_model.steps import Aggregate, Layout, aggregate
from hub_reward_model.written import Written, as_messages, as_text, clean, fill, render

NAME = "process-reward-model"
EXTRA = "<extra_0>"
"""Qwen2.5-Math-PRM's mark (its model card: probability of the second label at this token)."""
_HERE = "hub4f6c1a7e9b3d completion"
"""Stands for the completion while the chat template is rendered."""


@dataclass(frozen=True)
class _Steps:
    """A sample for the model, and at which of its tokens steps are read."""

    written: Written
    places: tuple[int, ...]


class ProcessRewardModel:
    r"""Scores each step of a completion with a process reward model, and makes one value of these.

    Two kinds of models are read: token classifiers (TRL's PRMTrainer, Qwen2.5-Math-PRM), whose second label's
    probability at the mark behind a step is its value; and causal language models (Math-Shepherd, Wang et al.
    2023, arXiv 2312.08935), where it is the probability of `good` against `bad` as the token after the mark.

    The score's `info` has `steps`, the value of each, and `tokens`. A completion that does not fit the model
    earns 0 (`too_long`): it must not pay to be too long to be read. `special_tokens` lists those that the
    completion spelled out; they are taken out of it, as a mark of its own would split a step.

    Args:
        model: a folder, or a model id.
        revision: of a model id: a branch, tag or commit.
        aggregate: "min", "mean", "last" or "product" of the steps' values.
        separator: a regular expression between two steps; "": a blank line; for causal models, and where the
            mark is a line's end, any line's end.
        mark: what is written behind each step; "": "<extra_0>" where the tokenizer has that token, " ки" for
            causal models, else a line's end.
        write: how a step is written: {step} and {mark}, and {number} from 1; "": "{step}{mark}", for causal
            models with a line's end behind it. Math-Shepherd was trained on "Step {number}: {step}{mark}\n".
        form: "auto" is "{prompt}{completion}" where the mark is a line's end, else "chat" where the tokenizer
            has a chat template, else "{prompt} {completion}"; or a template like these.
        system: a system message, where the prompt has none; for the form "chat".
        good: token of a good step (causal models).
        bad: token of a bad one.
        max_length: most tokens; None: as many as the model can see.
        too_long: "zero", or "fail".
        dtype: of the weights; "auto": float32 on a CPU, elsewhere as they are stored.
        device: a torch device; "auto": a GPU if there is one.
        batch_size: texts at once; None: 8 on a CPU, 32 on a GPU. Halved where memory runs out.
        remote_code: run the code that the model brings along.

    Raises:
        OptionError: the model cannot be loaded or was not trained to score, or an option does not fit it.
    """

    no_effect = ("device", "batch_size")

    def __init__(
        self,
        model: str,
        revision: str = "",
        aggregate: Aggregate = "min",
        separator: str = "",
        mark: str = "",
        write: str = "",
        form: str = "auto",
        system: str = "",
        good: str = "+",
        bad: str = "-",
        max_length: int | None = None,
        too_long: Literal["zero", "fail"] = "zero",
        dtype: Dtype = "auto",
        device: str = "auto",
        batch_size: int | None = None,
        remote_code: bool = False,
    ) -> None:
        which = _which(model, revision, dtype, device, remote_code)
        self._loaded = load(which)
        tokenizer = self._loaded.tokenizer
        if not tokenizer.is_fast:
            raise OptionError(
                f"reward {NAME!r}: the tokenizer does not tell where its tokens are in the text"
            )
        self._aggregate: Aggregate = aggregate
        self._layout = _layout(separator, mark, write, which.kind, EXTRA in tokenizer.get_vocab())
        by_template = "chat" if tokenizer.chat_template else "{prompt} {completion}"
        usual = "{prompt}{completion}" if self._layout.mark.isspace() else by_template
        self._form = usual if form == "auto" else form
        if self._form != "chat" and "{completion}" not in self._form:
            raise OptionError(f"reward {NAME!r}: form is auto, chat, or a template with {{completion}} in it")
        if self._form == "chat" and not tokenizer.chat_template:
            raise OptionError(f"reward {NAME!r}: the tokenizer has no chat template: give form a template")
        self._system = system
        self._candidates = [self._token(good), self._token(bad)] if which.kind == "causal" else []
        longest = self._loaded.longest
        if max_length is not None and not 1 <= max_length <= (longest or max_length):
            raise OptionError(
                f"reward {NAME!r}: max_length is 1 to {longest}, which is what the model can see, not "
                f"{max_length}"
            )
        self._longest = max_length or longest
        self._too_long = too_long
        self._size = batch_size_for(self._loaded.device, batch_size, NAME)

    @classmethod
    def provenance(cls, **options: Any) -> Mapping[str, Any]:
        """Return what values depend on beside these options: hashes of the model's files."""
        return describe(_which(options["model"], options.get("revision", ""), "auto", "auto", False, "token"))

    def __call__(self, samples: list[Sample]) -> list[Score]:
        """Score each sample on its own."""
        prepared = [self._prepare(sample) for sample in samples]
        texts = [found for found in prepared if isinstance(found, _Steps)]

        def call(chosen: list[int]) -> list[list[float]]:
            logits = forward(self._loaded, [texts[index].written for index in chosen])
            return [
                self._read(row[list(texts[index].places)]) for row, index in zip(logits, chosen, strict=True)
            ]

        values = iter(in_batches([len(text.written.tokens) for text in texts], self._size, call))
        return [
            found if isinstance(found, Score) else self._score(sample, found, next(values))
            for sample, found in zip(samples, prepared, strict=True)
        ]

    def _prepare(self, sample: Sample) -> _Steps | Score:
        try:
            before, steps, after = self._write(sample)
        except BadInput as error:
            return Score.failed("bad_input", str(error))
        with self._loaded.lock:
            encode = self._encode_apart if self._layout.mark.isspace() else self._encode_whole
            tokens, places = encode(before, steps, after)
        if self._longest is not None and len(tokens) > self._longest:
            detail = f"{len(tokens)} tokens are more than the {self._longest} that the model is given"
            if self._too_long == "fail":
                return Score.failed("bad_input", detail)
            return Score(0.0, "too_long", detail, {"tokens": len(tokens), "cut": len(tokens) - self._longest})
        return _Steps(Written(tuple(tokens)), tuple(places))

    def _write(self, sample: Sample) -> tuple[str, list[tuple[str, str]], str]:
        """What is written before the steps, of each step before and behind its mark, and behind them all."""
        completion = clean(sample.text)
        for token in (*self._loaded.special_tokens_in(completion), EXTRA):
            completion = completion.replace(token, "")
        if self._form == "chat":
            messages = [*as_messages(sample.prompt, "user"), {"role": "assistant", "content": _HERE}]
            if self._system and messages[0]["role"] != "system":
                messages.insert(0, {"role": "system", "content": self._system})
            whole = str(render(self._loaded.tokenizer, messages, tokenize=False))
        else:
            whole = fill(self._form, as_text(sample.prompt), _HERE)
        before, found, after = whole.rpartition(_HERE)
        if not found:
            raise BadInput("the chat template leaves the completion out")
        return before, self._layout.write_steps(completion), after

    def _encode_whole(
        self, before: str, steps: list[tuple[str, str]], after: str
    ) -> tuple[list[int], list[int]]:
        """Tokens of the text as one, and at which of them each mark ends."""
        text, ends = before, []
        for step, behind in steps:
            text += step + self._layout.mark
            ends.append(len(text))
            text += behind
        special = self._form != "chat"
        found = self._loaded.tokenizer(text + after, add_special_tokens=special, return_offsets_mapping=True)
        # Special tokens that are added have an empty place.
        begins = [(start, n) for n, (start, end) in enumerate(found["offset_mapping"]) if end > start]
        return found["input_ids"], [begins[bisect_left(begins, (end,)) - 1][1] for end in ends]

    def _encode_apart(
        self, before: str, steps: list[tuple[str, str]], after: str
    ) -> tuple[list[int], list[int]]:
        """The same with each mark's tokens apart, as TRL has them: a dot and a line's end may be one."""
        begin = self._loaded.tokenizer.bos_token_id
        tokens = [begin] if begin is not None and self._form != "chat" else []
        places = []
        tokens += self._ids(before)
        for step, behind in steps:
            tokens += self._ids(step) + self._ids(self._layout.mark)
            places.append(len(tokens) - 1)
            tokens += self._ids(behind)
        return tokens + self._ids(after), places

    def _ids(self, text: str) -> list[int]:
        found: list[int] = self._loaded.tokenizer(text, add_special_tokens=False)["input_ids"]
        return found

    def _read(self, logits: torch.Tensor) -> list[float]:
        """The value of each step of a row, from the logits at its tokens."""
        if self._candidates:
            logits = logits[:, self._candidates].flip(-1)
        if logits.shape[-1] == 1:
            return [float(value) for value in logits.sigmoid()[:, 0]]
        return [float(value) for value in logits.softmax(-1)[:, 1]]

    def _score(self, sample: Sample, found: _Steps, values: list[float] | Score) -> Score:
        if isinstance(values, Score):
            return values
        info: dict[str, Any] = {"steps": values, "tokens": len(found.written.tokens)}
        if spelled := self._loaded.special_tokens_in(sample.text):
            info["special_tokens"] = spelled
        if not all(map(math.isfinite, values)):
            info["steps"] = [str(value) for value in values]
            return Score.failed("bad_value", "the model's output for a step is no finite number", info)
        return Score(aggregate(values, self._aggregate), info=info)

    def _token(self, text: str) -> int:
        found = self._ids(text)
        if len(found) != 1:
            raise OptionError(f"reward {NAME!r}: {text!r} is {len(found)} tokens of this model, not one")
        return found[0]


def _which(
    model: str, revision: str, dtype: Dtype, device: str, remote_code: bool, kind: Kind | None = None
) -> Which:
    which = Which(NAME, model, revision, kind or "token", dtype, device, remote_code)
    if kind is None and architecture(which).endswith(("ForCausalLM", "LMHeadModel")):
        return Which(NAME, model, revision, "causal", dtype, device, remote_code)
    return which


def _layout(separator: str, mark: str, write: str, kind: Kind, has_extra: bool) -> Layout:
    causal = kind == "causal"
    mark = mark or (" ки" if causal else EXTRA if has_extra else "\n")
    separator = separator or (r"\n" if mark == "\n" or causal else r"\n\s*\n")
    write = write or ("{step}{mark}\n" if causal else "{step}{mark}")
    if "{step}" not in write or "{mark}" not in write or write.index("{mark}") < write.index("{step}"):
        raise OptionError(f"reward {NAME!r}: write has {{step}} and behind it {{mark}}, not {write!r}")
    try:
        re.compile(separator)
    except re.error as error:
        raise OptionError(f"reward {NAME!r}: separator is no regular expression: {error}") from error
    return Layout(separator, mark, write)
