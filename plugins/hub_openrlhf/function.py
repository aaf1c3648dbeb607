"""The reward as a function, for `--reward.remote_url FILE.py`."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import hub
from hub.errors import BadInput
from hub.training.completion import start_of, without_end
from hub.training.from_file import gatherer_of
from hub.training.label import columns_of_label
from hub.training.waiting import UNSURE_S
from hub_openrlhf.settings import Settings

THREADS = 1024
"""Samples that may be scored, or wait for their group, at once in one rollout actor."""
_log = logging.getLogger(__name__)


def score(
    settings: Settings, queries: Sequence[str], prompts: Sequence[str], labels: Sequence[Any]
) -> dict[str, Any]:
    """Return the reward of the one sample that OpenRLHF gives; blocks until it is there.

    A sample that has no total waits for those of its group, a minute at most for each: in an evaluation,
    which OpenRLHF does not tell from training, there may be fewer.

    Args:
        settings: what was exported.
        queries: the prompt and response as one text.
        prompts: the prompt.
        labels: the label.

    Raises:
        ConfigError: the mix has changed since it was exported.
        BadInput: it is not one sample, or the response cannot be told from the prompt.
    """
    try:
        if not len(queries) == len(prompts) == len(labels) == 1:
            raise BadInput(
                f"OpenRLHF gives one sample at a time, but here are {len(queries)} queries, {len(prompts)} "
                f"prompts and {len(labels)} labels"
            )
        (query,), (prompt,), (label,) = queries, prompts, labels
        gatherer = gatherer_of(settings.path, settings.sha256, settings.group_size, wait_s=UNSURE_S)
        columns = columns_of_label(label, settings.label)
        sample = hub.Sample(prompt, response_of(query, prompt), columns)
        lowered = gatherer.score(sample)
    except Exception:
        _log.exception("the reward of a sample could not be computed")  # OpenRLHF hides it, and fails later
        raise
    return {"rewards": lowered.value, "scores": lowered.value, "extra_logs": lowered.numbers()}


def response_of(query: str, prompt: str) -> str:
    """Return the response in a query, which is the prompt and the response with all special tokens.

    Raises:
        BadInput: the query does not start with the prompt, nor with the end of it.
    """
    start = start_of(query, prompt)
    if start is None:
        raise BadInput(
            f"the query does not start with the prompt ({query[:60]!r}, {prompt[:60]!r}), so the response is "
            "not known: use the executor (--train.agent_func_path), which has its tokens"
        )
    return without_end(query[start:])


def widen_threads() -> None:
    """Give the running event loop, if there is one, threads enough for samples that wait.

    OpenRLHF loads the exported file on its rollout actor's event loop, and calls the reward in that loop's
    threads, of which there are min(32, CPUs + 4): as many failed samples, each waiting for the rest of its
    group, would leave none to score the rest.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    loop.set_default_executor(ThreadPoolExecutor(THREADS, "hub-openrlhf"))
