"""Runs a recipe: checks everything, trains, writes what came out."""

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from hub import Engine
from hub.evaluation.plan import Plan, make_plan
from hub.mix.under_way import MixReward
from hub_trl.configure import Configured, configure
from hub_trl.data import digest, read_rows, training_data, written_for
from hub_trl.functions import reward_funcs
from hub_trl.output import Output, plain, write_json
from hub_trl.plot import draw
from hub_trl.recipe import Recipe
from hub_trl.summary import summarize


class Interrupted(Exception):
    """Training was interrupted, and a checkpoint of the last step saved."""


class Run:
    """A recipe, checked against its data and its libraries, and not yet begun.

    Args:
        recipe: what to train.
        resume: go on from the last checkpoint.
        console: where to show what happens.

    Raises:
        HubError: something in the recipe, its data, its model or its output folder is wrong.
    """

    def __init__(self, recipe: Recipe, *, resume: bool, console: Console) -> None:
        self.recipe, self.console = recipe, console
        self.output = Output(recipe.output)
        self.rows = read_rows(recipe)
        record = {**recipe.written.tables, "data_sha256": digest(self.rows)}
        if recipe.mix is not None and "mix" in recipe.written.tables:
            record["mix"] = recipe.mix.config.source.text
        self.record: dict[str, Any] = plain(record)
        self.plans = evaluation_plans(recipe)
        with quiet():
            self.configured: Configured = configure(recipe, self.rows)
        if is_main_process():
            self.output.check(self.record, resume)
        found = self.output.last_checkpoint() if resume else None
        self.checkpoint: Path | None = found[0] if found else None
        self.step = found[1] if found else 0

    def train(self) -> dict[str, Any]:
        """Train to the end; return the summary that was written.

        Raises:
            Interrupted: by Ctrl-C, after a checkpoint was saved.
            ConfigError: a reward cannot be set up.
            RewardFailed: a reward failed and the mix says `on_failure = "raise"`.
        """
        recipe, output = self.recipe, self.output
        started = datetime.now(UTC)
        with Engine() as engine, quiet():
            if recipe.mix is not None:
                recipe.mix.warm(engine)
            if is_main_process():
                output.begin(self.record, self.step)
            trainer = self._trainer(engine)
            self._run(trainer)
            self._save(trainer)
            if is_main_process():
                log = output.read_log()
                labels = (
                    {r.name: f"{r.name} x {weight_of(r)}" for r in recipe.mix.rewards} if recipe.mix else {}
                )
                picture = output.folder / ("rewards.png" if labels else "loss.png")
                draw(picture, log, labels, f"{recipe.algorithm.upper()} of {recipe.model.path}")
                summary = summarize(
                    recipe,
                    record=self.record,
                    log=log,
                    steps=trainer.state.global_step,
                    resumed_from=self.step,
                    started=started,
                    device=self.configured.device,
                    stats=recipe.mix.stats(engine) if recipe.mix else {},
                )
                write_json(output.summary, summary)
                return summary
        return {}

    def _trainer(self, engine: Engine) -> Any:
        from transformers import PrinterCallback

        made, recipe = self.configured, self.recipe
        arguments: dict[str, Any] = {}
        if recipe.mix is not None:
            functions = reward_funcs(recipe.mix, algorithm=recipe.algorithm, engine=engine)
            arguments["reward_funcs"] = functions
        rows = written_for(self.rows, made.chat, recipe.data.system)
        try:
            trainer = made.trainer(
                model=made.model,
                args=made.config,
                train_dataset=training_data(rows, recipe.algorithm),
                peft_config=made.peft,
                **arguments,
            )
        except (ValueError, TypeError) as error:
            name = made.trainer.__name__
            raise recipe.written.error(("trainer",), f"{name} refuses it: {error}") from error
        trainer.remove_callback(PrinterCallback)
        return trainer

    def _run(self, trainer: Any) -> None:
        from hub_trl.interrupt import Interrupt
        from hub_trl.progress import Display

        names = self.recipe.mix.names if self.recipe.mix else ()
        display = Display(self.console, self.output, names)
        trainer.add_callback(display)
        stop = self._evaluate(trainer, display)

        def tell(text: str) -> None:
            stop()
            self.console.print(text)

        with Interrupt(tell) as interrupt:
            trainer.add_callback(interrupt)
            try:
                trainer.train(resume_from_checkpoint=str(self.checkpoint) if self.checkpoint else None)
            finally:
                display.stop()
        if interrupt.asked and trainer.state.global_step < trainer.state.max_steps:
            raise Interrupted

    def _evaluate(self, trainer: Any, display: Any) -> Callable[[], None]:
        """Have benchmarks evaluated while it trains, if the recipe says so; return what stops that."""
        table = self.recipe.evaluate
        if table is None:
            return lambda: None
        from hub_trl.evaluate import EvaluateDuringTraining

        evaluation = EvaluateDuringTraining(
            trainer,
            self.plans,
            every_steps=table.every_steps,
            at_start=table.at_start,
            at_end=table.at_end,
            folder=self.output.evaluations,
            batch_size=table.batch_size,
            progress=display.evaluating,
        )
        trainer.add_callback(evaluation)
        return evaluation.stop

    def _save(self, trainer: Any) -> None:
        folder = str(self.output.model)
        if self.configured.peft is None:
            trainer.save_model(folder)
        elif is_main_process():
            trainer.accelerator.unwrap_model(trainer.model).merge_and_unload().save_pretrained(folder)
            trainer.processing_class.save_pretrained(folder)


def evaluation_plans(recipe: Recipe) -> list[Plan]:
    """Read the benchmarks that a recipe wants evaluated while it trains; [] where it wants none.

    Raises:
        HubError: one is unknown, or its rows, mix or decoding do not fit.
    """
    table = recipe.evaluate
    if table is None:
        return []
    return [
        make_plan(
            name,
            split=table.split,
            options=table.options.get(name),
            limit=table.limit,
            mix=None if table.mix is None else recipe.written.folder / table.mix,
            samples_per_prompt=table.samples_per_prompt,
            decoding=table.decoding,
        )
        for name in table.on
    ]


def weight_of(reward: MixReward) -> str:
    """Return a reward's weight, or the way it takes, for people."""
    schedule = reward.config.weight
    if schedule.is_constant:
        return f"{schedule.at(None):g}"
    return "-".join(f"{weight:g}" for _, weight in schedule.points)


def is_main_process() -> bool:
    """Whether this process writes: the first of those that torchrun or accelerate started."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out what the libraries print while all is well: bars, tables, advice to their authors."""
    import transformers

    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.getLogger("trl").setLevel(logging.ERROR)
    try:
        import datasets

        datasets.disable_progress_bars()
    except ModuleNotFoundError:
        pass
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", category=UserWarning, module="torch")
        yield
