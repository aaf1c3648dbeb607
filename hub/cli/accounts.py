"""What `hub score` says at its end: a table of each reward's outcomes, values and times."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub.engine.stats import Stats
from hub.score import Outcome, Score

if TYPE_CHECKING:
    from rich.console import Console


@dataclass
class Accounts:
    """Outcomes of every row, as the mix counts them: a row that a reward is not asked about abstains.

    Args:
        rewards: accounts by reward.
        total: those of the mix's total.
        examples: the first failure of each reward and reason: where, and what happened.
    """

    rewards: dict[str, Stats]
    total: Stats = field(default_factory=Stats)
    examples: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Iterable[str]) -> "Accounts":
        """Begin with nothing counted."""
        return cls({name: Stats() for name in names})

    def add(self, where: str, value: float | None, scores: Mapping[str, Score]) -> None:
        """Count one row.

        Args:
            where: its file and line.
            value: its total; None where it has none.
            scores: by reward.
        """
        failed = False
        for name, score in scores.items():
            self.rewards[name].add([score])
            if score.outcome is Outcome.FAILED:
                failed = True
                self.examples.setdefault((name, str(score.reason)), f"{where}: {score.detail}")
        if value is not None:
            self.total.add([Score(value)])
        else:
            self.total.outcomes[str(Outcome.FAILED if failed else Outcome.ABSTAINED)] += 1

    @property
    def failed(self) -> int:
        """How many scores are missing because something broke."""
        return sum(stats.outcomes[str(Outcome.FAILED)] for stats in self.rewards.values())

    def summary(self, ran: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """Return plain data: the accounts by reward, and of the total.

        Args:
            ran: what the engine says of each reward's calls, for times and cache hits.
        """
        calls = ("cached", "run_ms", "queue_ms", "slowest")
        rewards = {
            name: stats.as_dict() | {key: ran[name][key] for key in calls if name in ran}
            for name, stats in self.rewards.items()
        }
        total = {key: value for key, value in self.total.as_dict().items() if key not in (*calls, "reasons")}
        return {"rewards": rewards, "total": total}


def show(summary: Mapping[str, Any], examples: Mapping[tuple[str, str], str], console: "Console") -> None:
    """Print the table, then failures by reason, each with an example."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    titles = ("reward", "count", "mean", "std", "abstained", "failed", "p50 ms", "p99 ms", "cached")
    for title in titles:
        table.add_column(title, justify="left" if title == "reward" else "right")
    rows = dict(summary["rewards"])
    if len(rows) > 1:
        rows["(total)"] = summary["total"]
    for name, facts in rows.items():
        times = facts.get("run_ms") or {}
        table.add_row(
            Text(name),
            str(facts["count"]),
            _number(facts["mean"]),
            _number(facts["std"]),
            str(facts["abstained"]),
            Text(str(facts["failed"]), style="red" if facts["failed"] else ""),
            _number(times.get("p50")),
            _number(times.get("p99")),
            str(facts.get("cached", "")),
        )
    console.print(table)
    for (name, reason), example in examples.items():
        count = summary["rewards"][name]["reasons"][reason]
        console.print(Text(f"{name}: {reason} {count}, first at {example}", style="red"), soft_wrap=True)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 999.5 else f"{value:.3g}"
