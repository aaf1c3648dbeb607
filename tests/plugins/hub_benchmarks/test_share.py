"""A part of what is all for testing, to train on."""

from typing import Any

import pytest

from hub.errors import OptionError
from hub.evaluation.overlap import check_overlap
from hub.evaluation.plan import find_benchmark, read_rows
from hub_benchmarks.share import share

ROWS: list[dict[str, Any]] = [{"id": number, "prompt": f"{number % 700}?"} for number in range(1000)]


def split(name: str, part: float) -> list[dict[str, Any]]:
    return list(share("bench", name, part, ROWS, lambda row: row["prompt"]))


def test_each_row_is_on_one_side_and_equal_questions_are_on_the_same() -> None:
    test, train = split("test", 0.3), split("train", 0.3)
    assert sorted(row["id"] for row in test + train) == list(range(1000))
    assert not {row["prompt"] for row in test} & {row["prompt"] for row in train}
    assert 240 <= len(train) <= 360


def test_without_a_share_all_is_for_testing() -> None:
    assert split("test", 0.0) == ROWS
    with pytest.raises(OptionError, match=r"bench: all of it is for testing.*give train_share"):
        split("train", 0.0)


def test_a_larger_share_keeps_what_a_smaller_one_had() -> None:
    assert {row["id"] for row in split("train", 0.3)} < {row["id"] for row in split("train", 0.6)}


@pytest.mark.parametrize("part", [-0.1, 1.0, 2.0])
def test_a_share_out_of_range_is_refused(part: float) -> None:
    with pytest.raises(OptionError, match="train_share is at least 0 and less than 1"):
        split("test", part)


@pytest.mark.parametrize("name", ["svamp", "humaneval", "cruxeval", "ifeval", "bbh", "truthfulqa"])
def test_what_is_trained_on_is_not_tested_on(
    name: str, shared_data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
    benchmark, options = find_benchmark(name), {"train_share": 0.5}
    train, test = (read_rows(benchmark, split, options) for split in ("train", "test"))
    assert len(train) + len(test) == len(read_rows(benchmark, "test", {}))
    check_overlap(benchmark, options, train)
