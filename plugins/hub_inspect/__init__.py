"""Inspect and the hub: benchmarks as Inspect's tasks, rewards and mixes as its scorers.

    inspect eval hub/gsm8k --model openai/gpt-5
    inspect eval hub/benchmark -T use=reasoning-gym/chain_sum --model hf/Qwen/Qwen3-0.6B
    inspect score log.eval --scorer hub/math

    task.py      a benchmark as a task
    scorer.py    a mix, or one reward, as a scorer
    convert.py   between Inspect's samples and scores and the hub's
    together.py  scores what comes at the same time in one call, for models on a GPU
    registry.py  what Inspect finds: its entry point

A sample that could not be scored becomes `Score.unscored`, which Inspect leaves out of metrics and counts.
Not here: benchmarks of likelihoods, and mixes that compare the completions of a prompt, as Inspect scores
one at a time.
"""
