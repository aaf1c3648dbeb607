"""Many small batches at once share chunks; what one of them does costs the others nothing."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, wait
from pathlib import Path

import pytest

import hub
from hub.engine.component import Component
from hub.engine.handle import Handle
from hub.engine.pool import Pool
from hub.engine.priority import NICE
from hub.engine.waiting import Waiting
from hub.find import find_reward

PATIENCE_S = 60


@hub.reward(needs=[], timeout_s=PATIENCE_S)
def obedient(sample: hub.Sample) -> float:
    """1.0; waits for a file, dies or raises where the text says so."""
    import os
    import time
    from pathlib import Path

    what, _, name = sample.text.partition(" ")
    while what == "wait" and not Path(name).exists():
        time.sleep(0.002)
    if what == "die":
        os._exit(3)
    return float(what != "zero")


@pytest.fixture
def one() -> Iterator[hub.Engine]:
    with hub.Engine(1, cache=False) as engine:
        yield engine


def component(engine: hub.Engine) -> Component:
    """The reward, of which the engine knows already how quick it is."""
    found = engine.add(find_reward(obedient).bind({}))
    engine.score(found, [hub.Sample("", f"quick {n}") for n in range(200)])
    return found


def submit(engine: hub.Engine, reward: Component, texts: list[str]) -> list[Waiting]:
    return [engine.submit(reward, [hub.Sample("", text)]) for text in texts]


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def values(waiting: list[Waiting]) -> list[float | None]:
    return [one.result(timeout=PATIENCE_S)[0].value for one in waiting]


def test_who_came_before_a_slow_call_does_not_wait_for_it(one: hub.Engine, tmp_path: Path) -> None:
    reward, held, slow = component(one), tmp_path / "held", tmp_path / "slow"
    (first,) = submit(one, reward, [f"wait {held}"])
    quick = submit(one, reward, [f"quick {n}" for n in range(20)])
    (last,) = submit(one, reward, [f"wait {slow}"])
    held.touch()  # the worker is given all that waits at once
    assert values([first, *quick]) == [1.0] * 21
    assert not last.done()
    slow.touch()
    assert values([last]) == [1.0]


def test_who_came_behind_a_slow_call_goes_to_another_worker(engine: hub.Engine, tmp_path: Path) -> None:
    reward, slow = component(engine), tmp_path / "slow"
    texts = [f"wait {slow}" if n == 7 else f"quick {n}" for n in range(100)]
    samples = [hub.Sample("", text) for text in texts]
    whole = engine.submit(reward, samples)
    alone = submit(engine, reward, [f"quick again {n}" for n in range(100)])
    assert values(alone) == [1.0] * 100
    assert not whole.done()
    slow.touch()
    assert [score.value for score in whole.result(timeout=PATIENCE_S)] == [1.0] * 100


def test_a_death_costs_one_batch_of_those_that_share(one: hub.Engine, tmp_path: Path) -> None:
    reward, held = component(one), tmp_path / "held"
    (first,) = submit(one, reward, [f"wait {held}"])
    texts = ["die" if n in (3, 4, 11) else "zero" if n % 2 else f"quick {n}" for n in range(16)]
    rest = submit(one, reward, texts)
    held.touch()
    assert values([first]) == [1.0]
    found = [waiting.result(timeout=PATIENCE_S)[0] for waiting in rest]
    assert [str(score.reason) for score in found] == ["crashed" if t == "die" else "" for t in texts]
    expected = [None if t == "die" else float(t != "zero") for t in texts]
    assert [score.value for score in found] == expected


def test_giving_up_costs_nobody_else(one: hub.Engine, tmp_path: Path) -> None:
    reward, held, never = component(one), tmp_path / "held", tmp_path / "never"
    (first,) = submit(one, reward, [f"wait {held}"])
    before = submit(one, reward, ["quick a", "quick b"])
    (unwanted,) = submit(one, reward, [f"wait {never}"])
    behind = submit(one, reward, ["quick c", "zero", "quick d"])
    held.touch()
    assert values([first, *before]) == [1.0] * 3
    assert unwanted.cancel()
    assert values(behind) == [1.0, 0.0, 1.0]  # the one worker was freed of it
    with pytest.raises(CancelledError):
        unwanted.result()


def test_each_batch_gets_its_own_scores(engine: hub.Engine) -> None:
    reward = component(engine)
    found: dict[int, list[float | None]] = {}

    def ask(number: int) -> None:
        texts = ["zero" if (number >> bit) & 1 else f"quick {number} {bit}" for bit in range(number % 5 + 1)]
        scores = engine.submit(reward, [hub.Sample("", text) for text in texts]).result(timeout=PATIENCE_S)
        found[number] = [score.value for score in scores]

    def ask_some(first: int) -> None:
        for number in range(first, 400, 8):
            ask(number)

    threads = [threading.Thread(target=ask_some, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: [0.0 if (n >> bit) & 1 else 1.0 for bit in range(n % 5 + 1)] for n in range(400)}


def test_an_engine_that_is_closed_fails_all_that_share(tmp_path: Path) -> None:
    with hub.Engine(1, cache=False) as engine:
        reward = component(engine)
        waiting = submit(engine, reward, [f"wait {tmp_path / 'never'}", *(f"quick {n}" for n in range(5))])
    wait(waiting, timeout=PATIENCE_S)
    assert all(str(one.result()[0].reason) in ("cancelled", "") for one in waiting)
    assert str(waiting[0].result()[0].reason) == "cancelled"


def test_others_stand_in_for_workers_that_are_held(tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    with hub.Engine(2, cache=False) as engine:
        reward = component(engine)
        held = submit(engine, reward, [f"wait {slow}"] * 2)
        assert values(submit(engine, reward, [f"quick {n}" for n in range(50)])) == [1.0] * 50
        assert not any(waiting.done() for waiting in held)
        pool = engine._lanes.get(hub.Lane.PROCESS)
        assert isinstance(pool, Pool)
        assert len(pool.pids) > 2
        slow.touch()
        assert values(held) == [1.0, 1.0]
        while len(pool.pids) > 2:  # who stood in does not stay
            values(submit(engine, reward, ["zero"]))


def nice_of(engine: hub.Engine) -> set[int]:
    """The nice values of an engine's workers."""
    pool = engine._lanes.get(hub.Lane.PROCESS)
    assert isinstance(pool, Pool)
    found = set()
    for pid in list(pool.pids):
        with contextlib.suppress(ProcessLookupError):
            found.add(os.getpriority(os.PRIO_PROCESS, pid))
    return found


