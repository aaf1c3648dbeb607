"""What was run and what came out of it, as plain data."""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import hub
from hub_trl.plot import curve, evaluated
from hub_trl.recipe import Recipe


def versions() -> dict[str, str]:
    """Return the versions of what computes."""
    from importlib.metadata import version

    libraries = {name: version(name) for name in ("torch", "transformers", "trl")}
    return {"hub": hub.__version__, "python": platform.python_version(), **libraries}


def means(log: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    """Return the mean of each curve over the first and the last tenth of what was logged.

    Args:
        log: logged dicts with "step".
        names: the rewards; none for SFT.

    Returns:
        By curve ("reward", each reward, or "loss"; "NAME, evaluated"): `first` and `last`, each with its
        mean, its steps (from, to) and how many logged values it is of. A curve that was never logged is left
        out.
    """
    keys = {"reward": "reward", **{name: f"rewards/{name}/mean" for name in names}} if names else {}
    keys = keys or {"loss": "loss", "token accuracy": "mean_token_accuracy"}
    keys |= {f"{name}, evaluated": key for name, key in evaluated(log).items()}
    found = {}
    for name, key in keys.items():
        steps, values = curve(log, key)
        if values:
            size = max(1, len(values) // 10)
            found[name] = {
                "first": _part(steps[:size], values[:size]),
                "last": _part(steps[-size:], values[-size:]),
            }
    return found


def summarize(
    recipe: Recipe,
    *,
    record: Mapping[str, Any],
    log: Sequence[Mapping[str, Any]],
    steps: int,
    resumed_from: int,
    started: datetime,
    device: str,
    stats: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the summary of a complete run.

    Args:
        recipe: what was run.
        record: what `recipe.json` holds.
        log: everything that was logged.
        steps: training steps, all together.
        resumed_from: the step from which this process went on; 0 from the beginning.
        started: when this process began to train.
        device: what it trained on.
        stats: the mix's accounts (see `Mix.stats`), of this process.
    """
    finished = datetime.now(UTC)
    mix = recipe.mix
    return {
        "algorithm": recipe.algorithm,
        "steps": steps,
        "means": means(log, mix.names if mix else ()),
        "missing": _missing(log),
        "rewards": [
            {
                "name": reward.name,
                "weight": [list(point) for point in reward.config.weight.points],
                "from": str(reward.bound.reward.origin),
                "version": reward.bound.reward.origin.version,
            }
            for reward in (mix.rewards if mix else ())
        ],
        "stats": dict(stats),
        "started": started.isoformat(timespec="seconds"),
        "finished": finished.isoformat(timespec="seconds"),
        "seconds": round((finished - started).total_seconds(), 3),
        "resumed_from": resumed_from,
        "device": device,
        "versions": versions(),
        "recipe": dict(record),
    }


def _missing(log: Sequence[Mapping[str, Any]]) -> float | None:
    """The share of the samples that had no total; None without rewards."""
    shares = [entry["hub/missing"] for entry in log if "hub/missing" in entry]
    return sum(shares) / len(shares) if shares else None


def _part(steps: Sequence[float], values: Sequence[float]) -> dict[str, Any]:
    return {
        "mean": sum(values) / len(values),
        "steps": [int(steps[0]), int(steps[-1])],
        "count": len(values),
    }
