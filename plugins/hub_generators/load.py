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
            loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(
                name, dtype=kind, output_loading_info=True, **where
            )
        model, info = loaded
        if missing := sorted(info["missing_keys"]):
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            raise GeneratorError(
                f"{name!r} lacks weights ({', '.join(missing[:3])}{more}), which would be random numbers: it "
                "is not whole, or no causal language model"
            )
        return tokenizer, model.to(device).eval()
    except GeneratorError:
        raise
    except Exception as error:  # of its own kind for each file format, and each model's code
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

    if Path(name).is_dir():
        if not any(Path(name, file).is_file() for file in ("config.json", "adapter_config.json")):
            raise GeneratorError(f"the folder {name!r} holds no model: there is no config.json in it")
        return
    if Path(name).is_file():
        raise GeneratorError(f"{name!r} is a file: a model is a folder with config.json, or a model id")
    try:
        if find_snapshot(name, revision):
            return
        get_hf_file_metadata(hf_hub_url(name, "config.json", revision=revision))
    except HFValidationError as error:
        raise GeneratorError(f"there is no folder {name!r}, and a model id it cannot be") from error
    except (HfHubHTTPError, OfflineModeIsEnabled):
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
