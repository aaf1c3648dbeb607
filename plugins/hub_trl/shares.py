"""Completions made by all processes of a training run: the first asks, every one makes its share.

The first process runs the evaluation, through `Asking`; the others wait in `serve` for what it asks, and
answer until it is done. Whatever goes wrong in one of them, each exchange takes place in all, so that nobody
waits for a process that is not coming.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import torch.distributed as distributed  # noqa: TID253 - imported when training begins

from hub.errors import GeneratorError
from hub.generator import Completion, Decoding, Likelihood, LikelihoodGenerator
from hub.sample import Text

ROUND = 128
"""Questions that each process answers before the first one hears of the others' answers."""
LONGEST_S = 7 * 24 * 3600
"""How long a process may wait for the others: as long as an evaluation may take."""


class Group:
    """The processes that train together, with a connection of their own on which they may wait for hours.

    Every process makes one at the same point.
    """

    def __init__(self) -> None:
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self._group = distributed.new_group(backend="gloo", timeout=timedelta(seconds=LONGEST_S))

    def tell(self, thing: Any) -> Any:
        """Give what the first process has to all; return it."""
        told = [thing]
        distributed.broadcast_object_list(told, src=0, group=self._group)
        return told[0]

    def collect(self, thing: Any) -> list[Any]:
        """Return what each process gives, in the first one; [] in the others."""
        everyones: list[Any] = [None] * self.size if self.rank == 0 else []
        distributed.gather_object(thing, everyones or None, dst=0, group=self._group)
        return everyones


class Asking:
    """A generator in the first process that has its work done by all.

    Args:
        own: makes this process's share.
        group: the processes.
    """

    def __init__(self, own: LikelihoodGenerator, group: Group) -> None:
        self._own, self._group = own, group

    def generate(self, prompts: Sequence[Text], decoding: Decoding) -> Iterator[Completion]:
        """Complete each prompt once, shared among the processes; yield this one's as they are ready.

        Raises:
            GeneratorError: a process cannot go on; what was yielded before stands.
        """
        for place, made in (asking := self._ask("generate", prompts, decoding)):
            try:
                yield replace(made, index=place)
            except GeneratorExit:
                asking.close()
                raise

    def loglikelihood(
        self, asked: Sequence[tuple[str | None, str]]
    ) -> Iterator[tuple[int, Likelihood | str]]:
        """Tell how likely each continuation is, shared among the processes.

        Raises:
            GeneratorError: a process cannot go on; what was yielded before stands.
        """
        yield from self._ask("loglikelihood", asked, None)

    def describe(self) -> Mapping[str, Any]:
        """Return what this process's generator says of the model, which is the same in all."""
        return self._own.describe()

    def close(self) -> None:
        """Let go of this process's generator."""
        self._own.close()

    def _ask(
        self, what: str, asked: Sequence[Any], decoding: Decoding | None
    ) -> Generator[tuple[int, Any], None, None]:
        size = self._group.size
        rounds = -(-len(asked) // (size * ROUND))
        shares = split(asked, size * rounds)
        for start in range(0, len(shares), size):
            work = [[(place, asked[place]) for place in share] for share in shares[start : start + size]]
            self._group.tell((what, work, decoding))
            try:
                yield from _make(self._own, what, work[0], decoding)
            finally:  # the others answer whatever becomes of this process's share
                everyones = self._group.collect(None)
            for rank, (made, problem) in enumerate(everyones[1:], 1):
                yield from made
                if problem:
                    raise GeneratorError(f"process {rank}: {problem}")


def serve(own: LikelihoodGenerator, group: Group) -> Any:
    """Make this process's share of what the first one asks, until it is done; return what it says then."""
    while True:
        what, work, decoding = group.tell(None)
        if what == "done":
            return work
        made: list[tuple[int, Any]] = []
        problem = ""
        try:
            for one in _make(own, what, work[group.rank], decoding):
                made.append(one)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        group.collect((made, problem))


def split(asked: Sequence[Any], count: int) -> list[list[int]]:
    """Return the questions of each share; equal ones are in the same.

    So that each of several equal prompts gets a sample of its own, as in one process.

    >>> split(["a", "b", "a", "c", "d"], 2)
    [[0, 2, 3], [1, 4]]
    """
    shares: list[list[int]] = [[] for _ in range(count)]
    seen: dict[str, int] = {}
    for place, one in enumerate(asked):
        shares[seen.setdefault(repr(one), len(seen)) % count].append(place)
    return shares


def _make(
    own: LikelihoodGenerator, what: str, work: Sequence[tuple[int, Any]], decoding: Decoding | None
) -> Iterator[tuple[int, Any]]:
    questions = [question for _, question in work]
    if what == "generate":
        assert decoding is not None
        for completion in own.generate(questions, decoding):
            yield work[completion.index][0], completion
    else:
        for number, likelihood in own.loglikelihood(questions):
            yield work[number][0], likelihood
