"""GRPO with DeepSpeed, where deepspeed is installed; the first run compiles for a minute and more."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def test_zero_2(model_folder: Path, tmp_path: Path) -> None:
    script = Path(__file__).with_name("in_deepspeed.py")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=1"]
    done = subprocess.run(
        [*launcher, str(script), str(model_folder), str(tmp_path)],
        env={**os.environ, "DS_ACCELERATOR": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-8000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["wrapped"] == "DeepSpeedEngine"
    for entry in found["log"]:
        parts = entry["rewards/math/mean"] + 0.5 * entry["rewards/tokens/mean"]
        assert entry["reward"] == pytest.approx(parts, abs=1e-6)
        assert entry["hub/missing"] == 0
