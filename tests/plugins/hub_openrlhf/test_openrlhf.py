"""What `hub export` wrote, run by OpenRLHF's own code: one process does it all, as its imports take seconds."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

import hub
from hub_openrlhf.export import ESTIMATORS

SCRIPT = Path(__file__).with_name("in_openrlhf.py")
KEYS = ["graded", "exact", "hub/missing", "hub/failed/graded", "hub/failed/exact"]


def rewards(groups: list[list[dict[str, Any]]]) -> list[list[float]]:
    return [[one["reward"] for one in group] for group in groups]


def listed(rollout: dict[str, Any]) -> dict[str, Any]:
    """As the remote protocol hands it over: each number in a list of one."""
    logs = {name: [value] for name, value in rollout["extra_logs"].items()}
    return {**rollout, "reward": [rollout["reward"]], "scores": [rollout["scores"]], "extra_logs": logs}


@contextmanager
def serving(mix: Path) -> Iterator[str]:
    """A service of the mix; yields its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("hub")), "serve", str(mix), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "it has ended"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_openrlhf_trains_with_a_mix(
    exporting: Callable[..., hub.Exported], in_trainers: Callable[..., Any], tmp_path: Path
) -> None:
    exported = [
        exporting(name, group_size=2 if name == "two" else 4)
        for name in ("plain", "two", "groups", "tokens", "changed")
    ]
    (tmp_path / "changed.toml").write_text('[[reward]]\nuse = "rewards.py:exact"\n')
    with serving(tmp_path / "plain.toml") as url:
        exported.append(exporting("plain", group_size=4, url=url))
        text = "\n".join(one.instructions for one in exported)
        (address,) = re.findall(rf"--reward.remote_url '({url}[^']*)'", text)
        flags = sorted(set(re.findall(r"--\w+\.[\w.]*\w", text)))
        found = in_trainers(SCRIPT, tmp_path, json.dumps({"url": address, "flags": flags}))
    check_values(found)
    check_advantages(found["advantages"])
    check_groups(found)
    assert "has changed since it was exported" in found["changed"]
    assert found["flags"]["unknown"] == []
    assert sorted(found["flags"]["estimators"]) == sorted(ESTIMATORS)


def check_values(found: dict[str, Any]) -> None:
    plain = found["plain"]
    assert rewards(plain) == [[1.0, 12.5 / 3, 3.5, 8.0], [1.0, 2.5, 2.5, 4.0]], "x failed: its group's mean"
    for one in (one for group in plain for one in group):
        assert list(one["extra_logs"]) == KEYS
        assert one["scores"] == one["reward"]
    logs = plain[0][1]["extra_logs"]
    assert (logs["hub/missing"], logs["hub/failed/graded"], logs["hub/failed/exact"]) == (1.0, 1.0, 0.0)
    assert found["function"] == plain, "reward_func gives what the executor gives"
    assert [[listed(one) for one in group] for group in plain] == found["service"], "and so does a service"
    of_all = {name: [four] for name, (four, _) in found["advantages"].items()}
    assert found["served_advantages"] == of_all, "for which one number in a list is a number"
    assert rewards(found["tokens"]) == [[2.0, 3.0]], "with the token at which the model stopped"
    # A prompt that was too long has lost its beginning.
    assert rewards(found["truncated"]["agent"]) == rewards(found["truncated"]["function"]) == [[0.5, 0.0]]


def check_advantages(found: dict[str, list[list[float]]]) -> None:
    """A failed sample (the second) has no advantage, and the others' are those of the group without it."""
    n, k = 4, 3
    factors = {
        "group_norm": sqrt((n - 1) / (k - 1)),
        "rloo": n * (k - 1) / ((n - 1) * k),
        "dr_grpo": 1.0,
        "reinforce_baseline": sqrt(n / k),  # whitened over the batch, whose only group it is
    }
    for name, factor in factors.items():
        four, three = found[name]
        assert four[1] == pytest.approx(0, abs=1e-5), name
        assert [four[0], *four[2:]] == pytest.approx([factor * value for value in three], rel=1e-4), name
    four, three = found["gae"]
    assert [four[0], *four[2:]] == three, "PPO has no baseline of a group: nothing moves at all"


def check_groups(found: dict[str, Any]) -> None:
    assert rewards(found["same_prompt"]) == [[42.0, 43.0, 44.0, 45.0]], "all four are seen, and equally long"
    assert rewards(found["many"]) == [[n % 10 + 30.0, 22 + 31.0, 3 + 30.0] for n in range(100)]
    assert rewards(found["sizes"]) == [[1 + 21.0] * 2, [1 + 51.0] * 5], "each of the size that is generated"
    assert rewards(found["outage"]) == [[3.5] * 4] * 60
