"""The adapter, without a trainer: what the functions return, and when the mix is scored."""

import asyncio
import gc
import inspect
import json
import pickle
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import hub
import hub_trl
from hub.errors import ConfigError, HubError, RewardFailed
from hub_trl import versions
from hub_trl.batch import ABSENT, samples_of
from hub_trl.missing import fill

CALLS: list[str] = []


@hub.reward(lane="inline", deterministic=False)
def length(sample: hub.Sample) -> float:
    CALLS.append(sample.text)
    return float(len(sample.text))


@hub.reward(lane="inline")
def picky(sample: hub.Sample) -> float | None:
    """Fails on "bad", abstains on "skip"."""
    if sample.text == "bad":
        raise ValueError("it is bad")
    return None if sample.text == "skip" else 1.0


@hub.reward(lane="inline", group=True)
def rank(samples: list[hub.Sample]) -> list[float]:
    longest = max(len(sample.text) for sample in samples)
    return [float(len(sample.text) == longest) for sample in samples]


@hub.reward(lane="inline")
def enormous(sample: hub.Sample) -> float:
    return 1e300 if sample.text == "big" else 1.0


@hub.reward(deterministic=False)
async def slowly(sample: hub.Sample) -> float:
    await asyncio.sleep(0)
    return float(len(sample.text))


class Trainer:
    """Calls reward functions as TRL does: one after the other, with the same objects."""

    def __init__(self, functions: list[Any], step: int = 0, **settings: Any) -> None:
        self.reward_funcs = functions
        self.state = SimpleNamespace(global_step=step)
        self.logged: dict[str, float] = {}
        self.columns: dict[str, list[Any]] = {}
        self.__dict__.update(settings)

    def log_metric(self, name: str, value: float) -> None:
        self.logged[name] = value

    def call(
        self, completions: list[Any], prompts: list[Any] | None = None, **columns: Any
    ) -> dict[str, Any]:
        arguments = self.arguments(completions, prompts, **columns)
        return {function.__name__: function(**arguments) for function in self.reward_funcs}

    async def acall(self, completions: list[Any], **columns: Any) -> dict[str, Any]:
        arguments = self.arguments(completions, **columns)
        values = await asyncio.gather(*(function(**arguments) for function in self.reward_funcs))
        return {f.__name__: mine for f, mine in zip(self.reward_funcs, values, strict=True)}

    def log_extra(self, column: str, values: list[Any]) -> None:
        self.columns.setdefault(column, []).extend(values)

    def arguments(
        self, completions: list[Any], prompts: list[Any] | None = None, **columns: Any
    ) -> dict[str, Any]:
        return {
            "prompts": prompts or ["q"] * len(completions),
            "completions": completions,
            "completion_ids": [[1]] * len(completions),
            "trainer_state": self.state,
            "log_extra": self.log_extra,
            "log_metric": self.log_metric,
            **columns,
        }


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    CALLS.clear()


