"""What the engine promises when nothing goes wrong: order, length, duplicates, cache, limits, accounts."""

import asyncio
import multiprocessing
import subprocess
import sys
import textwrap
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import EngineError, PluginError
from hub.reward import BoundReward

HOSTILE = Path(__file__).with_name("hostile.py")


def bound(name: str, **options: object) -> BoundReward:
    return hub.find_reward(f"{HOSTILE}:{name}").bind(options)


def texts(*completions: str, **columns: object) -> list[hub.Sample]:
    return [hub.Sample("q", text, columns) for text in completions]


@pytest.mark.parametrize("name", ["acts", "batched", "killable-batch", "awaited", "inline"])
@pytest.mark.parametrize("count", [0, 1, 7, 3000])
def test_as_many_scores_as_samples_in_their_order(engine: hub.Engine, name: str, count: int) -> None:
    if name == "inline":
        reward = hub.Reward("inline", bound("acts").reward.target, lane=hub.Lane.INLINE).bind()
    else:
        reward = bound(name.replace("-", "_"))
    scores = engine.score(reward, texts(*map(str, range(count))))
    assert [score.value for score in scores] == [float(n) for n in range(count)]


def test_duplicates_are_scored_once_and_remembered(engine: hub.Engine, tmp_path: Path) -> None:
    log = tmp_path / "calls"
    batch = texts(*["1", "2", "1", "raise", "raise", "2"] * 50, log=str(log))
    for _ in range(2):
        scores = engine.score(bound("logs"), batch)
        assert [s.value for s in scores] == [1.0, 2.0, 1.0, None, None, 2.0] * 50
    # What failed is tried again in the next batch; what was scored is not.
    assert Counter(log.read_text().split()) == {"1": 1, "2": 1, "raise": 2}
    stats = engine.stats()["logs"]
    assert (stats["count"], stats["scored"], stats["failed"], stats["cached"]) == (600, 400, 200, 596)


