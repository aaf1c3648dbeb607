"""Groups that are spread over the processes of a training run, scored as a whole.

TRL gives each process its own part of the batch, and a group may lie in several. Every process calls the
reward functions at the same point, so all of them take part in the exchanges here, also one in which
something went wrong: nobody waits for a process that is not coming.
"""

import sys
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any, TypeVar

import cloudpickle

from hub import MixScore, Sample
from hub.errors import RewardFailed

T = TypeVar("T")
Score = Callable[[Sequence[Sample]], list[MixScore]]


class Ranks:
    """This process among those that train together.

    Args:
        exchange: gives every process the list of what each of them gave, in their order.
        rank: which of them this is.
    """

    def __init__(self, exchange: Callable[[Any], list[Any]], rank: int) -> None:
        self._exchange, self._rank = exchange, rank

    def score(self, samples: Sequence[Sample], score: Score) -> list[MixScore]:
        """Score this process's samples; a group that lies in several is scored by the first of them.

        Raises:
            RewardFailed: another process could not score; what it raised is in the message.
        """
        everyones = self._share(lambda: [sample.group for sample in samples])
        holders: dict[Any, list[int]] = {}
        for rank, groups in enumerate(everyones):
            for group in dict.fromkeys(groups):
                holders.setdefault(group, []).append(rank)
        split = {group for group, ranks in holders.items() if len(ranks) > 1}
        if not split:
            return score(samples)
        asked: list[tuple[int, int, Sample]] = []

        def mine() -> list[tuple[int, Sample]]:
            return [(index, sample) for index, sample in enumerate(samples) if sample.group in split]

        for rank, theirs in enumerate(self._share(mine)):
            asked += [
                (rank, index, sample) for index, sample in theirs if holders[sample.group][0] == self._rank
            ]
        alone = [(self._rank, i, sample) for i, sample in enumerate(samples) if sample.group not in split]

        def scored() -> list[tuple[int, int, MixScore]]:
            work = asked + alone
            results = score([sample for _, _, sample in work])
            return [(rank, index, result) for (rank, index, _), result in zip(work, results, strict=True)]

        found = {
            index: result
            for results in self._share(scored, lambda done: [d for d in done if d[0] != self._rank])
            for rank, index, result in results
            if rank == self._rank
        }
        return [found[index] for index in range(len(samples))]

    def complete(self, numbers: dict[str, float]) -> dict[str, float]:
        """Return numbers of the same names in every process.

        Args:
            numbers: by name; where this process lacks one, it gets the mean of the others', which does not
                move the mean over all.
        """
        everyones = self._exchange(numbers)
        names = sorted({name for theirs in everyones for name in theirs})
        means = {name: fmean(theirs[name] for theirs in everyones if name in theirs) for name in names}
        return means | numbers

    def _share(self, make: Callable[[], T], sent: Callable[[T], T] = lambda made: made) -> list[T]:
        """Make something and give it to every process; raises in every process where one could not.

        Args:
            make: makes it.
            sent: what of it the others are given; this process gets the whole.
        """
        error: BaseException | None = None
        try:
            made = make()
            packed = (True, cloudpickle.dumps(sent(made)))
        except BaseException as raised:
            error, packed = raised, (False, f"{type(raised).__name__}: {raised}".encode())
        everyones = self._exchange(packed)
        if error is not None:
            raise error
        for rank, (well, data) in enumerate(everyones):
            if not well:
                raise RewardFailed(f"process {rank} could not score: {data.decode()}")
        return [
            made if rank == self._rank else cloudpickle.loads(data)
            for rank, (_, data) in enumerate(everyones)
        ]


def training_ranks() -> Ranks | None:
    """Return this process among those of torch.distributed; None where it trains alone.

    Every process must ask at the same point. Objects travel over gloo: another backend would need a device,
    which the thread that scores may not have chosen.
    """
    distributed = getattr(sys.modules.get("torch"), "distributed", None)
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return None
    count = distributed.get_world_size()
    if count == 1:
        return None
    group = None if distributed.get_backend() == "gloo" else distributed.new_group(backend="gloo")

    def exchange(thing: Any) -> list[Any]:
        everyones: list[Any] = [None] * count
        distributed.all_gather_object(everyones, thing, group=group)
        return everyones

    return Ranks(exchange, distributed.get_rank())
