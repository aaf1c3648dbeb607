"""What a mix needs of a row, and whether a trainer gives it to a reward."""

from hub.errors import ConfigError
from hub.mix.mix import Mix

TOKENS = "completion_ids"
"""The column with the completion's token ids, which some trainers give to rewards."""


def columns_needed(mix: Mix) -> dict[str, list[str]]:
    """Return the data's columns without which a reward of a mix cannot score, with the rewards' names.

    Routes (`when`) count too. So does `completion_ids` where a reward that may read it was told to count
    tokens (`unit = "tokens"`). What a reward does not declare is not known.
    """
    found: dict[str, list[str]] = {}
    for reward in mix.rewards:
        declared, table = reward.bound.reward, reward.config
        needs = {table.map.get(name, name) for name in declared.needs or ()} | set(table.when)
        if TOKENS in declared.uses and "tokens" in reward.bound.options.values():
            needs.add(table.map.get(TOKENS, TOKENS))
        for column in sorted(needs):
            found.setdefault(column, []).append(reward.name)
    return found


def refuse_tokens(mix: Mix, who: str) -> None:
    """Raise where a mix needs the completion's tokens, which somebody does not give to a reward.

    Args:
        mix: the mix.
        who: who does not give them, for the message.

    Raises:
        ConfigError: it needs them.
    """
    if names := columns_needed(mix).get(TOKENS):
        raise ConfigError(
            f"{', '.join(names)}: needs the completion's tokens (the column {TOKENS!r}), which {who} does "
            "not give: leave it out, or measure characters or words; docs/trainers.md says who does"
        )
