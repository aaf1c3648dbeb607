"""`hub export torchforge`."""

from pathlib import Path

import hub
from hub.errors import ConfigError
from hub.training.needs import refuse_tokens


def export(mix: hub.Mix, *, path: Path, sha256: str, out: Path, label: str = "answer") -> hub.Exported:
    """Print the lines of Python for the GRPO app; nothing is written.

    Args:
        mix: what to score with.
        path: its file.
        sha256: the file's digest.
        out: not used.
        label: which column of the hub the row's target becomes.

    Raises:
        ConfigError: a weight changes over steps, or the mix needs the completions' tokens.
    """
    refuse_tokens(mix, "torchforge")
    if mix.is_scheduled:
        raise ConfigError(
            "a weight changes over steps, but torchforge tells a reward no step: give constants"
        )
    reward = f"Reward({str(path)!r}, sha256={sha256!r}, label={label!r})"
    simple = f"""\
# As it is, apps/grpo/main.py takes a function; a sample without a total then gets the mean of what is known:
from hub_torchforge.reward import Reward

RewardActor.options(**cfg.services.reward_actor).as_service(reward_functions=[{reward}])
"""
    if mix.compares:
        simple = f"# {', '.join(mix.compares)}: needs all samples of a prompt, so it takes the actor below.\n"
    whole = f"""
# For whole groups, in apps/grpo/main.py: an actor in place of RewardActor,
from hub_torchforge.reward import Reward


@dataclass
class HubRewardActor(ForgeActor):
    reward: Reward

    @endpoint
    async def evaluate_group(self, prompt: str, responses: list[str], target: str) -> list[float]:
        scored = await self.reward.group(prompt, responses, target)
        for one in scored:
            for name, value in one.numbers().items():
                record_metric(f"reward/{{name}}", value, Reduce.MEAN)
        return [one.value for one in scored]


# made so:
HubRewardActor.options(**cfg.services.reward_actor).as_service(reward={reward})
# and asked once for the group, before the loop over its responses:
rewards = await reward_actor.evaluate_group.route(
    prompt=prompt, responses=[response.text for response in responses], target=target
)
# with, inside the loop: episode.reward = rewards[i]"""
    return hub.Exported({}, simple + whole)
