"""Calls that take unusually long run on cores apart from those of a service and its other workers."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import hub
from hub.engine.apart import Apart
from hub.engine.handle import Handle
from hub.engine.pool import Pool
from tests.hub.engine.test_small_batches import component, submit, values, wait_for

CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set[int]()
pytestmark = pytest.mark.skipif(len(CORES) < 2, reason="needs two cores")


@pytest.fixture
def apart() -> Iterator[Apart]:
    made = Apart()
    yield made
    made.part(0, [], [])


@pytest.fixture
def process() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        yield child.pid
        child.kill()


def test_slow_calls_have_cores_of_their_own(apart: Apart, process: int) -> None:
    waits = threading.Event()
    threading.Thread(target=waits.wait, daemon=True).start()
    for slow in (1, len(CORES)):  # however many are slow, the others keep half
        apart.part(slow, [process], [])
        theirs, ours = os.sched_getaffinity(process), os.sched_getaffinity(0)
        assert len(theirs) == min(slow, len(CORES) // 2)
        assert theirs.isdisjoint(ours)
        assert theirs | ours == CORES
        assert all(os.sched_getaffinity(int(tid)) == ours for tid in os.listdir("/proc/self/task"))
    apart.part(1, [], [process])
    assert os.sched_getaffinity(process) == os.sched_getaffinity(0) != CORES
    apart.part(0, [], [process])
    assert os.sched_getaffinity(process) == CORES
    assert all(os.sched_getaffinity(int(tid)) == CORES for tid in os.listdir("/proc/self/task"))
    waits.set()


def test_a_process_that_is_gone_is_none(apart: Apart, process: int) -> None:
    apart.part(1, [process, 2**22 + 1], [])
    assert os.sched_getaffinity(process) != CORES


def handles(engine: hub.Engine) -> list[Handle]:
    """The workers of an engine that are ready or call rewards."""
    pool = engine._lanes.get(hub.Lane.PROCESS)
    assert isinstance(pool, Pool)
    found = [one for one in list(pool._handles.values()) if one.pid and not one.dying]
    return [one for one in found if one.chunk is None or not one.chunk.is_warm_up]


def cores(engine: hub.Engine) -> dict[int, set[int]]:
    """The cores that an engine's workers may use, by process."""
    return {handle.pid: os.sched_getaffinity(handle.pid) for handle in handles(engine) if handle.pid}


def affinities(engine: hub.Engine) -> set[frozenset[int]]:
    return set(map(frozenset, cores(engine).values()))


def running(engine: hub.Engine) -> list[int | None]:
    """The processes that call a reward now."""
    return [handle.pid for handle in handles(engine) if handle.running()[0]]


def test_workers_and_service_part_while_a_call_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub.Engine(2, apart=True) as engine:
        reward, held = component(engine), tmp_path / "held"
        (slow,) = submit(engine, reward, [f"wait {held}"])
        wait_for(lambda: os.sched_getaffinity(0) != CORES)
        assert values(submit(engine, reward, ["quick", "zero"])) == [1.0, 0.0]
        ours = frozenset(os.sched_getaffinity(0))
        wait_for(lambda: affinities(engine) == {ours, frozenset(CORES - ours)})
        monkeypatch.setattr("hub.engine.pool.STAND_IN_S", 0.0)
        held.touch()
        assert values([slow]) == [1.0]
        wait_for(lambda: os.sched_getaffinity(0) == CORES)
        wait_for(lambda: affinities(engine) == {frozenset(CORES)})
        assert values(submit(engine, reward, ["die", "quick one"])) == [None, 1.0]


def test_who_gets_work_first_is_apart_after_a_call_that_took_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.engine.pool.STAND_IN_S", 3600.0)
    with hub.Engine(2, apart=True) as engine:
        reward, held = component(engine), tmp_path / "held"
        (slow,) = submit(engine, reward, [f"wait {held}"])
        wait_for(lambda: os.sched_getaffinity(0) != CORES)
        assert values(submit(engine, reward, ["quick", "zero"])) == [1.0, 0.0]
        held.touch()
        assert values([slow]) == [1.0]
        ours = os.sched_getaffinity(0)
        assert ours != CORES
        wait_for(lambda: [one != ours for one in cores(engine).values()][:2] == [True, False])
        first = next(iter(cores(engine)))
        (slow,) = submit(engine, reward, [f"wait {tmp_path / 'held too'}"])
        wait_for(lambda: running(engine) != [])
        assert running(engine) == [first]
        assert os.sched_getaffinity(first) == CORES - ours
        (tmp_path / "held too").touch()
        assert values([slow]) == [1.0]


def test_closing_gives_the_cores_back(tmp_path: Path) -> None:
    with hub.Engine(2, apart=True) as engine:
        (slow,) = submit(engine, component(engine), [f"wait {tmp_path / 'held'}"])
        wait_for(lambda: os.sched_getaffinity(0) != CORES)
    assert os.sched_getaffinity(0) == CORES
    assert values([slow]) == [None]


def test_a_trainers_process_keeps_its_cores(tmp_path: Path) -> None:
    with hub.Engine(2) as engine:
        reward, held = component(engine), tmp_path / "held"
        (slow,) = submit(engine, reward, [f"wait {held}"])
        assert values(submit(engine, reward, ["quick", "zero"])) == [1.0, 0.0]
        assert affinities(engine) == {frozenset(CORES)}
        held.touch()
        assert values([slow]) == [1.0]
