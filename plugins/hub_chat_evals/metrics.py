"""What is reported beside the mean score: turns, win rates, lengths, controls.

A metric is a list of values; the hub reports their mean, its interval and how many they are.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hub.sample import Sample

Lines = Sequence[Mapping[str, Any]]
Values = dict[str, list[float]]
Metrics = dict[str, list[float] | float]


def of_turns(lines: Lines) -> Metrics:
    """Return the ratings of each turn, those of the controls, and how the judge did."""
    found: Values = {}
    for turn in sorted({line["turn"] for line in lines}):
        found[f"turn {turn}"] = [value for line, value in _scored(lines) if line["turn"] == turn]
    return {**found, **_controls(lines), **_judging(lines)}


def of_pairs(lines: Lines) -> Metrics:
    """Return shares of wins, ties and losses, in percent, and what `of_turns` does."""
    values = [value for _, value in _scored(lines)]
    shares = {"wins %": 1.0, "ties %": 0.5, "losses %": 0.0}
    found = {name: [100.0 * (value == wanted) for value in values] for name, wanted in shares.items()}
    return {**found, **of_turns(lines)}


def of_preferences(lines: Lines) -> Metrics:
    """Return win rates in percent, lengths in characters, and those of the controls.

    "win %" is 100 times the mean preference, "discrete" counts more than a half as a win and a half as
    half of one. "longer wins %" is how often the longer of two answers won, of those that differ in
    length and had a winner.
    """
    scored = list(_scored(lines))
    lengths = [(len(line["reference"]), len(_text(line))) for line in lines]
    decided = [
        (len(_text(line)) > len(line["reference"])) == (value > 0.5)
        for line, value in scored
        if value != 0.5 and len(_text(line)) != len(line["reference"])
    ]
    return {
        "win %": [100.0 * value for _, value in scored],
        "discrete win %": [100.0 * _discrete(value) for _, value in scored],
        "longer wins %": [100.0 * longer for longer in decided],
        "length": [float(own) for _, own in lengths],
        "baseline length": [float(theirs) for theirs, _ in lengths],
        **_controls(lines, 100.0, " %"),
        **_judging(lines),
    }


def _scored(lines: Lines) -> Iterable[tuple[Mapping[str, Any], float]]:
    for line in lines:
        value = line["result"]["total"]["value"]
        if value is not None:
            yield line, value


def _controls(lines: Lines, factor: float = 1.0, unit: str = "") -> Values:
    """What the judge gave to answers that deserve nothing."""
    found: Values = {}
    for line in lines:
        for score in line["result"]["scores"].values():
            for name, value in (score.get("info", {}).get("controls") or {}).items():
                found.setdefault(f"{name} control{unit}", [])
                if value is not None:
                    found[f"{name} control{unit}"].append(factor * value)
    return found


def _judging(lines: Lines) -> Metrics:
    """How much of what the judge said could not be read, how far its repeats are apart, what it took."""
    infos = [score.get("info", {}) for line in lines for score in line["result"]["scores"].values()]
    spreads = [float(info["spread"]) for info in infos if "spread" in info]
    spent = [info.get("judge", {}) for info in infos]
    found: Metrics = {"unreadable": _unreadable(lines)}
    if spreads:
        found["spread of repeats"] = spreads
    for name, key in (("judge requests", "requests"), ("judge cost", "cost")):
        if total := sum(one.get(key, 0) for one in spent):
            found[name] = float(total)
    return found


def _unreadable(lines: Lines) -> list[float]:
    """1 for each answer of the judge that could not be read, else 0."""
    totals = [line["result"]["total"] for line in lines]
    return [
        float(total["reason"] == "bad_value")
        for total in totals
        if total["value"] is not None or total["reason"] == "bad_value"
    ]


def _discrete(value: float) -> float:
    return 0.5 if value == 0.5 else float(value > 0.5)


def _text(line: Mapping[str, Any]) -> str:
    return Sample("", line["completion"]).text
