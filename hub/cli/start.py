"""What makes a command that loads a model start sooner, and end sooner."""

import gc
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from hub.errors import HubError

if TYPE_CHECKING:
    from hub.evaluation.plan import Plan


@contextmanager
def nothing_collected() -> Iterator[None]:
    """Import and load without collecting garbage; what is there afterwards is never looked at again.

    torch and transformers (2.13 and 5.23) make 600,000 objects that live as long as the process. Without this
    the collector walks through them again and again while they are made, and twice at the end: a quarter of
    the time that it takes to load a small model, and a second when the process ends.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()


def import_meanwhile(model: str, generator: str | None) -> threading.Thread:
    """Begin to import what completes prompts, while rows are read.

    What goes wrong is told when the model is loaded, which waits for the same import.

    Args:
        model: see `hub.open.open_generator`.
        generator: its name; None: by the form of the model.
    """
    from hub.open import find_generator
    from hub.plugins import open_target

    def import_it() -> None:
        with suppress(Exception):
            offer = find_generator(model, generator)
            open_target(offer.target, offer.origin)

    thread = threading.Thread(target=import_it, name="hub-import")  # no daemon: torch is not to be cut off
    thread.start()
    return thread


def warm_meanwhile(plans: "Sequence[Plan]") -> threading.Thread:
    """Begin to start the processes in which rewards run, while the model is loaded.

    Only where all rewards run in processes of their own: others would load their models at the same time.
    What goes wrong is told when the evaluation begins, which waits for the same processes.

    Args:
        plans: the evaluations.
    """
    from hub.reward import Lane

    def warm() -> None:
        for plan in plans:
            if all(reward.bound.lane is Lane.PROCESS for reward in plan.mix.rewards):
                with suppress(HubError):
                    plan.mix.warm()

    thread = threading.Thread(target=warm, name="hub-warm", daemon=True)
    thread.start()
    return thread
