"""Writes what a trainer needs to use a mix."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from hub.errors import ConfigError, OptionError, PluginError, nearest
from hub.options import check_options, describe_options
from hub.plugins import load, open_target
from hub.training.check_data import check_data
from hub.training.from_file import read
from hub.training.needs import TOKENS, columns_needed
from hub.training.trainer import Exported

KNOWN = ("answer", TOKENS)
"""Columns that need no mention: what adapters call the reference answer and the tokens."""


def export(
    trainer: str,
    mix_path: str | Path,
    out: str | Path,
    /,
    *,
    overwrite: bool = False,
    data: Sequence[str | Path] = (),
    **options: Any,
) -> Exported:
    """Write the files that a trainer needs to use a mix; return them with what the user must give it.

    Args:
        trainer: the name of an installed trainer plugin, e.g. "verl".
        mix_path: the mix file; it stays where it is, and must be there when the trainer runs.
        out: the folder to write to; made if it is not there.
        overwrite: write over files that are there and differ.
        data: the trainer's data files: checked against the mix before anything is written.
        options: the trainer's own (see `hub plugins NAME`).

    Raises:
        UnknownName: no plugin offers the trainer.
        OptionError: it does not take these options.
        ConfigError: the mix is wrong, the trainer cannot do what it needs, or a file would be overwritten or
            cannot be written; a row of the data lacks a column, or no reward takes it.
        DataError: a data file cannot be read.
    """
    offer = load().trainers[trainer]
    make = open_target(offer.target, offer.origin)
    path, folder = Path(mix_path).absolute(), Path(out).absolute()
    mix, sha256 = read(path)
    given = {"path": path, "sha256": sha256, "out": folder}
    whose = f"trainer {trainer!r} of {offer.origin}"
    _refuse_wrong(options, set(describe_options(make)) - {"mix", *given}, whose)
    check_options(make, {"mix": mix, **given, **options}, whose)
    exported = make(mix, **given, **options)
    if not isinstance(exported, Exported):
        raise PluginError(f"{offer.target} of {offer.origin} gave {exported!r:.80}, not a hub.Exported")
    checked = []
    for file in data:
        count = check_data(mix, offer, file, options)
        rows = "1 row," if count == 1 else f"{count} rows, each"
        checked.append(f"# {file}: {rows} with what the mix needs")
    targets = {}
    for name, text in exported.files.items():
        parts = PurePosixPath(name).parts
        if not parts or ".." in parts or PurePosixPath(name).is_absolute():
            raise PluginError(f"{offer.target} of {offer.origin} names a file outside the folder: {name!r}")
        targets[folder.joinpath(*parts)] = text
    try:
        _write(targets, overwrite)
    except OSError as error:
        where = error.filename or folder
        raise ConfigError(f"{where}: cannot be written: {error.strerror}; give another --out") from error
    lines = [*checked, exported.instructions]
    needed = {name: rewards for name, rewards in columns_needed(mix).items() if name not in KNOWN}
    if needed:
        listed = ", ".join(f"{name} ({', '.join(rewards)})" for name, rewards in needed.items())
        lines.insert(0, f"# columns that the mix needs: {listed}")
    return replace(exported, instructions="\n".join(lines))


def _write(targets: Mapping[Path, str], overwrite: bool) -> None:
    for target, text in targets.items():
        if target.is_dir():
            raise ConfigError(f"{target} is a folder, where a file is to be written: remove it")
        if target.exists() and not overwrite and target.read_text(encoding="utf-8", errors="replace") != text:
            raise ConfigError(f"{target} is there already, and holds something else: give --overwrite")
    for target, text in targets.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _refuse_wrong(options: Mapping[str, Any], known: set[str], whose: str) -> None:
    for name in options:
        if name not in known:
            hint = nearest(name, known) if known else ", and no other"
            raise OptionError(f"{whose} has no option {name!r}{hint}")
    size = options.get("group_size")
    if isinstance(size, int) and size < 1:
        raise OptionError(f"{whose}: option 'group_size' is {size}, but should be at least 1")
