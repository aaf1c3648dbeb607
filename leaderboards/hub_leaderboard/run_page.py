"""A run's page: its scores, what was run, and every sample."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.evaluation.stored import StoredRun
from hub_leaderboard.html import escape, page, without_folders
from hub_leaderboard.qualify import finished, hash_mix

SHOWN_APART = ("id", "prompt", "completion", "result")
"""Of a sample, what is not shown as a column of its row."""
OUTCOMES = {
    "all": "all",
    "right": "right",
    "wrong": "wrong",
    "lost": "failed",
    "abstained": "abstained",
    "cut": "cut at the length limit",
}
ORDERS = {
    "row": "as in the data",
    "low": "lowest value first",
    "high": "highest value first",
    "long": "longest first",
    "short": "shortest first",
}


@dataclass(frozen=True)
class Peer:
    """Another model's run on the same prompts.

    Args:
        model: its name.
        page: the address of its page, from this one.
    """

    model: str
    page: str


def run_page(
    run: StoredRun,
    model: str,
    shown: str,
    boards: Mapping[str, str],
    notes: Sequence[str],
    peers: Iterable[Peer],
) -> str:
    """Return the page of a run.

    Args:
        run: whose samples can be read.
        model: its model's name.
        shown: how its folder is named.
        boards: titles of boards by their address from this page.
        notes: why it is not ranked; none where it is.
        peers: runs on the same prompts.

    Raises:
        DataError: its samples cannot be read.
    """
    back = " · ".join(f'<a href="{escape(link)}">{escape(title)}</a>' for link, title in boards.items())
    imported = f", imported from {run.imported}" if run.imported else ""
    flags = "".join(f'<li class="lost">{escape(without_folders(flag))}</li>' for flag in run.result["flags"])
    why = "".join(f'<li class="wrong">not ranked: {escape(without_folders(note))}</li>' for note in notes)
    body = (
        f"<nav>{back}</nav>\n<h1>{escape(model)} on {escape(run.benchmark)}</h1>\n"
        f'<p class="note">{escape(shown)}{escape(imported)}</p>\n<ul class="plain">{why}{flags}</ul>\n'
        f"{_scores(run)}{_facts(run)}<h2>Samples</h2>\n{_tools(run)}"
        '<div class="heads" aria-hidden="true"><span></span><span>row</span><span>outcome</span>'
        '<span class="number">value</span><span>answer, or reason</span><span>completion</span></div>\n'
        '<div id="samples"></div>\n'
        "<noscript><p>The samples are in this page as data; a script shows them.</p></noscript>\n"
    )
    data = {
        "several": run.recipe["samples_per_prompt"] > 1,
        "peers": [{"model": peer.model, "page": peer.page} for peer in peers],
        "samples": list(_samples(run)),
    }
    title = f"{model} on {run.benchmark}"
    return page(title, f"<main>\n{body}</main>", scripts=["run.js"], data=data)


def _samples(run: StoredRun) -> Iterable[dict[str, Any]]:
    scores = run.scores()
    highest = max((s["value"] for s in scores.values() if s["value"] is not None), default=0.0)
    for (row, sample), line in sorted(run.samples.items()):
        result = line["result"]
        value, outcome = result["total"]["value"], result["total"]["outcome"]
        if value is None:
            kind = "abstained" if outcome == "abstained" else "lost"
        else:
            kind = "right" if value == highest and highest > 0 else "wrong"
        yield {
            "row": row,
            "sample": sample,
            "id": line["id"],
            "prompt": line["prompt"],
            "completion": "" if line["completion"] is None else line["completion"],  # none: it was refused
            "kind": kind,
            "category": str(line.get(run.category, "")) if run.category else "",
            "answer": _answer(result["scores"]),
            "finish": result["finish"],
            "tokens": result["tokens"],
            "total": result["total"],
            "scores": result["scores"],
            "columns": {name: value for name, value in line.items() if name not in SHOWN_APART},
        }


def _answer(scores: Mapping[str, Any]) -> str | None:
    found = ((score.get("info") or {}).get("answer") for score in scores.values())
    return next((answer for answer in found if isinstance(answer, str) and answer), None)


def _scores(run: StoredRun) -> str:
    scores = run.result["scores"]
    lines = [("score", scores["total"])]
    lines += [(f"pass@{k}", {"mean": value}) for k, value in scores["total"]["pass_at_k"].items()]
    lines += [(f"maj@{k}", {"mean": value}) for k, value in scores["total"].get("maj_at_k", {}).items()]
    estimates = scores.get("metric_estimates") or {}
    own = scores.get("metrics", {}).items()
    lines += [(name, {**(estimates.get(name) or {}), "mean": value}) for name, value in own]
    lines += list(scores["rewards"].items()) if len(scores["rewards"]) > 1 else []
    lines += [
        (f"{run.category or 'category'}: {name}", account) for name, account in scores["categories"].items()
    ]
    rows = "".join(_score(name, account) for name, account in lines)
    return (
        '<div class="scroll"><table><thead><tr><th scope="col">metric</th>'
        '<th scope="col" class="number">value</th><th scope="col">95 % interval</th>'
        '<th scope="col" class="number">n</th>'
        '<th scope="col" class="number">abstained</th><th scope="col" class="number">failed</th></tr>'
        f"</thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )


def _score(name: str, account: Mapping[str, Any]) -> str:
    mean, interval = account.get("mean"), account.get("interval_95")
    span = "" if not interval else f"{float(interval[0]):.3f} to {float(interval[1]):.3f}"
    reasons = ", ".join(
        f"{reason} {times}" for reason, times in (account.get("failed_by_reason") or {}).items()
    )
    failed = f"{account.get('failed', '')}{reasons and f' ({reasons})'}"
    value = "none" if mean is None else f"{float(mean):.3f}"
    numbers = (account.get("n", ""), account.get("abstained", ""))
    return (
        f'<tr><th scope="row">{escape(name)}</th><td class="number">{value}</td><td>{span}</td>'
        + "".join(f'<td class="number">{escape(number)}</td>' for number in numbers)
        + f'<td class="number{" failed" if account.get("failed") else ""}">{escape(failed)}</td></tr>\n'
    )


def _facts(run: StoredRun) -> str:
    """What was run; without folders and addresses, which are nobody's business on a page."""
    recipe, result = run.recipe, run.result
    about, completions = recipe["benchmark"], result["completions"]
    facts: dict[str, Any] = {
        "recipe": result.get("recipe", ""),
        "finished": finished(run),
        "rows": f"{about['rows']} of {result['benchmark']['total_rows']}, split {about['split']}",
        "data": about["data_hash"],
        "mix": f"{hash_mix(run)}: {', '.join(_reward(one) for one in recipe['mix']['rewards'])}",
        "completions": ", ".join(f"{name} {count}" for name, count in completions["finish"].items()),
        "tokens": f"mean {completions.get('mean_tokens')}, most {completions.get('max_tokens')}",
        "samples per prompt": recipe["samples_per_prompt"],
        "decoding": _pairs(recipe["decoding"]),
        "model": _pairs(recipe["model"]),
        "versions": _pairs(result.get("versions") or {}),
        "hardware": _pairs(result.get("hardware") or {}),
    }
    lines = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(without_folders(value))}</dd>\n" for name, value in facts.items()
    )
    return f"<details><summary>what was run</summary>\n<dl>\n{lines}</dl></details>\n"


