"""Results as a table for a person."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hub.evaluation.folder import REFUSED
from hub.score import INFRASTRUCTURE, Failure


def show_results(results: Sequence[tuple[Path, Mapping[str, Any]]]) -> None:
    """Print a table of results, what sets each run apart, and where it is.

    Args:
        results: folders and what is in their result.json.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("benchmark", "metric", "score", "95 % interval", "n", "failed", "cut"):
        table.add_column(title, justify="left" if title in ("benchmark", "metric", "failed") else "right")
    for _, result in results:
        count, cut = result["completions"]["count"], result["completions"]["finish"].get("length", 0)
        for number, (metric, score) in enumerate(_metrics(result)):
            reasons = ", ".join(f"{reason} {times}" for reason, times in score["failed_by_reason"].items())
            low, high = score["interval_95"] or (None, None)
            table.add_row(
                Text(result["benchmark"]["name"] if not number else ""),
                Text(metric),
                _number(score["mean"]),
                "" if low is None else f"{low:.3f} to {high:.3f}",
                str(score["n"]),
                Text(
                    f"{score['failed']}{reasons and f' ({reasons})'}", style="red" if score["failed"] else ""
                ),
                f"{cut / count:.0%}" if not number and count else "",
            )
    console.print(table)
    for path, result in results:
        total = result["scores"]["total"]
        notes = list(result["flags"])
        if why := result["completions"].get("refused"):
            count = result["completions"]["finish"][REFUSED]
            notes.append(f"{count} without a completion (--resume asks again); the first: {why}")
        notes += _failures(result)
        if total["failed"] and not result["benchmark"].get("headline"):
            notes.append(f"score {_number(total['mean_if_failed_are_0'])} if what failed had earned 0")
        if note := result["benchmark"].get("note"):
            notes.append(note)
        if total["abstained"]:
            notes.append(f"{total['abstained']} not scored: no reward applies")
        for note in notes:
            text = visible(f"{result['benchmark']['name']}: {note}")
            console.print(Text(text, style="dim"), soft_wrap=True)
        console.print(Text(f"{result['benchmark']['name']}: {path}"), soft_wrap=True)


def visible(text: str, keep: str = "") -> str:
    r"""Return text with what would drive a terminal spelt out.

    Args:
        text: what a model, a server or a file says.
        keep: characters that are left, such as line ends.

    >>> visible("it's \x1b[2J")
    "it's \\x1b[2J"
    """
    return "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in text)


def _failures(result: Mapping[str, Any]) -> Iterator[str]:
    """What failed of each reward, why, and what helps."""
    for name, score in result["scores"]["rewards"].items():
        for reason, detail in score.get("first_failed", {}).items():
            if reason == Failure.NO_COMPLETION:
                continue
            again = " (--resume scores again)" if reason in INFRASTRUCTURE else ""
            first = f"; the first: {' '.join(detail.split()):.300}" if detail else ""
            yield f"{name} failed on {score['failed_by_reason'][reason]}: {reason}{again}{first}"


def _metrics(result: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The lines of the table: total, pass@k, maj@k, rewards where there are several, parts, categories.

    Where the benchmark has a headline, its rewards stand first, and there is no total.
    """
    scores = result["scores"]
    headline = result["benchmark"].get("headline") or []
    plain = {"failed": 0, "failed_by_reason": {}}
    once = {**plain, "interval_95": None, "n": scores["total"]["prompts"]}
    for name in headline:
        yield name, scores["rewards"][name]
    if not headline:
        yield "score", scores["total"]
        for key, title in (("pass_at_k", "pass"), ("maj_at_k", "maj")):
            for k, value in scores["total"].get(key, {}).items():
                yield f"{title}@{k}", {**once, "mean": value}
    for name, value in scores.get("metrics", {}).items():
        found = scores.get("metric_estimates", {}).get(name)
        yield name, {**plain, **found} if found else {**once, "mean": value}
    for name, score in scores["rewards"].items():
        if len(scores["rewards"]) > 1 and name not in headline:
            yield name, score
        if parts := score.get("parts"):
            yield f"{name}, parts", {**plain, **parts}
    for name, category in scores["categories"].items():
        yield f"  {name}", category


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
