"""Functions of a mix in another process: AsyncGRPOTrainer pickles them for a spawned worker."""

import gc
import inspect
import json
import pickle
import re
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

import hub
import hub_trl
from hub_trl import sendable

CHILD = """
import asyncio, inspect, json, pickle, sys

functions = pickle.load(sys.stdin.buffer)
arguments = {"prompts": ["q"] * 3, "completions": ["<think>a</think>4", "4", "bad"], "answer": ["4"] * 3}
if inspect.iscoroutinefunction(functions[0]):
    async def run():
        return await asyncio.gather(*(function(**arguments) for function in functions))
    values = asyncio.run(run())
else:
    values = [function(**arguments) for function in functions]
again = pickle.loads(pickle.dumps(functions))
print(json.dumps({
    "names": [function.__name__ for function in functions],
    "values": values,
    "same": [one is other for one, other in zip(again, functions)],
}))
"""


def closure(bonus: float) -> Any:
    """A reward that closes over a value, as in a notebook."""

    @hub.reward(name="bonus", needs=["answer"], lane="inline", deterministic=False)
    def score(sample: hub.Sample) -> float:
        if sample.text == "bad":
            raise ValueError("it is bad")
        return bonus

    return score


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("kind", ["by name", "by value", "by file"])
def test_they_score_in_a_fresh_interpreter(kind: str, asynchronous: bool, tmp_path: Path) -> None:
    if kind == "by file":
        (tmp_path / "rewards.py").write_text(
            "def bonus(sample):\n    assert sample.text != 'bad'\n    return 0.5\n", encoding="utf-8"
        )
        (tmp_path / "mix.toml").write_text(
            '[[reward]]\nuse = "think-format"\nweight = 0.2\n[[reward]]\nuse = "rewards.py:bonus"\n',
            encoding="utf-8",
        )
        mix = hub.Mix.load(tmp_path / "mix.toml")
    else:
        # cloudpickle sends what __main__ defines by value; this module is not to be found elsewhere either
        reward = closure(0.5)
        reward.__module__ = "__main__"
        mix = hub.Mix({"think-format": 0.2} | ({reward: 1.0} if kind == "by value" else {"math": 1.0}))
    functions = hub_trl.reward_funcs(mix, asynchronous=asynchronous)
    assert [inspect.iscoroutinefunction(function) for function in functions] == [asynchronous] * 2
    done = subprocess.run(
        [sys.executable, "-c", CHILD], input=pickle.dumps(functions), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert found["names"] == list(mix.names)
    assert found["same"] == [True, True]
    if kind == "by name":
        assert found["values"] == [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
    else:
        assert found["values"] == [[1.0, 0.0, None], [0.5, 0.5, None]]


@pytest.mark.parametrize("pickler", [pickle, cloudpickle])
def test_here_they_are_the_same_functions(pickler: Any) -> None:
    mix = hub.Mix({"think-format": 0.2, "math": 1.0})
    functions, others = hub_trl.reward_funcs(mix), hub_trl.reward_funcs(mix)
    for one, other in zip(functions, others, strict=True):
        assert pickle.loads(pickler.dumps(one)) is one
        assert pickle.loads(pickler.dumps(other)) is other is not one


def test_they_are_not_kept() -> None:
    functions = hub_trl.reward_funcs(hub.Mix({"think-format": 0.2, "math": 1.0}))
    watched, sent = weakref.ref(functions[0]), pickle.dumps(functions)
    names = [function.__qualname__ for function in functions]
    del functions
    gc.collect()
    assert watched() is None
    made = pickle.loads(sent)
    assert [function.__name__ for function in made] == ["think-format", "math"], "made anew"
    assert [function.__qualname__ for function in made] == names
    assert pickle.loads(sent)[1] is made[1]
    watched = weakref.ref(made[1])
    del made
    gc.collect()
    assert watched() is None


def test_their_names_can_be_read() -> None:
    table = closure(0.5)
    table.__module__ = "__main__"  # sent by value
    for function, name in zip(
        hub_trl.reward_funcs(hub.Mix({table: 1.0, "think-format": 0.2})),
        ("bonus", "think_format"),
        strict=True,
    ):
        assert re.fullmatch(rf"{name}_[0-9a-f]{{12}}_\d", function.__qualname__)


def test_what_cannot_be_sent_is_said_when_it_is_sent() -> None:
    @hub.reward
    class Locked:
        """Its option cannot leave the process."""

        def __init__(self, lock: Any) -> None:
            self.lock = lock

        def __call__(self, sample: hub.Sample) -> float:
            return 1.0

    mix = hub.Mix({Locked: {"with": {"lock": threading.Lock()}}})
    (function,) = hub_trl.reward_funcs(mix)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(function)


def test_the_module_has_nothing_else() -> None:
    with pytest.raises(AttributeError, match="no attribute 'anything'"):
        sendable.anything  # noqa: B018
