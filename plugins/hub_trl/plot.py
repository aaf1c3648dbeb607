"""Draws the curves of a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Curve = tuple[list[float], list[float]]


def draw(path: Path, log: Sequence[Mapping[str, Any]], labels: Mapping[str, str], title: str) -> bool:
    """Draw a run to a PNG; False, and no file, if nothing was logged that can be drawn.

    With rewards: the total and each reward over steps, and where rewards failed, their failure rates
    below. Without: the loss. With both, the scores of benchmarks that were evaluated meanwhile. Thin lines
    are the logged values, thick ones a moving mean.

    Args:
        path: the PNG.
        log: logged dicts with "step".
        labels: what to call each reward in the picture, by its name; none for SFT.
        title: above the picture.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    whole = "total" if labels else "loss"
    top = {whole: curve(log, "reward" if labels else "loss")}
    if len(labels) > 1:
        top |= {label: curve(log, f"rewards/{name}/mean") for name, label in labels.items()}
    for name, key in evaluated(log).items():
        top[f"{name}, evaluated"] = curve(log, key)
    bottom = {label: curve(log, f"hub/failed/{name}") for name, label in labels.items()}
    bottom = {label: found for label, found in bottom.items() if any(found[1])}
    what = f"reward: {next(iter(labels.values()))}" if len(labels) == 1 else "reward" if labels else "loss"
    top = {label: found for label, found in top.items() if found[0]}
    if not top:
        return False
    rows = 2 if bottom else 1
    figure, axes = pyplot.subplots(
        rows, 1, figsize=(8, 4.2 + 1.6 * (rows - 1)), sharex=True, squeeze=False, height_ratios=[3, 1][:rows]
    )
    colors = {label: f"C{index}" for index, label in enumerate(labels.values())}
    for label, found in top.items():
        _draw_curve(axes[0][0], found, label, colors.get(label, "black"), 2.4 if label == whole else 1.6)
    axes[0][0].set_ylabel(what)
    if len(top) > 1:
        axes[0][0].legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    for label, (steps, values) in bottom.items():
        axes[1][0].plot(steps, [100 * value for value in values], color=colors[label], linewidth=1.2)
        axes[1][0].set_ylabel("failed, %")
        axes[1][0].set_ylim(bottom=0)
    for row in axes:
        row[0].grid(alpha=0.25)
        row[0].spines[["top", "right"]].set_visible(False)
    axes[-1][0].set_xlabel("step")
    axes[0][0].set_title(title, loc="left", fontsize=11)
    figure.savefig(path, dpi=150, bbox_inches="tight")
    pyplot.close(figure)
    return True


def curve(log: Sequence[Mapping[str, Any]], key: str) -> Curve:
    """Return the steps at which a key has a number, and the numbers."""
    found = [(entry["step"], entry[key]) for entry in log if isinstance(entry.get(key), int | float)]
    return [float(step) for step, _ in found], [float(value) for _, value in found]


def evaluated(log: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the benchmarks that were evaluated while training, and the key of each one's score in the log.

    >>> evaluated([{"step": 1, "loss": 2.0}, {"step": 1, "eval_gsm8k/score": 0.5}])
    {'gsm8k': 'eval_gsm8k/score'}
    """
    keys = dict.fromkeys(key for entry in log for key in entry)
    return {
        key.removeprefix("eval_").removesuffix("/score"): key
        for key in keys
        if key.startswith("eval_") and key.endswith("/score")
    }


def is_evaluation(logs: Mapping[str, Any]) -> bool:
    """Whether a logged dict is of a benchmark that was evaluated, or could not be."""
    ends = ("/score", "/unfinished", "/failed")
    return any(key.startswith("eval_") and key.endswith(ends) for key in logs)


def smooth(values: Sequence[float]) -> list[float]:
    """Return the mean of each value and its neighbours, about a tenth of the curve together.

    >>> smooth([0.0, 3.0, 0.0])
    [0.0, 3.0, 0.0]
    """
    half = len(values) // 20
    smoothed = []
    for index in range(len(values)):
        near = values[max(0, index - half) : index + half + 1]
        smoothed.append(sum(near) / len(near))
    return smoothed


def _draw_curve(axes: Any, found: Curve, label: str, color: str, width: float) -> None:
    steps, values = found
    smoothed = smooth(values)
    marker = "o" if len(steps) < 3 else None
    if smoothed != values:
        axes.plot(steps, values, color=color, linewidth=0.8, alpha=0.25)
    axes.plot(steps, smoothed, color=color, linewidth=width, marker=marker, label=label)
