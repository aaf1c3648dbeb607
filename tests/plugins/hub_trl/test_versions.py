"""What differs between versions of TRL is written down once, and in the documentation."""

import re
from importlib.metadata import requires
from pathlib import Path

import pytest

from hub_trl import versions

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_lists_the_changes() -> None:
    page = (ROOT / "docs" / "trainers" / "trl.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| trl (\d+)\.(\d+) \| (.*) \|$", page, flags=re.MULTILINE)
    assert [((int(major), int(minor)), what) for major, minor, what in rows] == [
        (change.since, change.what) for change in versions.CHANGES
    ]


def test_the_lowest_version_is_the_one_that_is_asked_for_and_tested() -> None:
    lowest = ".".join(map(str, versions.LOWEST))
    (needed,) = {line.split(";")[0] for line in requires("posttrain-hub") or () if line.startswith("trl")}
    assert needed == f"trl>={lowest}"
    tested = re.findall(r"\d+\.\d+\.\d+", (ROOT / "scripts" / "test-trl-versions").read_text())
    assert tested[0].startswith(f"{lowest}.")
    assert len(tested) == 16, "docs/trainers/trl.md says how many"
    pinned = re.search(r"^trl==(\S+)$", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE)
    assert pinned is not None
    assert tested[-1] == pinned[1]


@pytest.mark.parametrize(("installed", "expected"), [((1, 5), False), ((1, 6), True), ((2, 0), True)])
def test_a_version_has_what_came_before_it(
    monkeypatch: pytest.MonkeyPatch, installed: tuple[int, int], expected: bool
) -> None:
    monkeypatch.setattr(versions, "installed", lambda: installed)
    assert versions.has(versions.LEAVES_OUT_MISSING) is expected
