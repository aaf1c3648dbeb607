"""What the completion is in a text that holds more."""

import pytest

from hub.training.completion import end_of, start_of, without_end

CHAT = "<|im_start|>user\n6*7=<|im_end|>\n<|im_start|>assistant\n"


@pytest.mark.parametrize(
    ("text", "completion"),
    [
        ("", ""),
        ("42", "42"),
        ("42\n ", "42\n "),
        ("42</s>", "42"),
        ("42<|im_end|>\n", "42"),
        ("42<|im_end|><|endoftext|>", "42"),
        ("42 <|im_end|> \n<pad><pad>", "42 "),
        ("42<turn|>", "42"),
        ("42<end_of_turn>", "42"),
        ("42<\uff5cend\u2581of\u2581sentence\uff5c>", "42"),
        ("a <|im_end|> b\n", "a <|im_end|> b\n"),
        ("<think>a</think>", "<think>a</think>"),
        ("a <| b |>", "a <| b |>"),
        ("if a <|b|>", "if a "),
        ("<|im_end|>", ""),
    ],
)
def test_what_ends_a_completion_is_taken_off(text: str, completion: str) -> None:
    assert without_end(text) == completion


def test_what_to_take_off_can_be_told() -> None:
    assert "42[END]"[: end_of("42[END]", 0, ["[END]", "END]", ""])] == "42"
    assert end_of("42<|im_end|>", 0, ["[END]"]) == 12
    assert end_of("</s></s>", 4) == 4


@pytest.mark.parametrize(
    ("text", "prompt", "completion"),
    [
        ("6*7=42", "6*7=", "42"),
        ("<s> 6*7=42", "6*7=", "42"),
        (f"{CHAT}42", CHAT, "42"),
        (CHAT, CHAT, ""),
        (f"{CHAT[9:]}42", CHAT, "42"),
        ("aab" * 9 + "!", "aaab" + "aab" * 9, "!"),
        ("anything", "", "anything"),
        ("x" * 100_000 + "42", "y" + "x" * 100_000, "42"),
    ],
)
def test_where_a_completion_begins(text: str, prompt: str, completion: str) -> None:
    start = start_of(text, prompt)
    assert start is not None
    assert text[start:] == completion


@pytest.mark.parametrize(
    ("text", "prompt"),
    [("42", CHAT), ("", "6*7="), ("\n42", CHAT), (CHAT[:-1], CHAT), ("x" * 65 + "6*7=", "6*7=")],
)
def test_a_text_that_does_not_begin_with_its_prompt(text: str, prompt: str) -> None:
    assert start_of(text, prompt) is None


@pytest.mark.parametrize(
    "text", ["<pad>" * 200_000 + "x", "<pad>" * 200_000, "<pad>" * 200_000 + " " * 200_000]
)
def test_a_million_special_tokens_take_no_time(text: str) -> None:
    """A square of them would take hours; a collapsed policy writes such texts."""
    assert without_end(text) == (text if text.endswith("x") else "")
