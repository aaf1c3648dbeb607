"""The rows through the custom reward of Miles: `python in_miles.py FOLDER`, with what was exported in it."""

import asyncio
import json
import sys
from argparse import Namespace
from pathlib import Path

from miles.rollout.rm_hub import async_rm, batched_async_rm
from miles.utils.types import Sample

FOLDER = Path(sys.argv[1])
ROWS = [json.loads(line) for line in (FOLDER / "rows.jsonl").read_text().splitlines()]
sys.path.insert(0, str(FOLDER / "miles"))


def sample_of(number, row):
    metadata = {key: value for key, value in row.items() if key not in ("prompt", "completion", "answer")}
    given = {
        "prompt": row["prompt"],
        "response": f"{row['completion']}<|im_end|>",  # as the trainer keeps it
        "label": row["answer"],
        "metadata": metadata,
    }
    return Sample(index=number, group_index=number // 4, status=Sample.Status.COMPLETED, **given)


async def run():
    (file,) = (FOLDER / "miles").glob("*.py")
    arguments = Namespace(custom_rm_path=f"{file.stem}.reward", group_rm=False, n_samples_per_prompt=4)
    arguments.rm_type = arguments.rm_url = None
    one_by_one = [sample_of(number, row) for number, row in enumerate(ROWS)]
    rewards = await asyncio.gather(*(async_rm(arguments, sample) for sample in one_by_one))
    groups = Namespace(**{**vars(arguments), "group_rm": True})
    whole = []
    for start in range(0, len(ROWS), 4):
        whole += await batched_async_rm(groups, [sample_of(start + k, ROWS[start + k]) for k in range(4)])
    return [
        [[one["hub/total"].hex(), bool(one["hub/missing"])] for one in found] for found in (rewards, whole)
    ]


print(json.dumps(asyncio.run(run())))
