"""Captioning networks of the real architectures, tiny and random, in folders as they are published: for what loads and asks them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BartConfig,
    BartTokenizerFast,
    BertTokenizer,
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2Processor,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessorPil,
    BlipProcessor,
    CLIPImageProcessorPil,
    Florence2Config,
    Florence2ForConditionalGeneration,
    Florence2Processor,
    GPT2Tokenizer,
)

WORDS = ["a", "red", "blue", "mug", "watch", "on", "table", "photo", "what", "is", "this", "question", "answer", ":", "?"]
SIDE = 32
_SMALL: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}
_VISION = {**_SMALL, "image_size": SIDE, "patch_size": 16}


def _words(first: list[str], ends: tuple[str, str] | None, unknown: str) -> Tokenizer:
    """A token a word; `ends` stand around every text."""
    vocabulary = {word: number for number, word in enumerate([*first, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=unknown))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if ends:
        named = [(end, vocabulary[end]) for end in ends]
        tokenizer.post_processor = processors.TemplateProcessing(single=f"{ends[0]} $A {ends[1]}", special_tokens=named)
    return tokenizer


def write_blip(folder: Path) -> None:
    """BLIP."""
    torch.manual_seed(0)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = BertTokenizer(tokenizer_object=_words(special, ("[CLS]", "[SEP]"), "[UNK]"))
    text = {**_SMALL, "encoder_hidden_size": 16, "vocab_size": len(tokenizer), "max_position_embeddings": 64}
    ids = {"bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0, "sep_token_id": 3}
    config = BlipConfig(text_config={**text, **ids}, vision_config=_VISION, projection_dim=16, image_text_hidden_size=16)
    BlipForConditionalGeneration(config).save_pretrained(folder)
    BlipProcessor(BlipImageProcessorPil(size={"height": SIDE, "width": SIDE}), tokenizer).save_pretrained(folder)


def write_blip2(folder: Path) -> None:
    """BLIP-2, which writes with OPT."""
    torch.manual_seed(0)
    tokenizer = GPT2Tokenizer(
        tokenizer_object=_words(["<s>", "<pad>", "</s>", "<unk>", "<image>"], None, "<unk>"),
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        padding_side="left",
    )
    writer = {"model_type": "opt", "hidden_size": 16, "ffn_dim": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
    writer |= {"vocab_size": len(tokenizer), "word_embed_proj_dim": 16, "max_position_embeddings": 64, "pad_token_id": 1}
    config = Blip2Config(
        vision_config=_VISION,
        qformer_config={**_SMALL, "encoder_hidden_size": 16, "vocab_size": len(tokenizer), "cross_attention_frequency": 1},
        text_config={**writer, "bos_token_id": 0, "eos_token_id": 2},
        num_query_tokens=4,
        image_token_index=4,
    )
    Blip2ForConditionalGeneration(config).save_pretrained(folder)
    Blip2Processor(BlipImageProcessorPil(size={"height": SIDE, "width": SIDE}), tokenizer, num_query_tokens=4).save_pretrained(folder)


def write_florence2(folder: Path) -> None:
    """Florence-2, which writes with BART."""
    torch.manual_seed(0)
    first = ["<s>", "<pad>", "</s>", "<unk>", "<image>", *(f"<loc_{n}>" for n in range(4))]
    tokenizer = BartTokenizerFast(tokenizer_object=_words(first, ("<s>", "</s>"), "<unk>"), extra_special_tokens={"image_token": "<image>"})
    text = BartConfig(
        vocab_size=len(tokenizer),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=24,
        decoder_ffn_dim=24,
        max_position_embeddings=128,
    )
    vision = {"depths": [1], "embed_dim": [16], "num_heads": [2], "num_groups": [2], "patch_size": [7], "patch_stride": [4]}
    vision |= {"patch_padding": [3], "patch_prenorm": [False], "window_size": 4, "projection_dim": 16}
    config = Florence2Config(text_config=text.to_dict(), vision_config=vision, image_token_id=first.index("<image>"))
    Florence2ForConditionalGeneration(config).save_pretrained(folder)
    pictures = CLIPImageProcessorPil(
        size={"height": SIDE, "width": SIDE}, crop_size={"height": SIDE, "width": SIDE}, do_center_crop=False, image_seq_length=65
    )
    Florence2Processor(pictures, tokenizer).save_pretrained(folder)
