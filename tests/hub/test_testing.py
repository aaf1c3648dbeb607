"""The conformance suites: what is right passes, and what is wrong fails in the right place, saying so."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from hub.origin import Origin
from hub.testing.imports import find_module, foreign_imports

pytest_plugins = ("pytester",)

HEAD = """
import asyncio, itertools, os, random, time
import hub
from hub.testing import BenchmarkSuite, RewardSuite

RIGHT = [hub.Sample("1+1?", "2", {"answer": "2"}), hub.Sample("2+1?", "3", {"answer": "3", "task": "sums"})]
WRONG = [hub.Sample("1+1?", text, {"answer": "2"}) for text in ("3", "22", "2 or 3", "minus two")]

class Suite(RewardSuite):
    gold, wrong = RIGHT, WRONG

def right(sample):
    return sample.text == sample["answer"]
"""

GOOD = """
@hub.reward(needs=["answer"], range=(0.0, 1.0))
def exact(sample):
    "1.0 where the completion is the answer."
    return right(sample)

@hub.reward(needs=["answer"], lane="inline")
def inline(sample):
    "The same in the caller's thread."
    return right(sample)

@hub.reward(needs=["answer"])
async def later(sample):
    "The same from a coroutine."
    await asyncio.sleep(0)
    return right(sample)

def guarded(sample, score):
    try:
        return score(sample)
    except hub.errors.BadInput as error:
        return hub.Score.failed("bad_input", str(error))

@hub.reward(needs=["answer"], batch=True)
def batch(samples):
    "The same for a whole batch."
    return [guarded(sample, right) for sample in samples]

@hub.reward(needs=["answer"], group=True)
def best(samples):
    "1.0 for the shortest right completion of a prompt, 0.5 for longer ones."
    def size(sample):
        return len(sample.text) if sample.text.strip() == sample["answer"] else 1000
    sizes = [guarded(sample, size) for sample in samples]
    least = min((size for size in sizes if isinstance(size, int)), default=0)
    values = {least: 1.0, 1000: 0.0}
    return [values.get(size, 0.5) if isinstance(size, int) else size for size in sizes]

@hub.reward(needs=["answer"], batch=True)
def jitter(samples):
    "A model whose result depends a little on its batch."
    return [guarded(sample, lambda sample: right(sample) - 1e-9 * len(samples)) for sample in samples]

@hub.reward(needs=["answer"], deterministic=False)
def dice(sample):
    "A judge that is not sure about what is wrong."
    return 1.0 if right(sample) else random.random() / 2

def local():
    @hub.reward(needs=["answer"])
    def inner(sample):
        "Defined in a function, as in a notebook."
        return right(sample)
    return inner

class Short:
    "A penalty by option."
    def __init__(self, most: int):
        self.most = most
    def __call__(self, sample):
        return min(0.0, float(self.most - len(sample.text)))

class TestExact(Suite):
    reward = exact

class TestFile(Suite):
    reward = "test_suites.py:exact"

class TestInline(Suite):
    reward = inline

class TestLater(Suite):
    reward = later

class TestBatch(Suite):
    reward = batch

class TestBest(Suite):
    reward = best
    gold = [hub.Sample("1+1?", "2", {"answer": "2"}, group="a"), hub.Sample("2+1?", "3", {"answer": "3"}, group="b")]
    wrong = [hub.Sample("1+1?", " 2", {"answer": "2"}, group="a"), hub.Sample("1+1?", "5", {"answer": "2"}, group="a")]

class TestJitter(Suite):
    reward = jitter
    tolerance = 1e-6

class TestDice(Suite):
    reward = dice

class TestLocal(Suite):
    reward = local()

class TestPenalty(Suite):
    reward = hub.Reward("short", Short, needs=(), range=(None, 0.0))
    options = {"most": 1}
    wrong = WRONG[1:]
    full = 0.0
    empty_is_full = True
"""

BAD = """
@hub.reward(needs=["answer"], range=(0.0, 1.0), lane="inline")
def out_of_range(sample):
    "Longer is better, without end."
    return float(right(sample)) if len(sample.text) < 1000 else len(sample.text) / 1000

