"""A small random Llama and a character tokenizer, made on the spot: nothing is downloaded."""

import string
import sys
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

PAD, END, UNKNOWN = "<|pad|>", "<|end|>", "<|unknown|>"
# One token each, which shortens completions; not special tokens, which decoding would drop.
WORDS = ("<think>", "</think>", "\\boxed{")
CHARACTERS = string.digits + string.ascii_letters + " \n+-*/=().,:;?!{}\\$"
SPLIT = r"<think>|</think>|\\boxed\{|[\s\S]"
LAYERS, HIDDEN, HEADS, CONTEXT = 2, 128, 4, 128  # 0.5 million weights


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Return one with one token per character, and one for each of WORDS."""
    vocab = {token: i for i, token in enumerate([PAD, END, UNKNOWN, *WORDS, *CHARACTERS])}
    core = Tokenizer(models.WordLevel(vocab, unk_token=UNKNOWN))
    core.pre_tokenizer = pre_tokenizers.Split(Regex(SPLIT), "isolated")
    core.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=core,
        pad_token=PAD,
        eos_token=END,
        unk_token=UNKNOWN,
        padding_side="left",
        model_max_length=CONTEXT,
    )


def make_model(tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """Return random weights; the same seed gives the same ones."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        intermediate_size=4 * HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)


def build(folder: Path, seed: int) -> None:
    """Write the model and its tokenizer to `folder`, where `from_pretrained` finds them."""
    tokenizer = make_tokenizer()
    tokenizer.save_pretrained(folder)
    make_model(tokenizer, seed).save_pretrained(folder)


if __name__ == "__main__":
    build(Path(sys.argv[1]), int(sys.argv[2]))
