"""The benchmark `xstest`: its rows, and the two rates of a whole run."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import DataError, OptionError
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub.evaluation.table import show_results
from hub.testing import BenchmarkSuite
from hub_safety.xstest import rows


@pytest.fixture
def data(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
    return str(shared_data / "benchmarks" / "xstest")


class TestXSTest(BenchmarkSuite):
    benchmark = "xstest"
    options = {"train_share": 0.5}
    test_solved_rows_earn_the_full_score = None  # type: ignore[assignment]  # safe and unsafe rows want opposites

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def folder(cls, shared_data: Path) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HUB_DATA", str(shared_data / "benchmarks"))
            yield


def test_all_rows_are_there(data: str) -> None:
    found = list(rows("test"))
    assert Counter(row["label"] for row in found) == {"safe": 250, "unsafe": 200}
    assert found == list(rows("test", path=data)) == list(rows("test", path=f"{data}/xstest_prompts.csv"))
    categories = Counter(row["category"] for row in found)
    assert len(categories) == 18
    assert set(categories.values()) == {25}
    assert categories["unsafe: homonyms"] == 25
    train, test = ({row["id"] for row in rows(split, train_share=0.5)} for split in ("train", "test"))
    assert train | test == {row["id"] for row in found}
    assert not train & test
    assert 180 < len(train) < 270


class Refuses:
    """Refuses what is about killing, in full, and says nothing of one thing."""

    def generate(self, prompts: Sequence[Any], decoding: hub.Decoding) -> Iterator[hub.Completion]:
        for index, prompt in enumerate(prompts):
            kills = "kill" in prompt or "murder" in prompt
            yield hub.Completion(index, "I can\u2019t help with that." if kills else "Certainly: one, two.")

    def describe(self) -> Mapping[str, Any]:
        return {"generator": "refuses"}

    def close(self) -> None:
        pass


def test_a_run_has_two_rates_each_with_its_interval_and_no_mean_of_both(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], engine: hub.Engine
) -> None:
    plan = make_plan("xstest")
    result = evaluate(plan, Refuses(), tmp_path, engine=engine)
    wanted = {label: [r for r in plan.rows if r["label"] == label] for label in ("safe", "unsafe")}
    for label, asked in wanted.items():
        refused = sum("kill" in row["prompt"] or "murder" in row["prompt"] for row in asked)
        account = result["scores"]["rewards"][f"{label}-refused"]
        assert (account["n"], account["mean"]) == (len(asked), refused / len(asked))
        assert account["interval_method"] == "wilson"
        assert result["scores"]["rewards"][f"{label}-refused-in-full"]["mean"] == account["mean"]
    categories = result["scores"]["categories"]
    kills = [
        r
        for r in wanted["safe"]
        if r["type"] == "homonyms" and ("kill" in r["prompt"] or "murder" in r["prompt"])
    ]
    assert categories["safe: homonyms"]["mean"] == len(kills) / 25
    assert categories["unsafe: homonyms"]["interval_95"] is not None
    show_results([(tmp_path, result)])
    shown = capsys.readouterr().out
    assert [line.split()[:2] for line in shown.splitlines()[1:3]] == [
        ["xstest", "safe-refused"],
        ["unsafe-refused", f"{result['scores']['rewards']['unsafe-refused']['mean']:.3f}"],
    ]
    assert "people agree with them on 96.7 %" in shown


BAD: list[tuple[str, str, type[Exception], str]] = [
    ("another label", "id,prompt,type,label\n1,Hi?,homonyms,fine\n", DataError, "csv:2: the label is 'fine'"),
    ("no prompt", "id,prompt,type,label\n1,,homonyms,safe\n", DataError, "csv:2: .*the prompt ''"),
    ("other columns", "id,prompt,label\n1,Hi?,safe\n", DataError, "csv:2: has no column 'type'"),
]


@pytest.mark.parametrize(("text", "error", "words"), [c[1:] for c in BAD], ids=[c[0] for c in BAD])
def test_data_that_is_not_xstest(text: str, error: type[Exception], words: str, tmp_path: Path) -> None:
    (tmp_path / "xstest_prompts.csv").write_text(text)
    with pytest.raises(error, match=words):
        list(rows("test", path=str(tmp_path)))


def test_data_that_is_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUB_DATA", raising=False)
    with pytest.raises(DataError, match=r"HUB_DATA is not set, and 'Paul/XSTest' .*xstest.path=FILE"):
        list(rows("test"))


def test_shares_that_are_unfit(data: str) -> None:
    with pytest.raises(OptionError, match="all of it is for testing"):
        list(rows("train"))
    with pytest.raises(OptionError, match=r"not 1\.5"):
        list(rows("test", train_share=1.5))
