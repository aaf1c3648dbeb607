"""What trainers send and get: OpenRLHF, slime and Miles, verl; and what stands for a missing value."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub_serve.mixes import MOST_GATHERERS, Mixes
from hub_serve.refused import Refused
from hub_serve.split import split
from tests.plugins.hub_serve.conftest import Running, running, wait_for


def openrlhf(*completions: str, prompt: str = "2+2?", label: Any = "4") -> dict[str, Any]:
    queries = [prompt + completion for completion in completions]
    return {"query": queries, "prompts": [prompt] * len(queries), "labels": [label] * len(queries)}


# OpenRLHF


def test_openrlhf(service: Running) -> None:
    answer = service.post("/get_reward", openrlhf("4<|im_end|>", "5<|im_end|>"))
    values = [1.0 + 0.1 * (1 / 3), 0.0 + 0.1 * (1 / 3)]
    assert answer == {
        "rewards": values,
        "scores": values,
        "extra_logs": {
            "right": [1.0, 0.0],
            "length": [1 / 3, 1 / 3],
            "hub/missing": [0.0, 0.0],
            "hub/failed/right": [0.0, 0.0],
            "hub/failed/length": [0.0, 0.0],
        },
    }


LABELS: dict[str, tuple[str, Any]] = {
    "a text": ("", "4"),
    "a number": ("", 4),
    "an object": ("", {"answer": "4", "other": 1}),
    "an object as text": ("", '{"answer": "4"}'),
    "as it is": ("?label=answer", "4"),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_are_columns(service: Running, name: str) -> None:
    query, label = LABELS[name]
    assert service.post(f"/get_reward{query}", openrlhf("4", label=label))["extra_logs"]["right"] == [1.0]
    answer = service.post(f"/remote_rm{query}", {"prompt": "2+2?", "response": "4", "label": label})
    assert answer["right"] == 1.0


@pytest.mark.parametrize("label", ['{"a": 1}', "{not an object", "[1]"])
def test_a_label_that_is_to_be_one_column_stays_as_it_is(service: Running, label: str) -> None:
    """As hub_miles takes it, for which metadata are the columns."""
    answer = service.post("/remote_rm?label=answer", {"response": label, "label": label})
    assert answer["right"] == 1.0


@pytest.mark.parametrize("label", ["4", '{"answer": "4"}', ' {"answer": "4"}'])
def test_the_column_of_a_label_that_is_no_object_can_be_named(service: Running, label: str) -> None:
    """As the file does that is exported for OpenRLHF."""
    answer = service.post("/get_reward?label=answer", openrlhf("4<turn|>", label=label))
    assert answer["extra_logs"]["right"] == [1.0]


def test_the_stop_token_is_no_part_of_a_response(service: Running) -> None:
    answer = service.post("/remote_rm", {"response": "4<|im_end|>\n", "label": "4"})
    assert answer["right"] == 1.0


def test_a_mix_by_name(service: Running) -> None:
    assert service.post("/mixes/length/get_reward", openrlhf("four"))["rewards"] == [4 / 3]
    assert service.post("/mixes/length/remote_rm?reply=number", {"response": "four"}) == 4 / 3


RAGGED: dict[str, tuple[str, Any, str]] = {
    "no object": ("get_reward", [], "the body should be"),
    "queries": ("get_reward", {"queries": ["a"]}, "the body should be"),
    "fewer prompts": (
        "get_reward",
        {"query": ["a", "b"], "prompts": ["a"]},
        "prompts: should be a list of 2",
    ),
    "more labels": ("get_reward", {"query": ["a"], "labels": ["a", "b"]}, "labels: should be a list of 1"),
    "a label for all": ("get_reward", {"query": ["a"], "labels": "x"}, "labels: should be a list of 1"),
    "a number": ("get_reward", {"query": [1], "prompts": ["a"]}, "query[0]: should be a text"),
    "a prompt of messages": ("get_reward", {"query": ["a"], "prompts": [[]]}, "prompts[0]: should be a text"),
    "another prompt": ("get_reward", {"query": ["abc"], "prompts": ["b" * 99]}, "query[0]: does not begin"),
    "no response": ("remote_rm", {"prompt": "a"}, "the body should be"),
    "a list": ("remote_rm", [{"response": "a"}], "the body should be"),
    "a number for a text": ("remote_rm", {"response": 4}, "response: should be"),
    "null": ("remote_rm", {"response": None}, "response: should be"),
    "token numbers": ("classify", {"input": [1, 2, 3]}, "input: should be"),
    "nothing to classify": ("classify", {"model": "m"}, "input: should be"),
    "activation": ("classify", {"input": "a", "use_activation": True}, "use_activation: should be false"),
    "a user's message last": (
        "pooling",
        {"messages": [{"role": "user", "content": "a"}]},
        "messages: should",
    ),
    "three prompts for two": ("score", {"text_1": ["a"] * 3, "text_2": ["b"] * 2}, "text_1: should be one"),
    "the native form": (
        "score",
        {"samples": []},
        "text_1: should be a text or a list of texts; samples go to /v1/mixes/NAME/score",
    ),
}


@pytest.mark.parametrize("name", RAGGED)
def test_what_has_another_form_is_refused_with_its_place(service: Running, name: str) -> None:
    path, value, message = RAGGED[name]
    code, said = service.error(f"/mixes/length/{path}", 422, json=value)
    assert (code, said[: len(message)]) == ("unfit", message)


QUERIES = [
    "?answer=x",
    "?group_size=8&use=os.system",
    "?reply=list",
    "?missing=0",
    "?missing=mean&reply=number",
    "?%ff",
    "?" + "&".join(["label=a"] * 30),
]


@pytest.mark.parametrize("query", QUERIES)
def test_unknown_parameters_are_refused(service: Running, query: str) -> None:
    assert service.error(f"/remote_rm{query}", 400, json={"response": "a"})[0] == "bad_query"


@pytest.mark.parametrize("size", ["0", "-1", "many", "99999999", "1e3", "²", ""])
def test_group_sizes_that_are_none(service: Running, size: str) -> None:
    assert service.error(f"/get_reward?group_size={size}", 422, json=openrlhf("a"))[0] == "group_size"


def test_a_group_size_that_nobody_uses_makes_room_for_another(mixes: Mixes) -> None:
    with running(mixes) as service:
        served = mixes.get("length")
        before = sum(values(service, "length").values())
        for size in range(1, MOST_GATHERERS + 4):
            service.post(f"/mixes/length/get_reward?group_size={size}", openrlhf("a"))
        assert len(served.gatherers) <= MOST_GATHERERS
        assert MOST_GATHERERS + 3 in served.gatherers
        assert sum(values(service, "length").values()) == before + MOST_GATHERERS + 3


def values(service: Running, mix: str) -> dict[str, float]:
    """What was gathered of a mix, by Prometheus' account."""
    lines = service.http.get("/metrics").text.splitlines()
    start = f'hub_serve_gathered_total{{mix="{mix}",what="samples"}} '
    return {line: float(line.rpartition(" ")[2]) for line in lines if line.startswith(start)}


