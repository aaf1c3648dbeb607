"""Boards as files: what ships is right, and every mistake is named with its line."""

import re
from pathlib import Path

import pytest

from hub.errors import ConfigError, UnknownName
from hub_leaderboard import board as reader
from hub_leaderboard.board import check_names, open_board, read_board, shipped

PAGE = Path(__file__).resolve().parents[3] / "docs" / "leaderboards.md"
GOOD = """
title = "T"
[[benchmark]]
use = "gsm8k"
"""


def test_what_ships_can_be_read_and_names_what_is_installed() -> None:
    names = list(shipped())
    assert {"arithmetic", "code", "general", "math"} <= set(names)
    for name in names:
        check_names(open_board(name))


def test_defaults(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text(GOOD)
    board = open_board(str(tmp_path / "b.toml"))
    (entry,) = board.entries
    assert (board.name, board.combine, board.coverage, board.imported) == ("b", "mean", 0.99, False)
    assert (entry.title, entry.metric, entry.samples_per_prompt, entry.rows) == ("gsm8k", "score", 1, None)
    assert board.descending


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = 'T'", "a board needs at least one"),
        ("[[benchmark]]\nuse = 'gsm8k'", "title: is missing"),
        (GOOD + "wieght = 2", r"b.toml:5: benchmark\[0\].wieght: unknown key: did you mean 'weight'"),
        (GOOD + "weight = 0", "should be greater than 0"),
        (GOOD + "weight = true", "should be a number"),
        (GOOD + "weight = inf", "should be a number"),
        (GOOD + "rows = 0", "at least 1"),
        (GOOD + "metric = 'pass@8'", "needs samples_per_prompt of at least 8"),
        (GOOD + "metric = 'pass@0'", "should be score, a reward"),
        (GOOD + "metric = 'maj@4'", "should be score, a reward"),
        (GOOD + "metric = 'category:'", "should be score, a reward"),
        (GOOD + "decoding = { temprature = 1 }", "did you mean 'temperature'"),
        (GOOD + "mix = 'XYZ'", "digits of a hash"),
        (GOOD + "chance = 1.0", "should lie above the value of guessing"),
        (GOOD + "higher_is_better = false\nbest = 2.0", "should lie below"),
        (GOOD + "[[benchmark]]\nuse = 'gsm8k'", "is there twice"),
        (GOOD + "[[benchmark]]\nuse = 'svamp'\nhigher_is_better = false", "one direction"),
        ("combine = 'win-rate'\n" + GOOD + "metric = 'metric:x'", "no values by prompt"),
        ("combine = 'sum'\n" + GOOD, "should be one of mean, normalized, win-rate, not 'sum'"),
        ("coverage = 99\n" + GOOD, "from 0 to 1"),
        ("benchmark = [3]\ntitle = 'T'", "should be a table"),
        ("title = ", "not TOML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "b.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_board(tmp_path / "b.toml")


def test_directions_may_differ_where_values_are_put_on_one_scale(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text(
        "combine = 'normalized'\n" + GOOD + "[[benchmark]]\nuse = 'svamp'\nhigher_is_better = false"
    )
    entries = read_board(tmp_path / "b.toml").entries
    assert [(entry.chance, entry.best) for entry in entries] == [(0.0, 1.0), (1.0, 0.0)]


@pytest.mark.parametrize(
    ("entry", "error", "message"),
    [
        ("use = 'gsm9k'", UnknownName, "did you mean 'gsm8k'"),
        ("use = 'gsm8k'\nsplit = 'dev'", UnknownName, "split of benchmark 'gsm8k'"),
        ("use = 'gsm8k'\nmetric = 'meth'", ConfigError, "no reward 'meth'.*math"),
    ],
)
def test_names_are_checked(tmp_path: Path, entry: str, error: type[Exception], message: str) -> None:
    (tmp_path / "b.toml").write_text(f"title = 'T'\n[[benchmark]]\n{entry}\n")
    with pytest.raises(error, match=message):
        check_names(read_board(tmp_path / "b.toml"))


def test_an_unknown_board_names_those_that_ship() -> None:
    with pytest.raises(UnknownName, match="unknown board 'meth': did you mean 'math'"):
        open_board("meth")
    with pytest.raises(ConfigError, match="cannot be read"):
        open_board("missing.toml")


def test_every_key_is_in_the_documentation() -> None:
    tables = re.split(r"\n\n", PAGE.read_text(encoding="utf-8"))
    listed = {
        table.splitlines()[0]: [
            key for row in table.splitlines()[2:] for key in re.findall(r"`(\w+)`", row.split("|")[1])
        ]
        for table in tables
        if table.startswith("| key of ")
    }
    board, entry = sorted(listed)
    assert sorted(listed[entry]) == sorted(reader._KEYS)
    assert sorted(listed[board]) == sorted(reader._ENTRY_KEYS)
    for choice in reader.COMBINE:
        assert f"| `{choice}` |" in PAGE.read_text(encoding="utf-8")


def test_a_benchmark_without_one_score_is_ranked_by_what_it_reports(
    benchmark_file: Path, tmp_path: Path
) -> None:
    text = f"title = 'T'\n[[benchmark]]\nuse = '{benchmark_file}:headed'\n"
    (tmp_path / "b.toml").write_text(text)
    with pytest.raises(ConfigError, match="has no one score, but right and length: name one as its metric"):
        check_names(read_board(tmp_path / "b.toml"))
    (tmp_path / "b.toml").write_text(text + "metric = 'right'\n")
    check_names(read_board(tmp_path / "b.toml"))
