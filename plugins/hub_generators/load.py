"""Loads a model and its tokenizer, onto a device that there is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch  # noqa: TID253 - imported with transformers_model, late
import transformers  # noqa: TID253

from hub.errors import GeneratorError, OptionError
from hub.evaluation.fingerprint import find_snapshot
from hub_generators.without_compiler import without_compiler


def load_model(name: str, revision: str | None, dtype: str, device: torch.device) -> tuple[Any, Any]:
    """Return a tokenizer and a causal model, which does not train.

    Args:
        name: a local folder, or a model id.
        revision: of a model id; None: main.
        dtype: of the weights; "auto": as they are stored.
        device: where to.

    Raises:
        GeneratorError: it cannot be loaded.
    """
    _check_reachable(name, revision)
    where: dict[str, Any] = {} if revision is None else {"revision": revision}
    kind = dtype if dtype == "auto" else getattr(torch, dtype)
    try:
        with _bars_for_people(), without_compiler():
            tokenizer = transformers.AutoTokenizer.from_pretrained(name, **where)
            model: Any = transformers.AutoModelForCausalLM.from_pretrained(name, dtype=kind, **where)
        return tokenizer, model.to(device).eval()
    except (OSError, ValueError, RuntimeError, KeyError, ImportError) as error:
        kind_of = "the folder" if Path(name).is_dir() else "there is no such folder, and the model id"
        raise GeneratorError(
            f"{kind_of} {name!r} cannot be loaded by transformers {transformers.__version__}: "
            f"{type(error).__name__}: {error}"
        ) from error


def find_device(device: str) -> torch.device:
    """Return a device of this machine.

    Args:
        device: as torch writes it; "auto": a GPU if there is one.

    Raises:
        OptionError: it cannot be used.
    """
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


def _check_reachable(name: str, revision: str | None) -> None:
    """Refuse a model id that is not in the cache while there is no network.

    Loading would try six times for the tokenizer and six for the model: three quarters of a minute.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    if Path(name).is_dir() or find_snapshot(name, revision):
        return
    try:
        get_hf_file_metadata(hf_hub_url(name, "config.json", revision=revision))
    except (HfHubHTTPError, HFValidationError, OfflineModeIsEnabled):
        return  # transformers says of these what to do
    except Exception as error:  # of the HTTP library, which is another one in each major version
        raise GeneratorError(
            f"there is no such folder, and the model id {name!r} is not in the local cache and cannot be "
            f"looked up: {type(error).__name__}: {error}. Name a folder, or try again with a network"
        ) from error


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
