"""The reward `reward-model`: what a sequence classifier gives a completion."""

import logging
import math
from collections.abc import Mapping
from typing import Any, Literal

from hub.errors import BadInput, OptionError
from hub.sample import Sample
from hub.score import Score
from hub_reward_model.batches import batch_size_for, forward, in_batches
from hub_reward_model.loaded import Dtype, Which, describe, load
from hub_reward_model.written import Truncation, Writer, Written

NAME = "reward-model"
_log = logging.getLogger("hub")


class RewardModel:
    """Scores completions with any model that transformers' AutoModelForSequenceClassification reads.

    The value is the model's output, as it is or normalized. It does not depend on what else is scored, but
    for rounding: in float32 by less than 1e-4, in bfloat16 by less than 0.05, of values about 1.

    The score's `info` holds `tokens`, `cut` (how many were left out; the reason is then `truncated`),
    `special_tokens` (those that the completion spells out: the model takes them for its own), and of a
    model with several labels `labels`. An output that is no finite number fails with `bad_value`.

    Rewards with the same model, revision, dtype and device share one in memory.

    Args:
        model: a folder, or a model id.
        revision: of a model id: a branch, tag or commit.
        label: of a model with several outputs the one that counts, by name or number, or several with their
            weights, e.g. {helpfulness = 0.7, correctness = 0.3}.
        normalize: "none"; "sigmoid" of the output; "softmax" over all labels.
        form: how prompt and completion are written: "auto" is "chat" where the tokenizer has a chat template,
            else "pair" (two texts, with the tokenizer's separator); "completion" is the completion alone;
            anything else is a template with {prompt} and {completion}.
        max_length: most tokens; None: as many as the model can see.
        truncation: where longer ones are cut, at their "left" (keeps the completion's end) or "right" end; or
            "fail".
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
        label: str | int | dict[str, Any] | None = None,
        normalize: Literal["none", "sigmoid", "softmax"] = "none",
        form: str = "auto",
        max_length: int | None = None,
        truncation: Truncation = "left",
        dtype: Dtype = "auto",
        device: str = "auto",
        batch_size: int | None = None,
        remote_code: bool = False,
    ) -> None:
        self._loaded = load(_which(model, revision, dtype, device, remote_code))
        self._writer = Writer(NAME, self._loaded, form, max_length, truncation)
        self._size = batch_size_for(self._loaded.device, batch_size, NAME)
        config = self._loaded.model.config
        self._names = [str(config.id2label.get(n, n)) for n in range(config.num_labels)]
        self._weights = _read_label(label, self._names)
        self._normalize = normalize
        self._told = False

    @classmethod
    def provenance(cls, **options: Any) -> Mapping[str, Any]:
        """Return what values depend on beside these options: hashes of the model's files."""
        keys = ("model", "revision", "dtype", "device", "remote_code")
        defaults = {"revision": "", "dtype": "auto", "device": "auto", "remote_code": False}
        return describe(_which(*({**defaults, **options}[key] for key in keys)))

    def __call__(self, samples: list[Sample]) -> list[Score]:
        """Score each sample on its own."""
        written = [self._write(sample) for sample in samples]
        texts = [text for text in written if isinstance(text, Written)]

        def call(chosen: list[int]) -> list[list[float]]:
            rows: list[list[float]] = forward(self._loaded, [texts[index] for index in chosen]).tolist()
            return rows

        outputs = iter(in_batches([len(text.tokens) for text in texts], self._size, call))
        self._tell(texts)
        return [
            text if isinstance(text, Score) else self._score(sample, text, next(outputs))
            for sample, text in zip(samples, written, strict=True)
        ]

    def _write(self, sample: Sample) -> Written | Score:
        try:
            return self._writer.write(sample)
        except BadInput as error:
            return Score.failed("bad_input", str(error))

    def _score(self, sample: Sample, text: Written, output: list[float] | Score) -> Score:
        if isinstance(output, Score):
            return output
        info: dict[str, Any] = {"tokens": len(text.tokens)}
        if text.cut:
            info["cut"] = text.cut
        if spelled := self._loaded.special_tokens_in(sample.text):
            info["special_tokens"] = spelled
        if not all(map(math.isfinite, output)):
            return Score.failed("bad_value", f"the model's output is {output}", info)
        values = _normalized(output, self._normalize)
        if len(values) > 1:
            info["labels"] = dict(zip(self._names, values, strict=True))
        value = math.fsum(weight * values[index] for index, weight in self._weights)
        return Score(value, "truncated" if text.cut else "", info=info)

    def _tell(self, texts: list[Written]) -> None:
        """Say once that texts are cut: it can make scores worthless."""
        cut = sum(text.cut > 0 for text in texts)
        if cut and not self._told:
            self._told = True
            _log.warning(
                "%s: %d of %d texts have more than %s tokens and were cut; scores say so (`truncated`)",
                NAME,
                cut,
                len(texts),
                self._writer.max_length,
            )


def _which(model: str, revision: str, dtype: Dtype, device: str, remote_code: bool) -> Which:
    return Which(NAME, model, revision, "sequence", dtype, device, remote_code)


def _read_label(label: str | int | dict[str, Any] | None, names: list[str]) -> list[tuple[int, float]]:
    """Number and weight of each output that counts."""
    if label is None:
        if len(names) > 1:
            raise OptionError(
                f"reward {NAME!r}: the model has {len(names)} outputs ({', '.join(names)}): say which counts "
                "with label = NAME"
            )
        return [(0, 1.0)]
    wanted = label if isinstance(label, dict) else {label: 1.0}
    if not wanted:
        raise OptionError(f"reward {NAME!r}: label names none of the outputs {', '.join(names)}")
    found = []
    for name, weight in wanted.items():
        if isinstance(name, bool):
            raise OptionError(f"reward {NAME!r}: a label is a name or a number, not {name!r}")
        index = name if isinstance(name, int) else names.index(name) if name in names else -1
        if isinstance(name, str) and index < 0 and name.isdecimal():
            index = int(name)
        if not 0 <= index < len(names):
            raise OptionError(
                f"reward {NAME!r}: the model has no label {name!r} (it has: {', '.join(names)})"
            )
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight):
            raise OptionError(f"reward {NAME!r}: the weight of label {name!r} is {weight!r}, not a number")
        found.append((index, float(weight)))
    return found


def _normalized(output: list[float], how: str) -> list[float]:
    """Outputs as they are, each between 0 and 1, or as probabilities.

    >>> _normalized([0.0, 0.0], "sigmoid"), _normalized([1000.0, 1000.0], "softmax")
    ([0.5, 0.5], [0.5, 0.5])
    """
    if how == "sigmoid":
        return [1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x)) for x in output]
    if how == "softmax":
        parts = [math.exp(x - max(output)) for x in output]
        return [part / math.fsum(parts) for part in parts]
    return output
