"""SkyRL's gym with the exported environments; prints what they give as JSON. Argument: the exported folder."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, sys.argv[1])
import hub_skyrl_mix
import skyrl_gym
from skyrl_gym.metrics import default_aggregate_metrics

hub_skyrl_mix.register()


def episode(
    name: str, action: str, question: str = "2+2?", **extras: object
) -> tuple[float, dict[str, float]]:
    row = {"data_source": "x", "reward_spec": {"method": "rule", "ground_truth": "4"}, "extra_info": extras}
    env = skyrl_gym.make(name, env_config={}, extras={**row, "max_turns": 1})
    prompt, _ = env.init([{"role": "user", "content": question}])
    done = env.step(action)
    assert done["done"]
    assert done["observations"] == []
    assert prompt[0]["content"] == question
    env.close()
    return done["reward"], env.get_metrics()


with ThreadPoolExecutor(4) as threads:
    group = list(threads.map(lambda action: episode("hub", action, level=2), ["4", "break", "5", "4"]))
print(
    json.dumps(
        {
            "group": group,
            "averaged": default_aggregate_metrics([metrics for _, metrics in group]),
            "evaluated": [episode("hub-eval", action, "3+1?") for action in ("break", "4", "break")],
            "own columns": episode("hub-eval", "4", "words")[1],
        }
    )
)
