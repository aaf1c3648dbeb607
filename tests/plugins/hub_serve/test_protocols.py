"""What trainers send and get: OpenRLHF, slime and Miles, verl; and what stands for a missing value."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hub_serve.refused import Refused
from hub_serve.split import split
from tests.plugins.hub_serve.conftest import Running


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
    answer = service.post("/get_reward?label=answer", openrlhf(label, label=label))
    assert answer["extra_logs"]["right"] == [1.0]


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
    "?%ff",
    "?" + "&".join(["label=a"] * 30),
]


@pytest.mark.parametrize("query", QUERIES)
def test_unknown_parameters_are_refused(service: Running, query: str) -> None:
    assert service.error(f"/remote_rm{query}", 400, json={"response": "a"})[0] == "bad_query"


@pytest.mark.parametrize("size", ["0", "-1", "many", "99999999", "1e3", "²", ""])
def test_group_sizes_that_are_none(service: Running, size: str) -> None:
    assert service.error(f"/get_reward?group_size={size}", 422, json=openrlhf("a"))[0] == "group_size"


def test_not_more_group_sizes_than_there_is_room_for(service: Running) -> None:
    for size in range(1, 9):
        service.http.post(f"/mixes/routed/get_reward?group_size={size}", json={"query": []})
    code, message = service.error("/mixes/routed/get_reward?group_size=9", 422, json=openrlhf("a"))
    assert (code, message) == (
        "group_size",
        "too many group sizes for one mix; there are: 1, 2, 3, 4, 5, 6, 7, 8",
    )


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


def test_an_answer_that_can_say_so_gives_what_stands_for_a_missing_value(service: Running) -> None:
    answer = service.post("/mixes/fussy/remote_rm", {"prompt": "alone", "response": "oh!", "label": None})
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
    asked = {"get_reward": openrlhf("fine", text, label=None), "remote_rm?reply=number": {"response": text}}
    for path, value in {**asked, "classify": {"input": text}}.items():
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
