"""What the exported file says, and the mix that it names."""

from dataclasses import dataclass, fields

import hub
from hub.mix.config import Source
from hub.training.from_file import mix_of
from hub.training.waiting import SURE_S


@dataclass(frozen=True)
class Settings:
    """What `hub export` was told.

    Args:
        path: the mix file.
        sha256: its digest when it was exported.
        answer: the column that `reward_model.ground_truth` becomes.
        raw: verl normalises each reward itself (GDPO), so the total is the weighted sum of raw values.
        group_size: completions per prompt; where verl's configuration says it, that counts.
        group_by: the column of `extra_info` that `compute_score` knows a prompt by.
        prompt: the column of `extra_info` with the prompt's text, for `compute_score`; None: there is none.
        validation: values of `extra_info.split` that mark rows of the validation data.
        wait_s: seconds without a new sample after which a group is closed as it is; a minute at most where
            its size is not sure and nothing is compared.
    """

    path: str
    sha256: str
    answer: str = "answer"
    raw: bool = False
    group_size: int = 8
    group_by: str = "index"
    prompt: str | None = None
    validation: tuple[str, ...] = ("test", "val", "validation")
    wait_s: float = SURE_S

    def mix(self) -> hub.Mix:
        """Read the mix.

        Raises:
            ConfigError: it has changed since it was exported, or is wrong.
        """
        mix = mix_of(self.path, self.sha256)
        if not self.raw:
            return mix
        source, tables = Source.read(self.path)
        return hub.Mix.from_tables({**tables, "aggregate": "sum"}, source)

    def source(self) -> str:
        """Return these settings as Python, one to a line."""
        lines = (f"    {field.name}={getattr(self, field.name)!r},\n" for field in fields(self))
        return f"Settings(\n{''.join(lines)})"
