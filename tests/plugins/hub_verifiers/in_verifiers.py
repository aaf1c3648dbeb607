"""Tasks of verifiers with the exported reward plugged in by TOML; prints their traces as JSON.

Arguments: the exported folder. Of what verifiers imports, what runs agents (clouds, other model APIs) is stood in for.
"""

import asyncio
import importlib.abc
import importlib.machinery
import json
import sys
import tomllib
from pathlib import Path
from types import ModuleType

MISSING = {"anthropic", "prime_sandboxes", "opentelemetry", "connectrpc", "tomli_w"}


class StandIn(ModuleType):
    """A module that has everything: exceptions and empty classes."""

    __path__: list[str] = []

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (Exception,) if name.endswith("Error") else (), {})


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        is_missing = name.partition(".")[0] in MISSING
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if is_missing else None

    def create_module(self, spec):
        return StandIn(spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.append(Finder())
import verifiers.v1 as vf  # noqa: E402
from verifiers.v1.configs.task import TaskConfig  # noqa: E402
from verifiers.v1.errors import TaskError  # noqa: E402
from verifiers.v1.graph import MessageNode  # noqa: E402
from verifiers.v1.trace import AgentInfo, TraceTask  # noqa: E402
from verifiers.v1.types import AssistantMessage  # noqa: E402


class Question(vf.TaskData):
    answer: str
    level: int = 0


QUESTION = Question(prompt="2+2?", answer="4", level=2, name="5")


async def scored(lines, text, data=QUESTION, reasoning=None):
    task = vf.Task(data, TaskConfig(**tomllib.loads(lines)["env"]["taskset"]["task"]))
    message = AssistantMessage(content=text, reasoning_content=reasoning)
    trace = vf.Trace(
        task=TraceTask(type="Task", data=data),
        agent=AgentInfo.model_construct(name="agent"),
        nodes=[MessageNode(message=message, sampled=True)],
    )
    error = ""
    try:
        await task.score(trace)
    except TaskError as raised:
        error = f"{raised} {raised.__cause__}"
    return {"reward": trace.reward, "metrics": trace.metrics, "error": error}


async def main():
    lines = (Path(sys.argv[1]) / "lines.toml").read_text()
    plain = [await scored(lines, text) for text in ("4", "5", "break")]
    return [*plain, await scored(lines, "4", reasoning="so")]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
