"""A run's folder: what was written survives a kill, and an interrupted run goes on where it was.

    recipe.json        what is run; there from the start
    completions.jsonl  what the model wrote; only while the run is under way
    samples.jsonl      completions with their scores, appended as they are scored; at the end in row order
    result.json        there once the run is complete

Each line is written with one call of the system, so that a kill can tear only the last one.
"""

import errno
import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, TypeAlias

from hub.errors import DataError
from hub.evaluation.recipe import differences, hash_recipe
from hub.generator import Completion

FORMAT = 1
"""Version of the folder's files; another one is refused."""

REFUSED = Completion.refusal(0, "").finish

Key: TypeAlias = tuple[int, int]
"""The row's index, and which of its completions."""


class RunFolder:
    """The folder of one run; only one process at a time has it. Made by `open_folder`.

    Args:
        path: the folder.
        recipe: what is run.
    """

    def __init__(self, path: Path, recipe: Mapping[str, Any]) -> None:
        self.path, self.recipe = path, recipe
        self.samples: dict[Key, dict[str, Any]] = {}
        """Lines of samples.jsonl by key."""
        self.completions: dict[Key, Completion] = {}
        """Completions that were written, scored or not; empty once the run is complete."""
        self.refused: set[Key] = set()
        """Of which there is no completion, as the model or server refused the prompt."""
        self._files: list[BinaryIO] = []
        try:
            self._lock = self._claim()
            self._completions_file = self._open_lines("completions.jsonl", self._read_completion)
            self._samples_file = self._open_lines("samples.jsonl", self._read_sample)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_complete(self) -> bool:
        """Whether the run has its result."""
        return (self.path / "result.json").exists()

    def add_completion(self, key: Key, completion: Completion) -> None:
        """Write a completion down, before it is scored.

        Raises:
            DataError: the folder cannot be written.
        """
        self._keep(key, completion)
        known = {"row": key[0], "sample": key[1]}
        made: dict[str, Any] = {
            "text": completion.text,
            "finish": completion.finish,
            "tokens": completion.tokens,
        }
        if completion.likelihoods is not None:
            made["likelihoods"] = completion.likelihoods
        if completion.values is not None:
            made["values"] = completion.values
        if completion.refused:
            made["refused"] = completion.refused
        self._write(self._completions_file, [known | made])

    def add_samples(self, lines: Iterable[tuple[Key, dict[str, Any]]]) -> None:
        """Append scored completions.

        Raises:
            DataError: the folder cannot be written.
        """
        listed = list(lines)
        self.samples.update(listed)
        self._write(self._samples_file, [line for _, line in listed])

    def forget(self, keys: Iterable[Key]) -> None:
        """Take completions out, and their scores; they are to be made anew."""
        listed = list(keys)
        for key in listed:
            self.completions.pop(key, None)
        self.refused.difference_update(listed)
        self._drop_samples(listed)

    def take_back(self, completions: Mapping[Key, Completion]) -> None:
        """Take scored completions out again; they are to be scored anew.

        Raises:
            DataError: the folder cannot be written.
        """
        for key in sorted(completions.keys() - self.completions.keys()):
            self.add_completion(key, completions[key])
        self._drop_samples(completions)

    def _drop_samples(self, keys: Iterable[Key]) -> None:
        dropped = [self.samples.pop(key) for key in keys if key in self.samples]
        if dropped:
            self._replace("samples.jsonl", b"".join(map(encode, self.samples.values())))
            self._samples_file = self._open("samples.jsonl")

    def reopen(self) -> None:
        """Take the result of a complete run away: more is to be run.

        Raises:
            DataError: the folder cannot be written.
        """
        try:
            (self.path / "result.json").unlink()
        except OSError as error:
            raise _unwritable(self.path, error) from error
        self._completions_file = self._open_lines("completions.jsonl", self._read_completion)

    def finish(self, result: Mapping[str, Any]) -> None:
        """Put the samples in order and write the result: the run is complete.

        Raises:
            DataError: the folder cannot be written.
        """
        ordered = [self.samples[key] for key in sorted(self.samples)]
        self._replace("samples.jsonl", b"".join(map(encode, ordered)))
        self._replace("result.json", json.dumps(result, indent=2, default=str).encode() + b"\n")
        (self.path / "completions.jsonl").unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            file.close()

    def _claim(self) -> BinaryIO:
        """Keep other processes out: two writers would repeat samples."""
        file = self._open("recipe.json")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(f"{self.path}: another process is at work in this folder") from None
        return file

    def _open(self, name: str) -> BinaryIO:
        try:
            file = open(self.path / name, "ab+", buffering=0)  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise _unwritable(self.path, error) from error
        self._files.append(file)
        return file

    def _open_lines(self, name: str, read: Any) -> BinaryIO:
        """Read a file of lines, cut off a torn last one, and leave it open for appending."""
        if name == "completions.jsonl" and self.is_complete:
            return self._open("recipe.json")  # nothing is left to be written
        file = self._open(name)
        file.seek(0)
        content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                read(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(
                    f"{self.path / name}:{number}: cannot be read ({type(error).__name__}: {error}): restore "
                    "it, or choose another folder with --out"
                ) from error
        if len(whole) < len(content):
            file.truncate(len(whole))
        return file

    def _read_completion(self, line: dict[str, Any]) -> None:
        key = self._key(line)
        likelihoods = line.get("likelihoods")
        if likelihoods is not None:
            likelihoods = tuple((float(logprob), bool(greedy)) for logprob, greedy in likelihoods)
        values = None if line.get("values") is None else tuple(line["values"])
        why = line.get("refused", "")
        self._keep(
            key, Completion(key[0], line["text"], line["finish"], line["tokens"], likelihoods, values, why)
        )

    def _key(self, about: Mapping[str, Any]) -> Key:
        """Whose line it is; ValueError where the run has no such row or completion of it."""
        rows, each = self.recipe["benchmark"]["rows"], self.recipe["samples_per_prompt"]
        for what, number, count in (("row", about["row"], rows), ("sample", about["sample"], each)):
            if type(number) is not int or not 0 <= number < count:
                raise ValueError(f"the run has no {what} {number!r}, but {count}, counted from 0")
        return about["row"], about["sample"]

    def _keep(self, key: Key, completion: Completion) -> None:
        self.completions[key] = completion
        (self.refused.add if completion.refused else self.refused.discard)(key)

    def _read_sample(self, line: dict[str, Any]) -> None:
        key = self._key(line["result"])
        self.samples[key] = line
        if line["result"].get("finish") == REFUSED:
            self.refused.add(key)

    def _write(self, file: BinaryIO, lines: list[dict[str, Any]]) -> None:
        content = b"".join(map(encode, lines))
        try:
            while content:
                content = content[file.write(content) :]
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _replace(self, name: str, content: bytes) -> None:
        write_whole(self.path / name, content)


def open_folder(path: Path, recipe: Mapping[str, Any], *, resume: bool) -> RunFolder:
    """Open a run's folder, or make it.

    Args:
        path: the folder; made where it is missing.
        recipe: what is to be run.
        resume: go on with a run of the same recipe, if one is there.

    Raises:
        DataError: the folder cannot be written, holds another recipe, another format version or other files,
            is in use by another process, or holds this run and `resume` is not set.
    """
    if not resume:
        check_free(path)
    recipe_file = path / "recipe.json"
    if recipe_file.exists():
        _check_same(path, _read_json(recipe_file), recipe)
    else:
        make_folder(path)
        strange = sorted(entry.name for entry in path.iterdir() if not entry.name.endswith(".tmp"))
        if strange:
            raise DataError(f"{path}: holds {strange[0]!r} but no run: choose an empty folder with --out")
        whole = {"format": FORMAT, "hash": hash_recipe(recipe), "recipe": recipe}
        write_whole(recipe_file, json.dumps(whole, indent=2).encode() + b"\n")
    return RunFolder(path, recipe)


def check_free(path: Path) -> None:
    """Raise unless a new run may begin in a folder.

    Raises:
        DataError: it holds a run.
    """
    if (path / "recipe.json").exists():
        state = "complete" if (path / "result.json").exists() else "unfinished"
        rest = "shows its result" if state == "complete" else "goes on with it"
        raise DataError(
            f"{path}: holds a run that is {state}: --resume {rest}, another --out begins a new one"
        )


def make_folder(path: Path) -> None:
    """Make a folder, if need be, and make sure that it can be written.

    Raises:
        DataError: it cannot.
    """
    probe = path / f".{os.getpid()}.tmp"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise _unwritable(path, error) from error


def encode(line: Mapping[str, Any]) -> bytes:
    r"""Return a line of JSON, whatever a reward has put into it.

    >>> encode({"info": {"ratio": float("nan")}})
    b'{"info": {"ratio": "nan"}}\n'
    """
    try:
        text = json.dumps(line, ensure_ascii=False, allow_nan=False, default=str)
    except (ValueError, TypeError, RecursionError):
        text = json.dumps(_plain(line), ensure_ascii=False, default=str)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # half of a character, which some tokenizers leave
        return json.dumps(json.loads(text)).encode() + b"\n"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all.

    Raises:
        DataError: it cannot be written.
    """
    aside = path.with_name(path.name + ".tmp")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error


def _check_same(path: Path, found: dict[str, Any], recipe: Mapping[str, Any]) -> None:
    if found.get("format") != FORMAT:
        raise DataError(
            f"{path}: was written in format {found.get('format')!r}, this hub writes {FORMAT}: choose "
            "another folder with --out"
        )
    if found.get("hash") != hash_recipe(recipe):
        changed = list(differences(found.get("recipe"), dict(recipe)))
        raise DataError(
            f"{path}: holds a run of another recipe ({'; '.join(changed[:5])}): choose another folder with "
            "--out"
        )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise DataError(f"{path}: is not what a run writes")
    return found


def _plain(value: Any, depth: int = 0) -> Any:
    if isinstance(value, Mapping) and depth < 20:
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple) and depth < 20:
        return [_plain(item, depth + 1) for item in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    return value if isinstance(value, float) and abs(value) < float("inf") else str(value)


def _unwritable(path: Path, error: OSError) -> DataError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    cure = "make room there, or " if full else ""
    return DataError(
        f"{path}: cannot be written: {error.strerror or error}: {cure}choose another folder with --out"
    )
