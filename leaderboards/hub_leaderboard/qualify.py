"""Which runs a board takes: as it asks, of one setting, the last of each model; and why no others."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from hub.evaluation.recipe import FROM, differences, hash_recipe
from hub.evaluation.stored import StoredRun
from hub_leaderboard.board import Board, Entry

DECODING_CHANGED = "decoding changed from the benchmark's own"
MIX_CHANGED = "graded with another mix"
"""How `hub.evaluation.summary.make_flags` begins the flags that a board looks at."""
HOW = ("chat_template", "endpoint", "extra", "arguments", "answers")
"""What a model's description says of how it is asked, or of what it said: otherwise it is another row."""


def problems_of(run: StoredRun, entry: Entry, board: Board) -> list[str]:
    """Return why a run does not qualify for one of a board's benchmarks; [] when it does.

    Whether enough was scored is not looked at: that needs its values.

    Args:
        run: of that benchmark.
        entry: the benchmark on the board.
        board: whose it is.
    """
    recipe, found = run.recipe, []
    about, total = recipe["benchmark"], run.result["benchmark"]["total_rows"]
    if run.imported and not board.imported:
        found.append(f"imported from {run.imported}: the board takes the hub's own runs only")
    if entry.rows is None and about["rows"] < total:
        found.append(f"only the first {about['rows']} of {total} rows")
    if entry.rows is not None and about["rows"] != entry.rows:
        found.append(f"{about['rows']} rows, the board asks for {entry.rows}")
    samples = recipe["samples_per_prompt"]
    if samples != entry.samples_per_prompt:
        found.append(f"{samples} samples per prompt, the board asks for {entry.samples_per_prompt}")
    if not run.imported:
        found += _not_as_offered(run, entry)
    else:
        found += _options(about["options"], entry.options, sorted(entry.options))
    if not about["data_hash"].startswith(entry.data_hash):
        found.append(f"other data: hash {about['data_hash'][:12]}, the board asks for {entry.data_hash[:12]}")
    if not hash_mix(run).startswith(entry.mix):
        found.append(f"another mix: {hash_mix(run)}, the board asks for {entry.mix}")
    told, lower = entry.metric.removeprefix("metric:"), run.result["benchmark"].get("lower_is_better")
    if entry.higher_is_better and isinstance(lower, list) and told in lower:
        found.append(f"of {told} less is better: say so in the board, higher_is_better = false")
    for name, value in entry.decoding.items():
        has = recipe["decoding"].get(name)
        if has != value:
            found.append(f"decoding: {name} is {has!r}, the board asks for {value!r}")
    return found


def _not_as_offered(run: StoredRun, entry: Entry) -> list[str]:
    """What sets a run apart from the benchmark as it is offered, but for what the board asks for."""
    about, flags, found = run.recipe["benchmark"], [str(flag) for flag in run.result["flags"]], []
    if entry.split is not None and about["split"] != entry.split:
        found.append(f"split {about['split']!r}, the board asks for {entry.split!r}")
    elif entry.split is None:
        found += [flag for flag in flags if flag.startswith("split ")]
    options = {key: value for key, value in about["options"].items() if key not in FROM}
    found += _options(options, entry.options, sorted(entry.options.keys() | options.keys()))
    if not entry.decoding:
        found += [flag for flag in flags if flag == DECODING_CHANGED]
    if not entry.mix:
        found += [flag for flag in flags if flag.startswith(MIX_CHANGED)]
    return found


