"""The picture of a run, whatever was logged."""

from pathlib import Path
from typing import Any

import pytest

from hub_trl.plot import curve, draw, smooth
from hub_trl.summary import means

LOG = [
    {"step": n, "reward": n / 40, "rewards/a/mean": n / 50, "rewards/b/mean": None if n == 3 else 0.5}
    for n in range(1, 41)
]
PICTURES: list[tuple[str, list[dict[str, Any]], list[str], bool]] = [
    ("two rewards", LOG, ["a", "b"], True),
    ("one reward", LOG, ["a"], True),
    ("failures", [{**entry, "hub/failed/b": 0.25} for entry in LOG], ["a", "b"], True),
    ("one step", LOG[:1], ["a", "b"], True),
    ("every total missing", [{**entry, "reward": None} for entry in LOG], ["a", "b"], True),
    ("a loss", [{"step": n, "loss": 1 / n} for n in range(1, 9)], [], True),
    ("nothing", [{"step": 1, "reward": None}], ["a"], False),
    ("no steps", [], [], False),
]


@pytest.mark.parametrize(("log", "names", "drawn"), [p[1:] for p in PICTURES], ids=[p[0] for p in PICTURES])
def test_pictures(tmp_path: Path, log: list[dict[str, Any]], names: list[str], drawn: bool) -> None:
    path = tmp_path / "run.png"
    assert draw(path, log, {name: f"{name} x 1" for name in names}, "A run") == drawn == path.exists()
    if drawn:
        assert path.read_bytes()[:4] == b"\x89PNG"


def test_missing_values_are_left_out_of_curves() -> None:
    steps, values = curve(LOG, "rewards/b/mean")
    assert 3.0 not in steps
    assert len(steps) == len(values) == 39
    assert curve(LOG, "unknown") == ([], [])


def test_smoothing_keeps_length_and_constants() -> None:
    assert smooth([2.0] * 100) == [2.0] * 100
    assert smooth([]) == []
    assert smooth([float(n % 2) for n in range(100)])[50] == pytest.approx(0.5, abs=0.06)


def test_means_are_of_the_first_and_last_tenth() -> None:
    found = means(LOG, ["a", "b"])
    assert found["reward"]["first"] == {"mean": pytest.approx(2.5 / 40), "steps": [1, 4], "count": 4}
    assert found["a"]["last"] == {"mean": pytest.approx(38.5 / 50), "steps": [37, 40], "count": 4}
    assert found["b"]["first"]["count"] == 3
    assert means([], ["a"]) == {}
