"""Other graders of mathematical answers, each as a reward, for `math_accuracy.py`.

Each is called as its own project calls it, on one reference and one completion. A grader whose library is not
installed cannot be constructed and is left out. Not here: what wraps math-verify and adds nothing, and what
evaluates a model's text as code (verl's prime_math, Qwen2.5-Math's and its copies).
"""

import asyncio
import importlib
import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import hub
import hub_math
from benchmarks.math_sets import bare, in_dollars

LIMIT_S = 5.0
"""Seconds that one pair may take before the worker is killed."""


def timed(decide: Callable[[str, str], bool | None], sample: hub.Sample) -> hub.Score:
    """Score a sample, with the seconds that it took; None, no verdict, is an abstention."""
    start = time.perf_counter()
    verdict = decide(sample["answer"], sample.text)
    seconds = time.perf_counter() - start
    if verdict is None:
        return hub.Score.abstained("no verdict")
    return hub.Score(float(verdict), info={"seconds": seconds})


def file_of(package: str, path: str) -> ModuleType:
    """Load one file of an installed package without the rest of it."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ImportError(f"{package} is not installed")
    where = Path(next(iter(found.submodule_search_locations))) / path
    spec = importlib.util.spec_from_file_location(f"{package}_{where.stem}", where)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@hub.reward(name="hub_math", needs=["answer"], timeout_s=LIMIT_S)
class HubMath:
    """`hub_math.verify`."""

    def __call__(self, sample: hub.Sample) -> hub.Score:
        return timed(lambda gold, text: hub_math.verify(gold, text).correct, sample)


class _MathVerify:
    def __init__(self) -> None:
        self.module = importlib.import_module("math_verify")

    def decide(self, gold: str, text: str) -> bool:
        module = self.module
        return bool(module.verify(module.parse(gold), module.parse(text)))


@hub.reward(name="math-verify", needs=["answer"], timeout_s=LIMIT_S)
class MathVerify(_MathVerify):
    """`verify(parse(gold), parse(completion))`, the reference put in `$`."""

    def __call__(self, sample: hub.Sample) -> hub.Score:
        return timed(lambda gold, text: self.decide(in_dollars(gold), text), sample)


@hub.reward(name="math-verify, reference as stored", needs=["answer"], timeout_s=LIMIT_S)
class MathVerifyAsStored(_MathVerify):
    """The same with the reference as data sets store it, mostly without `$`."""

    def __call__(self, sample: hub.Sample) -> hub.Score:
        return timed(lambda gold, text: self.decide(bare(gold), text), sample)


class _TRL:
    def __init__(self) -> None:
        self.reward = importlib.import_module("trl.rewards").accuracy_reward

    def decide(self, gold: str, text: str) -> bool | None:
        (value,) = self.reward([[{"role": "assistant", "content": text}]], [gold])
        return None if value is None else bool(value)


@hub.reward(name="TRL accuracy_reward", needs=["answer"], timeout_s=LIMIT_S)
class TRL(_TRL):
    """TRL's reward, the reference put in `$`."""

    def __call__(self, sample: hub.Sample) -> hub.Score:
        return timed(lambda gold, text: self.decide(in_dollars(gold), text), sample)


@hub.reward(name="TRL accuracy_reward, reference as stored", needs=["answer"], timeout_s=LIMIT_S)
class TRLAsStored(_TRL):
    """The same with the reference as data sets store it."""

    def __call__(self, sample: hub.Sample) -> hub.Score:
        return timed(lambda gold, text: self.decide(bare(gold), text), sample)


@hub.reward(name="lm-eval hendrycks_math", needs=["answer"], timeout_s=LIMIT_S)
class HendrycksMath:
    """The comparison of lm-eval's task hendrycks_math, on the last box."""

    def __init__(self) -> None:
        self.module = file_of("lm_eval", "tasks/hendrycks_math/utils.py")

    def __call__(self, sample: hub.Sample) -> hub.Score:
        return timed(self.decide, sample)

    def decide(self, gold: str, text: str) -> bool:
        box = self.module.last_boxed_only_string(text)
        return box is not None and self.module.is_equiv(self.module.remove_boxed(box), bare(gold).strip("$"))


@hub.reward(name="lm-eval minerva_math", needs=["answer"], timeout_s=LIMIT_S)
class MinervaMath:
    """The comparison of lm-eval's task minerva_math, on the last box; needs antlr4-python3-runtime 4.11."""

    def __init__(self) -> None:
        self.module = file_of("lm_eval", "tasks/minerva_math/utils.py")

    def __call__(self, sample: hub.Sample) -> hub.Score:
        return timed(self.decide, sample)

    def decide(self, gold: str, text: str) -> bool:
        box = self.module.last_boxed_only_string(text)
        if box is None:
            return False
        sides = (self.module.remove_boxed(box), bare(gold).strip("$"))
        return bool(self.module.is_equiv(*map(self.module.normalize_final_answer, sides)))


@hub.reward(name="inspect_ai math()", needs=["answer"], timeout_s=LIMIT_S)
class InspectMath:
    """Inspect's scorer."""

    def __init__(self) -> None:
        self.scorers = importlib.import_module("inspect_ai.scorer")
        self.model = importlib.import_module("inspect_ai.model")
        self.solver = importlib.import_module("inspect_ai.solver")
        self.score = self.scorers.math()
        self.runner = asyncio.Runner()

    def __call__(self, sample: hub.Sample) -> hub.Score:
        return timed(self.decide, sample)

    def decide(self, gold: str, text: str) -> bool:
        output = self.model.ModelOutput.from_content("model", text)
        state = self.solver.TaskState("none/none", 0, 1, "", [], output=output)
        score: Any = self.runner.run(self.score(state, self.scorers.Target(bare(gold))))
        return bool(score.value == "C")


@hub.reward(name="verl math_dapo", needs=["answer"], timeout_s=LIMIT_S)
class MathDapo:
    """verl's reward for DAPO."""

    def __init__(self) -> None:
        self.module = file_of("verl", "utils/reward_score/math_dapo.py")

    def __call__(self, sample: hub.Sample) -> hub.Score:
        return timed(self.decide, sample)

    def decide(self, gold: str, text: str) -> bool:
        return bool(self.module.compute_score(text, bare(gold))["acc"])


GRADERS = (
    HubMath,
    MathVerify,
    MathVerifyAsStored,
    TRL,
    TRLAsStored,
    HendrycksMath,
    MinervaMath,
    InspectMath,
    MathDapo,
)
