"""What Inspect finds by its entry point `hub`: "hub/NAME" for each benchmark (a task) and reward (a scorer).

Beside these, the task "hub/benchmark" takes any benchmark's name (`-T use=reasoning-gym/chain_sum`), and the
scorer "hub/mix" a mix file (`-S rewards=mix.toml`).
"""

import hub
from hub_inspect import scorer, task

mix = scorer.mix
scorers = {
    reward.name: scorer.register(reward.name, scorer.reward_scorer(reward.name))
    for reward in hub.load().rewards
}
benchmark = task.register_any()
tasks = {offer.name: task.register(offer.name) for offer in hub.load().benchmarks}
