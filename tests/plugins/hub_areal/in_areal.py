"""AReaL's workflows with the hub's; prints what comes of them as JSON. Arguments: a mix file, one that compares.

Importing AReaL needs twenty more packages, so its classes and functions are taken from its source.
"""

import ast
import asyncio
import importlib.util
import json
import sys
import uuid
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy
import torch

AREAL = Path(importlib.util.find_spec("areal").submodule_search_locations[0])


def taken(file, *names, **known):
    tree = ast.parse((AREAL / file).read_text())
    wanted = [node for node in tree.body if getattr(node, "name", "") in names]
    assert len(wanted) == len(names), file
    future = ast.ImportFrom("__future__", [ast.alias("annotations")], 0)
    exec(compile(ast.fix_missing_locations(ast.Module([future, *wanted], [])), file, "exec"), known)
    return SimpleNamespace(**{name: known[name] for name in names})


def undecorated(*_):
    return lambda function: function


class Phase:
    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None


episode = ContextVar("episode")  # what the trainer's statistics are told in this one


def scalar(**numbers):
    episode.get().update(numbers)


scope = SimpleNamespace(stat_scope=lambda: "rollout")
tracker = SimpleNamespace(get=lambda name: SimpleNamespace(scalar=scalar))
rlvr = taken(
    "workflow/rlvr.py",
    *("RLVRWorkflow", "default_get_input_ids_fn", "default_data_extract_prompt_fn"),
    RolloutWorkflow=object,
    torch=torch,
    uuid=uuid,
    trace_session=undecorated,
    session_context=undecorated,
    atrace_session_phase=lambda name: Phase(),
    workflow_context=scope,
    stats_tracker=tracker,
    ModelRequest=SimpleNamespace,
    AsyncRewardWrapper=lambda function: function,
    apply_chat_template=lambda tokenizer, messages, **_: [ord(c) for c in messages[0]["content"]],
)
modules = {
    "areal": {"workflow_context": scope},
    "areal.workflow": {},
    "areal.workflow.rlvr": vars(rlvr),
    "areal.utils": {"stats_tracker": tracker},
}
for name, members in modules.items():
    sys.modules[name] = ModuleType(name)
    vars(sys.modules[name]).update(members)
grouped = taken(
    "infra/remote_inf_engine.py",
    "GroupedRolloutWorkflow",
    RolloutWorkflow=object,
    asyncio=asyncio,
    concat_padded_tensors=lambda found: {"rewards": torch.cat([one["rewards"] for one in found])},
)
openai = ModuleType("areal.experimental.openai")
openai.InteractionWithTokenLogpReward = type("Interaction", (), {})
sys.modules |= {"areal.experimental": ModuleType("areal.experimental"), "areal.experimental.openai": openai}
Normalization = taken(
    "utils/data.py", "Normalization", torch=torch, np=numpy, dist=torch.distributed
).Normalization

from hub_areal.workflow import MixWorkflow  # noqa: E402

STOP = -1


class Tokenizer:
    def decode(self, tokens, skip_special_tokens=False):
        return "".join(
            chr(token) if token != STOP else "" if skip_special_tokens else "<|im_end|>" for token in tokens
        )


def config(samples):
    made = SimpleNamespace(n_samples=samples)
    made.new_with_stop_and_pad_token_ids = lambda tokenizer: made
    made.new = lambda n_samples: made
    return made


async def rollout(path, texts, question, **columns):
    """A group's rewards, and what is logged of each."""
    answers, logged = iter(texts), []

    async def generate(request):
        text = [*map(ord, next(answers)), STOP]  # AReaL keeps the token at which the model stopped
        logged.append({})
        episode.set(logged[-1])
        await asyncio.sleep(0)
        return SimpleNamespace(
            input_tokens=request.input_ids,
            output_tokens=text,
            input_len=len(request.input_ids),
            output_len=len(text),
            output_logprobs=[0.0] * len(text),
            output_versions=[0] * len(text),
        )

    workflow = MixWorkflow(path=path, gconfig=config(len(texts)), tokenizer=Tokenizer())
    group = grouped.GroupedRolloutWorkflow(workflow, len(texts), SimpleNamespace(warning=print))
    row = {"messages": [{"role": "user", "content": question}], **columns}
    return (await group.arun_episode(SimpleNamespace(agenerate=generate), row))["rewards"], logged


def normalized(rewards, size):
    given = {"mean_level": "group", "std_level": None, "mean_leave1out": False, "std_unbiased": True}
    return Normalization(SimpleNamespace(group_size=size, eps=1e-5, **given))(rewards).tolist()


async def main():
    whole, logged = await rollout(sys.argv[1], ["4", "break", "5", "4"], "2+2?", answer="4")
    other, _ = await rollout(sys.argv[1], ["5", "5", "4", "5"], "3+1?", answer="4")
    compared, _ = await rollout(sys.argv[2], ["1", "333", "22"], "q")
    return {
        "rewards": whole.tolist(),
        "normalized": normalized(torch.cat([whole, other]), 4),
        "of the others alone": normalized(whole[[0, 2, 3]], 3),
        "compared": compared.tolist(),
        "logged": logged,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
