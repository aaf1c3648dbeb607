"""Evaluations of chat, graded by a language model: MT-Bench and AlpacaEval 2.

find_data.py   the user's copy of a benchmark's files
mt_bench.py    MT-Bench: two turns, a rating each; or both against a baseline's answers
templates.py   the judge prompts that a benchmark's data defines, as the judges' rewards take them
alpaca.py      AlpacaEval 2: preferences from log-probabilities, against a baseline
spread.py      which rows have controls judged beside them
metrics.py     turns, win rates, lengths, controls
answers.py     answers that were made before, from a file

Prompts, questions and baselines are read from the user's copy. The judges are rewards of another plugin,
asked for by name: `judge` and `judge-versus`.
"""
