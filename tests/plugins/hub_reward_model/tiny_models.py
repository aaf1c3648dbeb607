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


def byte_tokenizer(
    *,
    chat: bool = True,
    more: tuple[str, ...] = (),
    plain: tuple[str, ...] = (),
    merges: tuple[tuple[str, str], ...] = (),
) -> Any:
    """One token per byte, and of `merges`; `more` are special tokens, `plain` are tokens that are not."""
    vocabulary = {c: i for i, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    vocabulary |= {a + b: len(vocabulary) + n for n, (a, b) in enumerate(merges)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=list(merges)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not merges)
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
    own = {name: keys.pop(name) for name in ("chat", "more", "plain", "merges") if name in keys}
    tokenizer = byte_tokenizer(**own)
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


SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
FAMILIES: dict[str, dict[str, Any]] = {
    "Mistral": {"num_key_value_heads": 2, "sliding_window": 16},
    "Qwen3": {"num_key_value_heads": 2, "head_dim": 8},
    "Gemma2": {"num_key_value_heads": 2, "head_dim": 8, "sliding_window": 16},
    "GPT2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256},
    "GPTNeoX": {},
    "OPT": {"ffn_dim": 64, "word_embed_proj_dim": 32},
    "DebertaV2": {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 32},
    "ModernBert": {"local_attention": 16},
    "Bart": {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
             "decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64},
}  # fmt: skip
"""What else a family's small configuration needs."""


def save_family(folder: Path, family: str) -> Path:
    """Save a small sequence classifier of a family, with one label."""
    tokenizer = byte_tokenizer()
    named = {name: getattr(tokenizer, name) for name in ("pad_token_id", "bos_token_id", "eos_token_id")}
    keys = {**SMALL, "max_position_embeddings": 256, "num_labels": 1, **FAMILIES[family], **named}
    config = getattr(transformers, f"{family}Config")(
        vocab_size=len(tokenizer), initializer_range=0.2, **keys
    )
    return save(folder, getattr(transformers, f"{family}ForSequenceClassification"), config, tokenizer, 0)


def save_encoder(folder: Path, labels: tuple[str, ...], kind: str = "Bert", longest: int | None = 64) -> Path:
    """Save an encoder that reads two texts and has these labels; `longest` is what its tokenizer tells."""
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
        **({"model_max_length": longest} if longest else {}),
    )
    names = dict(enumerate(labels))
    made: Any = getattr(transformers, f"{kind}Config")
    config = made(
        vocab_size=len(words),
        **SMALL,
        max_position_embeddings=64,
        initializer_range=0.5,
        pad_token_id=0,
        id2label=names,
        label2id={name: number for number, name in names.items()},
    )
    return save(folder, getattr(transformers, f"{kind}ForSequenceClassification"), config, fast, 0)


def save(folder: Path, kind: Any, config: Any, tokenizer: Any, seed: int) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        kind(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
