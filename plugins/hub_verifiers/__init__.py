"""verifiers and prime-rl: a mix as one plugged reward (facts: verifiers 0.4.0; prime-rl at commit 559b4477).

`hub export verifiers mix.toml --out dir` writes a file with the reward and prints the lines of TOML that plug
it into any taskset. A sample without a total is an error of its trace, and prime-rl leaves such a trace out
of its group: out of the baseline and out of the loss.

What it cannot do: rewards that compare the completions of a prompt, as a reward sees one trace; and weights
that change over steps, as it is not told the step.
"""
