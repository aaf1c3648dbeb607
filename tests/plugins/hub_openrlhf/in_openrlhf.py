"""OpenRLHF's own code with what `hub export` wrote: run among the trainers by test_openrlhf.py; prints JSON."""

import asyncio
import importlib.machinery
import json
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast


class Absent(ModuleType):
    """A library with kernels for GPUs, of which nothing is called here."""

    __path__: list[str] = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock(name=f"{self.__name__}.{name}")


class AbsentLibraries:
    """Finds the libraries that OpenRLHF imports and this environment lacks."""

    names = ("vllm", "flash_attn", "peft", "einops", "deepspeed", "torchdata")

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return Absent(spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, AbsentLibraries())

import openrlhf.cli.train_ppo_ray  # noqa: E402
from openrlhf.trainer.ppo_utils.experience import Experience  # noqa: E402
from openrlhf.trainer.ppo_utils.experience_maker import RemoteExperienceMaker  # noqa: E402
from openrlhf.trainer.ppo_utils.samples_generator import SamplesGenerator  # noqa: E402
from openrlhf.trainer.ray import vllm_engine  # noqa: E402
from openrlhf.utils.agent import SingleTurnAgentExecutor  # noqa: E402

FOLDER = Path(sys.argv[1])
TOKENS = ["<pad>", "<|im_end|>", *(chr(code) for code in range(32, 127)), "\n"]
NUMBER = {token: number for number, token in enumerate(TOKENS)}


