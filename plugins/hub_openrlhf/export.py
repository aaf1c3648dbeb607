"""`hub export openrlhf`: the file that OpenRLHF loads, and the flags that name it."""

import shlex
from pathlib import Path

import hub
from hub.errors import ConfigError, nearest
from hub.training.needs import TOKENS, columns_needed, refuse_tokens
from hub.training.service_url import service_url
from hub_openrlhf.executor import refuse_schedule
from hub_openrlhf.settings import Settings

FILE = "hub_openrlhf_reward.py"
GROUPED = ("dr_grpo", "group_norm", "reinforce_baseline", "rloo")
ESTIMATORS = (*GROUPED, "flash_reinforce", "gae", "reinforce")
"""`--algo.advantage.estimator` of openrlhf 0.11.2."""
TAKEN = (
    "group_reward_std", "kl", "logprobs_diff", "response_clip_ratio", "response_length", "return", "reward",
    "score", "total_length", "truncated",
)  # fmt: skip
"""What OpenRLHF calls its own numbers, among which it logs the rewards' scores."""

_EXECUTOR = '''"""A mix of the hub for OpenRLHF, written by `hub export`; export again after a change."""

from hub_openrlhf.executor import agent_executor
from hub_openrlhf.settings import Settings

SETTINGS = {settings}

AgentExecutor = agent_executor(SETTINGS)
"""For --train.agent_func_path."""
'''
_FUNCTION = '''
function.widen_threads()


def reward_func(queries, prompts, labels):
    """For --reward.remote_url: returns the reward of one sample, and what to log."""
    return function.score(SETTINGS, queries, prompts, labels)
'''


def export(
    mix: hub.Mix,
    *,
    path: Path,
    sha256: str,
    out: Path,
    group_size: int = 8,
    estimator: str | None = None,
    label: str = "answer",
    label_key: str | None = None,
    url: str | None = None,
) -> hub.Exported:
    """Write the file that OpenRLHF loads and tell the flags; with a service's URL the flags only.

    Args:
        mix: what to score with.
        path: its file.
        sha256: the file's digest.
        out: the folder to write to.
        group_size: completions per prompt (`--rollout.n_samples_per_prompt`).
        estimator: `--algo.advantage.estimator`, e.g. "group_norm" (GRPO), "rloo", "gae" (PPO); by default
            "group_norm", or "reinforce_baseline" where the mix normalises rewards, as in GDPO.
        label: the column that a label (`--data.label_key`) becomes, unless it is a JSON object of columns.
        label_key: the data's column with the labels (`--data.label_key`).
        url: of a running `hub serve`, e.g. "http://host:8000".

    Raises:
        ConfigError: OpenRLHF cannot do what the mix needs.
    """
    normalizes = mix.config.aggregate == "normalize_then_sum"
    chosen = estimator or ("reinforce_baseline" if normalizes else "group_norm")
    _check(mix, chosen, group_size)
    common = [f"--rollout.n_samples_per_prompt {group_size}", f"--algo.advantage.estimator {chosen}"]
    if label_key is not None:
        common.append(f"--data.label_key {shlex.quote(label_key)}")
    if url is not None:
        return hub.Exported({}, _with_service(mix, url, path, group_size, label, common))
    settings = Settings(path=str(path), sha256=sha256, label=label, group_size=group_size)
    text, file = _EXECUTOR.format(settings=settings.source()), out / FILE
    lines = _command([f"--train.agent_func_path {shlex.quote(str(file))}", *common])
    lines += ["", "# --data.label_key names the column with the reference, or with a JSON object of columns."]
    if not mix.compares and TOKENS not in columns_needed(mix):
        text = _with_function(text)
        lines += [
            "",
            "# Where the executor must stay OpenRLHF's own, in place of --train.agent_func_path:",
            f"#   --reward.remote_url {shlex.quote(str(file))}",
        ]
    return hub.Exported({FILE: text}, "\n".join(lines))


def _check(mix: hub.Mix, estimator: str, group_size: int) -> None:
    if estimator not in ESTIMATORS:
        raise ConfigError(f"openrlhf 0.11.2 has no estimator {estimator!r}{nearest(estimator, ESTIMATORS)}")
    if group_size == 1 and (estimator in GROUPED or mix.compares):
        raise ConfigError(f"group_size=1: {estimator} of this mix compares completions of one prompt")
    refuse_schedule(mix)
    for name in mix.names:
        if name in TAKEN:
            raise ConfigError(
                f"OpenRLHF logs a {name!r} of its own: give this reward another `name` in the mix"
            )


def _with_function(text: str) -> str:
    """Return the file with `reward_func` in it too."""
    imports = "from hub_openrlhf.executor import agent_executor\n"
    text = text.replace(imports, f"from hub_openrlhf import function\n{imports}")
    return text + _FUNCTION


def _with_service(mix: hub.Mix, url: str, path: Path, group_size: int, label: str, common: list[str]) -> str:
    if mix.compares:
        raise ConfigError(
            f"{', '.join(mix.compares)}: needs whole groups, and OpenRLHF asks again for what waits longer "
            "than 180 s for its group: leave `url` out"
        )
    refuse_tokens(mix, "OpenRLHF's protocol")
    if "," in url:
        raise ConfigError(
            "give the URL of one service: OpenRLHF would spread the samples of a group over several"
        )
    query = {"group_size": group_size} | ({"label": label} if label != "answer" else {})
    address = service_url(url, "get_reward", query)
    return "\n".join([
        f"# The service: hub serve {shlex.quote(str(path))} --no-token (OpenRLHF can send none)",
        *_command([f"--reward.remote_url {shlex.quote(address)}", *common]),
    ])  # fmt: skip


def _command(flags: list[str]) -> list[str]:
    lines = [f"    {flag} \\" for flag in flags[:-1]]
    return ["python -m openrlhf.cli.train_ppo_ray \\", *lines, f"    {flags[-1]}"]
