"""Rewards that misbehave where the completion says so; every other completion is worth its number."""

import asyncio
import ctypes
import os
import time
from collections.abc import Iterator

import hub
from hub.errors import MissingColumn

_kept: list[bytes] = []


def _act(text: str) -> object:
    """Do what the completion asks for; a number is the value."""
    match text.split():
        case ["raise"]:
            raise ValueError("asked to raise")
        case ["hang"]:
            while True:
                pass
        case ["hang-in-c"]:
            return 9**9**9**9
        case ["sleep", seconds]:
            time.sleep(float(seconds))
            return 1.0
        case ["segfault"]:
            ctypes.string_at(0)
        case ["exit"]:
            os._exit(0)
        case ["sys-exit"]:
            raise SystemExit(0)
        case ["interrupt"]:
            raise KeyboardInterrupt
        case ["memory"]:
            return len(bytearray(2 << 30))
        case ["keep", megabytes]:
            _kept.append(b"x" * (int(megabytes) << 20))
            return 1.0
        case ["nan"]:
            return float("nan")
        case ["inf"]:
            return float("inf")
        case ["text"]:
            return "1.0"
        case ["list"]:
            return [1.0]
        case ["huge"]:
            return 10**400
        case ["none"]:
            return None
        case ["print", megabytes]:
            print("x" * (int(megabytes) << 20))
            return 1.0
        case ["recurse"]:
            return _act(text)
        case ["info", kilobytes]:
            return hub.Score(1.0, info={"text": "x" * (int(kilobytes) << 10)})
        case ["unpicklable"]:
            return hub.Score(1.0, info={"lambda": lambda: 0})
        case ["close-everything"]:
            os.closerange(3, 1000)
            time.sleep(60)
        case ["daemon-then-segfault"]:
            if os.fork() == 0:
                os.setsid()
                time.sleep(5)
                os._exit(0)
            time.sleep(0.2)
            ctypes.string_at(0)
        case ["spawn", seconds]:
            os.system(f"sleep {seconds} &")
            return 1.0
        case [number]:
            return float(number)
    return 0.0


@hub.reward(timeout_s=2.0, memory_mb=512)
def acts(sample: hub.Sample) -> object:
    """Do what the completion asks for."""
    return _act(sample.text)


@hub.reward(timeout_s=10.0, memory_mb=2048)
def keeps(sample: hub.Sample) -> object:
    """The same with more memory, in the same workers."""
    return _act(sample.text)


@hub.reward(timeout_s=2.0, memory_mb=512, needs=["log"])
def logs(sample: hub.Sample) -> object:
    """The same, after adding the completion to a file: one line per call."""
    log = os.open(sample["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(log, f"{sample.text}\n".encode())
    os.close(log)
    return _act(sample.text)


@hub.reward(timeout_s=10.0, needs=["log"])
def slow(sample: hub.Sample) -> float:
    """Take 30 ms, after adding the worker's pid to a file."""
    log = os.open(sample["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(log, f"{os.getpid()}\n".encode())
    os.close(log)
    time.sleep(0.03)
    return float(sample.text)


@hub.reward(deterministic=False)
def pid(sample: hub.Sample) -> float:
    """The worker's pid."""
    return float(os.getpid())


class Counted:
    """Counts its own constructions and calls."""

    made = 0

    def __init__(self, start: int = 0) -> None:
        Counted.made += 1
        self.calls = start

    def __call__(self, sample: hub.Sample) -> hub.Score:
        self.calls += 1
        return hub.Score(float(self.calls), info={"made": Counted.made})


class Broken:
    """Fails as it is constructed, in the way it is told to."""

    def __init__(self, way: str) -> None:
        _act(way)

    def __call__(self, sample: hub.Sample) -> float:
        return 1.0


stubborn = hub.Reward("stubborn", Broken, setup_timeout_s=1.0)


class SlowToConstruct:
    """Takes half a second to construct, far below its limit for that."""

    def __init__(self) -> None:
        time.sleep(0.5)

    def __call__(self, sample: hub.Sample) -> object:
        return _act(sample.text)


slow_to_construct = hub.Reward("slow-to-construct", SlowToConstruct, timeout_s=0.5)


class NeedsLibrary:
    """Needs a library that nobody has."""

    def __init__(self) -> None:
        import a_library_that_nobody_has  # type: ignore[import-not-found]  # noqa: F401

    def __call__(self, sample: hub.Sample) -> float:
        return 1.0


@hub.reward(batch=True, timeout_s=60.0)
def batched(samples: list[hub.Sample]) -> object:
    """The batch's values; the first completion can ask for something else."""
    match samples[0].text.split():
        case ["short"]:
            return [1.0]
        case ["number"]:
            return 1.0
        case ["generator"]:
            return _values(samples)
    return [_act(sample.text) for sample in samples]


def _values(samples: list[hub.Sample]) -> Iterator[float]:
    yield from (1.0 for _ in samples)


killable_batch = hub.Reward(
    "killable-batch", batched, per=hub.Per.BATCH, lane=hub.Lane.PROCESS, timeout_s=1.0
)


@hub.reward(group=True)
def rank(samples: list[hub.Sample]) -> list[float]:
    """Place of each completion among those of its prompt, shortest first."""
    order = sorted(range(len(samples)), key=lambda i: len(samples[i].text))
    return [float(order.index(i)) for i in range(len(samples))]


running = 0
most = 0


@hub.reward(timeout_s=2.0, concurrency=3)
async def awaited(sample: hub.Sample) -> object:
    """An async reward that remembers how many of it ran at once."""
    global running, most
    running += 1
    most = max(most, running)
    try:
        if sample.text == "wait":
            await asyncio.sleep(60)
        if sample.text == "block":
            time.sleep(8)
        await asyncio.sleep(0.01)
        return _act(sample.text)
    finally:
        running -= 1


class TakesAnything:
    """Is constructed with whatever is given."""

    def __init__(self, thing: object) -> None:
        self.thing = thing

    def __call__(self, sample: hub.Sample) -> float:
        return 1.0


def first_column(sample: hub.Sample) -> float:
    """The value of the only column that it sees."""
    (value,) = sample.columns.values()
    return float(value)


@hub.reward(batch=True, needs=["value"])
def batched_columns(samples: list[hub.Sample]) -> list[float]:
    """Each sample's column, a little later."""
    time.sleep(0.2)
    return [sample["value"][0] for sample in samples]


@hub.reward(needs=["value"])
async def awaited_column(sample: hub.Sample) -> float:
    """The sample's column, a little later."""
    await asyncio.sleep(0.2)
    return float(sample["value"][0])


class Odd:
    """Ends in its constructor, or raises what has no message."""

    def __init__(self, way: str) -> None:
        self.way = way
        if way == "exit":
            raise SystemExit("no licence")

    def act(self) -> float:
        raise MissingColumn


class BatchedOdd(Odd):
    """The same for batches."""

    def __call__(self, samples: list[hub.Sample]) -> list[float]:
        return [self.act()]


class AwaitedOdd(Odd):
    """The same as a coroutine."""

    async def __call__(self, sample: hub.Sample) -> float:
        return self.act()


batched_odd = hub.Reward("batched-odd", BatchedOdd, per=hub.Per.BATCH)
awaited_odd = hub.Reward("awaited-odd", AwaitedOdd)


@hub.reward(timeout_s=1.0)
async def awaited_freely(sample: hub.Sample) -> object:
    """An async reward without a limit of how many run at once."""
    await asyncio.sleep(0.05)
    if sample.text == "block":
        time.sleep(4)
    await asyncio.sleep(0.3)
    return _act(sample.text)
