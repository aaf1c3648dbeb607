"""Writes boards as a folder of pages that opens from a file: all of it, or the folder stays as it was."""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import hub
from hub.errors import DataError, HubError
from hub.evaluation.stored import StoredRun
from hub_leaderboard.board import Board
from hub_leaderboard.board_page import board_page, index_page
from hub_leaderboard.html import without_folders
from hub_leaderboard.plain import as_json
from hub_leaderboard.qualify import model_key, name_models
from hub_leaderboard.run_page import Peer, run_page
from hub_leaderboard.standing import Progress, Standing, find_all, make_standing

ABOUT = "site.json"
"""The file that says what a build has written; without it a folder is none of ours."""


def build(
    boards: Sequence[Board], roots: Iterable[str | Path], out: Path, progress: Progress = lambda what: None
) -> list[Standing]:
    """Write the pages of boards and of the runs of their benchmarks; return the boards' standings.

    The same runs give the same bytes. What cannot be read is listed on the boards' pages, and costs nothing
    else.

    Args:
        boards: each has its page; with several, index.html lists them.
        roots: folders with runs.
        out: the folder; made anew, and put in the old one's place when all is there.
        progress: told what is read or written.

    Raises:
        DataError: a folder of runs is not there, or `out` holds something that no build wrote, or cannot be
            written.
    """
    out = Path(out)
    _check_ours(out)
    runs, problems = find_all(roots)
    problems = [_without_root(problem, roots) for problem in problems]
    standings = [make_standing(board, runs, problems, progress) for board in boards]
    shown = {run.path: _shown(run, roots) for run in runs}
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror or error}") from error
    try:
        _write(aside, standings, runs, shown, progress)
        aside.chmod(0o755)
        _swap(aside, out)
    except OSError as error:
        raise DataError(
            f"{out}: cannot be written: {error.strerror or error}: what was there is as it was"
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return standings


def _write(
    folder: Path,
    standings: Sequence[Standing],
    runs: Sequence[StoredRun],
    shown: Mapping[Path, str],
    progress: Progress,
) -> None:
    (folder / "runs").mkdir()
    addresses = {
        ("index.html" if len(standings) == 1 else f"{_slug(standing.board.name)}.html"): standing
        for standing in standings
    }
    if len(addresses) < len(standings):
        raise DataError("two boards have the same name: give one's file another")
    names = name_models(runs)
    used = {entry.use for standing in standings for entry in standing.board.entries}
    wanted = [run for run in runs if run.benchmark in used]
    pages = _addresses(wanted, names, shown)
    for run in wanted:
        progress(f"writing {pages[run.path]}")
        boards = {f"../{link}": s.board.title for link, s in addresses.items() if _is_on(run, s.board)}
        notes = [
            reason
            for s in standings
            for left in s.left
            if left.run.path == run.path
            for reason in left.reasons
        ]
        peers = [
            Peer(names[model_key(other)], Path(pages[other.path]).name) for other in _peers(run, standings)
        ]
        once = replace(run)  # its samples are let go of when the page is written
        try:
            text = run_page(
                once, names[model_key(run)], shown[run.path], boards, list(dict.fromkeys(notes)), peers
            )
        except (HubError, LookupError, TypeError, ValueError, AttributeError) as error:
            del pages[run.path]
            standings = [_with_problem(standing, run, error) for standing in standings]
            addresses = dict(zip(addresses, standings, strict=True))
            continue
        _put(folder / pages[run.path], text)
    for link, standing in addresses.items():
        home = "index.html" if len(addresses) > 1 else ""
        _put(folder / link, board_page(standing, pages, lambda run: shown[run.path], home=home))
        _put(folder / f"{_slug(standing.board.name)}.json", _data(standing, shown))
    if len(addresses) > 1:
        _put(folder / "index.html", index_page(addresses))
    written = sorted(file for file in folder.rglob("*") if file.is_file())
    digests = {str(file.relative_to(folder)): _digest(file) for file in written}
    about = {"made_by": "posttrain-hub", "version": hub.__version__, "files": digests}
    _put(folder / ABOUT, json.dumps(about, indent=2) + "\n")


def _with_problem(standing: Standing, run: StoredRun, error: Exception) -> Standing:
    text = str(error) if isinstance(error, HubError) else f"{run.path}: is not what a run writes: {error!r}"
    known = text in standing.problems or not _is_on(run, standing.board)
    return standing if known else replace(standing, problems=(*standing.problems, text))


def _is_on(run: StoredRun, board: Board) -> bool:
    return any(entry.use == run.benchmark for entry in board.entries)


def _peers(run: StoredRun, standings: Sequence[Standing]) -> list[StoredRun]:
    """Ranked runs that were asked the same prompts."""
    found: dict[Path, StoredRun] = {}
    for standing in standings:
        for row in standing.rows:
            for cell in row.cells:
                if cell is not None and cell.run.path != run.path and _same_rows(cell.run, run):
                    found[cell.run.path] = cell.run
    return list(found.values())


def _same_rows(first: StoredRun, second: StoredRun) -> bool:
    def key(run: StoredRun) -> tuple[Any, ...]:
        about = run.recipe["benchmark"]
        return about["name"], about["split"], about["data_hash"], about["rows"]

    return key(first) == key(second)


def _addresses(
    runs: Iterable[StoredRun], names: Mapping[str, str], shown: Mapping[Path, str]
) -> dict[Path, str]:
    """The address of each run's page: model, benchmark, and what tells runs of these apart."""
    found = {}
    for run in runs:
        digits = hashlib.sha256(shown[run.path].encode("utf-8", "surrogatepass")).hexdigest()[:8]
        found[run.path] = f"runs/{_slug(names[model_key(run)])}-{_slug(run.benchmark)}-{digits}.html"
    return found


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")[:60] or "x"


def _shown(run: StoredRun, roots: Iterable[str | Path]) -> str:
    """A run's folder, from the folder that was named: where that lies is nobody's business on a page."""
    for root in roots:
        if run.path.is_relative_to(root):
            return str(Path(Path(root).resolve().name) / run.path.relative_to(root))
    return run.path.name


def _without_root(problem: str, roots: Iterable[str | Path]) -> str:
    for root in roots:
        problem = problem.replace(f"{root}/", f"{Path(root).resolve().name}/")
    return problem


def _data(standing: Standing, shown: Mapping[Path, str]) -> str:
    data = as_json(standing)
    for row in data["rows"]:
        del row["name"]  # a path on the machine where it ran
    where = {str(path): name for path, name in shown.items()}
    for each in (*data["not_ranked"], *(cell for row in data["rows"] for cell in row["benchmarks"])):
        each["path"] = where.get(str(each["path"]), each["path"])
    for each in data["not_ranked"]:
        each["reasons"] = [without_folders(reason) for reason in each["reasons"]]
    data["problems"] = [without_folders(problem) for problem in data["problems"]]
    return json.dumps(data, indent=2) + "\n"


def _put(file: Path, text: str) -> None:
    file.write_bytes(text.encode("utf-8"))


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _check_ours(out: Path) -> None:
    if not out.exists() and not out.is_symlink():
        return
    if out.is_symlink() or not out.is_dir():
        raise DataError(f"{out}: is not a folder: choose another one with --out")
    here = sorted(str(file.relative_to(out)) for file in out.rglob("*") if not file.is_dir())
    if not here:
        return
    try:
        about = json.loads((out / ABOUT).read_bytes())
        ours = {*about["files"], ABOUT} if about["made_by"] == "posttrain-hub" else set()
    except (OSError, ValueError, KeyError, TypeError):
        ours = set()
    strange = [name for name in here if name not in ours]
    if strange:
        raise DataError(
            f"{out}: holds {strange[0]!r}, which no build wrote, and a build begins anew: choose another "
            "folder with --out"
        )


def _swap(new: Path, out: Path) -> None:
    if not out.exists():
        new.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.old.", dir=out.parent)) / "site"
    out.rename(old)
    try:
        new.rename(out)
    except OSError:
        old.rename(out)
        raise
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)
