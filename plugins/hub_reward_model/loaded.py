"""A model and its tokenizer, loaded once for all rewards that use it, and let go of with the last of them."""

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias
from weakref import WeakValueDictionary

import torch  # noqa: TID253 - this module is imported when a model is used
import transformers  # noqa: TID253

from hub.errors import OptionError
from hub.evaluation.fingerprint import find_snapshot, hash_config, hash_tokenizer, hash_weights

Dtype: TypeAlias = Literal["auto", "float32", "bfloat16", "float16"]
Kind: TypeAlias = Literal["sequence", "token", "causal"]
"""What is read of a model: one output for the text, one for each token, or the next token's."""

_CLASSES = {
    "sequence": "AutoModelForSequenceClassification",
    "token": "AutoModelForTokenClassification",
    "causal": "AutoModelForCausalLM",
}
_QWEN_PRM = "Qwen2ForProcessRewardModel"
_ENDINGS = {
    "sequence": ("ForSequenceClassification",),
    "token": ("ForTokenClassification", _QWEN_PRM),
    "causal": ("ForCausalLM", "LMHeadModel"),
}
_loaded: "WeakValueDictionary[Which, Loaded]" = WeakValueDictionary()
_lock = threading.Lock()


@dataclass(frozen=True)
class Which:
    """Which model, and how it is loaded.

    Args:
        reward: the reward's name, for messages.
        model: a folder, or a model id.
        revision: a branch, tag or commit of a model id; "" for the default.
        kind: what is read of it.
        dtype: of the weights; "auto": float32 on a CPU, elsewhere as they are stored.
        device: a torch device; "auto": a GPU if there is one.
        remote_code: run the code that a model brings along.

    Raises:
        OptionError: it asks for a revision of a folder, which has none.
    """

    reward: str
    model: str
    revision: str
    kind: Kind
    dtype: Dtype
    device: str
    remote_code: bool

    def __post_init__(self) -> None:
        if self.revision and Path(self.model).is_dir():
            raise OptionError(
                f"reward {self.reward!r}: {self.model!r} is a folder, and a folder has no revisions: leave "
                f"out revision = {self.revision!r}, or name a model id"
            )


@dataclass(eq=False)
class Loaded:
    """A model that is ready.

    Args:
        model: in evaluation mode, on its device.
        tokenizer: its own.
        device: where it is.
        lock: held while the tokenizer or the model's settings are changed for a call.
    """

    model: Any
    tokenizer: Any
    device: torch.device
    lock: threading.Lock

    @property
    def longest(self) -> int | None:
        """Most tokens that the model can see; None where nothing tells."""
        config = self.model.config.get_text_config()
        told = [getattr(config, "max_position_embeddings", None), self.tokenizer.model_max_length]
        for name, module in self.model.named_modules():
            if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
                told.append(module.num_embeddings - module.padding_idx - 1)  # RoBERTa's begin behind it
        return min((int(n) for n in told if n and n < 1_000_000), default=None)

    def special_tokens_in(self, text: str) -> list[str]:
        """Return the special tokens that a text spells out: the model reads them as the real ones."""
        return [token for token in self._special if token in text]

    @cached_property
    def _special(self) -> list[str]:
        known = self.tokenizer.added_tokens_decoder.values()
        return sorted({str(token) for token in known if token.special and str(token)})


def load(which: Which) -> Loaded:
    """Return the model, loading it unless another reward of this process has it.

    Raises:
        OptionError: it cannot be loaded, has no trained head of its kind, or the device cannot be used.
    """
    device = _find_device(which)
    on_cpu = which.dtype == "auto" and device.type == "cpu"
    which = replace(which, device=str(device), dtype="float32" if on_cpu else which.dtype)
    with _lock:
        found = _loaded.get(which)
        if found is None:
            found = _loaded[which] = _load(which)
        return found


@lru_cache(32)  # of large files it takes seconds, and it is asked for several times in a run
def describe(which: Which) -> Mapping[str, Any]:
    """Return what a model's values depend on beside the options: its revision, and hashes of its files."""
    folder = Path(which.model)
    if not folder.is_dir():
        found = find_snapshot(which.model, which.revision or None)
        known = {"revision": found.name if found else which.revision}
        folder = found or folder
    else:
        known = {}
    return {
        **known,
        "weights": hash_weights(folder) if folder.is_dir() else None,
        "config": hash_config(folder) if folder.is_dir() else None,
        "tokenizer": hash_tokenizer(folder) if folder.is_dir() else None,
    }


