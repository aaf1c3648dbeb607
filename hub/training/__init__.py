"""What the adapters of trainers share.

trainer.py    how a plugin offers a trainer, for `hub export`
needs.py      what a mix needs of a row, and whether a trainer gives it
lower.py      what a trainer that knows no missing value is given in its place
gather.py     samples that a trainer hands over one by one, scored in batches and whole groups
waiting.py    how long such a group waits for another of its samples
completion.py where a completion begins and ends in a text that a trainer hands over
label.py      from the label, where it is all that a trainer hands over of a row, to columns
service_url.py  the address of a reward service as a trainer is given it
from_file.py  a mix file in a trainer's process, the same as when it was exported
"""
