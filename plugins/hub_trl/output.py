"""The folder of a training run, and how a stopped run goes on.

    recipe.json       what is run; a run goes on only with the same
    checkpoints/      TRL's, each usable with `--resume`
    log.jsonl         every logged dict, with its step
    evaluations/      what was evaluated while training, as `hub eval` writes it, by step and benchmark
    model/            the trained model and its tokenizer; written at the end, like what follows
    summary.json
    rewards.png       (loss.png for SFT)

A checkpoint counts once its trainer_state.json, which is written last, can be read.
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.errors import ConfigError

MAY_CHANGE = (
    "trainer.max_steps",
    "trainer.num_train_epochs",
    "trainer.save_steps",
    "trainer.save_total_limit",
    "trainer.logging_steps",
    "trainer.output",
    "evaluate",
)
"""Keys that may differ when a run goes on, with all that is below them."""


@dataclass(frozen=True)
class Output:
    """The folder of a run.

    Args:
        folder: it; need not exist.
    """

    folder: Path

    @property
    def checkpoints(self) -> Path:
        """Where TRL writes."""
        return self.folder / "checkpoints"

    @property
    def evaluations(self) -> Path:
        """Where what is evaluated while training goes."""
        return self.folder / "evaluations"

    @property
    def model(self) -> Path:
        """The trained model."""
        return self.folder / "model"

    @property
    def log(self) -> Path:
        """Every logged dict, one a line."""
        return self.folder / "log.jsonl"

    @property
    def summary(self) -> Path:
        """What was run and what came out; there when the run is complete."""
        return self.folder / "summary.json"

    def last_checkpoint(self) -> tuple[Path, int] | None:
        """Return the last complete checkpoint and its step; None if there is none."""
        found = []
        for path in self.checkpoints.glob("checkpoint-*"):
            number = re.fullmatch(r"checkpoint-(\d+)", path.name)
            if number and _step_of(path) == int(number[1]):
                found.append((path, int(number[1])))
        return max(found, key=lambda entry: entry[1], default=None)

    def is_complete(self, record: dict[str, Any]) -> bool:
        """Whether exactly this was run here to its end."""
        return self.summary.exists() and not _differences(self._record(), record)

    def check(self, record: dict[str, Any], resume: bool) -> None:
        """Check that a run may start, or go on, here. Changes nothing.

        Args:
            record: what is to be run: plain data.
            resume: go on from the last checkpoint.

        Raises:
            ConfigError: another run is here, or this one and `resume` is False.
        """
        if not self.folder.exists() or (self.folder.is_dir() and not any(self.folder.iterdir())):
            return
        found = self._record()
        if found is None:
            raise ConfigError(
                f"{self.folder} is not empty, and holds no run of `hub train`: give another `output` in "
                "[trainer]"
            )
        differences = [
            key
            for key in _differences(found, record)
            if not any(key == may or key.startswith(f"{may}.") for may in MAY_CHANGE)
        ]
        if differences:
            listed = ", ".join(differences)
            raise ConfigError(
                f"{self.folder} holds a run of another recipe (it differs in {listed}): give another "
                "`output` in [trainer], or remove that folder"
            )
        if not resume and (self.summary.exists() or self.last_checkpoint()):
            raise ConfigError(
                f"{self.folder} holds a run of this recipe: go on with --resume, give another `output` in "
                "[trainer], or remove that folder"
            )

    def begin(self, record: dict[str, Any], step: int) -> None:
        """Write the record, and keep of the log what was before a step; a run starts or goes on there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.summary.unlink(missing_ok=True)
        write_json(self.folder / "recipe.json", record)
        kept = [entry for entry in self.read_log() if entry["step"] <= step and "train_runtime" not in entry]
        kept = kept if step else []
        self.log.write_text("".join(json.dumps(entry) + "\n" for entry in kept), encoding="utf-8")

    def append(self, step: int, entry: dict[str, Any]) -> None:
        """Add what the trainer logged; what JSON has no form for becomes null."""
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **plain(entry)}) + "\n")

    def read_log(self) -> list[dict[str, Any]]:
        """Return what was logged; a line that a kill cut off is left out."""
        entries = []
        for line in self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else ():
            try:
                entries.append(json.loads(line))
            except ValueError:
                continue
        return [entry for entry in entries if isinstance(entry, dict) and "step" in entry]

    def _record(self) -> dict[str, Any] | None:
        try:
            found = json.loads((self.folder / "recipe.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None


def plain(value: Any) -> Any:
    """Return what JSON can hold and gives back unchanged: numbers it has no form for become None."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def write_json(path: Path, data: Any) -> None:
    """Write a file that is either the old one or the new one, whatever happens."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(json.dumps(plain(data), indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def _step_of(checkpoint: Path) -> int | None:
    try:
        state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
        return int(state["global_step"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _differences(one: Any, other: Any, at: str = "") -> list[str]:
    """Dotted keys in which two records differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = dict.fromkeys((*one, *other))
        found = [
            _differences(one.get(key), other.get(key), f"{at}.{key}" if at else str(key)) for key in keys
        ]
        return [key for keys_of_one in found for key in keys_of_one]
    return [] if one == other else [at]