@hub.reward(needs=["answer"], lane="inline")
def not_finite(sample):
    "NaN where the text has no letters."
    return right(sample) if sample.text.strip() else float("nan")

@hub.reward(needs=["answer"], lane="inline")
def dice(sample):
    "A judge that does not say that it is not sure."
    return 1.0 if right(sample) else random.random() / 2

@hub.reward(needs=["answer"], lane="inline")
class Counting:
    "Every eleventh wrong sample gets something."
    def __init__(self):
        self.count = itertools.count(1)
    def __call__(self, sample):
        return 1.0 if right(sample) else 0.5 * (next(self.count) % 11 == 0)

@hub.reward(needs=["answer"], batch=True)
def by_place(samples):
    "The later in the batch, the better."
    return [1.0 if right(sample) else 0.01 * place for place, sample in enumerate(samples)]

@hub.reward(needs=["answer"], batch=True)
def compared(samples):
    "Compares completions, but is declared per batch."
    longest = max(len(str(sample.completion)) for sample in samples)
    return [1.0 if right(sample) else 0.5 * (len(sample.text) == longest) for sample in samples]

@hub.reward(needs=["answer"], batch=True)
def all_or_none(samples):
    "One bad sample takes the others with it."
    return [right(sample) for sample in samples]

@hub.reward(needs=[], lane="inline")
def undeclared(sample):
    "Reads a column that it does not declare."
    return right(sample)

@hub.reward
def says_nothing(sample):
    "Reads every column there is."
    return 1.0 if right(sample) else 0.1 * ("label" in sample.columns)

@hub.reward(needs=["answer"], lane="inline")
def no_summary(sample):
    return right(sample)

@hub.reward(needs=["answer"], lane="inline")
def last_line(sample):
    "Has no answer to an empty completion."
    return sample.text.splitlines()[-1] == sample["answer"]

@hub.reward(needs=["answer"], lane="inline")
def encodes(sample):
    "Stumbles over lone surrogates."
    return sample.text.encode() == sample["answer"].encode()

@hub.reward(needs=["answer"], timeout_s=2.0)
def hangs(sample):
    "Never done with brackets."
    if sample.text.startswith("[["):
        time.sleep(60)
    return right(sample)

@hub.reward(needs=["answer"])
def crashes(sample):
    "Dies of NUL."
    if "\\0" in sample.text:
        os._exit(3)
    return right(sample)

@hub.reward(needs=["answer"], lane="inline")
def raw(sample):
    "Takes every completion for text."
    return sample.completion.strip() == sample["answer"] and len(sample.prompt) == 4

@hub.reward(needs=["answer"], lane="inline")
def kind(sample):
    "Likes everything."
    return True

@hub.reward(needs=["answer"], lane="inline")
def strict(sample):
    "Likes nothing."
    return False

@hub.reward(needs=["answer"], lane="inline")
def silent(sample):
    "Has nothing to say about what is wrong."
    return 1.0 if right(sample) else None

@hub.reward(needs=["answer"], lane="inline")
def hashed(sample):
    "Depends on the interpreter's hash seed."
    return 1.0 if right(sample) else (hash(sample.text) % 10**6) / 10**7

class Broken:
    "Cannot be constructed."
    def __init__(self, most: int):
        raise ValueError("most is at least 1")
    def __call__(self, sample):
        return 0.0

class TestOutOfRange(Suite):
    reward = out_of_range

class TestNotFinite(Suite):
    reward = not_finite

class TestDice(Suite):
    reward = dice

class TestCounting(Suite):
    reward = Counting

class TestByPlace(Suite):
    reward = by_place

class TestCompared(Suite):
    reward = compared

class TestAllOrNone(Suite):
    reward = all_or_none

class TestUndeclared(Suite):
    reward = undeclared

class TestSaysNothing(Suite):
    reward = says_nothing

class TestNoSummary(Suite):
    reward = no_summary

class TestLastLine(Suite):
    reward = last_line

class TestEncodes(Suite):
    reward = encodes

class TestHangs(Suite):
    reward = hangs

class TestCrashes(Suite):
    reward = crashes

class TestRaw(Suite):
    reward = raw

class TestKind(Suite):
    reward = kind