def test_group_sizes_of_which_samples_wait_stay(mixes: Mixes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub_serve.mixes.MOST_GATHERERS", 1)
    mixes.get("rank").gatherers.clear()
    with running(mixes) as service, ThreadPoolExecutor(1) as pool:
        path = "/mixes/rank/get_reward?group_size="
        first = pool.submit(service.post, f"{path}2", openrlhf("a", prompt="room"))
        wait_for(lambda: service.service.waiting == 1)
        response = service.http.post(f"{path}3", json=openrlhf("a", prompt="room"))
        assert (response.status_code, response.headers["Retry-After"]) == (429, "1")
        assert "2; send this one again later" in response.json()["error"]["message"]
        verl = service.http.post("/mixes/rank/classify?group_size=3", json={"input": "a"})
        assert verl.status_code == 503  # it would stop at a 4xx
        assert service.post(f"{path}2", openrlhf("ab", prompt="room"))["rewards"] == [1.0]
        assert first.result()["rewards"] == [0.0]


def test_groups_of_two_runs_are_kept_apart(mixes: Mixes) -> None:
    asked = [("a", "a"), ("b", "abc"), ("b", "abcd"), ("a", "ab")]
    with running(mixes) as service, ThreadPoolExecutor(4) as pool:
        answers = []
        for number, (run, text) in enumerate(asked):
            by_query, value = run == "a", openrlhf(text, prompt="both")
            path = "/mixes/rank/get_reward?group_size=2" + ("&run=a" if by_query else "")
            headers = {} if by_query else {"X-Hub-Run": run}
            answers.append(pool.submit(service.post, path, value, headers=headers))
            if number < 2:
                wait_for(lambda count=number + 1: service.service.waiting == count)  # type: ignore[misc]
        assert [answer.result()["rewards"] for answer in answers] == [[0.0], [0.0], [1.0], [1.0]]
        assert service.error(f"/get_reward?run={'x' * 201}", 400, json=openrlhf("a"))[0] == "bad_query"


def test_a_sample_whose_client_is_gone_leaves_its_group(mixes: Mixes) -> None:
    """Else the next request's sample would be compared with it, and the one after would wait for another."""
    with running(mixes) as service, ThreadPoolExecutor(2) as pool:
        path = "/mixes/rank/get_reward?group_size=2"
        with httpx.Client(base_url=service.url, timeout=0.5) as impatient, pytest.raises(httpx.ReadTimeout):
            impatient.post(path, json=openrlhf("abcdef", prompt="gone"))
        wait_for(lambda: service.service.waiting == 0)
        asked = [openrlhf(text, prompt="gone") for text in ("ab", "abc")]
        found = pool.map(lambda value: service.post(path, value)["rewards"], asked)
        assert list(found) == [[0.0], [1.0]]


def test_an_error_takes_all_of_a_request_out_of_their_groups(mixes: Mixes) -> None:
    with running(mixes) as service:
        fine, bad = openrlhf("a", prompt="fine"), openrlhf("oh!", prompt="bad")
        both = {key: fine[key] + bad[key] for key in fine}
        assert service.error("/mixes/strict/get_reward?group_size=2", 500, json=both)[0] == "reward_failed"
        assert service.service.waiting == 0
        gatherer = mixes.get("strict").gatherers[2]
        wait_for(lambda: gatherer.is_idle)


# slime and Miles


def test_slime_and_miles(service: Running) -> None:
    sample = {"prompt": [{"role": "user", "content": "2+2?"}], "response": "4", "label": "4"}
    assert service.post("/remote_rm", sample) == {
        "hub/total": 1.0 + 0.1 * (1 / 3),
        "right": 1.0,
        "length": 1 / 3,
        "hub/missing": 0.0,
        "hub/failed/right": 0.0,
        "hub/failed/length": 0.0,
    }
    assert service.post("/remote_rm?reply=number", sample) == 1.0 + 0.1 * (1 / 3)


def test_who_asks_for_it_gets_what_stands_for_a_missing_value(service: Running) -> None:
    asked = {"prompt": "alone", "response": "oh!", "label": None}
    answer = service.post("/mixes/fussy/remote_rm?missing=mean", asked)
    assert (answer["hub/total"], answer["hub/missing"], answer["hub/failed/fussy"]) == (0.0, 1.0, 1.0)


# verl, vLLM


def test_verl(service: Running) -> None:
    chat = "<|im_start|>user\n2+2?<|im_end|>\n<|im_start|>assistant\nfour<|im_end|>\n"
    asked = {"model": "some/reward-model", "input": chat}
    path, query = "/mixes/length", "?after=%3C|im_start|%3Eassistant%0A"
    vllm = service.post(f"{path}/classify{query}", {**asked, "use_activation": False})
    assert vllm["data"][-1]["probs"][-1] == 4 / 3
    sglang = service.post(f"{path}/v1/embeddings{query}", asked)
    assert sglang["data"][-1]["embedding"][-1] == 4 / 3
    whole = service.post(f"{path}/classify?end=", {**asked, "use_activation": False})
    assert whole["data"][-1]["probs"][-1] == len(chat) / 3


def test_vllm_forms(service: Running) -> None:
    messages = [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "four"}]
    pooled = service.post("/mixes/length/pooling", {"model": "m", "messages": messages})
    assert [one["data"] for one in pooled["data"]] == [[4 / 3]]
    pairs = service.post("/mixes/length/score", {"model": "m", "text_1": "2+2?", "text_2": ["four", "4"]})
    assert [(one["index"], one["score"]) for one in pairs["data"]] == [(0, 4 / 3), (1, 1 / 3)]


