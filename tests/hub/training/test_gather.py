"""Samples that come one by one: as many answers, from any thread, in whole groups where it matters."""

import asyncio
import random
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

import hub
from hub.errors import BadInput, ConfigError, EngineError, RewardFailed


@hub.reward(needs=[])
def touchy(sample: hub.Sample) -> float | None:
    """Its text as a number; raises, abstains or takes its time where the text says so."""
    if sample.text == "raise":
        raise ValueError("it was asked for")
    return None if sample.text == "abstain" else float(sample.text)


@hub.reward(needs=[], group=True)
def rank(samples: list[hub.Sample]) -> list[float]:
    """How many of the group are shorter; shows how large the group is."""
    return [len(samples) * 100.0 + sum(len(o.text) < len(s.text) for o in samples) for s in samples]


def sample(text: str, group: object = "g") -> hub.Sample:
    return hub.Sample(f"prompt {group}", text, {}, group)


@pytest.fixture
def made(engine: hub.Engine) -> Iterator[list[hub.Gatherer]]:
    gatherers: list[hub.Gatherer] = []
    yield gatherers
    for gatherer in gatherers:
        gatherer.close()


@pytest.fixture
def gatherer(made: list[hub.Gatherer], engine: hub.Engine) -> hub.Gatherer:
    made.append(hub.Gatherer(hub.Mix({touchy: 1.0}), group_size=3, engine=engine))
    return made[-1]


def values(futures: "list[Future[hub.Lowered]]") -> list[float]:
    return [future.result(timeout=60).value for future in futures]


def test_who_has_a_total_does_not_wait_for_the_group(gatherer: hub.Gatherer) -> None:
    assert gatherer.score(sample("4")).value == 4.0
    assert gatherer.score(sample("5")).numbers() == {
        "touchy": 5.0,
        "hub/missing": 0.0,
        "hub/failed/touchy": 0.0,
    }


def test_who_has_none_waits_for_the_mean_of_the_group(gatherer: hub.Gatherer) -> None:
    failed = gatherer.submit(sample("raise"))
    assert gatherer.score(sample("1")).value == 1.0
    assert not failed.done()
    assert gatherer.score(sample("2")).value == 2.0
    assert failed.result(timeout=60) == hub.Lowered(1.5, True, {"touchy": 1.5}, frozenset({"touchy"}))
    assert gatherer.counts == {"samples": 3, "missing": 1, "groups_without_total": 0, "groups_incomplete": 0}


def test_a_group_without_a_total(gatherer: hub.Gatherer, caplog: pytest.LogCaptureFixture) -> None:
    assert values([gatherer.submit(sample(text)) for text in ("raise", "abstain", "raise")]) == [0.0] * 3
    assert gatherer.counts["groups_without_total"] == 1
    assert "no sample with a total: exception: touchy: ValueError: it was asked for" in caplog.text


def test_a_prompt_that_comes_again_is_another_group(gatherer: hub.Gatherer) -> None:
    texts = ["raise", "1", "1", "raise", "5", "5"]
    assert values([gatherer.submit(sample(text)) for text in texts]) == [1.0, 1.0, 1.0, 5.0, 5.0, 5.0]


def test_without_a_group_the_prompt_is_the_group(gatherer: hub.Gatherer) -> None:
    alike = [hub.Sample("p", "raise"), hub.Sample("q", "8"), hub.Sample("p", "1"), hub.Sample("p", "3")]
    assert values([gatherer.submit(one) for one in alike]) == [2.0, 8.0, 1.0, 3.0]


def test_many_threads_and_groups_get_their_own_answers(engine: hub.Engine, made: list[hub.Gatherer]) -> None:
    made.append(hub.Gatherer(hub.Mix({touchy: 1.0}), group_size=4, engine=engine))
    cases = []
    for group in range(60):
        texts = [str(group + k / 8) for k in range(4)]
        mean = group + 1.5 / 8
        if group % 3 == 0:
            texts[group % 4] = "raise"
            mean = sum(float(t) for t in texts if t != "raise") / 3
        cases += [(sample(text, group), mean if text == "raise" else float(text)) for text in texts]
    random.Random(1).shuffle(cases)
    # More threads than wait for a group at once: 20 groups have one sample that waits.
    with ThreadPoolExecutor(32) as threads:
        found = list(threads.map(made[-1].score, [case for case, _ in cases]))
    assert [one.value for one in found] == [expected for _, expected in cases]


def test_rewards_that_compare_see_whole_groups(engine: hub.Engine, made: list[hub.Gatherer]) -> None:
    made.append(hub.Gatherer(hub.Mix({rank: 1.0}), group_size=3, engine=engine))
    first = [made[-1].submit(sample(text, "a")) for text in ("x", "xxx")]
    other = [made[-1].submit(sample(text, "b")) for text in ("x", "xx", "xxx")]
    assert values(other) == [300.0, 301.0, 302.0]
    assert not any(future.done() for future in first)
    assert values([*first, made[-1].submit(sample("xx", "a"))]) == [300.0, 302.0, 301.0]