def _reward(reward: Any) -> str:
    return f"{reward.get('name')} ({reward.get('code')})" if isinstance(reward, dict) else str(reward)


def _pairs(table: Any) -> str:
    if not isinstance(table, dict):
        return str(table)
    return ", ".join(f"{name} {value}" for name, value in table.items() if value not in (None, "", {}, []))


def _tools(run: StoredRun) -> str:
    names = list(run.result["scores"]["categories"])
    categories = _options([("", "all"), *((name, name) for name in names)])
    hidden = "" if names and run.category else " hidden"
    outcomes = _options(OUTCOMES.items())
    orders = _options(ORDERS.items())
    return (
        '<div class="tools stick" id="tools" hidden>'
        '<label>find <input type="search" id="q" autocomplete="off" '
        'placeholder="in prompt, completion, answer"></label>'
        f'<label>outcome <select id="only">{outcomes}</select></label>'
        f'<label{hidden}>{escape(run.category or "category")} <select id="category">{categories}</select>'
        "</label>"
        f'<label>order <select id="sort">{orders}</select></label>'
        '<button type="button" id="back">previous</button><button type="button" id="on">next</button>'
        '<span class="note"><span id="page"></span> · <span id="found" role="status"></span></span></div>\n'
    )


def _options(choices: Iterable[tuple[str, str]]) -> str:
    return "".join(f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in choices)
