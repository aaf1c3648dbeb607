"""Evaluation: a benchmark, a model, and a folder with every completion and score.

plan.py         what is evaluated: rows, mix, decoding; checked before a model is loaded
recipe.py       what a run is known by, so that two different ones never share a folder
folder.py       the folder: what is appended survives a kill, and an interrupted run goes on
turns.py        conversations: rows that go on from the answer to an earlier row
likelihood.py   answers rows: by completing prompts, or by how likely given texts are
valued.py       evaluates rewards: on rows that come with completions
grading.py      scores completions while others are still being made
run.py          puts these together
summary.py      result.json: scores, coverage, what was run
table.py        results for a person
statistics.py   means, intervals, pass@k
quantiles.py    what intervals need of distributions
votes.py        maj@k
overlap.py      refuses to train on what is tested on
fingerprint.py  knows a model again
provenance.py   where and with what it ran
"""
