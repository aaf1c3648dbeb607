"""Miles and slime: a mix as their custom reward model (facts: miles-rl 0.0.2; slime at commit 624b824a).

`hub export miles mix.toml --out dir` writes `hub_miles_mix.py` and prints the flags. Of these

reward.py         scores one sample, or a list of samples, and never blocks the rollout's event loop
post_process.py   leaves samples without a total out of their group's normalisation, and out of the loss
log.py            adds each reward's mean, and what is missing, to what the trainer logs

With `--with url=...` the flags are those for `hub serve` in place of the file.

What it cannot do: weights that change over steps, as neither trainer tells a reward the step; and to
evaluate a mix that compares the completions of a prompt, as neither trainer gives a reward whole groups
there.
"""
