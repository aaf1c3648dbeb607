"""Groups that lie in several processes are scored as a whole, and nobody waits for one that failed."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import RewardFailed
from hub_trl.ranks import Ranks, training_ranks


class Everyone:
    """Stands for torch.distributed: processes that are threads, and a barrier that notices who is missing."""

    def __init__(self, count: int) -> None:
        self._barrier = threading.Barrier(count, timeout=20)
        self._given: list[Any] = [None] * count

    def exchange(self, rank: int) -> Callable[[Any], list[Any]]:
        def give(thing: Any) -> list[Any]:
            self._given[rank] = thing
            self._barrier.wait()
            everyones = list(self._given)
            self._barrier.wait()
            return everyones

        return give


@hub.reward(group=True, lane="inline", needs=[])
def members(samples: list[hub.Sample]) -> list[float]:
    """How many of the group come before it in the alphabet, and in the fraction how many there are."""
    texts = [sample.text for sample in samples]
    return [sum(other < mine for other in texts) + len(texts) / 100 for mine in texts]


def run(parts: Sequence[str], score: Callable[[int, Sequence[hub.Sample]], Any]) -> list[Any]:
    """Score in one thread per part; a part is "prompt:completion prompt:completion ..."."""
    everyone = Everyone(len(parts))

    def one(rank: int) -> Any:
        pairs = [pair.split(":") for pair in parts[rank].split()]
        samples = [hub.Sample(prompt, completion, group=prompt) for prompt, completion in pairs]
        try:
            return Ranks(everyone.exchange(rank), rank).score(samples, lambda mine: score(rank, mine))
        except BaseException as error:
            return error

    with ThreadPoolExecutor(len(parts)) as pool:
        return list(pool.map(one, range(len(parts))))


SPLITS = [
    # what each process holds, what `members` gives there
    (["p:a p:b", "p:c p:d"], [[0.04, 1.04], [2.04, 3.04]]),
    (["p:a p:b", "q:c q:d"], [[0.02, 1.02], [0.02, 1.02]]),
    (["p:d p:b q:a", "q:b r:a", "r:c p:c"], [[2.03, 0.03, 0.02], [1.02, 0.02], [1.02, 1.03]]),
    (["p:a q:b", "", "q:a p:b"], [[0.02, 1.02], [], [0.02, 1.02]]),
]


@pytest.mark.parametrize(("parts", "expected"), SPLITS)
def test_every_process_gets_its_own_samples_scored_in_whole_groups(
    engine: hub.Engine, parts: list[str], expected: list[list[float]]
) -> None:
    mix = hub.Mix({members: 1.0})
    found = run(parts, lambda rank, samples: mix.score(samples, engine=engine))
    assert [[result.value for result in results] for results in found] == expected


@pytest.mark.parametrize("failing", [0, 1])
def test_where_one_fails_all_stop(engine: hub.Engine, failing: int) -> None:
    mix = hub.Mix({members: 1.0})

    def score(rank: int, samples: Sequence[hub.Sample]) -> list[hub.MixScore]:
        if rank == failing:
            raise KeyboardInterrupt
        return mix.score(samples, engine=engine)

    found = run(["p:a q:b", "p:b q:c"], score)
    assert isinstance(found.pop(failing), KeyboardInterrupt)
    (other,) = found
    assert isinstance(other, RewardFailed)
    assert str(other) == f"process {failing} could not score: KeyboardInterrupt: "


def test_what_cannot_be_sent_stops_all() -> None:
    everyone = Everyone(2)

    def one(rank: int) -> str:
        columns = {"lock": threading.Lock()} if rank else {}
        samples = [hub.Sample("p", "a", columns, group="p")]
        with pytest.raises((RewardFailed, TypeError)) as raised:
            Ranks(everyone.exchange(rank), rank).score(samples, lambda _: [])
        return str(raised.value)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(one, range(2))
    assert "cannot pickle" in second
    assert first.startswith("process 1 could not score: TypeError: cannot pickle")


def test_processes_log_the_same_numbers() -> None:
    everyone = Everyone(3)
    mine = [{"a": 1.0, "b": 4.0}, {"b": 2.0}, {"c": 0.5}]

    def one(rank: int) -> dict[str, float]:
        return Ranks(everyone.exchange(rank), rank).complete(mine[rank])

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(one, range(3)))
    assert found == [
        {"a": 1.0, "b": 4.0, "c": 0.5},
        {"a": 1.0, "b": 2.0, "c": 0.5},
        {"a": 1.0, "b": 3.0, "c": 0.5},
    ]


def test_one_process_needs_nobody() -> None:
    assert training_ranks() is None


def test_grpo_in_two_processes(model_folder: Path, tmp_path: Path) -> None:
    script = Path(__file__).with_name("in_ranks.py")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    done = subprocess.run(
        [*launcher, str(script), str(model_folder), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-8000:]
    ranks = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    for step, halves in enumerate(zip(ranks[0]["batches"], ranks[1]["batches"], strict=True)):
        assert len({prompt for half in halves for prompt in half["prompts"]}) == 1, "half of a group each"
        sums = [sum(ids) for half in halves for ids in half["completion_ids"]]
        weight = 1.0 + step / 9
        expected = [weight * sum(other < mine for other in sums) for mine in sums]
        assert [value for half in halves for value in half["values"]] == pytest.approx(expected)
        assert max(expected) > 1, "one of each half alone could not be above one"
        assert ranks[0]["log"][step]["reward"] == pytest.approx(sum(expected) / 4)
    assert [rank["failure"].split(":")[0] for rank in ranks] == [
        "process 1 could not score",
        "1 of 1 samples have a failed reward; the first",
    ]
