"""NeMo RL: a mix as an environment, a Ray actor (facts: commit 7ea279ab; it is on no package index).

`hub export nemo-rl mix.toml --out dir` prints the lines of Python and YAML that register it.

What it cannot do: weights that change over steps, as an environment is not told the step. With asynchronous
rollouts, in which samples come one by one, it must be told how many a prompt has (`group_size`).
"""
