"""A reward whose sandbox cannot be had when it is constructed: a failure of those samples, not of the run."""

from pathlib import Path

import pytest

import hub

REWARD = """
from pathlib import Path
import hub
from hub.errors import SandboxUnavailable

@hub.reward
class Needs:
    def __init__(self, folder: str, error: str = "sandbox") -> None:
        tried = len(list(Path(folder).iterdir()))
        Path(folder, str(tried)).touch()
        if tried < 2:  # when its worker starts, and when the first sample comes
            raise SandboxUnavailable("the engine is away") if error == "sandbox" else ValueError("it is broken")

    def __call__(self, sample: hub.Sample) -> float:
        return 1.0
"""


@pytest.mark.parametrize(
    ("error", "first", "later", "tries"),
    [("sandbox", "unavailable", "scored", 3), ("other", "setup", "setup", 1)],
)
def test_a_sandbox_that_is_away_is_asked_for_again_and_what_is_broken_is_not(
    tmp_path: Path, error: str, first: str, later: str, tries: int
) -> None:
    (tmp_path / "needs.py").write_text(REWARD)
    asked = tmp_path / "asked"
    asked.mkdir()
    reward = hub.find_reward(f"{tmp_path / 'needs.py'}:Needs").bind({"folder": str(asked), "error": error})
    with hub.Engine(1, cache=False) as engine:
        scores = [engine.score(reward, [hub.Sample("", str(n), {})])[0] for n in range(3)]
    found = [score.reason if score.outcome == "failed" else score.outcome for score in scores]
    assert found == [first, later, later]
    assert len(list(asked.iterdir())) == tries
