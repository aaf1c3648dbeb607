"""Asks the reward `judge` in the name of another: one judge, with its server's limits, for all questions."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import hub
from hub.errors import OptionError

OURS = ("template", "rubric", "low", "high", "normalize", "words", "patterns")
"""Options of the judge that the asking reward sets."""
_WHERE = ("url", "cache", "mode", "prices", "judges.url", "judges.prices")
_HOW = ("concurrency", "requests_per_minute", "retries", "backoff_s", "timeout_s", "wait_s", "key")
NO_EFFECT = tuple(f"judge.{name}" for name in (*_WHERE, *(f"server.{one}" for one in _HOW)))
"""What of `judge` decides no value, as the judge's own `no_effect` has it."""


class Asker:
    """A judge that is asked about samples.

    Args:
        whose: the asking reward's name, for messages.
        judge: options of the reward `judge`: model, url, cache, server, judges, repeats, ...; `system = ""`
            is no system message.
        task: how it is asked: keys of the judge's column `judge`.

    Raises:
        OptionError: no model is named, or an option is unknown or unfit, or is one of `OURS`.
    """

    def __init__(self, whose: str, judge: Mapping[str, Any] | None, **task: Any) -> None:
        given = dict(judge or {})
        if not (given.get("model") or given.get("judges")):
            raise OptionError(
                f'{whose}: say which model judges: judge = {{ model = "NAME", url = "http://HOST:PORT/v1" }} '
                "(the options of the reward judge: hub plugins judge)"
            )
        ours = next((name for name in OURS if name in given), None)
        if ours is not None:
            raise OptionError(f"{whose}: judge.{ours} is not an option here: {whose} says how it is asked")
        if given.get("system") == "":  # to the judge, that is its usual one; here, none
            task["system"] = given.pop("system")
        self._judge = hub.open_reward("judge", **{**given, "rows": "all"})  # its rows are made here
        self._task = task

    async def __call__(self, sample: hub.Sample, **task: Any) -> hub.Score:
        """Return the judge's score of a sample; these keys of the task count more than the first ones."""
        score: hub.Score = await self._judge(replace(sample, columns={"judge": {**self._task, **task}}))
        return score


def read_template(given: str, usual: str, renamed: Mapping[str, str], whose: str) -> str:
    """Return a template: the usual one, or what the user gave, text or a .txt or .md file.

    Args:
        given: the user's; "" for none.
        usual: the reward's own.
        renamed: fields of other projects' templates, by the judge's name for them.
        whose: the reward's name, for messages.

    Raises:
        OptionError: there is no such file, or the template does not show the completion.
    """
    if not given:
        return usual
    text = given
    if "\n" not in given and given.endswith((".txt", ".md")):
        try:
            with open(given, encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            raise OptionError(f"{whose}: the template {given!r} cannot be read: {error}") from error
    for ours, theirs in renamed.items():
        text = text.replace(f"{{{theirs}}}", f"{{{ours}}}")
    if "{completion}" not in text:
        names = " or ".join(f"{{{name}}}" for name in ("completion", renamed.get("completion", "")) if name)
        raise OptionError(f"{whose}: the template has no {names} in it: {text!r:.80}")
    return text


def digest(text: str) -> str:
    """Return 16 hexadecimal digits that stand for a text: for what a run is known by."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def kept(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a judge's `info` an asking reward keeps."""
    names = ("judge", "answers", "ratings", "spread", "tries_frame", "controls")
    return {name: info[name] for name in names if name in info}
