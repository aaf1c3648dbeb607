"""The generators of reasoning-gym as benchmarks, with its verifiers as the reward (Stojanovski et al. 2025).

`reasoning-gym/TASK` for each of its tasks; rows are made, nothing is downloaded. Version 0.1.25 of the
package reasoning-gym (Apache-2.0, arXiv 2505.24760).

names.py    the tasks
family.py   a benchmark for each
rows.py     its rows: test rows are the package's own, training rows are others
dataset.py  a dataset of the package, by seed, size, level and configuration
entry.py    what a verifier needs of a row, as text that survives any file
verify.py   the reward `reasoning-gym`
guard.py    keeps verifiers from running what a model wrote

Not here: `composite`, which draws from other tasks: name these instead.
"""