class TestStrict(Suite):
    reward = strict

class TestSilent(Suite):
    reward = silent

class TestHashed(Suite):
    reward = hashed

class TestBroken(Suite):
    reward = hub.Reward("broken", Broken, needs=())
    options = {"most": 0}

class TestNoPenalty(Suite):
    reward = encodes
    empty_is_full = True

class TestNoSamples(RewardSuite):
    reward = encodes

class TestNoReward(Suite):
    pass

class TestUnknown(Suite):
    reward = "think-fromat"

class TestUnknownOption(Suite):
    reward = "think-format"
    options = {"opne": "<a>"}
"""

EXPECTED: Mapping[tuple[str, str], str] = {
    ("OutOfRange", "values_are_in_the_declared_range"): "outside its declared range 0.0 to 1.0",
    ("NotFinite", "values_are_in_the_declared_range"): "returned nan",
    ("NotFinite", "odd_completions_are_scored"): "fails on a completion of nothing: bad_value",
    ("NotFinite", "an_empty_completion_earns_less"): "gives no score to an empty completion",
    ("Dice", "the_same_sample_gets_the_same_score"): "deterministic=False",
    ("Counting", "the_same_sample_gets_the_same_score"): "keep nothing between calls",
    ("ByPlace", "a_score_does_not_depend_on_the_batch[shuffled]"): "on its own sample alone",
    ("ByPlace", "a_score_does_not_depend_on_the_batch[one by one]"): "when scored one by one",
    ("Compared", "a_score_does_not_depend_on_the_batch[in two halves]"): "declares group=True",
    ("AllOrNone", "what_is_no_text_harms_no_other_sample"): "beside completions that are no text",
    ("Undeclared", "right_answers_earn_the_full_score"): "column 'answer' is not here",
    ("SaysNothing", "it_says_what_it_is_and_reads"): "give needs=",
    ("SaysNothing", "other_columns_change_nothing"): "when columns it does not declare are added",
    ("NoSummary", "it_says_what_it_is_and_reads"): "has no summary",
    ("LastLine", "odd_completions_are_scored"): "fails on a completion of nothing: exception: IndexError",
    ("Encodes", "odd_completions_are_scored"): "lone surrogates: exception: UnicodeEncodeError",
    ("Hangs", "odd_completions_are_scored"): "100,000 open brackets: timeout",
    ("Crashes", "odd_completions_are_scored"): "NUL and control characters: crashed",
    ("Raw", "chat_messages_score_as_plain_text"): "Read `sample.text` and `sample.prompt_text`",
    ("Kind", "wrong_answers_earn_less"): "gives the score 1 to a wrong sample: '3'",
    ("Kind", "an_empty_completion_earns_less"): "gives the score 1 to an empty completion",
    ("Strict", "right_answers_earn_the_full_score"): "gives a gold sample 0, not the full score 1: '2'",
    ("Silent", "wrong_answers_earn_less"): "What is wrong is scored",
    ("Hashed", "it_scores_the_same_in_a_fresh_worker"): "in a fresh process",
    ("Broken", "it_can_be_set_up"): "most is at least 1",
    ("NoPenalty", "an_empty_completion_earns_less"): "remove it",
    ("NoSamples", "it_can_be_set_up"): "give `gold`",
    ("NoReward", "it_can_be_set_up"): "set `reward` in TestNoReward",
    ("Unknown", "it_can_be_set_up"): "did you mean 'think-format'",
    ("UnknownOption", "it_can_be_set_up"): "no option 'opne': did you mean 'opened' or 'open'",
}

BENCHMARKS = """
def make(name, rows=None, splits=("test",), use=right, **keys):
    ROWS[name] = rows or (lambda split: [sum_of(n) for n in range(8)])
    globals()["rows_" + name] = lambda split, name=name: ROWS[name](split)
    tables = {"reward": [{"use": hub.Reward("right", use, needs=("answer",), lane="inline"), "weight": 2.0}]}
    return hub.Benchmark(name, f"test_suites:rows_{name}", tables, "Sums.", splits=splits, **keys)

ROWS = {}

def sum_of(n, **changes):
    return {"id": n, "prompt": f"{n}+1?", "answer": str(n + 1), **changes}

