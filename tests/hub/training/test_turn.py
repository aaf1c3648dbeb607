"""Samples asked for one at a time: who is scored with whom, and that nobody pays for another's failure."""

import asyncio

import pytest

import hub
from hub.errors import RewardFailed
from hub.training.turn import Turn

sizes: list[int] = []


@hub.reward(batch=True, needs=())
def counted(samples: list[hub.Sample]) -> list[float | hub.Score]:
    sizes.append(len(samples))
    bad = hub.Score.failed(hub.Failure.EXCEPTION, "broken")
    return [bad if sample.text == "bad" else float(len(sample.text)) for sample in samples]


def asked(turn: Turn, texts: list[str], together: list[int]) -> list[asyncio.Future[hub.MixScore]]:
    pairs = zip(texts, together, strict=True)
    return [asyncio.ensure_future(turn.ascore(hub.Sample("p", text), key)) for text, key in pairs]


def test_what_comes_together_is_one_batch_and_what_comes_later_another() -> None:
    turn = Turn(hub.Mix({counted: 1.0}))

    async def run() -> list[float | None]:
        first = await asyncio.gather(*asked(turn, ["a", "aa", "aaa", "b" * 4, "b" * 5], [1, 1, 1, 2, 2]))
        later = await turn.ascore(hub.Sample("p", "c" * 6), 1)
        return [result.value for result in (*first, later)]

    sizes.clear()
    assert asyncio.run(run()) == [1, 2, 3, 4, 5, 6]
    assert sorted(sizes[:2]) == [2, 3]
    assert sizes[2:] == [1]


@pytest.mark.parametrize("on_failure", ["mask", "raise"])
def test_a_failure_is_its_own_samples(on_failure: str) -> None:
    turn = Turn(hub.Mix({counted: 1.0}, on_failure=on_failure))

    async def run() -> list[hub.MixScore | BaseException]:
        return await asyncio.gather(*asked(turn, ["a", "bad", "aaa"], [0, 0, 0]), return_exceptions=True)

    good, bad, other = asyncio.run(run())
    assert isinstance(good, hub.MixScore)
    assert isinstance(other, hub.MixScore)
    assert (good.value, other.value) == (1.0, 3.0)
    assert isinstance(bad, RewardFailed) if on_failure == "raise" else bad.value is None  # type: ignore[union-attr]


def test_one_that_gives_up_takes_no_other_with_it() -> None:
    turn = Turn(hub.Mix({counted: 1.0}))

    async def run() -> float | None:
        gone, late, stays = asked(turn, ["x", "xx", "xxx"], [0, 0, 0])
        await asyncio.sleep(0)
        gone.cancel()  # before the batch begins
        await asyncio.sleep(0)
        late.cancel()  # after
        return (await stays).value

    sizes.clear()
    assert asyncio.run(run()) == 3.0
    assert sizes in ([2], [3])