def test_a_model_is_the_name_of_a_mix_where_there_are_several(service: Running) -> None:
    assert service.post("/classify", {"model": "length", "input": "four"})["data"][0]["probs"] == [4 / 3]
    assert service.error("/classify", 404, json={"model": "os.py:system", "input": "a"})[0] == "unknown_mix"


# A missing value

MISSING = {
    "exception": ("fussy", "oh!", 500, "exception"),
    "abstained": ("routed", "a", 422, "no_reward"),
    "a missing column": ("plain", "a", 422, "missing_column"),
    "timeout": ("hangs", "hang", 500, "timeout"),
}


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_value_is_an_error_and_never_a_number(service: Running, name: str) -> None:
    mix, text, status, code = MISSING[name]
    asked = {
        "get_reward": openrlhf("fine", text, label=None),
        "remote_rm": {"response": text},
        "remote_rm?missing=error": {"response": text},
        "remote_rm?reply=number": {"response": text},
        "classify": {"input": text},
    }
    for path, value in asked.items():
        assert service.error(f"/mixes/{mix}/{path}", status, json=value)[0] == code


def test_a_time_limit_that_the_mix_scores_is_a_number(service: Running) -> None:
    assert service.post("/mixes/masked/get_reward", openrlhf("hang"))["rewards"] == [0.25]


def each(service: Running, path: str, values: list[Any]) -> list[Any]:
    """Send each value in a request of its own, all at once, as trainers do."""
    with ThreadPoolExecutor(len(values)) as pool:
        return list(pool.map(lambda value: service.post(path, value), values))