def unusable(sample):
    return hub.Score.failed("bad_reference") if sample["answer"] == "3" else 0.0

class Base(BenchmarkSuite):
    def solve(self, row):
        return row["answer"]

def both(split):
    return [sum_of(n, kind="easy") for n in (range(5) if split == "test" else range(5, 9))]

class TestGood(Base):
    benchmark = make("good", both, splits=("test", "train"), category="kind")

class TestChat(BenchmarkSuite):
    benchmark = make("chat", lambda split: [sum_of(1, id="a", prompt=[{"role": "user", "content": "a?"}])])

class TestEmpty(Base):
    benchmark = make("empty", lambda split: [])

class TestTwice(Base):
    benchmark = make("twice", lambda split: [sum_of(n, id=n % 5) for n in range(8)])

class TestNoId(Base):
    benchmark = make("no_id", lambda split: [{"prompt": "a", "answer": "b"}])

class TestBlank(Base):
    benchmark = make("blank", lambda split: [sum_of(1, prompt=" ")])

class TestNoPrompt(Base):
    benchmark = make("no_prompt", lambda split: [sum_of(1, prompt=None)])

class TestNoAnswer(Base):
    benchmark = make("no_answer", lambda split: [{"id": 1, "prompt": "a"}])

class TestNoCategory(Base):
    benchmark = make("no_category", category="kind")

class TestShuffled(Base):
    benchmark = make("mixed", lambda split: [sum_of(n) for n in random.sample(range(100), 50)])

class TestLeak(Base):
    benchmark = make("leak", lambda split: [sum_of(n) for n in (range(5) if split == "test" else range(4, 9))],
        splits=("test", "train"))

class TestUnusable(Base):
    benchmark = make("unusable", use=unusable)

class TestTurns(Base):
    benchmark = make("turns", lambda split: [sum_of(1, id="a"), sum_of(2, id="b", after="a", decoding={"top_p": 0.5})])

class TestLater(Base):
    benchmark = make("later", lambda split: [sum_of(1, id="a", after="b"), sum_of(2, id="b")])

class TestDecoding(Base):
    benchmark = make("decoding", lambda split: [sum_of(1, decoding={"top_p": 2})])

class TestUnsolved(BenchmarkSuite):
    benchmark = make("unsolved")
    def solve(self, row):
        return "3"

class TestUnknown(Base):
    benchmark = "no-such-benchmark"
"""

EXPECTED_BENCHMARKS: Mapping[tuple[str, str], str] = {
    ("Empty", "every_split_has_rows"): "the split 'test' has no rows",
    ("Twice", "every_row_has_its_own_id"): "rows 1 and 6 of 'test' share the id 0",
    ("NoId", "every_row_has_its_own_id"): "has the id None",
    ("Blank", "every_row_has_a_prompt"): "row 1 of 'test' has an empty prompt",
    ("NoPrompt", "every_row_has_a_prompt"): "the prompt is NoneType",
    ("Later", "every_row_can_be_asked"): "row 1 of 'test' goes on after 'b', which is row 2",
    ("Decoding", "every_row_can_be_asked"): "row 1 of 'test' has a decoding that is out of range",
    ("NoAnswer", "rows_have_the_columns_that_the_rewards_need"): "row 1 has no column 'answer'",
    ("NoCategory", "rows_have_the_columns_that_the_rewards_need"): "no column 'kind'",
    ("Shuffled", "reading_again_gives_equal_rows"): "is not the same when read again",
    ("Leak", "training_rows_are_in_no_other_split"): "row 5 of 'test' has the prompt of row 1 of 'train'",
    ("Unusable", "every_row_can_be_scored"): "row 2 of 'test' gives an empty completion no score",
    ("Unsolved", "solved_rows_earn_the_full_score"): "row 0 of 'test' gives what solve(row) writes 0, not 2",
    ("Unknown", "every_split_has_rows"): "unknown benchmark 'no-such-benchmark'",
}


@pytest.fixture(autouse=True)
def other_hash_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers have another hash seed than this process, even where that one's is fixed."""
    monkeypatch.setenv("PYTHONHASHSEED", "20261122")


