"""The generator `transformers` on a small model with random weights."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from hub import Completion, Decoding
from hub.errors import GeneratorError, OptionError
from hub.open import open_generator
from hub_generators.sampling import RowSampler

PROMPTS = [
    "2+2?",
    "A much longer question, so that the others must be padded: what is 2+2?",
    "x",
    "Name a colour.",
]


def texts(completions: Any) -> dict[int, str]:
    return {completion.index: completion.text for completion in completions}


def plain_letter(text: str) -> str:
    """A letter of the text that is one byte, and not the first there."""
    return next(letter for letter in text[1:] if " " < letter < "~" and letter != text[0])


def greedy(folder: Path, prompt: str, count: int) -> tuple[str, int]:
    """The plainest decoding there is: one prompt, no padding, no cache."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    tokens = tokenizer(prompt)["input_ids"]
    made: list[int] = []
    while len(made) < count:
        with torch.inference_mode():
            logits = model(torch.tensor([tokens + made])).logits[0, -1]
        made.append(int(logits.argmax()))
        if made[-1] == tokenizer.eos_token_id:
            return str(tokenizer.decode(made[:-1], skip_special_tokens=True)), len(made) - 1
    return str(tokenizer.decode(made, skip_special_tokens=True)), len(made)


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_padding_and_batches_change_nothing(plain_model: Path, batch_size: int) -> None:
    generator = open_generator(str(plain_model), batch_size=batch_size)
    made = sorted(generator.generate(PROMPTS, Decoding(12)), key=lambda completion: completion.index)
    assert [(c.text, c.tokens) for c in made] == [greedy(plain_model, prompt, 12) for prompt in PROMPTS]


def test_a_chat_template_is_used_where_there_is_one(model: Path, plain_model: Path) -> None:
    rendered = "<|user|>2+2?<|end|><|assistant|>"
    expected = {
        (model, "auto"): greedy(plain_model, rendered, 8)[0],
        (model, "always"): greedy(plain_model, rendered, 8)[0],
        (model, "never"): greedy(plain_model, "2+2?", 8)[0],
        (plain_model, "auto"): greedy(plain_model, "2+2?", 8)[0],
    }
    assert len(set(expected.values())) == 2
    for (folder, option), text in expected.items():
        generator = open_generator(str(folder), chat_template=option)
        assert texts(generator.generate(["2+2?"], Decoding(8))) == {0: text}, (folder, option)
        assert generator.describe()["chat_template"] == (text == expected[model, "auto"])


def test_a_decoding_may_leave_the_chat_template_out_for_text(model: Path, plain_model: Path) -> None:
    raw, wrapped = (greedy(plain_model, text, 8)[0] for text in ("2+2?", "<|user|>2+2?<|end|><|assistant|>"))
    prompts: Any = ["2+2?", [{"role": "user", "content": "2+2?"}]]
    for option, expected in {"auto": raw, "never": raw, "always": wrapped}.items():
        made = texts(
            open_generator(str(model), chat_template=option).generate(
                prompts, Decoding(8, chat_template=False)
            )
        )
        assert made == {0: expected, 1: raw if option == "never" else wrapped}


ASKED = [
    ("2+2=", "4"),
    ("A longer question, so that the others are padded: 2+2= ", "4 or 5"),
    ("", "By itself."),
    ("  ", "x"),
    ("x ", " y"),
]


@pytest.mark.parametrize("batch_size", [1, 3])
def test_how_likely_a_text_is(plain_model: Path, batch_size: int) -> None:
    tokenizer = AutoTokenizer.from_pretrained(plain_model)
    model = AutoModelForCausalLM.from_pretrained(plain_model)
    generator: Any = open_generator(str(plain_model), batch_size=batch_size)
    found = dict(generator.loglikelihood(ASKED))
    assert sorted(found) == list(range(len(ASKED)))
    for number, (context, text) in enumerate(ASKED):
        bare = context.rstrip()
        before = tokenizer(bare)["input_ids"] or [tokenizer.bos_token_id or tokenizer.eos_token_id]
        tokens = before + tokenizer(context[len(bare) :] + text)["input_ids"]
        with torch.inference_mode():
            chances = model(torch.tensor([tokens])).logits[0].log_softmax(-1)
        places = range(len(before) - 1, len(tokens) - 1)
        assert found[number][0] == pytest.approx(
            sum(float(chances[p, tokens[p + 1]]) for p in places), abs=1e-4
        )
        assert found[number][1] == all(int(chances[p].argmax()) == tokens[p + 1] for p in places)
    sure = [(prompt, greedy(plain_model, prompt, 1)[0]) for prompt in PROMPTS]
    readable = [(prompt, text) for prompt, text in sure if text.isascii() and text.strip()]
    assert readable
    assert all(is_greedy for _, (_, is_greedy) in generator.loglikelihood(readable))


