"""Odd moments: constructions cut short, closed streams, rows that change, options from `__main__`."""

import asyncio
import contextlib
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path

import pytest

import hub
from hub.engine.pool import Pool
from hub.engine.waiting import Waiting
from hub.errors import EngineError
from hub.reward import BoundReward

HOSTILE = Path(__file__).with_name("hostile.py")


def bound(name: str, **options: object) -> BoundReward:
    return hub.find_reward(f"{HOSTILE}:{name}").bind(options)


def texts(*completions: str, **columns: object) -> list[hub.Sample]:
    return [hub.Sample("q", text, columns) for text in completions]


def pool_of(engine: hub.Engine) -> Pool:
    pool = engine._lanes.get(hub.Lane.PROCESS)
    assert isinstance(pool, Pool)
    return pool


def test_options_of_classes_defined_in_main(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
            from dataclasses import dataclass
            import hub

            @dataclass
            class Scale:
                factor: float

            class Times:
                def __init__(self, scale):
                    self.scale = scale
                def __call__(self, sample):
                    return self.scale.factor * len(sample.text)

            if __name__ == "__main__":
                mix = hub.Mix({Times: {"with": {"scale": Scale(2.0)}}})
                print(mix.score([hub.Sample("", "abc")])[0].value)
        """)
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "6.0", done.stderr


def test_options_that_no_worker_can_read_fail_with_the_reason(engine: hub.Engine) -> None:
    target = hub.find_reward(f"{HOSTILE}:TakesAnything").target
    reward = hub.Reward("reads", target).bind({"thing": CannotBeRead()})
    scores = engine.score(reward, texts("1", "2"))
    assert {score.reason for score in scores} == {"setup"}
    assert "not a number" in scores[0].detail
    assert engine.score(bound("acts"), texts("1"))[0].value == 1.0


class CannotBeRead:
    def __reduce__(self) -> tuple[object, ...]:
        return (int, ("not a number",))


@pytest.mark.parametrize("what", ["cancel", "server"])
def test_a_construction_that_was_cut_short_is_done_again(engine: hub.Engine, what: str) -> None:
    reward = bound("slow_to_construct")
    waiting = engine.submit(reward, texts("1"))
    while not pool_of(engine).pids:
        time.sleep(0.01)
    time.sleep(0.1)
    if what == "cancel":
        assert waiting.cancel()
    else:
        server = pool_of(engine)._server.process
        assert server is not None
        server.kill()
        assert waiting.result(timeout=60)[0].value == 1.0
    assert engine.score(reward, texts("2"))[0].value == 2.0


def test_a_preload_that_hangs_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hangs_on_import.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.syspath_prepend(tmp_path)
    target = bound("acts").reward.target
    reward = hub.Reward("p", target, preload=("hangs_on_import",), setup_timeout_s=1.5).bind()
    with hub.Engine(1) as engine:
        assert engine.score(reward, texts("1"))[0].value == 1.0


def test_a_crash_is_seen_though_a_grandchild_lives_on(engine: hub.Engine) -> None:
    scores = engine.score(replace_limit("acts", 30.0), texts("daemon-then-segfault", "1"))
    assert [score.reason or score.value for score in scores] == ["crashed", 1.0]


def replace_limit(name: str, timeout_s: float) -> BoundReward:
    return replace(bound(name).reward, timeout_s=timeout_s).bind()


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_with_standard_streams_closed(closed: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = f"""
import hub
score = hub.Engine(1).score(hub.find_reward({str(HOSTILE)!r} + ":acts").bind(), [hub.Sample("", "5")])[0]
open({str(out)!r}, "w").write(str(score.value))
"""
    subprocess.run(
        f"exec {sys.executable} -c '{script.replace(chr(39), chr(34))}' {closed}", shell=True, timeout=60
    )
    assert out.read_text() == "5.0"


@pytest.mark.parametrize("round", range(5))
def test_closing_against_submitting_leaves_nobody_waiting(round: int) -> None:
    engine = hub.Engine(1)
    rewards = [bound("acts"), bound("batched"), bound("awaited")]
    waits = list[Waiting]()

    def submit() -> None:
        with contextlib.suppress(EngineError):
            for n in range(300):
                waits.append(engine.submit(rewards[n % 3], texts(str(n))))

    thread = threading.Thread(target=submit)
    thread.start()
    time.sleep(0.01 * round)
    engine.close()
    thread.join()
    for waiting in waits:
        with contextlib.suppress(CancelledError):
            assert len(waiting.result(timeout=30)) == 1


def test_closed_engines_leave_no_thread() -> None:
    before = threading.active_count()
    for _ in range(5):
        with hub.Engine(1) as engine:
            for name in ("acts", "batched", "awaited"):
                engine.score(bound(name), texts("1"))
    for _ in range(500):
        if threading.active_count() <= before:
            break
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_declarations_of_one_name_are_kept_apart(engine: hub.Engine) -> None:
    def column(name: str) -> BoundReward:
        target = bound("first_column").reward.target
        return hub.Reward("first", target, needs=(name,)).bind()

    sample = [hub.Sample("", "", {"x": 1.0, "y": 10.0})]
    assert engine.score(column("x"), sample)[0].value == 1.0
    assert engine.score(column("y"), sample)[0].value == 10.0
    assert {name: stats["count"] for name, stats in engine.stats().items()} == {"first": 1, "first#2": 1}


@pytest.mark.parametrize("name", ["batched_columns", "awaited_column"])
def test_a_row_that_changes_later_changes_no_score(engine: hub.Engine, name: str) -> None:
    row = {"value": [1.0]}
    waiting = engine.submit(bound(name), [hub.Sample("", "a", row)])
    row["value"][0] = 7.0
    row.clear()
    assert waiting.result(timeout=30)[0].value == 1.0
    assert engine.score(bound(name), [hub.Sample("", "a", {"value": [1.0]})])[0].value == 1.0
    assert engine.score(bound(name), [hub.Sample("", "a", {"value": [7.0]})])[0].value == 7.0


def test_what_stays_here_need_not_be_picklable(engine: hub.Engine) -> None:
    lock = threading.Lock()
    odd = [hub.Sample("", "1", {"value": [1.0], "lock": lock}), hub.Sample("", "1", {"value": [2.0]})]
    undeclared = hub.Reward("u", bound("batched_columns").reward.target, per=hub.Per.BATCH).bind()
    assert [score.value for score in engine.score(undeclared, odd)] == [1.0, 2.0]


@pytest.mark.parametrize("way", ["exit", "column"])
@pytest.mark.parametrize("kind", ["batched_odd", "awaited_odd"])
def test_nothing_a_reward_raises_ends_its_lane(engine: hub.Engine, kind: str, way: str) -> None:
    scores = engine.score(bound(kind, way=way), texts("1"))
    assert scores[0].reason in ("setup", "missing_column")
    assert engine.score(bound("batched"), texts("1"))[0].value == 1.0
    assert engine.score(bound("awaited"), texts("1"))[0].value == 1.0


def test_calls_behind_a_blocked_loop_are_not_blamed(engine: hub.Engine) -> None:
    scores = engine.score(bound("awaited_freely"), texts("0", "1", "block", "3", "4"))
    assert [s.value if s.outcome == "scored" else s.reason for s in scores] == [0.0, 1.0, "timeout", 3.0, 4.0]


def test_cancelling_a_mix_frees_its_workers() -> None:
    with hub.Engine(1) as engine:
        slow = hub.Reward("slow", bound("acts").reward.target, timeout_s=600)
        mix = hub.Mix({slow: 1.0})

        async def main() -> None:
            async with asyncio.timeout(0.5):
                await mix.ascore(texts("hang"), engine=engine)

        with pytest.raises(TimeoutError):
            asyncio.run(main())
        assert engine.score(bound("acts"), texts("3"))[0].value == 3.0


def test_in_a_folder_that_was_deleted(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"""
import os, sys, hub
os.rmdir(os.getcwd())
sys.path.insert(0, "")
reward = hub.find_reward({str(HOSTILE)!r} + ":acts").bind()
print(hub.Engine(1).score(reward, [hub.Sample("", "5")])[0].value)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=gone, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "5.0", done.stderr


def test_a_server_that_is_lost_again_and_again_is_started_again(engine: hub.Engine) -> None:
    for n in range(8):
        assert engine.score(bound("pid"), texts("1"))[0].outcome == "scored"
        server = pool_of(engine)._server.process
        assert server is not None
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
        time.sleep(0.05 * (n % 2))


@hub.reward(needs=["thing"], lane="inline")
def looks(sample: hub.Sample) -> float:
    """1.0 where the column is there."""
    return float(sample["thing"] is not None)


class Thing:
    """A column that tells when it is freed."""


def test_what_was_scored_is_freed_at_once() -> None:
    """A batch that refers to itself keeps every sample of it until the next collection."""
    things = [Thing(), Thing()]
    gone = [weakref.ref(thing) for thing in things]
    with hub.Engine(1) as engine:
        mix = hub.Mix({looks: 1.0})
        gc.disable()
        try:
            mix.score([hub.Sample("", "", {"thing": thing}) for thing in things], engine=engine)
            things.clear()
            assert [ref() for ref in gone] == [None, None]
        finally:
            gc.enable()