def test_a_full_cache_loses_the_oldest(
    engine: hub.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.engine.submission.CACHE_ENTRIES", 3)
    log = tmp_path / "calls"
    for batch in (("1", "2", "3"), ("4", "5"), ("3", "4", "5"), ("1", "2")):
        scores = engine.score(bound("logs"), texts(*batch, log=str(log)))
        assert [str(int(score.value or 0)) for score in scores] == list(batch)
    assert log.read_text().split() == ["1", "2", "3", "4", "5", "1", "2"]


def test_only_what_the_reward_can_see_makes_a_duplicate(engine: hub.Engine, tmp_path: Path) -> None:
    log = tmp_path / "calls"
    batch = [hub.Sample("q", "1", {"log": str(log), "unrelated": n}, group=n, id=n) for n in range(10)] + [
        hub.Sample("another question", "1", {"log": str(log)})
    ]
    engine.score(bound("logs"), batch)
    assert log.read_text().split() == ["1", "1"]


def test_without_a_cache_and_where_it_is_not_deterministic_every_sample_is_scored(tmp_path: Path) -> None:
    log = tmp_path / "calls"
    with hub.Engine(1, cache=False) as engine:
        engine.score(bound("logs"), texts("1", "1", log=str(log)))
    with hub.Engine(1) as engine:
        random = hub.Reward("r", bound("logs").reward.target, needs=("log",), deterministic=False)
        engine.score(random.bind(), texts("1", "1", log=str(log)))
    assert len(log.read_text().split()) == 4


def test_options_separate_what_is_cached(engine: hub.Engine) -> None:
    assert engine.score(bound("Counted", start=0), texts("a"))[0].value == 1.0
    assert engine.score(bound("Counted", start=10), texts("a"))[0].value == 11.0


def test_a_class_is_constructed_once_per_worker() -> None:
    with hub.Engine(1) as engine:
        scores = engine.score(bound("Counted"), texts(*map(str, range(100))))
    assert [score.value for score in scores] == [float(n) for n in range(1, 101)]
    assert {score.info["made"] for score in scores} == {1}


def test_workers_are_other_processes_and_stay_warm(engine: hub.Engine) -> None:
    first = {score.value for score in engine.score(bound("pid"), texts(*map(str, range(50))))}
    second = {score.value for score in engine.score(bound("pid"), texts(*map(str, range(50))))}
    assert len(first | second) <= 2
    assert float(multiprocessing.current_process().pid or 0) not in first


def test_the_clock_starts_when_a_worker_starts_the_sample() -> None:
    with hub.Engine(1) as engine:
        # Six calls of 0.5 s, one after the other: the last is begun past the limit of 2 s.
        scores = engine.score(bound("acts"), texts(*[f"sleep 0.5{n}" for n in range(6)]))
        assert [score.value for score in scores] == [1.0] * 6
        queue = engine.stats()["acts"]["queue_ms"]
    assert queue["p99"] > 2000


def test_missing_columns_and_what_cannot_be_sent_fail_alone(engine: hub.Engine, tmp_path: Path) -> None:
    log = str(tmp_path / "calls")
    batch = [
        hub.Sample("q", "1", {"log": log}),
        hub.Sample("q", "2", {"other": 1}),
        hub.Sample("q", "3", {"log": log}),
    ]
    scores = engine.score(bound("logs"), batch)
    assert [s.value for s in scores] == [1.0, None, 3.0]
    assert scores[1].reason == "missing_column"
    assert "'log'" in scores[1].detail
    odd = [hub.Sample("q", "1"), hub.Sample("q", "2", {"lock": threading.Lock()}), hub.Sample("q", "3")]
    scores = engine.score(bound("acts"), odd)
    assert [s.value for s in scores] == [1.0, None, 3.0]
    assert scores[1].reason == "bad_input"


@pytest.mark.parametrize("completion", [None, 5, b"bytes", [1, 2], [{"role": "assistant"}], {"a": 1}])
def test_a_completion_that_is_not_text_fails_alone(engine: hub.Engine, completion: Any) -> None:
    scores = engine.score(bound("acts"), [hub.Sample("q", "1"), hub.Sample("q", completion)])
    assert scores[0].value == 1.0
    assert scores[1].reason == "bad_input"


def test_big_and_odd_text(engine: hub.Engine) -> None:
    batch = texts("1", "\ud800", "\0", "", "9" * 5_000_000, *["x" * 1_000_000] * 3, "2")
    scores = engine.score(bound("acts"), batch)
    assert len(scores) == len(batch)
    assert (scores[0].value, scores[-1].value) == (1.0, 2.0)


def test_group_rewards_see_whole_groups(engine: hub.Engine) -> None:
    groups = ["a", "b", "a", "c", "b", "a"]
    batch = [hub.Sample("q", "x" * n, group=g) for n, g in zip([3, 9, 1, 5, 2, 2], groups, strict=True)]
    expected = [2.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    assert [s.value for s in engine.score(bound("rank"), batch)] == expected
    assert [s.value for s in engine.score(bound("rank"), batch)] == expected
    assert engine.stats()["rank"]["cached"] == 6
    by_prompt = [hub.Sample(g, s.completion) for s, g in zip(batch, groups, strict=True)]
    assert [s.value for s in engine.score(bound("rank"), by_prompt)] == expected


@pytest.mark.parametrize(("first", "reason"), [("short", "wrong_length"), ("number", "wrong_length")])
@pytest.mark.parametrize("name", ["batched", "killable_batch"])
def test_a_batch_of_the_wrong_length_fails(engine: hub.Engine, name: str, first: str, reason: str) -> None:
    scores = engine.score(bound(name), texts(first, "1", "2"))
    assert [score.reason for score in scores] == [reason] * 3
    scores = engine.score(bound(name), texts("1", "nan", "text", "none", "2"))
    assert [s.value if s.outcome == "scored" else s.reason for s in scores] == [
        1.0, "bad_value", "bad_value", "", 2.0,
    ]  # fmt: skip


def test_a_batch_that_hangs_in_a_worker_is_killed(engine: hub.Engine) -> None:
    assert {s.reason for s in engine.score(bound("killable_batch"), texts("hang-in-c", "1"))} == {"timeout"}
    assert engine.score(bound("killable_batch"), texts("1"))[0].value == 1.0


def test_a_batch_that_hangs_in_this_process_does_not_stop_the_others(engine: hub.Engine) -> None:
    release = threading.Event()

    def wait(samples: list[hub.Sample]) -> list[float]:
        if samples[0].text == "wait":
            release.wait(60)
        return [1.0] * len(samples)

    # A closure over what no process could be sent: this lane runs it where it is.
    component = engine.add(hub.Reward("stuck", wait, per=hub.Per.BATCH, timeout_s=0.3).bind())
    assert engine.score(component, texts("wait"))[0].reason == "timeout"
    assert engine.score(component, texts("go on"))[0].reason == "overloaded"
    assert engine.score(bound("batched"), texts("3"))[0].value == 3.0
    release.set()
    for _ in range(500):
        if engine.score(component, texts("go on"))[0].value == 1.0:
            break
        threading.Event().wait(0.01)
    else:
        pytest.fail("the reward stayed overloaded although its call had returned")


def test_async_rewards_run_at_once_up_to_their_limit(engine: hub.Engine) -> None:
    scores = engine.score(bound("awaited"), texts(*map(str, range(30)), "wait", "raise", "31"))
    assert [s.value for s in scores] == [*map(float, range(30)), None, None, 31.0]
    assert [scores[30].reason, scores[31].reason] == ["timeout", "exception"]
    target = bound("awaited").target.load()
    assert target.__globals__["most"] == 3


def test_an_async_reward_that_blocks_the_loop_is_left_behind(engine: hub.Engine) -> None:
    scores = engine.score(bound("awaited"), texts("block", *map(str, range(20))))
    assert scores[0].reason == "timeout"
    # Two more may have been under way on the blocked loop; all others moved to the next.
    assert sum(score.outcome == "scored" for score in scores) >= 18


def test_inside_a_running_event_loop(engine: hub.Engine) -> None:
    async def main() -> list[list[hub.Score]]:
        ticks = asyncio.create_task(asyncio.sleep(0))
        both = await asyncio.gather(
            engine.ascore(bound("acts"), texts(*map(str, range(20)))),
            engine.ascore(bound("awaited"), texts(*map(str, range(20)))),
        )
        assert ticks.done()
        also = engine.score(bound("acts"), texts("7"))
        return [*both, also]

    first, second, also = asyncio.run(main())
    assert [s.value for s in first] == [s.value for s in second] == [float(n) for n in range(20)]
    assert also[0].value == 7.0


def test_cancelling_a_coroutine_frees_its_worker() -> None:
    with hub.Engine(1) as engine:
        slow = hub.Reward("slow", bound("acts").reward.target, timeout_s=600).bind()

        async def main() -> None:
            async with asyncio.timeout(0.5):
                await engine.ascore(slow, texts("hang"))

        with pytest.raises(TimeoutError):
            asyncio.run(main())
        assert engine.score(bound("acts"), texts("3"))[0].value == 3.0


def test_from_several_threads_at_once(engine: hub.Engine) -> None:
    def run(salt: int) -> list[float | None]:
        batch = texts(*[f"{salt}{n:03}" for n in range(200)], *(["hang"] if salt == 1 else []))
        return [score.value for score in engine.score(bound("acts"), batch)][:200]

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(run, range(1, 7)))
    assert results == [[float(f"{salt}{n:03}") for n in range(200)] for salt in range(1, 7)]


def test_after_torch_and_in_forked_and_spawned_children() -> None:
    script = f"""
        import multiprocessing, sys, threading
        import torch, hub
        torch.ones(500, 500) @ torch.ones(500, 500)
        reward = hub.find_reward({str(HOSTILE)!r} + ":acts").bind()
        samples = [hub.Sample("", t) for t in ["1", "hang-in-c", "segfault", "2"]]
        def work(queue=None):
            values = [score.value for score in hub.default_engine().score(reward, samples)]
            assert values == [1.0, None, None, 2.0], values
            if queue is not None:
                queue.put(values)
        if __name__ == "__main__":
            work()
            thread = threading.Thread(target=work); thread.start(); thread.join()
            context = multiprocessing.get_context("fork")
            queue = context.SimpleQueue()
            children = [context.Process(target=work, args=(queue,)) for _ in range(2)]
            for child in children: child.start()
            work()
            for child in children: child.join()
            assert [child.exitcode for child in children] == [0, 0]
            print("all well", sum(len(queue.get()) for _ in children))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.strip() == "all well 8", done.stderr


def test_functions_of_a_script_and_lambdas_travel_by_value(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
            import hub

            FACTOR = 3

            def times(sample):
                return FACTOR * float(sample.text)

            class Add:
                def __init__(self, more: float = 0.0):
                    self.more = more
                def __call__(self, sample):
                    return times(sample) + self.more

            if __name__ == "__main__":
                mix = hub.Mix({times: 1.0, Add: {"weight": 1.0, "with": {"more": 0.5}}, (lambda s: 1): 0.25})
                print(mix.score([hub.Sample("", "2")])[0].value)
        """)
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "12.75", done.stderr