def test_a_group_that_is_never_whole_is_closed(engine: hub.Engine, made: list[hub.Gatherer]) -> None:
    for mix, texts, expected in (
        ({rank: 1.0}, ["x", "xx"], [200.0, 201.0]),
        ({touchy: 1.0}, ["raise", "7"], [7.0, 7.0]),
    ):
        made.append(hub.Gatherer(hub.Mix(mix), group_size=3, engine=engine, wait_s=0.2))
        assert values([made[-1].submit(sample(text)) for text in texts]) == expected
        assert made[-1].counts["groups_incomplete"] == 1


def test_closing_answers_what_waits(engine: hub.Engine) -> None:
    for mix, texts, expected in (
        ({rank: 1.0}, ["x", "xx"], [200.0, 201.0]),
        ({touchy: 1.0}, ["7", "raise"], [7.0, 7.0]),
    ):
        gatherer = hub.Gatherer(hub.Mix(mix), group_size=3, engine=engine)
        waiting = [gatherer.submit(sample(text)) for text in texts]
        gatherer.close()
        assert values(waiting) == expected
        with pytest.raises(EngineError, match="closed"):
            gatherer.submit(sample("1"))


def test_groups_of_unknown_size_take_what_is_known(engine: hub.Engine, made: list[hub.Gatherer]) -> None:
    made.append(hub.Gatherer(hub.Mix({touchy: 1.0}), engine=engine))
    assert [made[-1].score(sample(text)).value for text in ("2", "4", "raise")] == [2.0, 4.0, 3.0]
    assert made[-1].score(sample("raise", "alone")).value == 0.0


def test_steps_are_kept_apart(engine: hub.Engine, made: list[hub.Gatherer]) -> None:
    made.append(hub.Gatherer(hub.Mix({touchy: [[0, 1.0], [10, 3.0]]}), engine=engine))
    futures = [made[-1].submit(sample("1"), step=step) for step in (0, 10, 5, None, 0)]
    assert values(futures) == [1.0, 3.0, 2.0, 3.0, 1.0]


def test_on_failure_raise_reaches_who_asked_and_nobody_else(
    engine: hub.Engine, made: list[hub.Gatherer]
) -> None:
    made.append(hub.Gatherer(hub.Mix({touchy: 1.0}, on_failure="raise"), group_size=1, engine=engine))
    texts = ["1", "raise", "3"] * 40
    futures = [made[-1].submit(sample(text, n)) for n, text in enumerate(texts)]
    for text, future in zip(texts, futures, strict=True):
        if text == "raise":
            with pytest.raises(RewardFailed, match="it was asked for"):
                future.result(timeout=60)
        else:
            assert future.result(timeout=60).value == float(text)


def test_coroutines_and_one_that_gives_up(gatherer: hub.Gatherer) -> None:
    async def run() -> list[float]:
        given_up = asyncio.create_task(gatherer.ascore(sample("raise", "other")))
        await asyncio.sleep(0)
        given_up.cancel()
        found = await asyncio.gather(*(gatherer.ascore(sample(text)) for text in ("raise", "2", "4")))
        more = await asyncio.gather(*(gatherer.ascore(sample(text, "other")) for text in ("1", "3")))
        with pytest.raises(asyncio.CancelledError):
            await given_up
        return [one.value for one in (*found, *more)]

    assert asyncio.run(run()) == [3.0, 2.0, 4.0, 1.0, 3.0]


def test_a_sample_that_was_given_up_leaves_its_group(engine: hub.Engine, made: list[hub.Gatherer]) -> None:
    made.append(hub.Gatherer(hub.Mix({touchy: 1.0}), group_size=3, engine=engine, wait_s=0.2))
    lost, waiting, other = (made[-1].submit(sample(text)) for text in ("100", "raise", "6"))
    made[-1].withdraw([lost])
    assert waiting.result(timeout=60).value == other.result(timeout=60).value == 6.0
    assert made[-1].counts["groups_incomplete"] == 1


def test_a_sample_that_was_given_up_and_comes_again_takes_its_place(gatherer: hub.Gatherer) -> None:
    given_up = [gatherer.submit(sample(text)) for text in ("raise", "2")]
    assert given_up[1].result(timeout=60).value == 2.0
    gatherer.withdraw(given_up)
    again = [gatherer.submit(sample(text)) for text in ("raise", "2", "4")]
    assert values(again) == [3.0, 2.0, 4.0]
    gatherer.withdraw(again[:2])  # its request was lost after the group was whole
    assert values([gatherer.submit(sample(text)) for text in ("2", "raise")]) == [2.0, 3.0]


