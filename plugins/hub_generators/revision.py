"""Reads which revision of a model is asked for, as "org/name@revision"."""

from pathlib import Path

from hub.errors import GeneratorError


def split_revision(model: str) -> tuple[str, str | None]:
    """Return folder or model id, and the revision behind its "@"; None where there is none.

    Raises:
        GeneratorError: it asks for a revision of a folder, which has none.
    """
    if Path(model).is_dir():
        return model, None
    name, at, revision = model.partition("@")
    if name and at and Path(name).is_dir():
        raise GeneratorError(
            f"{model!r}: {name!r} is a folder, and a folder has no revisions: leave out "
            f"{at + revision!r}, or name another folder"
        )
    return name, revision or None
