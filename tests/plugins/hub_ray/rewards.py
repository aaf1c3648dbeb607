"""Rewards that behave in every way there is. Where one waits, it waits for a file, never for a time."""

import os
import time
from pathlib import Path

import hub


def wait_for(path: str) -> None:
    while not os.path.exists(path):
        time.sleep(0.005)


def begin(folder: str, name: str) -> None:
    """Note that a call has begun, and in which process."""
    Path(folder, f"{name}.{os.getpid()}").touch()


@hub.reward(needs=["answer"])
def right(sample: hub.Sample) -> float:
    return float(sample.text.endswith(sample["answer"]))


@hub.reward(needs=[], timeout_s=0.4)
def hostile(sample: hub.Sample) -> float | hub.Score | None:
    """Hangs, crashes, raises, abstains or gives a value that no short decimal equals."""
    if "hang" in sample.text:
        while True:
            pass
    if "crash" in sample.text:
        os._exit(3)
    if "raise" in sample.text:
        raise ValueError("it was asked for")
    if "explain" in sample.text:
        return hub.Score(0.5, "explained", "because", {"length": len(sample.text)})
    return None if "abstain" in sample.text else len(sample.text) / 7


@hub.reward(needs=[], group=True)
def rank(samples: list[hub.Sample]) -> list[float]:
    """Each completion's place among those of its prompt, and how many there are."""
    texts = sorted(sample.text for sample in samples)
    return [texts.index(sample.text) / len(texts) + len(texts) for sample in samples]


@hub.reward(needs=[], batch=True)
def model(samples: list[hub.Sample]) -> list[float]:
    return [len(sample.text) / 3 for sample in samples]


@hub.reward(needs=[])
async def patient(sample: hub.Sample) -> float:
    return 1 / (3 + len(sample.text))


@hub.reward(needs=[], lane="inline")
def quick(sample: hub.Sample) -> float:
    return len(sample.text) / 9


@hub.reward(needs=[])
class Scaled:
    """An option that is a function, as one from a notebook would be."""

    def __init__(self, by: object) -> None:
        self.by = by

    def __call__(self, sample: hub.Sample) -> float:
        return float(self.by(sample.text))  # type: ignore[operator]


@hub.reward(needs=[])
class Broken:
    def __init__(self) -> None:
        raise RuntimeError("no such table")

    def __call__(self, sample: hub.Sample) -> float:
        return 0.0


@hub.reward(needs=[], batch=True)
class Exits:
    """Takes its process down when it is made."""

    def __init__(self) -> None:
        os._exit(1)

    def __call__(self, samples: list[hub.Sample]) -> list[float]:
        return [0.0 for _ in samples]


@hub.reward(needs=["folder"], timeout_s=None, lane="process", memory_mb=8192)
def gated(sample: hub.Sample) -> float:
    """Notes that it has begun; one whose text has "wait" waits for the file "go"."""
    begin(sample["folder"], f"begun-{sample.text}")
    if "wait" in sample.text:
        wait_for(f"{sample['folder']}/go")
    return float(len(sample.text))


@hub.reward(needs=[])
async def deadly(sample: hub.Sample) -> float:
    """Ends the process that runs it, which is the actor, for one completion."""
    if sample.text == "die":
        os._exit(1)
    return float(len(sample.text))


@hub.reward(needs=[], batch=True)
def suicidal(samples: list[hub.Sample]) -> list[float]:
    os._exit(1)


@hub.reward(needs=["folder"], batch=True, timeout_s=0.5, deterministic=False)
def stuck(samples: list[hub.Sample]) -> list[float]:
    """Never returns in the first actor that calls it."""
    first = Path(samples[0]["folder"], "stuck")
    if not first.exists():
        first.touch()
        while True:
            time.sleep(1)
    return [2.0 for _ in samples]


@hub.reward(needs=[], deterministic=False)
def where(sample: hub.Sample) -> hub.Score:
    """Scores 1.0, and says in which process."""
    return hub.Score(1.0, info={"pid": os.getpid(), "gpus": os.environ.get("CUDA_VISIBLE_DEVICES")})


@hub.reward(needs=[], batch=True, deterministic=False)
def node(samples: list[hub.Sample]) -> list[hub.Score]:
    """Says on which node it runs, in which process, and how many it was given at once."""
    import ray

    here = {"node": ray.get_runtime_context().get_node_id(), "pid": os.getpid(), "count": len(samples)}
    return [hub.Score(1.0, info=here) for _ in samples]
