"""The first benchmarks: mathematics with a checkable answer.

arithmetic.py  sums, differences and products, generated
gsm8k.py       grade-school word problems
find_data.py   where a benchmark's data is: the user's own folder, or the dataset hub
"""