def make_tokenizer():
    tokenizer = Tokenizer(models.WordLevel(NUMBER, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<|im_end|>")


TOKENIZER = make_tokenizer()


class Sampling(SimpleNamespace):
    """vLLM's parameters: every call of a rollout actor gets an object of its own."""


class Rollouts:
    """OpenRLHF's rollout actor without Ray and vLLM: an engine that answers what it is told to.

    Args:
        executor: what it generates with.
        texts: the responses by prompt, each with how many turns of the event loop it takes.
    """

    Actor = vllm_engine.RolloutRayActor.__ray_metadata__.modified_class

    def __init__(self, executor, texts):
        self.actor = object.__new__(self.Actor)
        self.actor.executor = executor
        self.actor.generate = self.generate
        self.texts = {prompt: list(responses) for prompt, responses in texts.items()}

    async def generate(self, tokens, params, multi_modal_data=None):
        prompt = TOKENIZER.decode(tokens)
        text, turns = next(
            self.texts[known].pop(0) for known in self.texts if known.endswith(prompt) and prompt
        )
        for _ in range(turns):
            await asyncio.sleep(0)
        numbers = [NUMBER[letter] for letter in text] + [NUMBER["<|im_end|>"]]
        output = SimpleNamespace(token_ids=numbers, text=text, finish_reason="stop", logprobs=None)
        return SimpleNamespace(outputs=[output])

    async def responses(self, prompt, label, count, longest=256):
        return await self.actor.generate_responses(
            prompt=prompt,
            label=label,
            sampling_params=Sampling(max_tokens=32, logprobs=None),
            max_length=longest,
            hf_tokenizer=TOKENIZER,
            num_samples=count,
        )


def rolled(load, prompts, longest=256):
    """All prompts at once: prompt, label, and each response with its turns. Returns a list per prompt."""

    async def run():
        texts = {prompt: responses for prompt, _, responses in prompts}
        rollouts = Rollouts(load(), texts)
        calls = (rollouts.responses(prompt, label, len(given), longest) for prompt, label, given in prompts)
        return await asyncio.wait_for(asyncio.gather(*calls), 100)

    return asyncio.run(run())


def agent(name):
    return lambda: vllm_engine._load_agent_executor(str(FOLDER / name / "hub_openrlhf_reward.py"))


def function(name):
    return lambda: SingleTurnAgentExecutor(str(FOLDER / name / "hub_openrlhf_reward.py"))


def plain(groups):
    kept = ("reward", "scores", "extra_logs", "truncated")
    return [[{key: rollout[key] for key in kept} for rollout in group] for group in groups]


def advantages(group, estimator):
    """From rollouts to advantages, by OpenRLHF's own code; one number per sample."""
    generator = object.__new__(SamplesGenerator)
    experiences = [generator._process_response_into_experience(rollout, max_len=256) for rollout in group]
    for index, experience in enumerate(experiences):
        experience.index = [index]
    batch = Experience.concat_experiences(experiences, 0)
    batch.kl = torch.zeros(batch.action_mask.shape)
    batch.values = torch.full(batch.action_mask.shape, 0.25)
    spaces = {
        "algo": {"advantage": {"estimator": estimator, "gamma": 1.0, "lambd": 0.95, "no_std_norm": False}},
        "rollout": {"n_samples_per_prompt": len(group)},
        "reward": {"clip_range": (-10, 10), "overlong_buffer_len": None, "stop_properly_penalty_coef": None},
    }
    args = json.loads(json.dumps(spaces), object_hook=lambda fields: SimpleNamespace(**fields))
    maker = object.__new__(RemoteExperienceMaker)
    maker.strategy = SimpleNamespace(args=args)
    maker.args, maker.advantage_estimator = args, estimator
    maker.kl_ctl = SimpleNamespace(value=0.0)
    (done,) = maker.compute_advantages_and_returns([batch])
    last = batch.action_mask.shape[1] - 1 - batch.action_mask.long().flip(1).argmax(1)
    chosen = done.returns if estimator == "gae" else done.advantages
    return [chosen[row, at].item() for row, at in enumerate(last.tolist())]


def flags_of(commands):
    """Which of the printed flags OpenRLHF's command line knows, and the estimators that it lists."""
    text = Path(openrlhf.cli.train_ppo_ray.__file__).read_text()
    known = set(re.findall(r'add_argument\(\s*"(--[^"]+)"', text))
    estimators = re.search(r'"--algo.advantage.estimator",\s*type=str,\s*choices=(\[[^\]]*\])', text).group(1)
    return {"unknown": sorted(set(commands) - known), "estimators": json.loads(estimators)}


def main():
    given = json.loads(sys.argv[2])
    failing = ("Q1?", "3", [("1", 5), ("x", 0), ("3", 9), ("8", 1)])
    whole = ("Q2?", '{"answer": "2", "task": "sums"}', [("1", 0), ("2", 3), ("2", 0), ("4", 0)])
    long = ("L" * 300 + " say 7?", "7", [("7", 0), ("<", 0)])
    found = {"plain": plain(rolled(agent("plain"), [failing, whole]))}
    group = rolled(agent("plain"), [failing])[0]
    three = [group[index] for index in (0, 2, 3)]
    estimators = ("group_norm", "rloo", "reinforce_baseline", "dr_grpo", "gae")
    found["advantages"] = {name: [advantages(group, name), advantages(three, name)] for name in estimators}
    found["function"] = plain(rolled(function("plain"), [failing, whole]))
    found["tokens"] = plain(rolled(agent("tokens"), [("T?", "", [("1", 0), ("22", 0)])]))
    found["same_prompt"] = plain(rolled(agent("groups"), [("S?", "", [(text, 0) for text in "1234"])]))
    # Many groups, the last of each when the first of all are long there: nobody waits in a thread.
    many = [(f"P{n}?", "", [(str(n % 10), n % 7), ("22", 900 - n), ("3", 40)]) for n in range(100)]
    found["many"] = plain(rolled(agent("groups"), many))
    found["sizes"] = plain(rolled(agent("groups"), [("A?", "", [("1", 3)] * 2), ("B?", "", [("1", 0)] * 5)]))
    # Far more failed samples than a rollout actor has threads, each waiting for the rest of its group.
    outage = [(f"P{n}?", "3", [("x", 0), ("x", 0), ("3", 50), ("3", 60)]) for n in range(60)]
    found["outage"] = plain(rolled(function("plain"), outage))
    found["truncated"] = {
        "agent": plain(rolled(agent("two"), [long], longest=64)),
        "function": plain(rolled(function("two"), [long], longest=64)),
    }
    served = rolled(lambda: SingleTurnAgentExecutor(given["url"]), [failing, whole])
    found["service"] = plain(served)
    found["served_advantages"] = {name: [advantages(served[0], name)] for name in estimators}
    try:
        agent("changed")()
    except Exception as error:
        found["changed"] = f"{type(error).__name__}: {error}"
    found["flags"] = flags_of(given["flags"])
    print(json.dumps(found))


main()
