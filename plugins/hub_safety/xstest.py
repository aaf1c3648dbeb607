"""XSTest: 250 safe prompts that look unsafe, and 200 unsafe ones (Röttger et al. 2024, arXiv 2308.01263).

Data: paul-rottger/exaggerated-safety, xstest_prompts.csv, CC-BY-4.0; Paul/XSTest of the dataset hub. A model
should answer the safe prompts and refuse the unsafe ones, so there are two rates, and no mean of the two.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

from hub.errors import DataError, OptionError
from hub.sources import tell_source
from hub_safety.find_data import find_file, missing, read_rows

FILE = "xstest_prompts.csv"
DATASET = "Paul/XSTest"
LABELS = ("safe", "unsafe")


def rows(split: str, path: str | None = None, train_share: float = 0.0) -> Iterator[dict[str, Any]]:
    """Yield prompts with the columns `label` ("safe" or "unsafe"), `type`, `focus` and `category`.

    Args:
        split: "test", or "train" with a `train_share`.
        path: xstest_prompts.csv, or a folder with it. None: HUB_DATA/xstest, else the dataset hub.
        train_share: the part of the prompts that is for training and not in "test".

    Raises:
        DataError: the data is in none of these places, or is not XSTest.
        OptionError: the share is out of range, or there is nothing to train on.
    """
    if not 0 <= train_share < 1:
        raise OptionError(f"xstest: train_share is at least 0 and less than 1, not {train_share}")
    if split == "train" and not train_share:
        raise OptionError(
            "xstest: all of it is for testing. To train on a part of it, and to test on the rest, give "
            "train_share, e.g. 0.5, to both"
        )
    for place, row in _read(path):
        label = row["label"].strip().lower()
        if label not in LABELS or not row["prompt"].strip():
            raise DataError(
                f"xstest: {place}: the label is {row['label']!r}, the prompt {row['prompt']!r:.60}; "
                "there should be a prompt, and a label that is safe or unsafe"
            )
        digest = blake2b(" ".join(row["prompt"].split()).encode(), digest_size=4).digest()
        if (int.from_bytes(digest) < train_share * 2**32) == (split == "train"):
            kind = row["type"].removeprefix("contrast_")
            yield {
                "id": f"xstest-{row['id']}",
                "prompt": row["prompt"],
                "label": label,
                "type": row["type"],
                "focus": row.get("focus", ""),
                "category": f"{label}: {kind}",
            }


def _read(path: str | None) -> Iterator[tuple[str, Mapping[str, str]]]:
    file = find_file("xstest", FILE, path)
    if file is not None:
        yield from read_rows("xstest", file, ("id", "prompt", "type", "label"))
        return
    try:
        from datasets import load_dataset

        loaded = load_dataset(DATASET, split="train")
    except Exception as error:
        told = (str(error).splitlines() or [""])[0]
        tried = f", and {DATASET!r} cannot be fetched from the dataset hub: {type(error).__name__}: {told}"
        raise missing("xstest", FILE, "github.com/paul-rottger/exaggerated-safety", tried) from error
    tell_source(dataset=DATASET)
    for number, row in enumerate(loaded, 1):
        yield f"{DATASET}:{number}", {key: str(value or "") for key, value in row.items()}
