"""The first benchmarks: mathematics with a checkable answer, and programs with tests.

arithmetic.py  sums, differences and products, generated
gsm8k.py       grade-school word problems
gsm_hard.py    the same with large, odd numbers
svamp.py       arithmetic word problems, varied to mislead
humaneval.py   functions from their docstrings
mbpp.py        short programs from a sentence
own_math.py    MATH, MATH-500 and AIME, from the user's own copy
own_data.py    finds that copy: a file, a folder, a dataset of the dataset hub
find_data.py   where the others' data is: the user's own folder, or the dataset hub
question.py    the prompt they share, and how a number is written
"""