@pytest.mark.parametrize(
    ("pair", "words"),
    [(("x", ""), "the text '' has no token"), (("x", "y" * 600), "tokens with its context, more than the")],
)
def test_a_text_that_cannot_be_told_costs_no_other(plain_model: Path, pair: Any, words: str) -> None:
    generator: Any = open_generator(str(plain_model))
    [alone] = generator.loglikelihood([("x", "y")])
    found = dict(generator.loglikelihood([pair, ("x", "y")]))
    assert found[1] == pytest.approx(alone[1])
    assert words in found[0]


def test_no_text_can_be_told_by_itself(plain_model: Path) -> None:
    generator: Any = open_generator(str(plain_model))
    with pytest.raises(GeneratorError, match="by itself"):
        list(generator.loglikelihood([("x", "y"), (None, "x")]))


SYSTEM = [{"role": "system", "content": "x"}, {"role": "user", "content": "x"}]


@pytest.mark.parametrize("begins", [False, True])
@pytest.mark.parametrize(
    ("where", "prompt", "words"),
    [
        ("PLAIN", "y" * 600, "the prompt has 600 tokens; with 8 new ones that is more than the"),
        ("PLAIN", "", "the prompt is empty"),
        ("CHAT", SYSTEM, "no system prompts here"),
    ],
    ids=["too long", "empty, and no first token", "a role that the template refuses"],
)
def test_a_prompt_that_does_not_fit_costs_no_other(
    where: str, prompt: Any, words: str, begins: bool, model: Path, plain_model: Path
) -> None:
    generator: Any = open_generator(str(model if where == "CHAT" else plain_model))

    def make(prompts: list[Any]) -> dict[int, Completion]:
        if begins:
            return {one.index: one for one, _ in generator.begin(prompts, 2, Decoding(8))}
        return {one.index: one for one in generator.generate(prompts, Decoding(8))}

    made = make(["x", prompt, "2+2?"])
    alone = make(["x", "2+2?"])
    assert (made[0].text, made[2].text) == (alone[0].text, alone[1].text)
    assert made[1].finish == "refused"
    assert words.replace("8 new", "1 new" if begins else "8 new") in made[1].refused
    assert make([prompt])[0].refused == made[1].refused


def test_messages_without_a_chat_template_are_joined(plain_model: Path) -> None:
    messages = [
        {"role": "user", "content": "1+1?"},
        {"role": "assistant", "content": "2"},
        {"role": "user", "content": "2+2?"},
    ]
    generator = open_generator(str(plain_model))
    assert texts(generator.generate([messages], Decoding(8))) == {
        0: greedy(plain_model, "1+1?\n\n2\n\n2+2?", 8)[0]
    }


def test_sampling_does_not_depend_on_the_batch_nor_touch_random_states(model: Path) -> None:
    decoding = Decoding(10, temperature=1.0, top_p=0.9, seed=5)
    states = torch.get_rng_state(), random.getstate()
    alone, together = open_generator(str(model), batch_size=1), open_generator(str(model), batch_size=4)
    everything = texts(together.generate(PROMPTS, decoding))
    assert texts(alone.generate(PROMPTS, decoding)) == everything
    assert texts(together.generate(PROMPTS[2:], decoding)) == {0: everything[2], 1: everything[3]}
    assert texts(together.generate(PROMPTS, Decoding(10, temperature=1.0, top_p=0.9, seed=6))) != everything
    twice = texts(together.generate(["x", "x"], decoding))
    assert twice[0] != twice[1]
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1] == random.getstate()