def run(pytester: pytest.Pytester, source: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Run suites; return outcome and message by class and test, without the names' "Test" and "test_"."""
    pytester.makepyfile(test_suites=HEAD + source)
    record = pytester.inline_run("-p", "no:cacheprovider", "-W", "error", "--import-mode=prepend")
    sys.modules.pop("test_suites", None)
    results: dict[tuple[str, str], tuple[str, str]] = {}
    for report in record.getreports("pytest_runtest_logreport"):
        if report.when == "call" or report.outcome != "passed":
            _, name, test = report.nodeid.split("::")
            results[name.removeprefix("Test"), test.removeprefix("test_")] = (
                report.outcome,
                str(report.longrepr),
            )
    return results


def test_good_rewards_pass(pytester: pytest.Pytester) -> None:
    results = run(pytester, GOOD)
    assert {key: text for key, (outcome, text) in results.items() if outcome == "failed"} == {}
    skipped = {key for key, (outcome, _) in results.items() if outcome == "skipped"}
    assert {name for name, test in skipped if test != "listing_its_plugin_imports_nothing_else"} == {"Dice"}
    assert len({name for name, _ in results}) == 10


def test_bad_rewards_fail_where_they_are_bad(pytester: pytest.Pytester) -> None:
    results = run(pytester, BAD)
    wrong = {key: results.get(key) for key, text in EXPECTED.items() if not _failed(results, key, text)}
    assert wrong == {}
    assert {name for name, _ in results} == {name for name, _ in EXPECTED}


@pytest.mark.parametrize(
    ("name", "tests"),
    [
        ("OutOfRange", 1),
        ("NoSummary", 1),
        ("Encodes", 1),
        ("Hangs", 1),
        ("Crashes", 1),
        ("AllOrNone", 1),
        ("Hashed", 1),
        ("Kind", 2),
    ],
)
def test_what_is_right_about_a_bad_reward_passes(pytester: pytest.Pytester, name: str, tests: int) -> None:
    body = BAD.partition("\nclass TestOutOfRange")[0]
    suite = re.search(rf"class Test{name}\(.*?(?=\nclass|\Z)", BAD, re.DOTALL)
    assert suite is not None
    results = run(pytester, body + "\n" + suite.group())
    assert sum(outcome == "failed" for outcome, _ in results.values()) == tests


def test_benchmarks(pytester: pytest.Pytester) -> None:
    results = run(pytester, BENCHMARKS)
    failed = {key: text for key, (outcome, text) in results.items() if outcome == "failed"}
    assert [key for key in failed if key[0] in ("Good", "Chat", "Turns")] == []
    assert results["Chat", "solved_rows_earn_the_full_score"][0] == "skipped"
    wrong = {
        key: results[key] for key, text in EXPECTED_BENCHMARKS.items() if not _failed(results, key, text)
    }
    assert wrong == {}


def _failed(results: Mapping[tuple[str, str], tuple[str, str]], key: tuple[str, str], text: str) -> bool:
    outcome, message = results.get(key, ("", ""))
    return outcome == "failed" and text in message and "Traceback" not in message


@pytest.mark.parametrize(
    ("source", "foreign"),
    [
        ("import hub, json, tomllib", []),
        ("import hub\nimport heavy_rewards", []),
        ("import hub\nimport click", ["click"]),
        ("import hub\n@hub.hookimpl\ndef hub_rewards():\n    import rich\n    yield from ()", ["rich"]),
    ],
)
def test_what_listing_a_plugin_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, foreign: list[str]
) -> None:
    package = tmp_path / "heavy"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "plugin.py").write_text(source.replace("heavy_rewards", "heavy.rewards"))
    (package / "rewards.py").write_text("")
    information = tmp_path / "heavy-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: heavy\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[hub]\nheavy = heavy.plugin\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    module = find_module(Origin("heavy", "heavy", "1.0"))
    assert module == "heavy.plugin"
    assert foreign_imports(module) == foreign


def test_a_plugin_that_cannot_be_listed() -> None:
    with pytest.raises(RuntimeError, match="No module named 'no_such_plugin'"):
        foreign_imports("no_such_plugin")
