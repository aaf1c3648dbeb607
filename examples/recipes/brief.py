"""A reward of one's own: nothing to install, named by its file in `own_reward.toml`."""

import hub


@hub.reward(range=(0.0, 1.0))
def brief(sample: hub.Sample) -> float:
    """1.0 for at most 20 words, falling to 0.0 at 60."""
    words = len(sample.text.split())
    return max(0.0, min(1.0, (60 - words) / 40))
