"""Imports transformers without what no language model needs to complete a prompt, where that may be.

transformers 5.23 imports, with any model, FSDP and tensor parallelism, torch's compiler, accelerate,
scikit-learn and SciPy: half of the time until a small model's first token. `hub eval` defers them.
"""

import sys
from pathlib import Path
from typing import Any

from hub.deferred import deferred

NOT_NEEDED = (
    "accelerate",
    "scipy",
    "scipy.optimize",
    "sklearn",
    "sklearn.metrics",
    "torch._dynamo",
    "torch.distributed._composable",
    "torch.distributed._functional_collectives",
    "torch.distributed.checkpoint",
    "torch.distributed.fsdp",
    "torch.distributed.tensor",
    "torch.nn.attention.flex_attention",
)


def import_transformers() -> None:
    """Import transformers and what every model of it imports.

    Where it cannot be done without the packages above, as another version may need one of them at once, it is
    done again with them.
    """
    import torch  # noqa: F401 - on its own, with all that it imports

    before = set(sys.modules)
    try:
        with deferred(*NOT_NEEDED):
            _import()
    except Exception:
        for name in set(sys.modules) - before:
            if name.partition(".")[0] == "transformers":
                del sys.modules[name]
        _import()


def _import() -> None:
    import transformers

    _scan_once()
    transformers.GenerationMixin  # noqa: B018 - imports it
    transformers.PreTrainedModel  # noqa: B018


def _scan_once() -> None:
    """Let transformers not read the source of all its models a second time, to know which classes they have.

    It keeps what it finds by the path that it was asked with: first the folder, then a file in it (5.23).
    """
    import transformers.utils.import_utils as found

    import_utils: Any = found

    scan = getattr(import_utils, "create_import_structure_from_path", None)
    folder = Path(import_utils.__file__).parents[1] / "models"
    if scan is None or not hasattr(scan, "cache_info") or "transformers.models" in sys.modules:
        return
    known = scan(folder)

    def scan_others(path: object) -> object:
        return known if str(path) == str(folder / "__init__.py") else scan(path)

    import_utils.create_import_structure_from_path = scan_others
    try:
        import transformers.models  # noqa: F401
    finally:
        import_utils.create_import_structure_from_path = scan


import_transformers()

from hub_generators.transformers_model import TransformersGenerator  # noqa: E402 - once that is done

__all__ = ["TransformersGenerator"]
