"""Tinker's cookbook with the hub's groups; prints what its own code makes of them as JSON.

Arguments: a mix file, and one that compares and has a schedule.
"""

import asyncio
import itertools
import json
import pickle
import sys
from types import ModuleType, SimpleNamespace

sys.modules["blobfile"] = ModuleType("blobfile")  # with which the cookbook reads data from clouds

import tinker  # noqa: E402
from tinker_cookbook.completers import TokensWithLogprobs  # noqa: E402
from tinker_cookbook.rl.data_processing import compute_advantages  # noqa: E402
from tinker_cookbook.rl.rollouts import do_group_rollout  # noqa: E402

from hub_tinker.group import MixGroupBuilder  # noqa: E402

TEXTS = ["4", "break", "5", "4"]


class Renderer:
    """Tokens are characters; a completion begins with `thinks` where it has reasoning."""

    def build_generation_prompt(self, messages):
        return tinker.ModelInput.from_ints([ord(c) for message in messages for c in message["content"]])

    def get_stop_sequences(self):
        return ["\n"]

    def parse_response(self, tokens):
        text = "".join(map(chr, tokens))
        if text.startswith("thinks"):
            parts = [
                {"type": "thinking", "thinking": "so"},
                {"type": "text", "text": text.removeprefix("thinks")},
            ]
            return {"role": "assistant", "content": parts}, SimpleNamespace(is_clean=True)
        return {"role": "assistant", "content": text}, SimpleNamespace(is_clean=True)


def policy(texts):
    answers = itertools.cycle(texts)

    async def complete(observation, stop, *args, **kwargs):
        tokens = [ord(c) for c in next(answers)]
        return TokensWithLogprobs(tokens=tokens, maybe_logprobs=[0.0] * len(tokens))

    return complete


def builder(path, **more):
    made = MixGroupBuilder(
        renderer=Renderer(),
        prompt=[{"role": "user", "content": "2+2?"}],
        columns={"answer": "4"},
        path=path,
        group_size=4,
        **more,
    )
    return pickle.loads(pickle.dumps(made))


async def main():
    group = await do_group_rollout(builder(sys.argv[1]), policy(TEXTS))
    lost = await do_group_rollout(builder(sys.argv[1]), policy(["break"]))
    compared = [
        await do_group_rollout(builder(sys.argv[2], step=step), policy(["1", "22", "thinks1", "22"]))
        for step in (0, 10)
    ]
    return {
        "rewards": group.get_total_rewards(),
        "metrics": group.metrics_G,
        "advantages": [found.tolist() for found in compute_advantages([group, lost])],
        "compared": [found.get_total_rewards() for found in compared],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
