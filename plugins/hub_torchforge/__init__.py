"""torchforge: a mix as a reward function, or as an actor that scores groups (facts: commit 6e77f0b3; paused).

Its GRPO app (apps/grpo/main.py) calls reward functions one sample at a time, waits for each, and has no
notion of a group there: so a function cannot wait for the group of a sample without a total.
`hub_torchforge.reward.Reward` gives it the mean of what is known of its prompt, 0.0 where nothing is: its
own advantage is not exactly 0, and the first of a group is taken for a 0. The lines that `hub export
torchforge mix.toml --out dir` prints score whole groups in place of that, which needs two changes of the
app.

What it cannot do: weights that change over steps, as the app tells a reward no step.
"""