@pytest.fixture(autouse=True)
def newest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever TRL is installed: what the functions give to one that leaves missing values out."""
    monkeypatch.setattr(versions, "installed", lambda: (1, 16))


def make(mix: hub.Mix, engine: hub.Engine, step: int = 0, **settings: Any) -> Trainer:
    return Trainer(hub_trl.reward_funcs(mix, engine=engine), step, **settings)


def test_plain_functions_with_the_rewards_names(engine: hub.Engine) -> None:
    mix = hub.Mix({length: 1.0, picky: {"weight": 0.5, "name": "think-format"}})
    functions = hub_trl.reward_funcs(mix, engine=engine)
    assert [function.__name__ for function in functions] == ["length", "think-format"]
    assert all(inspect.isfunction(f) and not inspect.iscoroutinefunction(f) for f in functions)
    assert hub_trl.reward_weights(mix) == [1.0, 0.5]


FAILURES = [
    # on_failure, completions, what `length` and `picky` return
    ("mask", ["ab", "bad", "skip"], [2.0, None, 4.0], [1.0, None, None]),
    ("drop", ["ab", "bad", "skip"], [2.0, 3.0, 4.0], [1.0, None, None]),
]


@pytest.mark.parametrize(("on_failure", "completions", "lengths", "pickies"), FAILURES)
def test_missing_values(
    engine: hub.Engine, on_failure: str, completions: list[str], lengths: list[Any], pickies: list[Any]
) -> None:
    trainer = make(hub.Mix({length: 1.0, picky: 1.0}, on_failure=on_failure), engine)
    assert trainer.call(completions) == {"length": lengths, "picky": pickies}
    assert trainer.logged["hub/failed/picky"] == pytest.approx(1 / 3)
    assert trainer.logged["hub/failed/length"] == 0
    assert trainer.logged["hub/missing"] == (pytest.approx(1 / 3) if on_failure == "mask" else 0)


def test_raise_ends_training(engine: hub.Engine) -> None:
    trainer = make(hub.Mix({length: 1.0, picky: 1.0}, on_failure="raise"), engine)
    assert trainer.call(["ab"]) == {"length": [2.0], "picky": [1.0]}
    with pytest.raises(RewardFailed, match="sample 1, reward 'picky': exception: ValueError: it is bad"):
        trainer.call(["ab", "bad"])


def test_all_abstain_is_none_everywhere(engine: hub.Engine) -> None:
    mix = hub.Mix({length: {"when": {"task": "a"}}, picky: {"when": {"task": "a"}}}, allow_unrouted=True)
    trainer = make(mix, engine)
    assert trainer.call(["ab", "ab"], task=["a", "b"]) == {"length": [2.0, None], "picky": [1.0, None]}


def test_a_closed_gate_is_zero(engine: hub.Engine) -> None:
    trainer = make(hub.Mix({length: {"gate": "picky >= 2"}, picky: 1.0}), engine)
    assert trainer.call(["abc"]) == {"length": [0.0], "picky": [1.0]}


def test_why_a_reward_failed_is_said_once(engine: hub.Engine, caplog: pytest.LogCaptureFixture) -> None:
    trainer = make(hub.Mix({picky: 1.0}), engine)
    trainer.call(["bad", "bad"])
    trainer.call(["bad"])
    assert [record.getMessage()[:54] for record in caplog.records] == [
        "reward 'picky' failed: exception: ValueError: it is ba"
    ]


def test_a_value_too_large_for_float32_is_none_everywhere(engine: hub.Engine) -> None:
    trainer = make(hub.Mix({length: 1.0, enormous: 1.0}), engine)
    assert trainer.call(["big", "ok"]) == {"length": [None, 2.0], "enormous": [None, 1.0]}


def test_a_batch_is_scored_once(engine: hub.Engine) -> None:
    trainer = make(hub.Mix({length: 1.0, picky: 1.0}), engine)
    trainer.call(["a", "b"])
    assert CALLS == ["a", "b"]
    trainer.call(["a", "b"])
    assert CALLS == ["a", "b", "a", "b"], "an equal batch is another batch"


def test_any_order_and_any_subset_of_the_functions(engine: hub.Engine) -> None:
    mix = hub.Mix({length: 1.0, picky: 1.0})
    backwards = Trainer(hub_trl.reward_funcs(mix, engine=engine)[::-1])
    assert backwards.call(["ab", "bad"]) == {"picky": [1.0, None], "length": [2.0, None]}
    assert backwards.call(["abc"]) == {"picky": [1.0], "length": [3.0]}
    for index in (0, 1):
        alone = Trainer(hub_trl.reward_funcs(mix, engine=engine)[index : index + 1])
        for completions in (["ab", "bad"], ["abcd", "x"], ["ab", "bad"]):
            (values,) = alone.call(completions).values()
            whole = make(mix, engine).call(completions)[mix.names[index]]
            assert values == whole


def test_functions_given_different_batches_do_not_mix_them_up(engine: hub.Engine) -> None:
    first, second = hub_trl.reward_funcs(hub.Mix({length: 1.0, picky: 1.0}), engine=engine)
    one, other = ["ab", "skip"], ["abcd", "bad"]
    prompts = ["q", "q"]
    assert first(prompts=prompts, completions=one) == [2.0, 4.0]
    assert second(prompts=prompts, completions=other) == [1.0, None]
    assert first(prompts=prompts, completions=other) == [4.0, None]
    assert second(prompts=prompts, completions=one) == [1.0, None]
    one[0] = "bad"
    assert first(prompts=prompts, completions=one) == [None, 4.0], "the same list with another content"
    assert second(prompts=prompts, completions=one) == [None, None]


def test_what_makes_it_another_batch(engine: hub.Engine) -> None:
    """The same texts with other columns, and the same function a second time."""
    mix = hub.Mix({length: 1.0, picky: {"when": {"task": "a"}}})
    first, second = hub_trl.reward_funcs(mix, engine=engine)
    prompts, completions = ["q"], ["ab"]
    assert first(prompts=prompts, completions=completions, task=["a"]) == [2.0]
    assert second(prompts=prompts, completions=completions, task=["b"]) == [None]
    assert CALLS == ["ab"] * 2
    task = ["a"]
    first(prompts=prompts, completions=completions, task=task)
    first(prompts=prompts, completions=completions, task=task)
    assert CALLS == ["ab"] * 4
    assert second(prompts=prompts, completions=completions, task=task) == [1.0]
    assert CALLS == ["ab"] * 4


def test_nothing_of_a_batch_is_kept(engine: hub.Engine) -> None:
    class Column(list[int]):
        """A list that can be watched."""

    trainer = make(hub.Mix({length: 1.0, picky: 1.0}), engine)
    column = Column([1])
    watched = weakref.ref(column)
    trainer.call(["a"], number=column)
    del column
    gc.collect()
    assert watched() is None


def test_columns_prompts_and_groups() -> None:
    messages = [{"role": "user", "content": "2+2?"}]
    samples = samples_of(
        ["2+2?", messages],
        ["4", [{"role": "assistant", "content": "5"}]],
        {
            "answer": ["4", ABSENT],
            "completion_ids": [[1], [2, 3]],
            "trainer_state": SimpleNamespace(global_step=1),
            "log_metric": print,
            "environments": [object(), object()],
            "something": "ab",
        },
    )
    assert [dict(sample.columns) for sample in samples] == [
        {"answer": "4", "completion_ids": [1]},
        {"completion_ids": [2, 3]},
    ]
    assert [sample.text for sample in samples] == ["4", "5"]
    assert [sample.group for sample in samples] == ["2+2?", json.dumps(messages, sort_keys=True)]


def test_group_rewards_see_the_completions_of_one_prompt(engine: hub.Engine) -> None:
    trainer = make(hub.Mix({rank: 1.0}), engine)
    values = trainer.call(["a", "abc", "ab", "abcd"], prompts=["p", "p", "q", "q"])
    assert values == {"rank": [0.0, 1.0, 0.0, 1.0]}


def test_a_schedule_gives_one_function_with_the_total(engine: hub.Engine) -> None:
    mix = hub.Mix({length: [[0, 1.0], [10, 0.0]], picky: 2.0})
    for step, total in ((0, [4.0, None, 6.0]), (5, [3.0, None, 4.0]), (99, [2.0, None, 2.0])):
        trainer = make(mix, engine, step)
        assert trainer.call(["ab", "bad", "abcd"]) == {"total": total}
        assert trainer.logged["rewards/length/mean"] == 3.0, "over the samples that have a total"
        assert trainer.logged["rewards/picky/mean"] == 1.0
    assert hub_trl.trainer_arguments(mix) == {"reward_weights": [1.0]}


def test_a_schedule_needs_a_step(engine: hub.Engine) -> None:
    (total,) = hub_trl.reward_funcs(hub.Mix({length: [[0, 1.0], [10, 0.0]]}), engine=engine)
    with pytest.raises(ConfigError, match="tells no step"):
        total(prompts=["q"], completions=["a"])


def test_a_reward_called_total_keeps_its_name(engine: hub.Engine) -> None:
    mix = hub.Mix({length: {"name": "total", "weight": [[0, 1.0], [10, 0.0]]}})
    assert [f.__name__ for f in hub_trl.reward_funcs(mix, engine=engine)] == ["mix-total"]


ARGUMENTS: list[tuple[dict[Any, Any], dict[str, Any], str, dict[str, Any]]] = [
    # rewards, options of the mix, algorithm, arguments
    ({length: 1.0, picky: 0.2}, {}, "grpo", {"reward_weights": [1.0, 0.2]}),
    ({length: 1.0, picky: 0.2}, {}, "rloo", {"reward_weights": [1.0, 0.2]}),
    (
        {length: 1.0, picky: 0.2},
        {"aggregate": "normalize_then_sum"},
        "grpo",
        {"reward_weights": [1.0, 0.2], "multi_objective_aggregation": "normalize_then_sum"},
    ),
    ({length: 1.0, picky: 0.2}, {"aggregate": "normalize_then_sum"}, "rloo", {"reward_weights": [1.0]}),
    (
        {length: [[0, 1.0], [9, 2.0]], picky: 0.2},
        {"aggregate": "normalize_then_sum"},
        "grpo",
        {"reward_weights": [1.0], "scale_rewards": "batch"},
    ),
    ({length: [[0, 1.0], [9, 1.0]]}, {}, "grpo", {"reward_weights": [1.0]}),
]


@pytest.mark.parametrize(("rewards", "options", "algorithm", "arguments"), ARGUMENTS)
def test_arguments_of_the_trainer(
    engine: hub.Engine,
    rewards: dict[Any, Any],
    options: dict[str, Any],
    algorithm: str,
    arguments: dict[str, Any],
) -> None:
    mix = hub.Mix(rewards, **options)
    assert hub_trl.trainer_arguments(mix, algorithm=algorithm) == arguments
    functions = hub_trl.reward_funcs(mix, algorithm=algorithm, engine=engine)
    assert len(functions) == len(arguments["reward_weights"])


def test_forgotten_arguments_are_found_at_the_first_call(engine: hub.Engine) -> None:
    mix = hub.Mix({length: 1.0, picky: 0.2})
    with pytest.raises(ConfigError, match=r"weights 'picky' with 1, the mix 0\.2.*trainer_arguments"):
        make(mix, engine, reward_weights=[1.0, 1.0]).call(["a"])
    assert make(mix, engine, reward_weights=[1.0, 0.2]).call(["a"])
    normalized = hub.Mix({length: 1.0}, aggregate="normalize_then_sum")
    with pytest.raises(ConfigError, match="multi_objective_aggregation='normalize_then_sum'"):
        make(normalized, engine, reward_weights=[1.0]).call(["a"])


@pytest.mark.parametrize("name", ["prompts", "completions", "trainer_state", "log_metric", "environments"])
def test_columns_that_trl_uses_for_itself(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        hub_trl.check_columns(["answer", name])
    hub_trl.check_columns(["prompt", "answer", "completion"])


REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    # weight, arguments, what is said
    (1.0, {"algorithm": "ppo"}, r"'ppo'; for PPO see hub_trl\.ppo|not 'ppo'"),
    (1.0, {"algorithm": "dpo"}, "not 'dpo'"),
    ([[0, 1.0], [9, 2.0]], {"algorithm": "async_grpo"}, "tells no step"),
    (1.0, {"algorithm": "online_dpo", "asynchronous": True}, "awaits nothing"),
]


@pytest.mark.parametrize(("weight", "arguments", "said"), REFUSED)
def test_what_trl_cannot_do_is_refused(weight: Any, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(HubError, match=said):
        hub_trl.reward_funcs(hub.Mix({length: weight}), **arguments)


def test_the_function_with_a_fixed_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rewards = Path(__file__).with_name("rewards.py")
    (tmp_path / "mix.toml").write_text(f'[[reward]]\nuse = "{rewards}:has_answer"\nweight = 2.0\n')
    total = pickle.loads(pickle.dumps(hub_trl.total))
    with pytest.raises(ConfigError, match="HUB_MIX"):
        total(prompts=["q"], completions=["4"], answer=["4"])
    monkeypatch.setenv("HUB_MIX", str(tmp_path / "mix.toml"))
    trainer = Trainer([total])
    assert trainer.call(["it is 4", "5"], answer=["4", "4"]) == {"total": [2.0, 0.0]}
    assert trainer.logged["rewards/has-answer/mean"] == 0.5


def test_async_functions_are_coroutine_functions_that_share_a_batch(engine: hub.Engine) -> None:
    mix = hub.Mix({length: 1.0, slowly: 2.0, picky: 0.5})
    functions = hub_trl.reward_funcs(mix, asynchronous=True, engine=engine)
    assert all(inspect.isfunction(f) and inspect.iscoroutinefunction(f) for f in functions)
    trainer = Trainer(functions)
    values = {"length": [2.0, None], "slowly": [2.0, None], "picky": [1.0, None]}
    for _ in range(2):
        assert asyncio.run(trainer.acall(["ab", "bad"])) == values
    assert CALLS == ["ab", "bad"] * 2
    assert trainer.logged["hub/missing"] == 0.5


def test_async_functions_raise_what_ends_training(engine: hub.Engine) -> None:
    mix = hub.Mix({length: 1.0, picky: 1.0}, on_failure="raise")
    first, second = hub_trl.reward_funcs(mix, asynchronous=True, engine=engine)
    arguments = Trainer([]).arguments(["ab", "bad"])

    async def both() -> list[Any]:
        calls = [first(**arguments), second(**arguments)]
        return list(await asyncio.gather(*calls, return_exceptions=True))

    for raised in asyncio.run(both()):
        assert isinstance(raised, RewardFailed)


def test_one_async_function_given_up_does_not_take_the_others_along(engine: hub.Engine) -> None:
    async def run() -> Any:
        started = asyncio.Event()
        finish = asyncio.Event()

        @hub.reward(needs=[])
        async def waits(sample: hub.Sample) -> float:
            loop.call_soon_threadsafe(started.set)
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(finish.wait(), loop))
            return 1.0

        loop = asyncio.get_running_loop()
        mix = hub.Mix({waits: 1.0, length: 1.0, picky: 1.0})
        first, second, third = hub_trl.reward_funcs(mix, asynchronous=True, engine=engine)
        arguments = Trainer([]).arguments(["ab"])
        tasks = [asyncio.create_task(function(**arguments)) for function in (first, second, third)]
        await started.wait()
        tasks[1].cancel()
        finish.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    one, two, three = asyncio.run(run())
    assert (one, three) == ([1.0], [1.0])
    assert isinstance(two, asyncio.CancelledError)


def test_reasons_and_answers_go_to_the_table_of_completions(engine: hub.Engine) -> None:
    trainer = make(hub.Mix({"math": 1.0, picky: 1.0}), engine)
    trainer.call([r"\boxed{4}", "bad", "skip"], answer=["4", "4", "4"])
    math, reasons = (trainer.columns[f"hub/reason/{name}"] for name in ("math", "picky"))
    assert "answer='4'" in math[0]
    assert math[1].startswith("different")
    assert (reasons[0], reasons[1][:32], reasons[2]) == ("", "exception; ValueError: it is bad", "")
    assert sorted(trainer.columns) == ["hub/reason/math", "hub/reason/picky"]
    combined = Trainer(hub_trl.reward_funcs(hub.Mix({picky: 0.5}), combined=True, engine=engine))
    combined.call(["ok", "bad"])
    assert combined.columns["hub/value/picky"] == [1.0, None]


def test_a_column_of_another_mix_is_not_filled_twice(engine: hub.Engine) -> None:
    functions = [f for _ in range(2) for f in hub_trl.reward_funcs(hub.Mix({picky: 1.0}), engine=engine)]
    trainer = Trainer(functions)
    trainer._pending_extra_logs = trainer.columns  # type: ignore[attr-defined] # trl 1.0 to 1.16
    trainer.call(["ok", "bad"])
    assert len(trainer.columns["hub/reason/picky"]) == 2


def test_async_grpo_is_given_weighted_parts(engine: hub.Engine) -> None:
    mix = hub.Mix({length: 0.5, picky: {"weight": 2.0, "gate": "length >= 3"}})
    functions = hub_trl.reward_funcs(mix, algorithm="async_grpo", engine=engine)
    found = Trainer(functions).call(["ab", "abcd", "bad"])
    assert found == {"length": [1.0, 2.0, None], "picky": [0.0, 2.0, None]}
    assert hub_trl.trainer_arguments(mix, algorithm="async_grpo") == {}
    assert hub_trl.reward_weights(mix, algorithm="async_grpo") == [1.0, 1.0]


def test_where_none_is_zero_a_missing_value_makes_a_tie(engine: hub.Engine) -> None:
    """Online DPO: two completions per prompt, all first ones before all second ones."""
    (total,) = hub_trl.reward_funcs(hub.Mix({length: 0.5, picky: 1.0}), algorithm="online_dpo", engine=engine)
    trainer = Trainer([total])
    prompts = ["p", "p", "q"] * 2
    completions = ["ab", "bad", "bad", "abcd", "abcdef", "bad"]
    assert trainer.call(completions, prompts) == {"total": [2.0, 4.0, 0.0, 3.0, 4.0, 0.0]}


OLDER: list[tuple[dict[str, Any], str, dict[str, list[float | None]]]] = [
    # options of the mix, algorithm, what the functions return for "ab", "bad", "abcd", "skip"
    ({}, "grpo", {"length": [2.0, 10 / 3, 4.0, 4.0], "picky": [1.0, 2 / 3, 1.0, None]}),
    (
        {"aggregate": "normalize_then_sum"},
        "grpo",
        {"length": [2.0, 10 / 3, 4.0, 4.0], "picky": [1.0, 1.0, 1.0, None]},
    ),
    ({}, "async_grpo", {"length": [2.0, 10 / 3, 4.0, 4.0], "picky": [0.5, 1 / 3, 0.5, None]}),
    ({"on_failure": "drop"}, "grpo", {"length": [2.0, 3.0, 4.0, 4.0], "picky": [1.0, None, 1.0, None]}),
]


@pytest.mark.parametrize(("options", "algorithm", "expected"), OLDER)
def test_before_1_6_a_missing_value_is_the_groups_mean(
    engine: hub.Engine,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    algorithm: str,
    expected: dict[str, list[float | None]],
) -> None:
    monkeypatch.setattr(versions, "installed", lambda: (1, 5))
    mix = hub.Mix({length: 1.0, picky: 0.5}, **options)
    functions = hub_trl.reward_funcs(mix, algorithm=algorithm, engine=engine)
    found = Trainer(functions).call(["ab", "bad", "abcd", "skip"])
    assert {name: pytest.approx(values) for name, values in found.items()} == expected


FILLED: list[tuple[list[float | None], list[bool], str, bool, list[float | None]]] = [
    # values, which samples have a total, groups, whether None is 0, what they become
    ([1.0, None, 3.0], [True, False, True], "aaa", True, [1.0, 2.0, 3.0]),
    ([1.0, None, None], [True, True, False], "aaa", True, [1.0, None, 0.5]),
    ([1.0, None, None], [True, True, False], "aaa", False, [1.0, None, 1.0]),
    ([None, None, 7.0], [False, False, True], "aab", True, [0.0, 0.0, 7.0]),
    ([], [], "", True, []),
]


@pytest.mark.parametrize(("values", "has_total", "groups", "zero_is_none", "filled"), FILLED)
def test_what_stands_for_a_missing_value(
    values: list[float | None],
    has_total: list[bool],
    groups: str,
    zero_is_none: bool,
    filled: list[float | None],
) -> None:
    assert fill(values, has_total, groups, zero_is_none) == filled
