"""What the exported file says."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Settings:
    """What `hub export` was told.

    Args:
        path: the mix file.
        sha256: its digest when it was exported.
        label: the column that a label becomes; one that is a JSON object holds columns by name instead.
        group_size: completions per prompt, for `reward_func`; the executor finds it out.
    """

    path: str
    sha256: str
    label: str = "answer"
    group_size: int = 8

    def source(self) -> str:
        """Return these settings as Python, one to a line."""
        lines = (f"    {field.name}={getattr(self, field.name)!r},\n" for field in fields(self))
        return f"Settings(\n{''.join(lines)})"
