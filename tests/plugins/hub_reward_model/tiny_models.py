"""Models with random weights that score, small enough to make and run in a test."""

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

CHAT = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'critic' %}{{ raise_exception('no critics') }}{% endif %}"
    "<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
)


def byte_tokenizer(*, chat: bool = True, more: tuple[str, ...] = (), plain: tuple[str, ...] = ()) -> Any:
    """One token per byte; `more` are special tokens, `plain` are tokens that are not."""
    vocabulary = {c: i for i, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_tokens(list(plain))
    make: Any = PreTrainedTokenizerFast
    fast = make(
        tokenizer_object=tokenizer,
        bos_token="<|begin|>",
        eos_token="<|end|>",
        pad_token="<|pad|>",
        additional_special_tokens=["<|user|>", "<|assistant|>", "<|system|>", *more],
    )
    if chat:
        fast.chat_template = CHAT
    return fast


def save_decoder(
    folder: Path,
    kind: str = "LlamaForSequenceClassification",
    *,
    seed: int = 0,
    pad: bool = True,
    **keys: Any,
) -> Path:
    """Save a decoder of two layers: a reward model, or whatever class of transformers `kind` names."""
    tokenizer = byte_tokenizer(
        chat=keys.pop("chat", True), more=keys.pop("more", ()), plain=keys.pop("plain", ())
    )
    config_kind = transformers.Qwen2Config if kind.startswith("Qwen2") else transformers.LlamaConfig
    made: Any = config_kind
    config = made(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=keys.pop("context", 256),
        initializer_range=0.2,
        pad_token_id=tokenizer.pad_token_id if pad else None,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **{"num_labels": 1, **keys},
    )
    return save(folder, getattr(transformers, kind), config, tokenizer, seed)


def save_encoder(folder: Path, labels: tuple[str, ...]) -> Path:
    """Save a BERT that reads two texts and has these labels."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz0123456789?.,"]
    vocabulary = {word: index for index, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", continuing_subword_prefix=""))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    make: Any = (
        transformers.BertTokenizerFast
        if hasattr(transformers, "BertTokenizerFast")
        else PreTrainedTokenizerFast
    )
    fast = make(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        unk_token="[UNK]",
        model_max_length=64,
    )
    names = dict(enumerate(labels))
    made: Any = transformers.BertConfig
    config = made(
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
        initializer_range=0.5,
        id2label=names,
        label2id={name: number for number, name in names.items()},
    )
    return save(folder, transformers.BertForSequenceClassification, config, fast, 0)


def save(folder: Path, kind: Any, config: Any, tokenizer: Any, seed: int) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        kind(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
