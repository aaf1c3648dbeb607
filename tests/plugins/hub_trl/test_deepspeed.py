"""GRPO with DeepSpeed, where deepspeed is installed; the first run compiles for a minute and more."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(("stage", "processes"), [(2, 1), (2, 2), (3, 2)])
def test_zero(model_folder: Path, tmp_path: Path, stage: int, processes: int) -> None:
    script = Path(__file__).with_name("in_deepspeed.py")
    launcher = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        f"--nproc_per_node={processes}",
    ]
    done = subprocess.run(
        [*launcher, str(script), str(model_folder), str(tmp_path), str(stage)],
        env={**os.environ, "DS_ACCELERATOR": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-8000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["wrapped"] == "DeepSpeedEngine"
    for entry in found["log"]:
        assert entry["rewards/largest-group/mean"] == 4, "a group is whole, whichever process has its samples"
        parts = entry["rewards/math/mean"] + 0.5 * entry["rewards/tokens/mean"] + 0.25 * 4
        assert entry["reward"] == pytest.approx(parts, abs=1e-6)
        assert entry["hub/missing"] == 0
