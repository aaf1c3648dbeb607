"""Every fault the engine must survive, injected for real."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

import hub
from hub.engine.handle import Handle
from hub.engine.pool import Pool
from hub.engine.wire import set_stop
from hub.engine.work import Work
from hub.errors import EngineError
from hub.reward import BoundReward

HOSTILE = Path(__file__).with_name("hostile.py")


def bound(name: str, **options: object) -> BoundReward:
    return hub.find_reward(f"{HOSTILE}:{name}").bind(options)


def texts(*completions: str, **columns: object) -> list[hub.Sample]:
    return [hub.Sample("q", text, columns) for text in completions]


FAULTS = [
    ("raise", "exception"),
    ("hang", "timeout"),
    ("hang-in-c", "timeout"),
    ("sleep 60", "timeout"),
    ("segfault", "crashed"),
    ("exit", "crashed"),
    ("sys-exit", "exception"),
    ("interrupt", "exception"),
    ("memory", "memory"),
    ("nan", "bad_value"),
    ("inf", "bad_value"),
    ("text", "bad_value"),
    ("list", "bad_value"),
    ("huge", "exception"),
    ("recurse", "exception"),
    ("close-everything", "crashed"),
]


@pytest.mark.parametrize(("fault", "reason"), FAULTS)
def test_a_fault_costs_its_own_sample_only(engine: hub.Engine, fault: str, reason: str) -> None:
    numbers = [str(n) for n in range(40)]
    scores = engine.score(bound("acts"), texts(*numbers[:17], fault, *numbers[17:]))
    assert scores[17].outcome == "failed"
    assert scores[17].reason == reason
    assert scores[17].detail
    assert [s.value for s in scores[:17] + scores[18:]] == [float(n) for n in numbers]


def test_all_faults_in_one_batch(engine: hub.Engine) -> None:
    completions, expected = [], list[object]()
    for number, (fault, reason) in enumerate(FAULTS):
        completions += [str(number), fault, f"{number}.5"]
        expected += [float(number), reason, number + 0.5]
    scores = engine.score(bound("acts"), texts(*completions))
    assert [s.value if s.outcome == "scored" else s.reason for s in scores] == expected


def test_memory_that_one_reward_keeps_is_not_held_against_another() -> None:
    with hub.Engine(1) as engine:
        assert engine.score(bound("keeps"), texts("keep 900"))[0].value == 1.0
        assert engine.score(bound("acts"), texts("keep 300"))[0].value == 1.0
        assert engine.score(bound("keeps"), texts("keep 901"))[0].value == 1.0
        scores = engine.score(bound("acts"), texts("1", "keep 299", "2"))  # with the 300 from before
        assert [score.value for score in scores] == [1.0, None, 2.0]
        assert scores[1].reason == "memory"
        assert engine.score(bound("keeps"), texts("keep 902"))[0].reason == "memory"


@pytest.mark.parametrize(
    ("harmless", "value"), [("print 5", 1.0), ("info 3000", 1.0), ("unpicklable", 1.0), ("spawn 60", 1.0)]
)
def test_what_is_only_unusual_is_scored(engine: hub.Engine, harmless: str, value: float) -> None:
    scores = engine.score(bound("acts"), texts("1", harmless, "2"))
    assert [s.value for s in scores] == [1.0, value, 2.0]


def test_more_results_than_the_shared_region_holds(engine: hub.Engine) -> None:
    scores = engine.score(bound("acts"), texts(*["info 300", "info 700", "1", "info 2000"] * 5))
    assert [len(s.info.get("text", "")) >> 10 for s in scores] == [300, 700, 0, 2000] * 5


def test_nothing_is_lost_or_scored_twice_around_crashes(engine: hub.Engine, tmp_path: Path) -> None:
    log = tmp_path / "calls"
    completions = [str(n) for n in range(400)]
    for place, fault in ((3, "segfault"), (120, "hang"), (121, "exit"), (399, "raise")):
        completions[place] = fault
    scores = engine.score(bound("logs"), texts(*completions, log=str(log)))
    assert Counter(log.read_text().split()) == Counter(dict.fromkeys(completions, 1))
    for completion, score in zip(completions, scores, strict=True):
        assert score.value == (float(completion) if completion.isdecimal() else None)


def test_nothing_is_lost_when_a_worker_stops_before_the_rest_is_taken_back(
    engine: hub.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []

    def too_late(handle: Handle) -> list[tuple[Work, list[int]]]:
        told.append(handle)
        set_stop(handle.region, 1)
        return []

    engine.score(bound("acts"), texts(*map(str, range(400))))  # tells what is usual
    monkeypatch.setattr(Handle, "take_back", too_late)
    batch = engine.submit(bound("acts"), texts("sleep 0.2", *(f"{n}.5" for n in range(400))))
    assert [score.value for score in batch.result(timeout=60)] == [1.0, *(n + 0.5 for n in range(400))]
    assert told


def test_a_worker_killed_from_outside_costs_at_most_what_it_was_scoring(
    engine: hub.Engine, tmp_path: Path
) -> None:
    log = tmp_path / "pids"
    waiting = engine.submit(bound("slow"), texts(*map(str, range(60)), log=str(log)))
    victims = set[int]()
    while len(victims) < 2:
        pids = set(map(int, log.read_text().split())) if log.exists() else set()
        for pid in pids - victims:
            os.kill(pid, signal.SIGKILL)
            victims.add(pid)
            break
        time.sleep(0.01)
    scores = waiting.result(timeout=60)
    failed = [n for n, score in enumerate(scores) if score.outcome == "failed"]
    assert len(failed) <= 2
    assert all(scores[n].reason == "crashed" and "SIGKILL" in scores[n].detail for n in failed)
    assert [s.value for s in scores if s.value is not None] == [
        float(n) for n in range(60) if n not in failed
    ]


def test_the_fork_server_killed_in_mid_batch_loses_nothing(engine: hub.Engine, tmp_path: Path) -> None:
    log = tmp_path / "pids"
    waiting = engine.submit(bound("slow"), texts(*map(str, range(40)), log=str(log)))
    while not log.exists():
        time.sleep(0.01)
    pool = engine._lanes.get(hub.Lane.PROCESS)
    assert isinstance(pool, Pool)
    assert pool._server.process is not None
    pool._server.process.kill()
    assert [score.value for score in waiting.result(timeout=60)] == [float(n) for n in range(40)]


@pytest.mark.parametrize(
    ("way", "words"),
    [("raise", "asked to raise"), ("exit", "status 0"), ("segfault", "SIGSEGV"), ("hang", "setup_timeout_s")],
)
def test_a_reward_that_cannot_be_constructed(engine: hub.Engine, way: str, words: str) -> None:
    reward = bound("stubborn", way=way)
    scores = engine.score(reward, texts("1", "2", "3"))
    assert {score.reason for score in scores} == {"setup"}
    assert words in scores[0].detail
    assert engine.score(bound("acts"), texts("1"))[0].value == 1.0
    assert words in engine.warm([engine.add(reward)])["stubborn"]


def test_the_limit_of_the_first_call_holds_after_a_construction() -> None:
    with hub.Engine(1) as engine:  # no other worker's results wake the engine
        (score,) = engine.score(bound("slow_to_construct"), texts("sleep 10"))
    assert score.reason == "timeout"


def test_a_missing_library_says_what_to_install(engine: hub.Engine) -> None:
    (score,) = engine.score(bound("NeedsLibrary"), texts("1"))
    assert score.reason == "setup"
    assert "pip install a_library_that_nobody_has" in score.detail


SCRIPT = """
    import hub, sys, threading, time
    engine = hub.default_engine()
    reward = hub.find_reward({hostile!r} + ":acts").bind()
    assert engine.score(reward, [hub.Sample("", str(n)) for n in range(50)])[7].value == 7.0
    pool = engine._lanes.get(hub.Lane.PROCESS)
    print(pool._server.process.pid, *pool.pids, flush=True)
    print("ready", flush=True)
    slow = hub.Reward("slow", reward.reward.target, timeout_s=600).bind()
    engine.score(slow, [hub.Sample("", "hang"), hub.Sample("", "sleep 500")] + [hub.Sample("", "1")] * 10)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_behind(how: signal.Signals) -> None:
    script = textwrap.dedent(SCRIPT).format(hostile=str(HOSTILE))
    caller = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert caller.stdout is not None
    pids = [int(pid) for pid in caller.stdout.readline().split()]
    assert len(pids) >= 2, caller.communicate()
    caller.stdout.readline()
    time.sleep(0.5)
    caller.send_signal(how)
    _, errors = caller.communicate(timeout=60)
    if how == signal.SIGINT:
        assert "KeyboardInterrupt" in errors
    deadline = time.monotonic() + 30
    while (alive := [pid for pid in pids if _is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive


def test_cancelling_frees_the_workers(engine: hub.Engine) -> None:
    slow = hub.Reward("slow", bound("acts").reward.target, timeout_s=600).bind()
    waiting = engine.submit(slow, texts("hang", "hang-in-c", "sleep 500", *map(str, range(100))))
    time.sleep(0.3)
    assert waiting.cancel()
    assert engine.score(bound("acts"), texts("5"))[0].value == 5.0


def test_closing_in_mid_batch_ends_every_wait(engine: hub.Engine) -> None:
    slow = hub.Reward("slow", bound("acts").reward.target, timeout_s=600).bind()
    results = list[list[hub.Score]]()
    thread = threading.Thread(target=lambda: results.append(engine.score(slow, texts("hang", "hang", "1"))))
    thread.start()
    time.sleep(0.5)
    engine.close()
    thread.join(timeout=30)
    assert {score.reason for score in results[0][:2]} == {"cancelled"}
    with pytest.raises(EngineError, match="closed"):
        engine.score(slow, texts("1"))


def _is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False
