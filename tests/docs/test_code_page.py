"""What docs/code.md says in tables is what the code does."""

import inspect
import re

import hub
from hub_code import columns, grade, runner, runs, scores
from tests.docs.test_pages import page, tables

PAGE = tables("docs/code.md")


def names(table: str, place: int = 0) -> list[str]:
    return [re.findall(r"`([^`]+)`", row[place])[0] for row in PAGE[table]]


def test_every_option_is_listed_with_its_default() -> None:
    options = inspect.signature(grade.Code.__init__).parameters
    listed = [(row[0].strip("`"), row[1]) for row in PAGE["option | default |"]]
    assert listed == [(name, str(option.default)) for name, option in options.items() if name != "self"]
    fewer = [name for name in inspect.signature(runs.CodeRuns.__init__).parameters if name != "self"]
    assert f"`code-runs` has {', '.join(f'`{name}`' for name in fewer[:-1])} and `{fewer[-1]}`." in page(
        "docs/code.md"
    )


def test_every_column_is_listed() -> None:
    listed = names("column | type |")
    declared = hub.find_reward("code").uses
    assert sorted(listed) == sorted(declared)
    assert set(hub.find_reward("code-runs").uses) < set(listed)


def test_every_mode_is_listed_in_the_order_in_which_it_is_looked_for() -> None:
    table = names("mode | columns | a program passes if")
    assert sorted(table) == sorted(columns.MODES)
    row = {"tests": "t", "cases": [[[1], 2]], "entry_point": "f", "expected_stdout": "1"}
    found = []
    for drop in ("tests", "cases", "expected_stdout"):
        found.append(columns.read_reference(hub.Sample("", "", row)).mode)
        row.pop(drop)
    assert found == table


def test_every_verdict_is_a_reason() -> None:
    rows = PAGE["reason | verdict |"]
    reasons = [(row[0].strip("`"), row[1].strip("`")) for row in rows]
    verdicts = [str(verdict) for verdict in hub.Verdict if verdict is not hub.Verdict.PASSED]
    assert reasons == [*zip(verdicts, verdicts, strict=True), ("no_code", "error"), ("too_long", "error")]
    assert f"{scores.LONGEST_COMPLETION:,}" in rows[-1][2]


def test_time_limits() -> None:
    text = page("docs/code.md")
    assert f"time limit of `code` is {hub.find_reward('code').timeout_s:g} s" in text
    assert f"`total_s` is at most {runner.MOST_TOTAL_S:g}" in text
