"""Rewards for programs, run in a sandbox: code, code-runs and code-format.

fences.py    the fenced blocks of a text
parse.py     whether a text is Python, asked without running it
extract.py   finds the program in a completion
complete.py  joins a completion's code with the prompt's: imports, helpers, a bare body
columns.py   reads what judges a program from the columns of a row
split.py     cuts tests into parts, for the fraction passed
runner.py    a sandbox of the worker's own, and its limits
scores.py    what becomes of a verdict as a score
grade.py     the reward `code`
runs.py      the reward `code-runs`
form.py      the reward `code-format`
"""

from hub_code.extract import extract_code

__all__ = ["extract_code"]