def test_a_call_that_takes_unusually_long_runs_behind_the_others(one: hub.Engine, tmp_path: Path) -> None:
    reward, held, usual = component(one), tmp_path / "held", os.getpriority(os.PRIO_PROCESS, 0)
    (slow,) = submit(one, reward, [f"wait {held}"])
    wait_for(lambda: usual + NICE in nice_of(one))
    assert values(submit(one, reward, ["quick", "zero"])) == [1.0, 0.0]
    held.touch()
    assert values([slow]) == [1.0]
    wait_for(lambda: nice_of(one) == {usual})  # the worker's own again, or that of the one in its place
    assert values(submit(one, reward, ["die", "quick one", "quick two"])) == [None, 1.0, 1.0]


@hub.reward(needs=[], timeout_s=0.4)
def spins(sample: hub.Sample) -> float:
    """Never returns where the text says so."""
    while sample.text == "spin":
        pass
    return 1.0


@pytest.mark.parametrize(
    ("waited", "at_least_ms"), [(lambda _: 0, 400), (lambda _: time.monotonic_ns(), 780)]
)
def test_what_a_call_loses_by_its_priority_does_not_count_against_its_limit(
    one: hub.Engine, monkeypatch: pytest.MonkeyPatch, waited: Callable[[int], int], at_least_ms: int
) -> None:
    """Where others hold the cores all the time, the limit is stretched; and not for ever."""
    monkeypatch.setattr("hub.engine.priority._waited_ns", waited)
    reward = one.add(find_reward(spins).bind({}))
    one.score(reward, [hub.Sample("", f"quick {n}") for n in range(200)])
    (score,) = one.score(reward, [hub.Sample("", "spin")])
    assert score.reason == "timeout"
    assert reward.stats.as_dict()["slowest"][0]["run_ms"] >= at_least_ms


def test_a_dead_worker_costs_nothing_until_it_is_reaped(
    one: hub.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its socket's end can be read again and again, and the thread that did would take a core."""
    reward, read, receive = component(one), list[Handle](), Handle.receive

    def noted(handle: Handle) -> bool:
        read.append(handle)
        return receive(handle)

    monkeypatch.setattr(Handle, "receive", noted)
    pool = one._lanes.get(hub.Lane.PROCESS)
    assert isinstance(pool, Pool)
    assert pool._server.process is not None
    wait_for(lambda: all(handle.pid for handle in pool._handles.values()))  # none is still to be forked
    os.kill(pool._server.process.pid, signal.SIGSTOP)
    try:
        dying = submit(one, reward, ["die"])
        wait_for(lambda: any(handle.dying for handle in read))
        time.sleep(0.3)
        assert len(read) < 50
    finally:
        os.kill(pool._server.process.pid, signal.SIGCONT)
    assert values(dying) == [None]
