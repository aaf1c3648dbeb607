"""Miles' own code with the hub's reward; prints what came of it as JSON.

Arguments: the folder that `hub export` wrote to, that of a mix that compares, and a folder of its own. What of Miles
needs sglang to be imported (the rollout manager, the rollout loop) is taken from its source, function by function.
"""

import ast
import asyncio
import copy
import inspect
import itertools
import json
import logging
import sys
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import miles
import torch
from miles.rollout.base_types import GenerateFnInput, GenerateFnOutput
from miles.rollout.filter_hub.dynamic_sampling_filters import check_reward_nonzero_std
from miles.rollout.rm_hub import async_rm, batched_async_rm
from miles.utils.metric_utils import compute_pass_rate, compute_statistics, dict_add_prefix
from miles.utils.misc import load_function
from miles.utils.ppo_utils import get_grpo_returns
from miles.utils.types import Sample

EXPORTED, COMPARING, FOLDER = map(Path, sys.argv[1:4])
SOURCE = Path(miles.__file__).parent


def taken(file: str, *names: str, **known: object) -> SimpleNamespace:
    """Functions and methods of one of Miles' files, without what the file imports."""
    wanted = [
        node
        for node in ast.walk(ast.parse((SOURCE / file).read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in names
    ]
    assert len(wanted) == len(names), file
    scope = dict(known)
    future = ast.ImportFrom("__future__", [ast.alias("annotations")], 0)
    module = ast.fix_missing_locations(ast.Module([future, *wanted], []))
    exec(compile(module, file, "exec"), scope)
    return SimpleNamespace(**{name: scope[name] for name in names})


logged: dict[str, object] = {}
manager = taken(
    "ray/rollout.py",
    *(
        "_post_process_rewards",
        "_convert_samples_to_train_data",
        "_log_rollout_data",
        "_log_eval_rollout_data",
    ),
    torch=torch,
    Sample=Sample,
    load_function=load_function,
    logger=logging.getLogger("miles"),
    dict_add_prefix=dict_add_prefix,
    compute_pass_rate=compute_pass_rate,
    compute_metrics_from_samples=lambda args, samples: compute_statistics([len(s.response) for s in samples]),
    compute_perf_metrics_from_samples=lambda *_: {},
    compute_rollout_step=lambda args, rollout_id: rollout_id,
    tracking_utils=SimpleNamespace(log=lambda args, numbers, step_key: logged.update(numbers)),
)
rollout = taken(
    "rollout/inference_rollout/inference_rollout_common.py",
    *("generate_and_rm", "generate_and_rm_group"),
    asyncio=asyncio,
    deepcopy=copy.deepcopy,
    Sample=Sample,
    GenerateFnInput=GenerateFnInput,
    async_rm=async_rm,
    batched_async_rm=batched_async_rm,
    logger=logging.getLogger("miles"),
)


def arguments(exported: Path = EXPORTED, **more: object) -> Namespace:
    """The arguments that the exported flags give, beside Miles' defaults."""
    flags = (exported / "flags.txt").read_text().replace("\\\n", " ").split("\n")
    words = " ".join(line for line in flags if not line.startswith("#")).split()
    given: dict[str, object] = {"group_rm": "--group-rm" in words}
    given |= {
        flag.removeprefix("--").replace("-", "_"): value
        for flag, value in itertools.pairwise(words)
        if flag.startswith("--") and not value.startswith("--")
    }
    defaults = {
        "rm_type": None, "rm_url": None, "partial_rollout": False, "advantage_estimator": "grpo", "log_passrate": True,
        "rewards_normalization": True, "grpo_std_normalization": True, "rollout_batch_size": 2,
        "n_samples_per_prompt": 4, "n_samples_per_eval_prompt": 2, "use_dynamic_global_batch_size": False,
        "load_debug_rollout_data": None,
    }  # fmt: skip
    return Namespace(**{**defaults, **given, **more})


def samples(*responses: str, group: int | None = 0, **more: object) -> list[Sample]:
    return [
        Sample(
            group_index=group,
            index=index,
            prompt=f"question {group}",
            response=response,
            response_length=len(response),
            tokens=[7, 8, *range(len(response))],
            label="4",
            status=Sample.Status.COMPLETED,
            **more,
        )
        for index, response in enumerate(responses)
    ]


def trainer(args: Namespace, hook: bool = True) -> SimpleNamespace:
    path = args.custom_reward_post_process_path if hook else None
    return SimpleNamespace(
        args=args,
        custom_reward_post_process_func=load_function(path),
        custom_convert_samples_to_train_data_func=None,
        _post_process_rewards=lambda found: manager._post_process_rewards(trainer(args, hook), found),
    )


def values(args: Namespace, found: list[Sample]) -> list[float]:
    return [sample.get_reward_value(args) for sample in found]


async def one_by_one(args: Namespace, found: list[Sample]) -> list[Sample]:
    for sample in found:
        sample.reward = await async_rm(args, sample)
    return found


async def rolled_out(args: Namespace, responses: list[str], group: int, aborted: int = -1) -> list[Sample]:
    """A group through Miles' own rollout, with a generation that says what it is told to."""

    async def generate(given: GenerateFnInput) -> GenerateFnOutput:
        sample = given.sample
        # As Miles asks sglang by default: the response keeps the token at which the model stopped.
        sample.response = f"{responses[sample.index]}<|im_end|>"
        sample.response_length = len(responses[sample.index]) + 1
        sample.tokens = [7, *range(sample.response_length)]
        sample.status = Sample.Status.ABORTED if sample.index == aborted else Sample.Status.COMPLETED
        return GenerateFnOutput(samples=sample)

    state = SimpleNamespace(
        args=args, aborted=False, generate_fn_semaphore=asyncio.Semaphore(8), generate_function=generate
    )
    listed = [Sample(group_index=group, index=i, prompt="q", label="4") for i in range(len(responses))]
    return await rollout.generate_and_rm_group(state, listed, {})


async def refused(call: object) -> str:
    try:
        assert inspect.isawaitable(call)
        await call
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def bare_trainer_equal() -> list[bool]:
    """Whether the hook gives the trainer's own numbers, to the last bit, where nothing is missing."""
    torch.manual_seed(0)
    equal = []
    for estimator in ("grpo", "gspo", "reinforce_plus_plus_baseline", "reinforce_plus_plus", "ppo"):
        for std, size in itertools.product((True, False), (2, 7, 16, 64)):
            args = arguments(
                advantage_estimator=estimator,
                grpo_std_normalization=std,
                reward_key=None,
                n_samples_per_prompt=size,
            )
            found = samples(*["r"] * size, group=0) + samples(*["r"] * size, group=1)
            for sample in found:
                sample.reward = torch.rand(()).item() * 3
            own = manager._post_process_rewards(trainer(args, False), found)
            equal.append(manager._post_process_rewards(trainer(args), found) == own)
    return equal


async def normalised() -> dict[str, object]:
    """A group with a failure, one without it, and a group in which everything failed."""
    args = arguments()
    whole = await one_by_one(args, samples("4", "5", "4!", "break", group=10))
    lost = await one_by_one(args, samples(*["break"] * 4, group=11))
    train = manager._convert_samples_to_train_data(trainer(args), whole + lost)
    rewards = torch.tensor(train["rewards"])
    advantages = get_grpo_returns(rewards, [torch.zeros(2)] * 8)
    three = arguments(n_samples_per_prompt=3, rollout_batch_size=1)
    rest = await one_by_one(three, samples("4", "5", "4!", group=12))
    again = await one_by_one(args, samples("4", "5", "4!", "break", group=13))
    alone = arguments(rollout_batch_size=1)
    return {
        "advantages": [advantage.tolist() for advantage in advantages],
        "of the others alone": manager._post_process_rewards(trainer(three, False), rest)[1],
        "without the hook": manager._post_process_rewards(trainer(alone, False), again)[1],
        "raw": train["raw_reward"],
        "masks": [sum(mask) for mask in train["loss_masks"]],
        "ppo": manager._convert_samples_to_train_data(
            trainer(arguments(advantage_estimator="ppo")),
            await one_by_one(args, samples("4", "break", group=14)),
        ),
    }


async def main() -> dict[str, object]:
    args, comparing = arguments(), arguments(COMPARING)
    found: dict[str, object] = {"bare": bare_trainer_equal(), "normalised": await normalised()}

    first = samples("4", "break", "5!", "4", group=1)
    await one_by_one(args, first)
    found["one by one"] = [sample.reward for sample in first]
    found["as a group"] = await batched_async_rm(
        arguments(group_rm=True), samples("4", "break", "5!", "4", group=1)
    )
    found["as a list"] = await batched_async_rm(args, samples("4", "break", "5!", "4", group=2))
    found["set in place"] = samples("4", "5", group=20)
    await batched_async_rm(args, found["set in place"], inplace_set_reward_field=True)
    found["set in place"] = values(args, found["set in place"])

    found["filter"] = [
        check_reward_nonzero_std(args, await rolled_out(args, responses, 30 + number)).keep.item()
        for number, responses in enumerate(
            (["4", "4", "break", "4"], ["break", "5", "4", "4"], ["break"] * 4)
        )
    ]
    broken_off = await rolled_out(args, ["break", "4", "5", "5"], 40, aborted=3)
    found["broken off"] = [sample.reward and sample.reward["hub/total"] for sample in broken_off]
    compared = await rolled_out(comparing, ["1", "22", "333", "22"], 41)
    found["compared"] = values(comparing, compared)
    cut = samples("1", "22", "333", "4444", group=42)
    cut[3].status = Sample.Status.ABORTED
    found["compared, one aborted"] = await batched_async_rm(comparing, cut)

    truncated = samples("5", group=50)
    truncated[0].status = Sample.Status.TRUNCATED
    found["truncated"] = (await async_rm(args, truncated[0]))["hub/missing"]
    messages = samples("4", "4", "4", group=51)
    messages[0].prompt = [{"role": "user", "content": "four words of text"}]
    messages[1].metadata = {"level": 2}
    messages[2].metadata, messages[2].response_length = None, 0
    found["columns"] = [await async_rm(args, sample) for sample in messages]

    there = FOLDER / "there"
    slow = samples("4", group=60, metadata={"file": str(there)})[0]
    waiting = asyncio.create_task(async_rm(arguments(FOLDER), slow))
    for _ in range(50):
        await asyncio.sleep(0.001)
    found["done before"] = waiting.done()
    there.touch()
    found["waited for"] = (await waiting)["waits"]

    found["refused"] = [
        await refused(async_rm(comparing, samples("4", group=70)[0])),
        await refused(async_rm(arguments(COMPARING, group_rm=False), samples("4", group=None)[0])),
        await refused(batched_async_rm(comparing, [samples("4"), samples("5")])),
    ]
    with Path(load_function(args.custom_rm_path.replace("reward", "PATH"))).open("a") as mix:
        mix.write("\n")
    found["after a change"] = (await async_rm(args, samples("4", group=80)[0]))["hub/total"]

    training = await one_by_one(args, samples("4", "5", "break", "5!", group=90) + samples("break", group=91))
    manager._log_rollout_data(5, args, training, {"rollout/own": 1.0}, 1.0)
    found["logged"] = {key: value for key, value in logged.items() if "hub" in key or "own" in key}
    evaluated = await one_by_one(args, samples("4", "5", "break", "4", group=None))
    assert [sample.reward["hub/total"] for sample in evaluated][2] == 0.0
    data = {"set": {"rewards": [sample.reward["same"] for sample in evaluated], "samples": evaluated}}
    logged.clear()
    manager._log_eval_rollout_data(5, args, data, None)
    found["evaluated"] = logged["eval/set"]
    return found


logging.disable(logging.CRITICAL)
for exported in (EXPORTED, COMPARING, FOLDER):
    sys.path.insert(0, str(exported))
print(json.dumps(asyncio.run(main())))