def test_sampling_follows_the_softmax() -> None:
    logits = torch.log(torch.tensor([0.5, 0.3, 0.15, 0.05]))
    for top_p, expected in [(1.0, [0.5, 0.3, 0.15, 0.05]), (0.75, [0.625, 0.375, 0.0, 0.0])]:
        rows = 4000
        sampler: Any = RowSampler(range(rows), 1.0, top_p, torch.device("cpu"))
        drawn = Counter(
            sampler(torch.zeros(rows, 1, dtype=torch.long), logits.expand(rows, 4)).argmax(-1).tolist()
        )
        for token, share in enumerate(expected):
            assert drawn[token] / rows == pytest.approx(share, abs=0.03), (top_p, token)
    cold: Any = RowSampler(range(50), 0.01, 1.0, torch.device("cpu"))
    assert set(cold(torch.zeros(50, 1, dtype=torch.long), logits.expand(50, 4)).argmax(-1).tolist()) == {0}


def test_stop_texts_end_a_completion(plain_model: Path) -> None:
    generator = open_generator(str(plain_model))
    for prompt in PROMPTS:
        [whole] = generator.generate([prompt], Decoding(24))
        stop = plain_letter(whole.text)
        [cut] = generator.generate([prompt], Decoding(24, stop=(stop, "never there")))
        assert cut.text == whole.text[: whole.text.find(stop)]
        assert cut.finish == "stop"
        assert cut.tokens is not None
        assert whole.tokens is not None
        assert cut.tokens < whole.tokens
        assert texts(generator.generate([prompt], Decoding(24, stop=(prompt,)))) == {0: whole.text}


def test_rows_of_a_batch_stop_each_at_its_own_place(plain_model: Path) -> None:
    generator = open_generator(str(plain_model))
    whole = texts(generator.generate(PROMPTS, Decoding(24)))
    stop = tuple(plain_letter(text) for text in whole.values())
    alone = [texts(generator.generate([prompt], Decoding(24, stop=stop)))[0] for prompt in PROMPTS]
    assert (
        list(dict(sorted(texts(generator.generate(PROMPTS, Decoding(24, stop=stop))).items())).values())
        == alone
    )
    assert len({len(text) for text in alone}) > 1


def test_a_special_token_can_be_a_stop_text(plain_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(plain_model, tmp_path / "eager")
    model = AutoModelForCausalLM.from_pretrained(folder)
    number = AutoTokenizer.from_pretrained(folder).convert_tokens_to_ids("<|user|>")
    with torch.no_grad():  # the model says nothing but <|user|>
        model.lm_head.weight.zero_()
        model.lm_head.weight[number] = 1.0
        model.model.norm.weight.abs_()
        model.model.embed_tokens.weight.fill_(1.0)
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
    model.save_pretrained(folder)
    generator = open_generator(str(folder))
    assert list(generator.generate(["x"], Decoding(6))) == [Completion(0, "", "length", 6, prompt_tokens=1)]
    stopped = Completion(0, "", "stop", 0, prompt_tokens=1)
    assert list(generator.generate(["x"], Decoding(6, stop=("<|user|>",)))) == [stopped]


def test_the_models_own_generation_settings_are_not_mixed_in(plain_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(plain_model, tmp_path / "opinionated")
    settings: Any = GenerationConfig
    settings(
        do_sample=True, temperature=5.0, top_k=3, repetition_penalty=9.0, eos_token_id=[256], max_length=4
    ).save_pretrained(folder)
    here, there = open_generator(str(folder)), open_generator(str(plain_model))
    assert texts(here.generate(PROMPTS, Decoding(16))) == texts(there.generate(PROMPTS, Decoding(16)))


def test_a_description_knows_the_weights_again(tiny: Any, plain_model: Path, tmp_path: Path) -> None:
    copy, other = (
        shutil.copytree(plain_model, tmp_path / "copy"),
        tiny.save(tmp_path / "other", chat=False, seed=1),
    )
    (copy / "optimizer.pt").write_bytes(b"not weights")
    here, there, different = (open_generator(str(folder)).describe() for folder in (plain_model, copy, other))
    assert here["weights"] == there["weights"] != different["weights"]
    assert here["tokenizer"] == there["tokenizer"] == different["tokenizer"]
    assert here["dtype"] == "float32"
    assert here["folder"] == str(plain_model)
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "rms_norm_eps": 0.5}))
    changed = open_generator(str(copy)).describe()
    assert here["config"] == there["config"] == different["config"] != changed["config"]
    assert changed["weights"] == here["weights"]
    assert set(here["libraries"]) == {"torch", "transformers", "tokenizers"}
    half = open_generator(str(plain_model), dtype="bfloat16").describe()
    assert half["dtype"] == "bfloat16"
    json.dumps(half)


