"""Tinker's cookbook: a mix as the rewards of a group of environments (facts: tinker-cookbook 0.6.1).

`hub_tinker.group.MixGroupBuilder` is an `EnvGroupBuilder` for one prompt: each environment takes one
completion, and the whole group is scored at once. `hub export tinker mix.toml --out dir` prints how to use
it. Advantages are centred on the group's mean there, and not scaled: a sample without a total, which gets
the mean of the others, has the advantage 0.0, and changes nobody else's.
"""
