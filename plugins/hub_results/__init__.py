"""`hub results`: what was evaluated, listed, shown sample by sample, and written in the formats of others.

listing.py           runs below a folder, as rows
samples.py           the samples of a run, chosen by outcome
tables.py            rows as CSV, Markdown or a table for a terminal
every_eval_ever.py   the schema of every_eval_ever 0.3.0
hugging_face.py      `.eval_results/*.yaml` of a model repository
lm_eval_files.py     files that lm-eval writes
import_lm_eval.py    its results as runs
"""
