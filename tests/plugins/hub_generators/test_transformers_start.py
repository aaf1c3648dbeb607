"""What a command leaves out to start sooner changes no completion."""

import json
import os
import subprocess
import sys
from pathlib import Path

from hub import Decoding
from hub.open import open_generator

PROMPTS = ["2+2?", "A longer question: what is 2+2?"]
SCRIPT = """\
import json, sys
from hub import Decoding
from hub.deferred import this_process_is_ours
from hub.open import open_generator

this_process_is_ours()
generator = open_generator(sys.argv[1], "transformers")
made = [(c.index, c.text) for c in generator.generate(json.loads(sys.argv[2]), Decoding(8))]
left_out = ["accelerate", "scipy", "sklearn", "sympy", "torch._dynamo", "torch.distributed.tensor"]
there = [name for name in left_out if name in sys.modules]

import torch
import torch._dynamo
import transformers.masking_utils

assert torch._dynamo.disable(len)([1]) == 1
with transformers.masking_utils.TransformGetItemToIndex():
    pass
functions = [one for one in vars(torch._refs).values() if hasattr(one, "__wrapped__")]
assert functions and not any(hasattr(one.__wrapped__, "__dynamo_disable") for one in functions)
print(json.dumps([made, there]))
"""


def test_a_command_completes_the_same_without_what_it_does_not_need(plain_model: Path) -> None:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(plain_model), json.dumps(PROMPTS)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    made, there = json.loads(done.stdout.splitlines()[-1])
    assert there == []
    generator = open_generator(str(plain_model), "transformers")
    assert made == [[c.index, c.text] for c in generator.generate(PROMPTS, Decoding(8))]
