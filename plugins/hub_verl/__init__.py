"""The hub's rewards in verl (facts: verl 0.9.1).

`hub export verl mix.toml --out dir` writes `hub_verl_reward.py` and prints the overrides. In that file are

HubRewardManager   for training: scores through the engine, knows each sample's group and step   (manager.py)
compute_score      for verl's own reward managers; it knows less                                 (function.py)
evaluate           for `python -m verl.trainer.main_eval`                                        (function.py)

scores.py is where samples are scored: in the reward worker, or, where verl spreads a group over several of
them, in one Ray actor that they share.

What it cannot do: the colocated reward model of verl (`reward.reward_model.enable=True`), which verl takes
in place of a reward manager; images, audio and the inner turns of an agent loop, of which verl gives only the
last output.
"""
