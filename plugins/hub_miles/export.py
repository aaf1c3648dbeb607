"""`hub export miles` and `hub export slime`."""

import re
import shlex
from pathlib import Path

import hub
from hub.errors import ConfigError
from hub.training.needs import columns_needed
from hub.training.service_url import service_url
from hub_miles.groups import TOTAL
from hub_miles.reward import SCHEDULE

_MODULE = '''"""The reward of a mix for Miles and slime.

Written by `hub export`; after a change of the mix, do so again.
"""

from hub_miles.reward import score

PATH = {path!r}
SHA256 = {sha256!r}


async def reward(args, sample, **kwargs):
    """Return a sample's reward, or those of a list of samples (see `hub_miles.reward.score`)."""
    return await score(args, sample, path=PATH, sha256=SHA256, label={label!r})
'''
_HOOKS = (
    f"--reward-key {TOTAL}",
    "--custom-reward-post-process-path hub_miles.post_process.masked_normalization",
    "--custom-rollout-log-function-path hub_miles.log.rollout",
    "--custom-eval-rollout-log-function-path hub_miles.log.evaluation",
)
_INSTALLED = "posttrain-hub must be installed where the rollouts are"


def export(
    mix: hub.Mix,
    *,
    path: Path,
    sha256: str,
    out: Path,
    label: str = "answer",
    label_key: str | None = None,
    metadata_key: str | None = None,
    url: str | None = None,
) -> hub.Exported:
    """Write the module with the custom reward and the flags; with a service's URL the flags only.

    Args:
        mix: what to score with.
        path: its file.
        sha256: the file's digest.
        out: the folder to write to.
        label: which column of the hub a sample's label becomes.
        label_key: the data's column with the labels (`--label-key`).
        metadata_key: the data's column with other columns (`--metadata-key`); for the trainer "metadata".
        url: of a running `hub serve`, e.g. "http://host:8000", for `--rm-type remote_rm`; None: score where
            the rollouts are.

    Raises:
        ConfigError: a weight changes over steps; or, with a URL, the mix needs more than the prompt, the
            response and the label.
    """
    if mix.is_scheduled:
        raise ConfigError(SCHEDULE)
    hooks = [*_HOOKS]
    for flag, key in (("--label-key", label_key), ("--metadata-key", metadata_key)):
        if key is not None:
            hooks.append(f"{flag} {shlex.quote(key)}")
    if url is not None:
        _check_remote(mix, label)
        address = shlex.quote(service_url(url, "remote_rm", {"missing": "mean", "label": label}))
        notes = [_INSTALLED, "Miles asks once: a request that fails ends the run"]
        return hub.Exported({}, _text(notes, [f"--rm-type remote_rm --rm-url {address}", *hooks]))
    name = "hub_miles_" + re.sub(r"\W", "_", path.stem)
    flags = [f"--custom-rm-path {name}.reward", *hooks]
    notes = [_INSTALLED, f"Ray's runtime environment needs, in its env_vars: PYTHONPATH={out}"]
    if mix.compares:
        flags.append("--group-rm")
        notes.append(f"{', '.join(mix.compares)}: needs whole groups, so there can be no evaluation")
        notes.append("during training: these trainers refuse --group-rm there")
    module = _MODULE.format(path=str(path), sha256=sha256, label=label)
    return hub.Exported({f"{name}.py": module}, _text(notes, flags))


def _text(notes: list[str], flags: list[str]) -> str:
    return "\n".join([*(f"# {note}" for note in notes), " \\\n".join(flags)])


def _check_remote(mix: hub.Mix, label: str) -> None:
    if mix.compares:
        raise ConfigError(
            f"{', '.join(mix.compares)}: needs whole groups, which remote_rm does not send: leave `url` out"
        )
    for column, names in columns_needed(mix).items():
        if column != label:
            raise ConfigError(
                f"the reward {names[0]!r} needs the column {column!r}, but remote_rm sends only the "
                f"prompt, the response and the label ({label!r}): leave `url` out"
            )
