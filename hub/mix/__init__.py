"""Mixes: rewards with weights, routes, gates, schedules and a failure policy, scored together.

config.py    reads a mix from TOML or a mapping, and says where a mistake is
schedule.py  weights that change over training steps
gate.py      conditions on another reward's score
combine.py   from scores of each reward to one total per sample
under_way.py one batch on its way through the rewards
mix.py       the mix itself
"""