def _options(here: Mapping[str, Any], board: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """How options differ from those that a board asks for."""
    found = []
    for name in names:
        has, asked = (repr(table[name]) if name in table else "the default" for table in (here, board))
        if has != asked:
            found.append(f"benchmark option {name}: {has}, on the board {asked}")
    return found


def hash_mix(run: StoredRun) -> str:
    """Return 16 hexadecimal digits that stand for what graded a run: rewards, code, weights, options."""
    return hash_recipe(run.recipe["mix"])


def setting_of(run: StoredRun, *, loose: bool = False) -> dict[str, Any]:
    """Return all of a recipe that must agree between the runs of one column: everything but the model.

    Seeds are left out, so that a run with another seed is a repeat and no other setting; so is where the
    rows come from, as their hash counts.

    Args:
        run: a run.
        loose: what runs of different tools can have in common: rows and completions of each.
    """
    recipe = run.recipe
    about = recipe["benchmark"]
    if loose:
        return {"rows": about["rows"], "samples_per_prompt": recipe["samples_per_prompt"]}
    kept = {key: value for key, value in recipe.items() if key != "model"}
    kept["decoding"] = {key: value for key, value in recipe["decoding"].items() if key != "seed"}
    options = {key: value for key, value in about["options"].items() if key not in FROM}
    return {**kept, "benchmark": {**about, "options": options}}


def choose_setting(runs: Sequence[StoredRun]) -> tuple[list[StoredRun], list[tuple[StoredRun, str]]]:
    """Return the runs of the setting that most models share, and the others with what sets them apart.

    Where two settings have equally many models, the one that was used last counts.

    Args:
        runs: that qualify for one benchmark, of one kind (the hub's own, or imported).
    """
    groups: dict[str, list[StoredRun]] = {}
    for run in runs:
        groups.setdefault(json.dumps(setting_of(run), sort_keys=True), []).append(run)
    if len(groups) < 2:
        return list(runs), []

    def size(key: str) -> tuple[int, str, str]:
        models = {model_key(run) for run in groups[key]}
        return len(models), max(map(finished, groups[key])), key

    best = max(groups, key=size)
    chosen, others = setting_of(groups[best][0]), []
    for key, members in groups.items():
        shown = [
            one.replace(", now ", " there, here ") for one in differences(chosen, setting_of(members[0]))
        ]
        more = f" and {len(shown) - 3} more" if len(shown) > 3 else ""
        why = (
            f"another recipe than the ranked runs: {'; '.join(shown[:3]) or 'numbers of another kind'}{more}"
        )
        others += [(run, why) for run in members if key != best]
    return groups[best], others


def model_key(run: StoredRun) -> str:
    """Return what tells models apart: hashes of files, else name and revision, else all; how it is asked."""
    model: Mapping[str, Any] = run.recipe["model"]
    how = {name: model[name] for name in HOW if model.get(name) not in (None, "", [], {})}
    if isinstance(rewards := model.get("rewards"), Mapping):  # in a model's place
        how["rewards"] = hash_recipe(_without_folders(rewards))
    if model.get("weights"):
        known: list[Any] = ["weights", model["weights"], model.get("tokenizer"), model.get("config")]
    elif name := model.get("model") or model.get("id"):
        known = ["name", name, model.get("revision") or model.get("sha")]
    else:
        known = ["all", {**model, **run.result.get("model", {})}]
    return json.dumps([*known, how], sort_keys=True, default=str)


def _without_folders(rewards: Mapping[str, Any]) -> dict[str, Any]:
    """Rewards as `describe_mix` has them, but for where their files lay and how long they may take."""
    kept = [
        {key: value for key, value in one.items() if key not in ("use", "timeout_s")}
        | {"code": str(one.get("code")).rpartition("/")[2]}
        for one in rewards.get("rewards", ())
    ]
    return {**rewards, "rewards": kept}


def finished(run: StoredRun) -> str:
    """Return when a run was complete, in ISO 8601; "" where it is not known."""
    time = run.result.get("time")
    return str(time.get("finished", "")) if isinstance(time, dict) else ""


def name_models(runs: Sequence[StoredRun]) -> dict[str, str]:
    """Return a short name for each model, by its key: the end of its path or id that no other model has.

    Where only how they are asked tells two apart, that is said. Where nothing else does, digits do: of their
    weights' hash, else of all that tells them apart.
    """
    full = {model_key(run): run.model.rstrip("/") or "?" for run in sorted(runs, key=finished)}
    named = {}
    for key, name in full.items():
        others = {other for one, other in full.items() if one != key}
        if name in others:
            if how := _how(key, [one for one, other in full.items() if other == name]):
                named[key] = f"{_end(name, 2 if _is_id(name) else 1)}, {how}"
                continue
            kind, digits, *_ = json.loads(key)
            is_alone = sum(json.loads(one)[1] == digits for one in full) == 1
            known = (
                str(digits) if kind == "weights" and is_alone else hashlib.sha256(key.encode()).hexdigest()
            )
            named[key] = f"{_end(name, 2 if _is_id(name) else 1)} {known[:8]}"
            continue
        parts = name.count("/") + 1
        size = 2 if _is_id(name) else 1
        while size < parts and any(_end(other, size) == _end(name, size) for other in others):
            size += 1
        named[key] = _end(name, size)
    return named


def _how(key: str, keys: Sequence[str]) -> str:
    """How a model is asked, of several that only this tells apart; "" where it is not said in a word."""
    *known, mine = json.loads(key)
    every = [json.loads(one) for one in keys]
    if any(other[:-1] != known for other in every):
        return ""
    words = [name for name in HOW if isinstance(mine.get(name), bool | str) and len(str(mine[name])) < 20]
    told = [name for name in words if any(other[-1].get(name) != mine[name] for other in every)]
    same = [other for other in every if all(other[-1].get(name) == mine[name] for name in told)]
    return ", ".join(f"{name} {str(mine[name]).lower()}" for name in told) if len(same) == 1 else ""


def _end(path: str, size: int) -> str:
    return "/".join(path.split("/")[-size:])


def _is_id(name: str) -> bool:
    """Whether it is an id like org/name, not a path."""
    return name.count("/") == 1 and not name.startswith((".", "/"))
