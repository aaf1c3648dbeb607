"""Mixes: rewards with weights, routes, gates, schedules and a failure policy, scored together.

config.py    reads a mix from TOML or a mapping, and says where a mistake is
schedule.py  weights that change over training steps
gate.py      conditions on another reward's score
combine.py   from scores of each reward to one total per sample
mix.py       the mix itself
"""
