"""Evaluates benchmarks while a model is trained, with the model as it is then, and changes nothing else.

    trainer.add_callback(hub_trl.EvaluateDuringTraining(trainer, ["gsm8k"], every_steps=100))

The scores are those that `hub eval` gives for a checkpoint of that step; the training is the same, bit for
bit, as without it. Where several processes train, each makes its share of the completions. Not here: weights
that are spread over processes (FSDP, DeepSpeed's stage 3, tensor parallelism).
"""

import logging
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

from transformers import (  # noqa: TID253 - imported when training begins
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from hub.engine.interface import AnyEngine
from hub.errors import ConfigError, GeneratorError, OptionError
from hub.evaluation.plan import Plan, make_plan
from hub.evaluation.recipe import hash_recipe
from hub.evaluation.run import Progress, evaluate
from hub.generator import Completion, Decoding, Likelihood, LikelihoodGenerator
from hub.open import open_generator
from hub.sample import Text
from hub_trl.shares import Asking, Group, serve
from hub_trl.undisturbed import undisturbed

_log = logging.getLogger(__name__)
T = TypeVar("T")


class EvaluateDuringTraining(TrainerCallback):
    """Evaluates benchmarks every so many steps; scores go to the trainer's log as `eval_BENCHMARK/...`.

    transformers' integrations show that as `eval/BENCHMARK/...`: `score` and its 95 % interval (`low`,
    `high`), `n`, `failed` (how many could not be scored), `seconds`; each reward's mean where there are
    several; and the benchmark's own metrics. A benchmark of two rates that must not be averaged has
    `eval_BENCHMARK/RATE/score` and so on of each. Each evaluation has a folder, as `hub eval` writes it. One
    that cannot be finished is a warning and `eval_BENCHMARK/unfinished` in the log, and training goes on. A
    training that is resumed goes on with an evaluation that was interrupted, and repeats none.

    Args:
        trainer: of transformers or TRL; the callback is then added to it.
        on: benchmarks: names, or plans (`hub.evaluation.plan.make_plan`) for rows and decoding of one's own.
        every_steps: evaluate after each such number of training steps; None: never between.
        at_start: evaluate before the first step too.
        at_end: evaluate after the last step too.
        folder: where results go; None: the folder `evaluations` in the trainer's output folder.
        batch_size: prompts at once in each process; None: as in `hub eval`.
        engine: where rewards run; None: this process's own.
        progress: for showing how far an evaluation is: given its plan, returns what is told of it.

    Raises:
        ConfigError: the trainer's weights are spread over processes, or its model completes no text.
        OptionError: there is no benchmark, one is named twice, or `every_steps` is less than 1.
        HubError: a benchmark is unknown, or its rows cannot be read.
    """

    def __init__(
        self,
        trainer: Trainer,
        on: Sequence[str | Plan],
        *,
        every_steps: int | None = None,
        at_start: bool = False,
        at_end: bool = True,
        folder: str | Path | None = None,
        batch_size: int | None = None,
        engine: AnyEngine | None = None,
        progress: Callable[[Plan], Progress] | None = None,
    ) -> None:
        if every_steps is not None and every_steps < 1:
            raise OptionError(f"every_steps is at least 1, not {every_steps}")
        if isinstance(on, str) or not on:
            raise OptionError(f"on: is a list of benchmarks, not {on!r}")
        check_trainer(trainer)
        self.plans = [make_plan(one) if isinstance(one, str) else one for one in on]
        names = [plan.benchmark.name for plan in self.plans]
        if len(set(names)) < len(names):
            raise OptionError(f"on: names each benchmark once, not {', '.join(names)}")
        self._trainer, self._engine, self._progress = trainer, engine, progress
        self._every, self._at_start, self._at_end = every_steps, at_start, at_end
        self._folder = Path(folder or Path(str(trainer.args.output_dir)) / "evaluations")
        self._batch_size = batch_size
        self._group: Group | None = None
        self._done: set[int] = set()
        self.stopped = False

    def stop(self) -> None:
        """Evaluate no more; one under way ends with what it is making, and can be gone on with."""
        self.stopped = True

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Evaluate before the first step, or what a training that was stopped has left undone."""
        if args.world_size > 1 and self._group is None:
            self._group = Group()
        step = state.global_step
        is_left = step > 0 and self._is_due(step) and not self._tell(self._is_complete(step))
        if is_left or (step == 0 and self._at_start):
            self._evaluate(step, control)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Evaluate, unless a checkpoint is to be saved first, or training ends here."""
        if self._is_due(state.global_step) and not (control.should_save or control.should_training_stop):
            self._evaluate(state.global_step, control)

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Evaluate what has waited for the checkpoint."""
        if self._is_due(state.global_step) and not control.should_training_stop:
            self._evaluate(state.global_step, control)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Evaluate the trained model."""
        if state.global_step > 0 and (self._at_end or self._is_due(state.global_step)):
            self._evaluate(state.global_step, control)

    def _is_due(self, step: int) -> bool:
        return self._every is not None and step % self._every == 0

    def _evaluate(self, step: int, control: TrainerControl) -> None:
        """Evaluate all benchmarks at this step; every process does this at the same point."""
        if self._tell(self.stopped) or step in self._done:
            return
        self._done.add(step)
        trainer = self._trainer
        model = trainer.accelerator.unwrap_model(trainer.model, keep_torch_compile=False)
        logs: list[dict[str, float]] = []
        with undisturbed(model):
            own = self._open(model, step)
            if self._group is None:
                logs += self._run_all(own, step)
            elif self._group.rank == 0:
                try:
                    logs += self._run_all(Asking(own, self._group), step)
                finally:
                    self._group.tell(("done", logs, None))
            else:
                logs += serve(own, self._group)
        wanted = control.should_log
        for log in logs:
            # TRL's own method would add what the training has measured since its last log, and forget it.
            Trainer.log(trainer, log)
        control.should_log = wanted

    def _open(self, model: Any, step: int) -> LikelihoodGenerator:
        processing = self._trainer.processing_class
        tokenizer = getattr(processing, "tokenizer", processing)
        named = str(getattr(model.config, "_name_or_path", "")) or type(model).__name__
        name = f"{Path(named).name if Path(named).is_dir() else named}@step-{step}"
        loaded = (model, tokenizer)
        generator = open_generator(name, "transformers", loaded=loaded, batch_size=self._batch_size)
        assert isinstance(generator, LikelihoodGenerator)
        return generator

    def _run_all(self, used: LikelihoodGenerator, step: int) -> Iterator[dict[str, float]]:
        precision = str(self._trainer.accelerator.mixed_precision)
        live = _Live(used, {"step": step, "mixed_precision": precision}, lambda: self.stopped)
        for plan in self.plans:
            if self.stopped:
                return
            found = self._run(plan, live, step)
            if found is not None:
                yield {f"eval_{plan.benchmark.name}/{key}": value for key, value in found.items()}

    def _run(self, plan: Plan, live: "_Live", step: int) -> dict[str, float] | None:
        """Evaluate one benchmark; return what is logged. Whatever goes wrong, training goes on."""
        began = time.monotonic()
        try:
            recipe = plan.recipe(live.describe())
            result = evaluate(
                plan,
                live,
                self._folder_of(plan, step) / hash_recipe(recipe),
                resume=True,
                about={"argument": live.describe()["model"], "command": shlex.join(sys.argv)},
                progress=self._progress(plan) if self._progress else lambda done, failed: None,
                engine=self._engine,
            )
        except Exception as error:
            if self.stopped:
                return None
            why = f"{type(error).__name__}: {error}"
            _log.warning("%s was not evaluated at step %d: %s", plan.benchmark.name, step, why)
            return {"unfinished": 1.0}
        return {**numbers(result), "seconds": time.monotonic() - began}

    def _folder_of(self, plan: Plan, step: int) -> Path:
        return self._folder / f"step-{step}" / plan.benchmark.name

    def _is_complete(self, step: int) -> bool:
        return all(any(self._folder_of(plan, step).glob("*/result.json")) for plan in self.plans)

    def _tell(self, found: bool) -> bool:
        """What the first process has found, so that all do the same."""
        return found if self._group is None else bool(self._group.tell(found))


class _Live:
    """The model at one step, until the evaluation is stopped."""

    def __init__(
        self, used: LikelihoodGenerator, about: Mapping[str, Any], stopped: Callable[[], bool]
    ) -> None:
        self._used, self._about, self._stopped = used, about, stopped

    def generate(self, prompts: Sequence[Text], decoding: Decoding) -> Iterator[Completion]:
        return self._until_stopped(self._used.generate(prompts, decoding))

    def loglikelihood(
        self, asked: Sequence[tuple[str | None, str]]
    ) -> Iterator[tuple[int, Likelihood | str]]:
        return self._until_stopped(self._used.loglikelihood(asked))

    def describe(self) -> Mapping[str, Any]:
        return {**self._used.describe(), **self._about}

    def close(self) -> None:
        """Do nothing: the model belongs to the trainer."""

    def _until_stopped(self, made: Iterator[T]) -> Iterator[T]:
        try:
            for one in made:
                yield one
                if self._stopped():
                    raise GeneratorError("the evaluation was stopped")
        finally:
            getattr(made, "close", lambda: None)()


def check_trainer(trainer: Trainer) -> None:
    """Raise unless a trainer's model can complete texts while it trains.

    Raises:
        ConfigError: it cannot.
    """
    deepspeed = getattr(trainer.accelerator.state, "deepspeed_plugin", None)
    spread = ""
    if trainer.is_fsdp_enabled:
        spread = "FSDP"
    elif deepspeed is not None and deepspeed.zero_stage == 3:
        spread = "DeepSpeed's stage 3"
    elif trainer.model is not None and any(hasattr(w, "placements") for w in trainer.model.parameters()):
        spread = "tensor parallelism"
    if spread:
        raise ConfigError(
            f"evaluation during training needs whole weights in each process, and {spread} spreads them: "
            "evaluate the checkpoints with `hub eval`, or train with DDP or DeepSpeed's stage 2"
        )
    if not hasattr(trainer.model, "generate"):
        raise ConfigError(f"evaluation during training: {type(trainer.model).__name__} completes no text")
    if trainer.processing_class is None:
        raise ConfigError("evaluation during training: the trainer has no tokenizer (processing_class)")


def numbers(result: Mapping[str, Any]) -> dict[str, float]:
    """Return what of a result is logged, by name; what has no value is left out.

    Args:
        result: as in result.json.
    """
    scores = result["scores"]
    total, rewards = scores["total"], scores["rewards"]
    headline = result.get("benchmark", {}).get("headline") or ()
    found: dict[str, float | None] = dict(scores.get("metrics", {}))
    if len(rewards) > 1:
        found |= {name: reward["mean"] for name, reward in rewards.items() if name not in headline}
    for key, title in (("pass_at_k", "pass"), ("maj_at_k", "maj")):
        found |= {f"{title}@{k}": value for k, value in total.get(key, {}).items()}
    for name in headline:  # rates of which there is no mean
        found |= _estimate(rewards[name], f"{name}/")
    found |= {} if headline else _estimate(total, "")
    found["failed"] = total["failed"]
    return {
        name: float(value)
        for name, value in found.items()
        if isinstance(value, int | float) and isfinite(value)
    }


def _estimate(account: Mapping[str, Any], before: str) -> dict[str, float | None]:
    low, high = account["interval_95"] or (None, None)
    known = {"score": account["mean"], "low": low, "high": high, "n": account["n"]}
    return {before + name: value for name, value in known.items()}
