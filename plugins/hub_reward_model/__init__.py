"""Models that score: reward models, and process reward models that score every step.

plugin.py           offers the rewards
reward_model.py     `reward-model`: one value for a completion
process_model.py    `process-reward-model`: one value for each step of it
loaded.py           a model and its tokenizer, loaded once for all rewards that use it
written.py          prompt and completion as the model's tokens
steps.py            a completion as steps, and one value of theirs
batches.py          many of them through the model, the longest first

Not here: models on several GPUs (serve them, and write a reward that asks the server), pairwise models that
see two completions at once, images.
"""
