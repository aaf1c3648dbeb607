"""Mixes: what they add up to, what they refuse before anything runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import ConfigError, HubError, RewardFailed

REWARDS = """
import time
import hub

@hub.reward(needs=["answer"])
def right(sample):
    return sample.text.strip() == sample["answer"]

@hub.reward(needs=[])
def length(sample):
    return float(len(sample.text))

@hub.reward(needs=[])
def fails_on_bang(sample):
    if "!" in sample.text:
        raise ValueError("a bang")
    return 1.0

@hub.reward(needs=[], timeout_s=5)
def hangs_on_bang(sample):
    while "!" in sample.text:
        pass
    return 1.0

@hub.reward(needs=[])
def abstains_on_bang(sample):
    return None if "!" in sample.text else 1.0

def like_trl(completions, **kwargs):
    return [1.0 for _ in completions]

class NoCall:
    pass

class Times:
    def __init__(self, factor: float, offset: float = 0.0):
        if factor == 13:
            raise ValueError("unlucky")
        self.factor, self.offset = factor, offset
    def __call__(self, sample):
        return self.factor * len(sample.text) + self.offset
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Write a mix file beside rewards.py."""
    (tmp_path / "rewards.py").write_text(REWARDS)

    def write(text: str) -> Path:
        path = tmp_path / "mix.toml"
        path.write_text(text)
        return path

    return write


def values(mix: hub.Mix, *samples: hub.Sample, **options: Any) -> list[float | None]:
    return [result.value for result in mix.score(samples, **options)]


def test_weights_routes_gates_and_maps(write: Callable[[str], Path]) -> None:
    mix = hub.Mix.load(
        write(
            """
            [[reward]]
            use = "rewards.py:right"
            weight = 2
            when = { task = ["sum", "product"] }
            map = { answer = "solution" }

            [[reward]]
            use = "rewards.py:length"
            name = "chars"
            weight = 0.1

            [[reward]]
            use = "rewards.py:Times"
            with = { factor = 10 }
            when = { task = "long" }
            gate = "chars >= 3"
            """
        )
    )
    assert mix.names == ("right", "chars", "Times")
    samples = [
        hub.Sample("", "42", {"task": "sum", "solution": "42"}),
        hub.Sample("", "43", {"task": "product", "solution": "42"}),
        hub.Sample("", "abcd", {"task": "long"}),
        hub.Sample("", "ab", {"task": "long"}),
    ]
    results = mix.score(samples)
    assert [r.value for r in results] == pytest.approx([2.2, 0.2, 40.4, 0.2])
    assert [tuple(r.scores) for r in results] == [mix.names] * 4
    assert results[0].scores["Times"].outcome == "abstained"
    assert (results[3].scores["Times"].value, results[3].scores["Times"].reason) == (0.0, "gated")
    assert results[2].weighted == pytest.approx({"right": None, "chars": 0.4, "Times": 40.0}, nan_ok=True)


@pytest.mark.parametrize(("policy", "total"), [("mask", None), ("drop", 2.0)])
def test_a_failure_is_masked_or_dropped_and_never_zero(
    write: Callable[[str], Path], policy: str, total: float | None
) -> None:
    folder = write("").parent
    rewards = {f"{folder}/rewards.py:fails_on_bang": 5.0, f"{folder}/rewards.py:length": 1.0}
    mix = hub.Mix(rewards, on_failure=policy)
    results = mix.score([hub.Sample("", "a!"), hub.Sample("", "ab")])
    assert [r.value for r in results] == [total, 7.0]
    assert results[0].scores["fails-on-bang"].reason == "exception"
    assert results[0].scores["length"].value == 2.0
    if total is None:
        assert results[0].total.outcome == "failed"
        assert "fails-on-bang: ValueError: a bang" in results[0].total.detail


def test_a_failure_can_stop_the_run(write: Callable[[str], Path]) -> None:
    mix = hub.Mix({f"{write('').parent}/rewards.py:fails_on_bang": 1.0}, on_failure="raise")
    assert values(mix, hub.Sample("", "a")) == [1.0]
    with pytest.raises(RewardFailed, match=r"1 of 2 .* sample 1, reward 'fails-on-bang': exception"):
        mix.score([hub.Sample("", "a"), hub.Sample("", "!")])


def test_only_failures_leave_no_total_under_drop(write: Callable[[str], Path]) -> None:
    mix = hub.Mix({f"{write('').parent}/rewards.py:fails_on_bang": 1.0}, on_failure="drop")
    (result,) = mix.score([hub.Sample("", "!")])
    assert result.total.outcome == "failed"


def test_what_a_time_limit_means_can_be_said(write: Callable[[str], Path]) -> None:
    use = f"{write('').parent}/rewards.py:hangs_on_bang"
    mix = hub.Mix({use: {"weight": 2.0, "timeout_s": 0.3, "on_timeout": -1.0}})
    (bad, good) = mix.score([hub.Sample("", "!"), hub.Sample("", "a")])
    assert (bad.value, good.value) == (-2.0, 2.0)
    assert bad.scores["hangs-on-bang"].reason == "timeout"
    assert mix.stats()["hangs-on-bang"]["reasons"] == {"timeout": 1}


def test_gates_on_what_failed_or_abstained(write: Callable[[str], Path]) -> None:
    file = f"{write('').parent}/rewards.py"
    for gating, outcome, reason in (("fails_on_bang", "failed", "gate"), ("abstains_on_bang", "scored", "")):
        mix = hub.Mix(
            {f"{file}:{gating}": 0.0, f"{file}:length": {"gate": f"{gating.replace('_', '-')} > 0"}}
        )
        (result,) = mix.score([hub.Sample("", "!!")])
        score = result.scores["length"]
        assert (score.outcome, score.reason) == (outcome, reason)


def test_chained_gates_in_any_order(write: Callable[[str], Path]) -> None:
    file = f"{write('').parent}/rewards.py"
    mix = hub.Mix(
        {
            f"{file}:Times": {"with": {"factor": 1}, "name": "third", "gate": "second == 2"},
            f"{file}:length": {"name": "second", "gate": "fails-on-bang >= 1"},
            f"{file}:fails_on_bang": 0.0,
        }
    )
    assert [r.scores["third"].value for r in mix.score([hub.Sample("", "ab"), hub.Sample("", "abc")])] == [
        2,
        0,
    ]


def test_schedules(write: Callable[[str], Path]) -> None:
    use = f"{write('').parent}/rewards.py:length"
    mix = hub.Mix({use: [[10, 0.0], [20, 1.0]]})
    steps = [0, 10, 15, 20, 99, None]
    assert [values(mix, hub.Sample("", "ab"), step=s)[0] for s in steps] == [0, 0, 1, 2, 2, 2]


def test_normalising_each_reward_within_its_group(write: Callable[[str], Path]) -> None:
    file = f"{write('').parent}/rewards.py"
    mix = hub.Mix({f"{file}:length": 1.0, f"{file}:fails_on_bang": 1.0}, aggregate="normalize_then_sum")
    samples = [
        hub.Sample(p, t) for p, t in [("a", "x"), ("b", "xxxx"), ("a", "xxx"), ("a", "xx!"), ("b", "x")]
    ]
    results = mix.score(samples)
    # Group a: lengths 1 and 3 (the failed one counts for nobody), mean 2, deviation sqrt(2).
    expected = [-1 / (2**0.5 + 1e-4), 1.5 / (4.5**0.5 + 1e-4), 1 / (2**0.5 + 1e-4), None]
    assert [r.value for r in results[:4]] == pytest.approx(expected)
    assert results[3].total.outcome == "failed"


WRONG = [
    ("", "a mix needs at least one [[reward]]"),
    ("on_failure = 'ignore'\n[[reward]]\nuse = 'length'", "mix.toml:1: on_failure: should be one of mask"),
    ("on_failur = 'mask'\n[[reward]]\nuse = 'length'", "mix.toml:1: on_failur: unknown key: did you mean 'on_failure'"),
    ("[[reward]]\nweight = 1", "mix.toml:1: reward[0]: has no `use`"),
    ("[[reward]]\nuse = 'rewards.py:length'\n\n[[reward]]\nuse = 'rewards.py:lenght'", "mix.toml:5: reward[1].use: unknown reward in rewards.py: 'lenght': did you mean 'length'"),
    ("[[reward]]\nuse = 'think-fromat'", "mix.toml:2: reward[0].use: unknown reward 'think-fromat': did you mean 'think-format'"),
    ("[[reward]]\nuse = 'nowhere.py:f'", "mix.toml:2: reward[0].use: there is no file 'nowhere.py'"),
    ("[[reward]]\nuse = 'rewards.py'", "names a file but no reward"),
    ("[[reward]]\nuse = 5", "mix.toml:2: reward[0].use: should be the name of a reward"),
    ("[[reward]]\nuse = 'rewards.py:length'\nweight = 'heavy'", "mix.toml:3: reward[0].weight: should be a number"),
    ("[[reward]]\nuse = 'rewards.py:length'\nweight = [[2, 0.0], [1, 1.0]]", "rising steps"),
    ("[[reward]]\nuse = 'rewards.py:length'\nweight = nan", "mix.toml:3: reward[0].weight"),
    ("[[reward]]\nuse = 'rewards.py:length'\ntimeout_s = 0", "mix.toml:3: reward[0].timeout_s"),
    ("[[reward]]\nuse = 'rewards.py:length'\ngate = 'length is 3'", "mix.toml:3: reward[0].gate: should be like"),
    ("[[reward]]\nuse = 'rewards.py:length'\ngate = 'lenght > 3'", "mix.toml:3: reward[0].gate: no reward of this mix is called 'lenght': did you mean 'length'"),
    ("[[reward]]\nuse = 'rewards.py:length'\ngate = 'length > 3'", "gate each other in a circle"),
    ("[[reward]]\nuse = 'rewards.py:length'\n[[reward]]\nuse = 'rewards.py:length'", "mix.toml:3: reward[1]: the name 'length' is taken"),
    ("[[reward]]\nuse = 'rewards.py:length'\nwith = { unit = 1 }", "mix.toml:3: reward[0].with: reward 'length' of rewards.py takes no options"),
    ("[[reward]]\nuse = 'rewards.py:Times'", "needs the option 'factor'"),
    ("[[reward]]\nuse = 'rewards.py:Times'\n[reward.with]\nfactor = 2\nofset = 1", "reward[0].with: reward 'Times' of rewards.py has no option 'ofset': did you mean 'offset'"),
    ("[[reward]]\nuse = 'rewards.py:Times'\nwith = { factor = 'two' }", "option 'factor' is 'two', but should be float"),
    ("[[reward]]\nuse = 'rewards.py:right'\nmap = { anser = 'x' }", "it reads no column 'anser': did you mean 'answer'"),
    ("[[reward]]\nuse = 'rewards.py:right", "not TOML"),
    ("[[rewards]]\nuse = 'rewards.py:right'", "mix.toml:1: rewards: unknown key: did you mean 'reward'"),
    ("[reward]\nuse = 'rewards.py:right'", "mix.toml:1: reward: write [[reward]], with two brackets"),
    ("[[reward]]\nuse = 'rewards.py:like_trl'", "is called with one argument, as (sample): a hub.Sample"),
    ("[[reward]]\nuse = 'rewards.py:NoCall'", "the class has no __call__(self, sample)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_mistakes_are_found_before_anything_runs(write: Callable[[str], Path], text: str, words: str) -> None:
    with pytest.raises(HubError) as caught:
        hub.Mix.load(write(text))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mix_file_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"nowhere.toml: cannot be read"):
        hub.Mix.load("nowhere.toml")


def test_rows_are_checked_before_anything_runs(write: Callable[[str], Path]) -> None:
    use = f"{write('').parent}/rewards.py:right"
    mix = hub.Mix({use: {"when": {"task": "sum"}}})
    row = {"task": "sum", "answer": "1"}
    assert mix.check([row, row]) == 2
    with pytest.raises(ConfigError, match=r"row 2 has no column 'answer', which the reward 'right' needs"):
        mix.check([row, {"task": "sum", "solution": "1"}])
    with pytest.raises(ConfigError, match=r"no reward takes row 3 .*allow_unrouted"):
        mix.check([row, row, {"task": "product"}])
    length = f"{write('').parent}/rewards.py:length"
    misspelled = hub.Mix({length: 1.0, use: {"when": {"tusk": "sum"}}})
    with pytest.raises(
        ConfigError, match=r"reward\[1\].when: no row has a column 'tusk': did you mean 'task'"
    ):
        misspelled.check([row])
    mapped = hub.Mix({use: {"map": {"answer": "solution"}}})
    with pytest.raises(
        ConfigError, match=r"row 1 has no column 'solution', which `map` of .* takes for 'answer'"
    ):
        mapped.check([row])
    allowed = hub.Mix({use: {"when": {"task": "sum"}}}, allow_unrouted=True)
    assert allowed.check([row, {"task": "product"}]) == 2
    (result,) = allowed.score([hub.Sample("", "1", {"task": "product"})])
    assert result.total.outcome == "abstained"


def test_what_cannot_be_constructed_is_found_by_warming(write: Callable[[str], Path]) -> None:
    mix = hub.Mix.load(write("[[reward]]\nuse = 'rewards.py:Times'\nwith = { factor = 13 }"))
    with pytest.raises(
        ConfigError, match=r"mix.toml:1: reward\[0\]: 'Times' of rewards.py cannot be set up: .*unlucky"
    ):
        mix.warm()


def test_from_a_coroutine(write: Callable[[str], Path]) -> None:
    import asyncio

    mix = hub.Mix({f"{write('').parent}/rewards.py:length": 1.0})
    (result,) = asyncio.run(mix.ascore([hub.Sample("", "abc")]))
    assert result.value == 3.0


def test_many_coroutines_wait_without_a_thread_each() -> None:
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    calls = 40
    met = {"count": 0}

    @hub.reward(needs=[], timeout_s=60, concurrency=calls)
    async def meets(sample: hub.Sample) -> float:
        met["count"] += 1
        while met["count"] < calls:  # returns only where every other call is under way at the same time
            await asyncio.sleep(0.001)
        return 1.0

    async def score() -> list[float | None]:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        mix = hub.Mix({meets: 1.0, "think-format": {"gate": "meets >= 1"}})
        each = [mix.ascore([hub.Sample("", str(i))], in_thread=bool(i % 2)) for i in range(calls)]
        return [results[0].value for results in await asyncio.gather(*each)]

    assert asyncio.run(score()) == [1.0] * calls


def test_it_can_be_sent_to_another_process(write: Callable[[str], Path]) -> None:
    import cloudpickle

    folder = write("").parent
    (folder / "mix.toml").write_text(
        '[[reward]]\nuse = "rewards.py:length"\nweight = [[0, 1.0], [10, 2.0]]\n', encoding="utf-8"
    )
    bonus = 0.5
    here = hub.Mix(
        {"think-format": 0.2, lambda sample: bonus: {"name": "bonus", "gate": "think-format == 0"}}
    )
    for mix in (hub.Mix.load(folder / "mix.toml"), here):
        sent = cloudpickle.loads(cloudpickle.dumps(mix))
        samples = [hub.Sample("", "abc"), hub.Sample("", "<think>a</think>b")]
        assert sent.names == mix.names
        for step in (0, 5, None):
            assert sent.score(samples, step=step) == mix.score(samples, step=step)