BAD = [
    ("no such folder", "nobody/nothing", {}, Decoding(4), ["x"], GeneratorError, "nobody/nothing"),
    (
        "a folder's revision",
        "PLAIN@main",
        {},
        Decoding(4),
        ["x"],
        GeneratorError,
        "a folder has no revisions",
    ),
    ("not a model", "EMPTY", {}, Decoding(4), ["x"], GeneratorError, "the folder"),
    (
        "no chat template",
        "PLAIN",
        {"chat_template": "always"},
        Decoding(4),
        ["x"],
        OptionError,
        "no chat template",
    ),
    (
        "an unknown option",
        "PLAIN",
        {"batchsize": 4},
        Decoding(4),
        ["x"],
        OptionError,
        "did you mean 'batch_size'",
    ),
    ("an unknown choice", "PLAIN", {"dtype": "int3"}, Decoding(4), ["x"], OptionError, "int3"),
    ("a batch of none", "PLAIN", {"batch_size": 0}, Decoding(4), ["x"], OptionError, "at least 1"),
    ("no such device", "PLAIN", {"device": "abacus"}, Decoding(4), ["x"], OptionError, "abacus"),
    ("a device that is not here", "PLAIN", {"device": "xpu:7"}, Decoding(4), ["x"], OptionError, "xpu:7"),
]


@pytest.mark.parametrize(
    ("where", "options", "decoding", "prompts", "error", "words"),
    [case[1:] for case in BAD],
    ids=[case[0] for case in BAD],
)
def test_bad_input_is_one_clear_error(
    where: str, options: dict[str, Any], decoding: Decoding, prompts: list[Any], error: type[Exception], words: str,
    model: Path, plain_model: Path, tmp_path: Path,
) -> None:  # fmt: skip
    places: dict[str, Any] = {"PLAIN": plain_model, "CHAT": model, "EMPTY": tmp_path}
    places["PLAIN@main"] = f"{plain_model}@main"
    with pytest.raises(error, match=words.replace("'", ".")):
        list(open_generator(str(places.get(where, where)), **options).generate(prompts, decoding))


def test_a_model_id_is_read_from_the_cache_at_its_revision(plain_model: Path, tmp_path: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "models--org--tiny"
    shutil.copytree(plain_model, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    code = (
        "import json, hub; from hub.open import open_generator; g = open_generator('org/tiny@main');"
        "print(json.dumps([g.describe(), next(g.generate(['x'], hub.Decoding(4))).tokens]))"
    )
    environment = {**os.environ, "HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    described, tokens = json.loads(done.stdout.splitlines()[-1])
    assert tokens == 4
    assert (described["model"], described["revision"]) == ("org/tiny", commit)
    assert described["weights"] == open_generator(str(plain_model)).describe()["weights"]


def test_a_model_in_this_process_is_known_with_its_configuration(plain_model: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(plain_model)
    pair = (model, AutoTokenizer.from_pretrained(plain_model))
    before = open_generator("mine", "transformers", loaded=pair).describe()
    model.config.use_cache = False
    same = open_generator("mine", "transformers", loaded=pair).describe()
    model.config.rope_parameters["rope_theta"] = 3.0
    after = open_generator("mine", "transformers", loaded=pair).describe()
    assert before["config"] == same["config"] != after["config"]
    assert before["weights"] == after["weights"]


def test_an_unknown_model_without_a_network_is_told_at_once(tmp_path: Path) -> None:
    code = "from hub.open import open_generator; open_generator('org/nothing')"
    environment = {
        **os.environ,
        "HF_HUB_CACHE": str(tmp_path),
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "HF_HUB_OFFLINE": "0",
        "TRANSFORMERS_OFFLINE": "0",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    assert "'org/nothing' is not in the local cache and cannot be looked up: ConnectError" in done.stderr
    assert "Retrying" not in done.stderr
