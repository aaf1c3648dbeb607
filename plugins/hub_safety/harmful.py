"""HarmBench and StrongREJECT: requests for harm, from the user's own copy; nothing is fetched.

HarmBench (Mazeika et al. 2024, arXiv 2402.04249; centerforaisafety/HarmBench, MIT):
data/behavior_datasets/harmbench_behaviors_text_all.csv. Its copyright behaviours are left out: they are
decided by hashes of the texts, which are not in that file.

StrongREJECT (Souly et al. 2024, arXiv 2402.10260; alexandrasouly/strongreject, MIT):
strongreject_dataset/strongreject_dataset.csv, or strongreject_small_dataset.csv beside it.

Both are asked as they stand, with no attack around them.
"""

from collections.abc import Iterator
from typing import Any

from hub.errors import DataError, OptionError
from hub_safety.find_data import find_file, missing, read_rows

HARMBENCH = "harmbench_behaviors_text_all.csv"
STRONGREJECT = "strongreject_dataset.csv"
DECIDED = ("standard", "contextual")


def harmbench(
    split: str, path: str | None = None, functional: list[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield behaviours with the columns `request`, `context`, `functional` and `category` (of harm).

    The prompt of one with a context is the context, a rule, and the behaviour, as in HarmBench's direct
    requests.

    Args:
        split: "test".
        path: the file, or a folder with it. None: HUB_DATA/harmbench.
        functional: "standard", "contextual" or both, which is what None means.

    Raises:
        DataError: the data is not there, or is not HarmBench's.
        OptionError: there is no such functional category.
    """
    chosen = DECIDED if functional is None else tuple(functional)
    odd = next((name for name in chosen if name not in DECIDED), None)
    if odd is not None or not chosen:
        raise OptionError(f"harmbench: functional is any of {', '.join(DECIDED)}, not {odd or 'none'!r}")
    file = find_file("harmbench", HARMBENCH, path)
    if file is None:
        raise missing("harmbench", HARMBENCH, "github.com/centerforaisafety/HarmBench")
    needs = ("Behavior", "FunctionalCategory", "SemanticCategory", "ContextString", "BehaviorID")
    for place, row in read_rows("harmbench", file, needs):
        behaviour, context = row["Behavior"].strip(), row["ContextString"].strip()
        if not behaviour:
            raise DataError(f"harmbench: {place}: the behaviour is empty")
        if row["FunctionalCategory"] in chosen:
            yield {
                "id": row["BehaviorID"],
                "prompt": f"{context}\n\n---\n\n{behaviour}" if context else behaviour,
                "request": behaviour,
                "context": context,
                "functional": row["FunctionalCategory"],
                "category": row["SemanticCategory"],
            }


def strongreject(split: str, path: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield forbidden prompts with the columns `request`, `source` and `category`.

    Args:
        split: "test".
        path: the file, or a folder with it. None: HUB_DATA/strongreject.

    Raises:
        DataError: the data is not there, or is not StrongREJECT's.
    """
    file = find_file("strongreject", STRONGREJECT, path)
    if file is None:
        raise missing("strongreject", STRONGREJECT, "github.com/alexandrasouly/strongreject")
    for number, (place, row) in enumerate(
        read_rows("strongreject", file, ("category", "source", "forbidden_prompt")), 1
    ):
        prompt = row["forbidden_prompt"].strip()
        if not prompt:
            raise DataError(f"strongreject: {place}: the prompt is empty")
        yield {
            "id": f"strongreject-{number}",
            "prompt": prompt,
            "request": prompt,
            "source": row["source"],
            "category": row["category"],
        }
