"""`hub export tinker`."""

from pathlib import Path

import hub


def export(mix: hub.Mix, *, path: Path, sha256: str, out: Path, group_size: int = 8) -> hub.Exported:
    """Print the lines of Python for a data set of Tinker's cookbook; nothing is written.

    Args:
        mix: what to score with.
        path: its file.
        sha256: the file's digest.
        out: not used.
        group_size: completions per prompt.
    """
    text = f"""\
# in the get_batch(self, index) of your RLDataset, for each row:
from hub_tinker.group import MixGroupBuilder

MixGroupBuilder(
    renderer=self.renderer,
    prompt=[{{"role": "user", "content": row["question"]}}],
    columns={{"answer": row["answer"]}},  # what the mix reads of a row
    path={str(path)!r},
    sha256={sha256!r},
    group_size={group_size},
    step=index,
)"""
    return hub.Exported({}, text)
