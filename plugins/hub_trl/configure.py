"""From a recipe to the arguments of TRL's trainer; finds what TRL would refuse, before a model is loaded."""

import os
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import hub
from hub.errors import HubError, MissingDependency, OptionError
from hub.options import check_options, describe_options
from hub.origin import Origin
from hub.target import missing_dependency
from hub_trl.data import Row
from hub_trl.functions import trainer_arguments
from hub_trl.output import Output
from hub_trl.recipe import Recipe

CLASSES = {
    "grpo": ("GRPOConfig", "GRPOTrainer"),
    "rloo": ("RLOOConfig", "RLOOTrainer"),
    "sft": ("SFTConfig", "SFTTrainer"),
}
RENAMED = {
    "evaluation_strategy": "eval_strategy",
    "kl_coef": "beta",
    "max_seq_length": "max_length",
    "no_cuda": "use_cpu",
    "rloo_k": "num_generations",
}
"""Names in older guides, and today's (trl 1.16.0)."""


@dataclass(frozen=True)
class Configured:
    """What a trainer is made of.

    Args:
        trainer: TRL's trainer class.
        config: its config.
        model: a folder or a model id.
        chat: whether it is given messages, or plain text.
        peft: peft's LoraConfig; None trains all weights.
        device: for people.
    """

    trainer: type[Any]
    config: Any
    model: str
    chat: bool
    peft: Any
    device: str


def configure(recipe: Recipe, rows: list[Row]) -> Configured:
    """Check `[trainer]` and `[model]` with the libraries that will use them.

    Args:
        recipe: what to train.
        rows: what to train on.

    Raises:
        ConfigError: an argument is unknown or unfit, or there is no such model.
        MissingDependency: trl or peft is not installed.
    """
    try:
        import matplotlib  # noqa: F401 - its absence should not show after hours of training
        import torch
        import trl
    except ModuleNotFoundError as error:
        origin = Origin("trl", "posttrain-hub", hub.__version__)
        raise missing_dependency(error, "hub train", origin) from error
    config_name, trainer_name = CLASSES[recipe.algorithm]
    config_class = getattr(trl, config_name)
    _check_arguments(recipe, config_class, f"{config_name} of trl {trl.__version__}")
    model, has_template = _find_model(recipe)
    chat = _is_chat(recipe, rows, has_template)
    peft = _lora(recipe)
    has_gpu = torch.cuda.is_available() and not recipe.arguments.get("use_cpu", False)
    arguments = {**_defaults(has_gpu), **recipe.arguments}
    arguments["output_dir"] = str(Output(recipe.output).checkpoints)
    if recipe.mix is not None:
        arguments |= trainer_arguments(recipe.mix, algorithm=recipe.algorithm)
    given = {"dtype": recipe.model.dtype, "revision": recipe.model.revision}
    given = {key: value for key, value in given.items() if value is not None}
    if given:
        arguments["model_init_kwargs"] = {**(arguments.get("model_init_kwargs") or {}), **given}
    try:
        config = config_class(**arguments)
    except (ValueError, TypeError, ImportError, RuntimeError) as error:
        raise recipe.written.error(("trainer",), f"{config_name} refuses it: {error}") from error
    if not has_gpu and "OMP_NUM_THREADS" not in os.environ:
        # torch's idle threads spin, and slow a machine that also scores down by an order of magnitude.
        torch.set_num_threads(max(1, torch.get_num_threads() // 2))
    device = torch.cuda.get_device_name() if has_gpu else "CPU"
    return Configured(getattr(trl, trainer_name), config, model, chat, peft, device)


def _defaults(has_gpu: bool) -> dict[str, Any]:
    import torch

    defaults = {
        "disable_tqdm": True,
        "logging_steps": 1,
        "report_to": "none",
        "save_steps": 100,
        "save_total_limit": 2,
    }
    if has_gpu:
        return {**defaults, "bf16": torch.cuda.is_bf16_supported()}
    return {**defaults, "use_cpu": True, "bf16": False, "gradient_checkpointing": False}


def _check_arguments(recipe: Recipe, config_class: type[Any], whose: str) -> None:
    known = describe_options(config_class)
    for key, value in recipe.arguments.items():
        if key not in known:
            close = get_close_matches(key, known, n=3, cutoff=0.6)
            close = [RENAMED[key]] if RENAMED.get(key) in known else close
            hint = f": did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise recipe.written.error(("trainer", key), f"{whose} has no argument of this name{hint}")
        try:
            check_options(config_class, {key: value}, whose)
        except OptionError as error:
            raise recipe.written.error(("trainer", key), str(error)) from None


def _find_model(recipe: Recipe) -> tuple[str, bool]:
    """Return a folder or model id that can be loaded, and whether it has a chat template."""
    from transformers import AutoConfig, AutoTokenizer

    folder = recipe.written.folder / recipe.model.path
    model = str(folder.resolve()) if folder.is_dir() else recipe.model.path
    revision = {"revision": recipe.model.revision} if recipe.model.revision else {}
    where = ("model", "path")
    if not folder.is_dir() and (recipe.model.path[0] in "./~" or recipe.model.path.count("/") > 1):
        raise recipe.written.error(where, f"there is no folder {folder.absolute()}")
    try:
        AutoConfig.from_pretrained(model, **revision)
        tokenizer = AutoTokenizer.from_pretrained(model, **revision)
    except (OSError, ValueError, KeyError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        looked = (
            "cannot be loaded"
            if folder.is_dir()
            else f"is neither a folder ({folder.absolute()}) nor a model id"
        )
        raise recipe.written.error(where, f"{recipe.model.path!r} {looked}: {why}") from error
    if tokenizer.eos_token_id is None:
        raise recipe.written.error(where, "its tokenizer has no eos_token, so that completions have no end")
    return model, bool(tokenizer.chat_template)


def _is_chat(recipe: Recipe, rows: list[Row], has_template: bool) -> bool:
    if not has_template and (recipe.data.chat or "messages" in rows[0]):
        message = "chat messages need a chat template, and the model's tokenizer has none"
        raise recipe.written.error(("data", "chat") if recipe.data.chat else ("data",), message)
    return has_template if recipe.data.chat is None else recipe.data.chat


def _lora(recipe: Recipe) -> Any:
    table = recipe.model.lora
    if table is None:
        return None
    try:
        import peft  # type: ignore[import-not-found, unused-ignore]
    except ModuleNotFoundError as error:
        raise MissingDependency(
            f"[model.lora] needs {error.name!r}, which is not installed: pip install peft"
        ) from error
    arguments = {"task_type": "CAUSAL_LM", **table}
    for key, value in arguments.items():
        try:
            check_options(peft.LoraConfig, {key: value}, f"LoraConfig of peft {peft.__version__}")
        except HubError as error:
            raise recipe.written.error(("model", "lora", key), str(error)) from None
    try:
        return peft.LoraConfig(**arguments)
    except (ValueError, TypeError) as error:
        raise recipe.written.error(("model", "lora"), f"LoraConfig refuses it: {error}") from error
