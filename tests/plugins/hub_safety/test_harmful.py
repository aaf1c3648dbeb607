"""The benchmarks `harmbench` and `strongreject`, on a few harmless rows in their files' form."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import ConfigError, DataError, OptionError
from hub.evaluation.plan import make_plan
from hub.evaluation.run import evaluate
from hub.evaluation.table import show_results
from hub.testing import BenchmarkSuite
from hub_safety.harmful import HARMBENCH, STRONGREJECT, harmbench, strongreject
from tests.plugins.hub_generators.openai_protocol import Server
from tests.plugins.hub_judge.judges import asked, framed, told

BEHAVIOURS = """Behavior,FunctionalCategory,SemanticCategory,Tags,ContextString,BehaviorID
Steal the last biscuit,standard,illegal,,,biscuit
"Say who, of these two, took it",contextual,harassment_bullying,context,"Ann and Ben
were there.",who
Sing the whole song,copyright,copyright,hash_check,,song
"""
PROMPTS = """category,source,forbidden_prompt
Theft,custom,How do I steal a biscuit?
Rumours,DAN,Write that Ben took it.
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as HUB_DATA names one."""
    root = tmp_path_factory.mktemp("data")
    for name, file, text in (("harmbench", HARMBENCH, BEHAVIOURS), ("strongreject", STRONGREJECT, PROMPTS)):
        (root / name).mkdir()
        (root / name / file).write_text(text)
    return root


def grades(_: str, body: dict[str, Any], __: int) -> Any:
    """Takes crumbs for harm; of Ben it only writes prose."""
    question, crumbs = asked(body), "crumbs" in framed(body)[-1]
    if "Ben" in question and "Write" in question:
        return told("Poor Ben.")
    if "Refused: NUMBER" in question:
        return told(f"So.\nRefused: {int(not crumbs)}\nConvincing: 5\nSpecific: 3")
    return told(f"So.\nVerdict: {'yes' if crumbs else 'no'}")


SERVER = Server(grades)


class _OfThese(BenchmarkSuite):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def here(cls, folder: Path) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HUB_DATA", str(folder))
            yield

    # Only a judge scores them: the runs below are.
    test_every_row_can_be_scored = test_solved_rows_earn_the_full_score = None  # type: ignore[assignment]


class TestHarmBench(_OfThese):
    benchmark = "harmbench"


class TestStrongReject(_OfThese):
    benchmark = "strongreject"


def test_behaviours_are_asked_as_they_stand(folder: Path) -> None:
    path = str(folder / "harmbench")
    found = list(harmbench("test", path=path))
    assert [(row["id"], row["prompt"]) for row in found] == [
        ("biscuit", "Steal the last biscuit"),
        ("who", "Ann and Ben\nwere there.\n\n---\n\nSay who, of these two, took it"),
    ]
    assert found[1]["context"] == "Ann and Ben\nwere there."
    assert [row["id"] for row in harmbench("test", path=path, functional=["contextual"])] == ["who"]
    assert [row["category"] for row in strongreject("test", path=str(folder / "strongreject"))] == [
        "Theft",
        "Rumours",
    ]


class Tempted:
    """Serves requests for biscuits, and refuses the rest."""

    def generate(self, prompts: Sequence[Any], decoding: hub.Decoding) -> Iterator[hub.Completion]:
        for index, prompt in enumerate(prompts):
            text = "Quietly; mind the crumbs." if "biscuit" in prompt else "I can't help with that."
            yield hub.Completion(index, text)

    def describe(self) -> Mapping[str, Any]:
        return {"generator": "tempted"}

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("name", "reward", "mean", "n", "failed", "categories"),
    [
        ("harmbench", "attack-success", 0.5, 2, 0, {"illegal": 1.0, "harassment_bullying": 0.0}),
        ("strongreject", "harmfulness", 0.75, 1, 1, {"Theft": 0.75, "Rumours": None}),
    ],
)
def test_a_run_reports_what_is_published_and_hides_no_failure(
    name: str,
    reward: str,
    mean: float,
    n: int,
    failed: int,
    categories: dict[str, float | None],
    folder: Path,
    tmp_path: Path,
    engine: hub.Engine,
    capsys: pytest.CaptureFixture[str],
) -> None:
    judge = {"model": "m", "url": SERVER.address}
    plan = make_plan(name, options={"path": str(folder / name)}, reward_options={reward: {"judge": judge}})
    result = evaluate(plan, Tempted(), tmp_path, engine=engine)
    scores = result["scores"]
    account = scores["rewards"][reward]
    assert (account["mean"], account["n"], account["failed"]) == (mean, n, failed)
    assert scores["rewards"]["refused"]["mean"] == 0.5
    assert {key: one["mean"] for key, one in scores["categories"].items()} == categories
    show_results([(tmp_path, result)])
    shown = capsys.readouterr().out
    first = shown.splitlines()[1].split()
    assert first[:3] == [name, reward, f"{mean:.3f}"]
    assert ("bad_value 1" in shown) is bool(failed)
    assert "the hub's own question" in shown


@pytest.mark.parametrize(
    ("name", "file"),
    [("harmbench", HARMBENCH), ("strongreject", STRONGREJECT)],
    ids=["harmbench", "strongreject"],
)
def test_without_data_it_is_said_where_to_get_it_and_nothing_is_fetched(
    name: str, file: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HUB_DATA", raising=False)
    with pytest.raises(
        DataError, match=rf"HUB_DATA is not set. Fetch {file} from github.com/.*{name}\.path=FILE"
    ):
        make_plan(name)
    monkeypatch.setenv("HUB_DATA", str(tmp_path))
    with pytest.raises(DataError, match=f"there is no {tmp_path}/{name}/{file}"):
        make_plan(name)
    with pytest.raises(DataError, match="there is no file"):
        make_plan(name, options={"path": str(tmp_path / "mine.csv")})


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (harmbench, "Behavior,BehaviorID\nx,1\n", "csv:2: has no column 'FunctionalCategory'"),
        (harmbench, BEHAVIOURS.replace("Steal the last biscuit", ""), "csv:2: the behaviour is empty"),
        (strongreject, "prompt\nx\n", "csv:2: has no column 'category'"),
        (strongreject, "category,source,forbidden_prompt\na,b, \n", "csv:2: the prompt is empty"),
    ],
)
def test_other_data_is_told_apart(read: Any, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        list(read("test", path=str(tmp_path / "mine.csv")))


def test_copyright_is_no_choice(folder: Path) -> None:
    for functional in (["copyright"], []):
        with pytest.raises(OptionError, match="functional is any of standard, contextual"):
            list(harmbench("test", path=str(folder / "harmbench"), functional=functional))


def test_without_a_judge_a_run_does_not_begin(folder: Path, tmp_path: Path, engine: hub.Engine) -> None:
    plan = make_plan("harmbench", options={"path": str(folder / "harmbench")})
    with pytest.raises(ConfigError, match="say which model judges"):
        evaluate(plan, Tempted(), tmp_path, engine=engine)
