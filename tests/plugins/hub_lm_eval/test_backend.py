"""The generator `lm-eval`, with lm-eval's own backends."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch

from hub import Completion, Decoding
from hub.errors import GeneratorError, OptionError, UnknownName
from hub.open import open_generator

PROMPTS = ["2+2?", "A much longer question: what is 2+2?", "x", "Name a colour."]
QUIET = {"device": "cpu", "dtype": "float32"}


def open_backend(model: Path | str, **options: Any) -> Any:
    return open_generator(str(model), "lm-eval", **{"backend": "hf", **QUIET, **options})


def texts(completions: Any) -> dict[int, str]:
    return {completion.index: completion.text for completion in completions}


@pytest.mark.parametrize("chat", ["auto", "never"])
def test_it_gives_what_the_transformers_generator_gives(model: Path, chat: str) -> None:
    ours = open_generator(str(model), "transformers", chat_template=chat)
    expected = texts(ours.generate(PROMPTS, Decoding(12)))
    for piece, batch_size in [(64, 1), (2, 4)]:
        generator = open_backend(model, chat_template=chat, piece=piece, batch_size=batch_size)
        assert texts(generator.generate(PROMPTS, Decoding(12))) == expected
        assert generator.describe()["chat_template"] == (chat == "auto")


ASKED = [("2+2=", "4"), ("A longer question: 2+2= ", "4 or 5"), ("", "By itself."), ("x ", " y")]


def test_it_tells_what_the_transformers_generator_tells(plain_model: Path) -> None:
    ours: Any = open_generator(str(plain_model))
    expected = dict(ours.loglikelihood(ASKED))
    generator = open_backend(plain_model, piece=3)
    found = dict(generator.loglikelihood([*ASKED, (None, "All of it.")]))
    for number, (logprob, is_greedy) in expected.items():
        assert found[number] == (pytest.approx(logprob, abs=1e-4), is_greedy)
    assert found[4] == (pytest.approx(dict(ours.loglikelihood([("", "All of it.")]))[0][0], abs=1e-4), False)
    server: Any = open_generator("anything", "lm-eval", backend="dummy")
    assert len(list(server.loglikelihood(ASKED))) == len(ASKED)


def test_a_decoding_may_leave_the_chat_template_out(model: Path, plain_model: Path) -> None:
    raw = texts(open_backend(plain_model).generate(["2+2?"], Decoding(8)))
    decoding = Decoding(8, chat_template=False)
    assert texts(open_backend(model).generate(["2+2?"], decoding)) == raw
    assert texts(open_backend(model, chat_template="always").generate(["2+2?"], decoding)) != raw


def test_a_completion_that_was_cut_says_so(plain_model: Path) -> None:
    generator = open_backend(plain_model)
    finishes = {c.index: c.finish for c in generator.generate(PROMPTS, Decoding(12))}
    ours = {c.index: c.finish for c in open_generator(str(plain_model)).generate(PROMPTS, Decoding(12))}
    assert finishes[2] == ours[2] == "stop"
    assert finishes[3] == ours[3] == "length"


def test_messages_become_text_where_there_is_no_template(plain_model: Path) -> None:
    generator = open_backend(plain_model)
    messages = [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": "2"}]
    assert texts(generator.generate([messages], Decoding(8))) == texts(
        generator.generate(["1+1?\n\n2"], Decoding(8))
    )


def test_stop_texts_end_a_completion(plain_model: Path) -> None:
    generator = open_backend(plain_model)
    whole = texts(generator.generate(["2+2?"], Decoding(12)))[0]
    stop = next(letter for letter in whole[1:] if " " < letter < "~" and letter != whole[0])
    assert texts(generator.generate(["2+2?"], Decoding(12, stop=(stop,)))) == {0: whole.partition(stop)[0]}


def test_sampling_is_seeded_and_leaves_random_states_alone(model: Path) -> None:
    generator = open_backend(model)
    states = torch.get_rng_state(), random.getstate()
    first, again, other = (
        texts(generator.generate(PROMPTS, Decoding(10, 1.0, 0.95, seed=seed))) for seed in (1, 1, 2)
    )
    assert first == again != other
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1] == random.getstate()


def test_a_description_says_what_was_run(model: Path) -> None:
    described = open_backend(model, batch_size=2).describe()
    ours = open_generator(str(model)).describe()
    assert (described["backend"], described["weights"]) == ("hf", ours["weights"])
    assert (described["batch_size"], described["device"], described["arguments"]) == (
        2,
        "cpu",
        {"dtype": "float32"},
    )
    assert "sha" in described
    assert described["libraries"]["lm_eval"]
    json.dumps(described)


def test_a_backend_without_a_model_works_too() -> None:
    generator = open_generator("anything", "lm-eval", backend="dummy")
    assert sorted(c.index for c in generator.generate(PROMPTS, Decoding(4))) == [0, 1, 2, 3]
    assert Completion(0, "lol") in list(generator.generate(PROMPTS, Decoding(4)))
    with pytest.raises(
        GeneratorError, match="AssertionError"
    ):  # that backend asserts that prompts are not empty
        list(generator.generate([""], Decoding(4)))


@pytest.mark.parametrize("backend", ["local-chat-completions", "local-completions"])
def test_a_server_is_asked_with_the_decoding(backend: str, protocol: Any) -> None:
    pytest.importorskip("tenacity", reason="needs lm-eval[api]")
    server = protocol.Server(lambda path, body, number: protocol.completion(protocol.question(body).upper()))
    path = "/chat/completions" if "chat" in backend else "/completions"
    options = {"base_url": server.address + path, "tokenizer_backend": "none"}
    try:
        generator = open_generator("tiny", "lm-eval", backend=backend, **options)
        made = texts(generator.generate(PROMPTS, Decoding(8, 0.5, 0.9, seed=7)))
    finally:
        server.close()
    assert made == {n: prompt.upper() for n, prompt in enumerate(PROMPTS)}
    assert generator.describe()["address"] == server.address + path
    for _, body in server.requests:
        asked = [body[key] for key in ("model", "max_tokens", "temperature", "top_p", "seed")]
        assert asked == ["tiny", 8, 0.5, 0.9, 7]


BAD = [
    ("an unknown backend", "PLAIN", {"backend": "huggingfase"}, UnknownName, "did you mean 'huggingface'"),
    ("an argument of no use", "PLAIN", {"dtipe": "float32"}, GeneratorError, "dtipe"),
    ("an argument that is missing", "PLAIN", {"backend": "textsynth"}, OptionError, "'engine'"),
    ("a server without an address", "PLAIN", {"backend": "gguf"}, GeneratorError, "base_url"),
    ("no such model", "nobody/nothing", {}, GeneratorError, "cannot load 'nobody/nothing'"),
    ("no chat template", "PLAIN", {"chat_template": "always"}, OptionError, "no chat template"),
    ("an unknown choice", "PLAIN", {"chat_template": "maybe"}, OptionError, "auto, always or never"),
    ("pieces of none", "PLAIN", {"piece": 0}, OptionError, "at least 1"),
]


@pytest.mark.parametrize(
    ("where", "options", "error", "words"), [c[1:] for c in BAD], ids=[c[0] for c in BAD]
)
def test_bad_input_is_one_clear_error(
    where: str, options: dict[str, Any], error: type[Exception], words: str, plain_model: Path
) -> None:
    generator_of = plain_model if where == "PLAIN" else where
    with pytest.raises(error, match=words):
        list(open_backend(generator_of, **options).generate(["x", "y" * 300], Decoding(8)))


def test_a_prompt_that_is_too_long_costs_no_other(plain_model: Path) -> None:
    made = {one.index: one for one in open_backend(plain_model).generate(["x", "y" * 300], Decoding(8))}
    assert made[0].text == texts(open_backend(plain_model).generate(["x"], Decoding(8)))[0]
    assert "the prompt has 300 tokens" in made[1].refused


def test_without_a_gpu_it_runs_where_it_can(plain_model: Path) -> None:
    """lm-eval's own default is "cuda", whatever there is."""
    generator = open_generator(str(plain_model), "lm-eval", dtype="float32")
    (completion,) = generator.generate(["a"], Decoding(max_new_tokens=2))
    assert completion.finish in ("length", "stop")
    assert "device" not in generator.describe()["arguments"]
    generator.close()