def test_a_compared_group_is_compared_again_with_what_takes_a_place(
    engine: hub.Engine, made: list[hub.Gatherer]
) -> None:
    made.append(hub.Gatherer(hub.Mix({rank: 1.0}), group_size=3, engine=engine))
    lost = [made[-1].submit(sample(text)) for text in ("xxxx", "x")]
    made[-1].withdraw(lost)
    first = [made[-1].submit(sample(text)) for text in ("xx", "xxx", "x")]
    assert values(first) == [301.0, 302.0, 300.0]
    made[-1].withdraw(first[1:])
    assert values([made[-1].submit(sample(text)) for text in ("x", "xxx")]) == [300.0, 302.0]


class Away(hub.Mix):
    """A mix whose engine is away at first."""

    tries = 0

    def score(self, *args: object, **options: object) -> list[hub.MixScore]:
        self.tries += 1
        if self.tries == 1:
            raise EngineError("it is away")
        return super().score(*args, **options)  # type: ignore[arg-type]


def test_what_was_lost_with_an_error_is_no_member_of_its_group(
    engine: hub.Engine, made: list[hub.Gatherer]
) -> None:
    made.append(hub.Gatherer(Away({touchy: 1.0}), group_size=3, engine=engine))
    with pytest.raises(EngineError, match="away"):
        made[-1].score(sample("1"))
    assert values([made[-1].submit(sample(text)) for text in ("1", "raise", "4")]) == [1.0, 2.5, 4.0]


def test_what_was_given_up_before_it_began_is_not_scored(
    engine: hub.Engine, made: list[hub.Gatherer]
) -> None:
    seen: list[str] = []

    @hub.reward(needs=[], lane="inline")
    def slow(one: hub.Sample) -> float:
        seen.append(one.text)
        gate.wait(60)
        return 1.0

    gate = threading.Event()
    made.append(hub.Gatherer(hub.Mix({slow: 1.0}), group_size=1, engine=engine))
    held = []
    for n in range(16):  # one in each thread
        held.append(made[-1].submit(sample(f"held {n}", n)))
        while len(seen) <= n:
            threading.Event().wait(0.001)
    futures = [made[-1].submit(sample(str(n), f"more {n}")) for n in range(1000)]
    made[-1].withdraw(futures)
    last = made[-1].submit(sample("last", "last"))
    gate.set()
    assert values([*held, last]) == [1.0] * 17
    assert sorted(seen) == sorted([*(f"held {n}" for n in range(16)), "last"])
    assert made[-1].counts["groups_incomplete"] == 0


def test_what_comes_at_once_is_scored_at_once(engine: hub.Engine, made: list[hub.Gatherer]) -> None:
    together = threading.Barrier(8)

    @hub.reward(needs=[], lane="inline", group=True)
    def meets(samples: list[hub.Sample]) -> list[float]:
        together.wait(60)
        return [1.0] * len(samples)

    made.append(hub.Gatherer(hub.Mix({meets: 1.0}), group_size=40, engine=engine))
    futures = [made[-1].submit(sample("x", n % 8)) for n in range(320)]
    assert values(futures) == [1.0] * 320


def test_a_prompt_that_goes_on_and_on_is_not_kept(engine: hub.Engine, made: list[hub.Gatherer]) -> None:
    made.append(hub.Gatherer(hub.Mix({touchy: 1.0}), engine=engine))
    assert values([made[-1].submit(sample("1", "same")) for _ in range(3000)]) == [1.0] * 3000
    assert sum(len(group.samples) for group in made[-1]._open.values()) < 1024


@pytest.mark.parametrize(
    ("mix", "options", "message"),
    [
        ({rank: 1.0}, {}, "rank: needs all completions of a prompt"),
        ({touchy: 1.0}, {"aggregate": "normalize_then_sum"}, "normalize_then_sum"),
    ],
)
def test_what_compares_needs_to_know_the_group(
    mix: dict[object, float], options: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        hub.Gatherer(hub.Mix(mix, **options))


@pytest.mark.parametrize("size", [0, -1])
def test_a_group_has_a_sample(size: int) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        hub.Gatherer(hub.Mix({touchy: 1.0}), group_size=size)


def test_only_samples_are_taken(gatherer: hub.Gatherer) -> None:
    with pytest.raises(BadInput, match="not dict"):
        gatherer.submit({"prompt": "p"})  # type: ignore[arg-type]


def test_values_are_those_of_the_mix(engine: hub.Engine, made: list[hub.Gatherer]) -> None:
    mix = hub.Mix({touchy: 0.1, "repetition": 0.3})
    samples = [sample(str(n / 7), n // 4) for n in range(200)]
    made.append(hub.Gatherer(mix, group_size=4, engine=engine))
    wanted = [result.value for result in mix.score(samples, engine=engine)]
    assert values([made[-1].submit(one) for one in samples]) == wanted
    assert threading.active_count() < 40