def test_what_cannot_be_sent_to_a_worker_says_so(engine: hub.Engine) -> None:
    lock = threading.Lock()
    with pytest.raises(PluginError, match="top of a module"):
        hub.find_reward(lambda sample: lock.locked()).bind()
    with pytest.raises(PluginError, match="cannot be sent"):
        engine.add(hub.Reward("c", _TakesAnything).bind({"thing": lock}))


class _TakesAnything:
    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __call__(self, sample: hub.Sample) -> float:
        return 1.0


def test_accounts(engine: hub.Engine) -> None:
    engine.score(bound("acts"), texts("1", "3", "none", "raise", "hang", "sleep 0.2"))
    stats = engine.stats()["acts"]
    assert (stats["count"], stats["scored"], stats["abstained"], stats["failed"]) == (6, 3, 1, 2)
    assert stats["reasons"] == {"exception": 1, "timeout": 1}
    assert stats["mean"] == pytest.approx(5 / 3)
    assert stats["std"] == pytest.approx((8 / 9) ** 0.5)
    assert stats["slowest"][0]["sample"] == "'hang'"
    assert stats["slowest"][0]["run_ms"] >= 1000
    assert stats["run_ms"]["p99"] >= 1000 > stats["run_ms"]["p50"]


@pytest.mark.parametrize("workers", ["0", "-1", "two", ""])
def test_the_number_of_workers_must_make_sense(monkeypatch: pytest.MonkeyPatch, workers: str) -> None:
    monkeypatch.setenv("HUB_WORKERS", workers)
    if workers:
        with pytest.raises(EngineError, match="HUB_WORKERS"):
            hub.Engine()
    else:
        hub.Engine().close()
    with pytest.raises(EngineError, match="at least one"):
        hub.Engine(0)
