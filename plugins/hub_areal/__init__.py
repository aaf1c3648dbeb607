"""AReaL: a mix as a rollout workflow (facts: areal 1.0.4).

AReaL calls a reward function in a pool of processes, gives it 15 seconds and takes 0 for what takes longer.
Each process of the pool would need an engine of its own, none would see a group, and a failure would be a
score. So `hub_areal.workflow.MixWorkflow` is its workflow for one turn, `RLVRWorkflow`, with the mix in
place of that pool: the samples of a group come to one engine, without the event loop being blocked. `hub
export areal mix.toml --out dir` prints how it is named to the trainer.

What it cannot do: weights that change over steps, as a workflow is not told the step.
"""
