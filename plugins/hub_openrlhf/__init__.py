"""The hub's rewards in OpenRLHF (facts: openrlhf 0.11.2).

`hub export openrlhf mix.toml --out dir` writes `hub_openrlhf_reward.py` and prints the flags. In the file are

AgentExecutor   for --train.agent_func_path: waits without a thread, knows groups             (executor.py)
reward_func     for --reward.remote_url FILE.py: a thread per sample, no rewards that compare (function.py)

With `--with url=...` the flags are those for `hub serve` in place of the file.

What it cannot do: schedules, as OpenRLHF tells no training step; other columns than the label, which may hold
them as a JSON object; images; agents of several turns, which have an executor of their own.
"""