def test_a_failed_sample_gets_the_mean_of_its_group_from_other_requests(service: Running) -> None:
    texts = ["a", "oh!", "so ~", "abcdef"]
    asked = [openrlhf(text, prompt="group mean") for text in texts]
    answers = each(service, "/mixes/fussy/get_reward?group_size=4", asked)
    values = [answer["rewards"][0] for answer in answers]
    valid = [values[0], values[2], values[3]]
    assert values[1] == pytest.approx(sum(valid) / 3, abs=1e-15)
    assert valid == [0.7 + 0.1 * (1 / 3), 0.1 + 0.1 * (4 / 3), 0.7 + 0.1 * 2.0]
    assert [answer["extra_logs"]["hub/missing"] for answer in answers] == [[0.0], [1.0], [0.0], [0.0]]
    assert len({tuple(answer["extra_logs"]) for answer in answers}) == 1


def test_a_group_reward_gets_the_whole_group_from_other_requests(service: Running) -> None:
    texts = ["a", "abc", "ab"]
    asked = [{"prompt": "whole", "response": text, "label": None} for text in texts]
    assert each(service, "/mixes/rank/remote_rm?group_size=3&reply=number", asked) == [0.0, 1.0, 0.5]


@pytest.mark.parametrize("mix", ["rank", "gdpo"])
def test_what_compares_a_group_says_that_it_needs_the_size(service: Running, mix: str) -> None:
    for path, value in {"get_reward": openrlhf("a"), "remote_rm": {"response": "a"}}.items():
        code, message = service.error(f"/mixes/{mix}/{path}", 422, json=value)
        assert code == "group_size"
        assert "?group_size=N" in message


# Where completions begin and end

SPLITS: dict[str, tuple[str, str | None, dict[str, list[str]], str]] = {
    "as OpenRLHF sends it": ("6*7=42<|im_end|>", "6*7=", {}, "42"),
    "a first token": ("<|begin_of_text|>Q: 4<|eot_id|>", "Q: ", {}, "4"),
    "the line end of a template": ("Q4<|im_end|>\n", "Q", {}, "4"),
    "several tokens": ("Q4</s><pad> <pad>\n", "Q", {}, "4"),
    "DeepSeek's": ("Q4<\uff5cend\u2581of\u2581sentence\uff5c>", "Q", {}, "4"),
    "white space that is the model's": ("Q 4 \n", "Q", {}, " 4 \n"),
    "a token in the middle": ("Q<|x|>4", "Q", {}, "<|x|>4"),
    "tags are not tokens": ("Q<think>a</think>", "Q", {}, "<think>a</think>"),
    "an empty completion": ("Q<|im_end|>", "Q", {}, ""),
    "a prompt that ends in a token": ("<|user|>Q<|assistant|>", "<|user|>Q<|assistant|>", {}, ""),
    "a prompt that comes again": ("QQ4", "Q", {}, "Q4"),
    "ends that are named": ("Q4<|im_end|>STOP", "Q", {"end": ["STOP"]}, "4<|im_end|>"),
    "nothing is an end": ("Q4<|im_end|>", "Q", {"end": [""]}, "4<|im_end|>"),
    "after a text": ("<u>Q<a>x<a>4", None, {"after": ["<a>"]}, "4"),
    "no prompt": ("4</s>", None, {}, "4"),
}


@pytest.mark.parametrize("name", SPLITS)
def test_a_completion_is_found_in_its_text(name: str) -> None:
    text, prompt, query, completion = SPLITS[name]
    assert split(text, prompt, query, "query[0]")[1] == completion


@pytest.mark.parametrize("text", ["<pad>" * 200_000, "x" + " " * 1_000_000, "<|" * 500_000, "< |" * 300_000])
def test_an_end_is_looked_for_in_bounded_time(text: str) -> None:
    assert len(split(text, None, {}, "input[0]")[1]) <= len(text)


@pytest.mark.parametrize("query", [{"after": ["<a>"]}, {"after": [""]}])
def test_what_the_completion_comes_after_must_be_there(query: dict[str, list[str]]) -> None:
    with pytest.raises(Refused, match="does not hold"):
        split("<u>Q", None, query, "input[0]")


# The trainers' own code


def test_the_real_clients(service: Running, in_trainers: Callable[..., Any]) -> None:
    script = Path(__file__).with_name("real_clients.py")
    total = 1.0 + 0.1 * (1 / 3)
    scores = {"right": 1.0, "length": 1 / 3}
    flags = {"hub/missing": 0.0, "hub/failed/right": 0.0, "hub/failed/length": 0.0}
    logs = {name: [value] for name, value in {**scores, **flags}.items()}
    assert in_trainers(script, service.url) == {
        "openrlhf": [{"rewards": [total], "scores": [total], "extra_logs": logs}],
        "miles": {"hub/total": total, **scores, **flags},
        "vllm": {"reward_score": 4 / 3},
        "sglang": {"reward_score": 4 / 3},
    }