def architecture(which: Which) -> str:
    """Return the name of the class that was trained, as the configuration has it; "" where it does not tell.

    Raises:
        OptionError: there is no such model.
    """
    with _named(which):
        config = transformers.AutoConfig.from_pretrained(which.model, **_where(which))
    return str((getattr(config, "architectures", None) or [""])[0])


def _load(which: Which) -> Loaded:
    device = torch.device(which.device)
    dtype: Any = "auto" if which.dtype == "auto" else getattr(torch, which.dtype)
    trained_as = architecture(which)
    if trained_as and not trained_as.endswith(_ENDINGS[which.kind]) and not which.remote_code:
        # A head of another kind may fit by its shape, and transformers would not say a word.
        raise OptionError(
            f"reward {which.reward!r}: {which.model!r} is a {trained_as}, which has no head that was "
            f"trained to score, so its scores would be noise: name a model whose class ends with "
            f"{' or '.join(_ENDINGS[which.kind])}"
        )
    with _named(which), _bars_for_people(), torch.random.fork_rng(devices=[]):
        tokenizer = transformers.AutoTokenizer.from_pretrained(which.model, **_where(which))
        make = getattr(transformers, _CLASSES[which.kind])
        if trained_as == _QWEN_PRM and not which.remote_code:
            make = _qwen_process_reward_model()
        model, info = make.from_pretrained(
            which.model, dtype=dtype, output_loading_info=True, **_where(which)
        )
        model.config.use_cache = False  # one forward pass needs no keys and values afterwards
        missing = sorted(info["missing_keys"])
        if missing:
            raise OptionError(
                f"reward {which.reward!r}: {which.model!r} has no trained weights for "
                f"{', '.join(missing[:3])}, so its scores would be noise: name one that was trained to score"
            )
        return Loaded(model.to(device).eval(), tokenizer, device, threading.Lock())


def _qwen_process_reward_model() -> Any:
    """Qwen2.5-Math-PRM's class: two layers instead of one on top of every token.

    As in sglang/srt/models/qwen2_rm.py of sgl-project/sglang; so the code that the model brings along, which
    was written for older versions of transformers, need not be run.
    """
    parent: Any = transformers.Qwen2ForTokenClassification

    class Qwen2ForProcessRewardModel(parent):  # type: ignore[misc]
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            size = config.hidden_size
            self.score = torch.nn.Sequential(
                torch.nn.Linear(size, size), torch.nn.ReLU(), torch.nn.Linear(size, 2)
            )
            self.post_init()

    return Qwen2ForProcessRewardModel


def _where(which: Which) -> dict[str, Any]:
    where: dict[str, Any] = {"trust_remote_code": which.remote_code}
    return where | ({"revision": which.revision} if which.revision else {})


@contextmanager
def _named(which: Which) -> Iterator[None]:
    """Say which model it was that could not be loaded."""
    try:
        yield
    except (OSError, ValueError, RuntimeError, KeyError, ImportError, AttributeError) as error:
        what = "the folder" if Path(which.model).is_dir() else "there is no such folder, and the model id"
        raise OptionError(
            f"reward {which.reward!r}: {what} {which.model!r} cannot be loaded by transformers "
            f"{transformers.__version__}: {type(error).__name__}: {error}"
        ) from error


def _find_device(which: Which) -> torch.device:
    name = which.device
    if name == "auto":
        has_mps = torch.backends.mps.is_available()
        name = "cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu"
    try:
        found = torch.device(name)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise OptionError(f"reward {which.reward!r}: device {name!r} cannot be used: {reason}") from error
    return found


@contextmanager
def _bars_for_people() -> Iterator[None]:
    """Leave out transformers' progress bars where nobody watches: they fill logs."""
    bars: Any = transformers.utils.logging
    shown = bars.is_progress_bar_enabled()
    if not sys.stderr.isatty():
        bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()
