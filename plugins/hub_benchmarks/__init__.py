"""Benchmarks with answers that a program can check, and rewards that grade some of them.

arithmetic.py  sums, differences and products, generated
gsm8k.py       grade-school word problems
gsm_hard.py    the same with large, odd numbers
svamp.py       arithmetic word problems, varied to mislead
humaneval.py   functions from their docstrings
mbpp.py        short programs from a sentence
cruxeval.py    outputs and inputs of functions, to be told
bbh.py         BIG-Bench Hard
truthfulqa.py  TruthfulQA, by letter and by likelihood
ifeval.py      IFEval's prompts
preferences.py pairs of completions, to evaluate rewards on
length_bias.py, sections.py, ties.py: what is reported of these beside accuracy
own_math.py    MATH, MATH-500 and AIME, from the user's own copy
own_data.py    finds that copy: a file, a folder, a dataset of the dataset hub
find_data.py   where the others' data is: the user's own folder, or the dataset hub
share.py       takes a part of what is all for testing to train on
question.py    the prompt they share, and how a number is written
follow.py      the reward ifeval
instructions.py, words.py, language.py: its 25 checks
final_answer.py, literal.py, likeliest.py, prefers.py: the rewards of the same names
"""
