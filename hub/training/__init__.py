"""What the adapters of trainers share.

trainer.py    how a plugin offers a trainer, for `hub export`
lower.py      what a trainer that knows no missing value is given in its place
gather.py     samples that a trainer hands over one by one, scored in batches and whole groups
from_file.py  a mix file in a trainer's process, the same as when it was exported
"""
