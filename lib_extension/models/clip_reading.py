"""How does each family want its CLIP text encoders to be read, as the WebUI does: which tokens, which padding, which layer?"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ftfy
import torch
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from lib_extension.models.checkpoint import Checkpoint
from lib_extension.models.single_file import bundled_tokenizer

TextModel = CLIPTextModel | CLIPTextModelWithProjection
CHUNK_LENGTH = 75
COMMA_REACH = 20  # tokens after a comma that go on to the next chunk together, rather than being cut in two; the WebUI's default
_OPEN_CLIP_PAD = 0


@dataclass(frozen=True)
class Reading:
    """How a U-Net wants an encoder to be read. `layer` 1 is the last; None is the one that CLIP skip says."""

    layer: int | None
    normed: bool  # whether the final LayerNorm follows an earlier layer
    pads_with_zero: bool  # open_clip pads after the end with token 0, CLIP with the end token

    def states(self, model: TextModel, tokens: Sequence[Sequence[int]], clip_skip: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        """States (B, 77, C) of chunks with start and end and, of an encoder with a projection, pooled states (B, P)."""
        layer = self.layer or clip_skip
        output: Any = model(input_ids=torch.tensor(tokens, device=model.device), output_hidden_states=layer > 1)
        states = output.last_hidden_state if layer == 1 else output.hidden_states[-layer]
        if layer > 1 and self.normed:
            inner: Any = getattr(model, "text_model", model)  # transformers 4 has one level more than 5
            states = inner.final_layer_norm(states)
        return states, getattr(output, "text_embeds", None)

    def padded(self, tokens: tuple[int, ...], end: int) -> tuple[int, ...]:
        """A chunk as its encoder's tokenizer would have padded it."""
        if not self.pads_with_zero:
            return tokens
        after_end = tokens.index(end) + 1
        return tokens[:after_end] + (_OPEN_CLIP_PAD,) * (len(tokens) - after_end)


# SD2's encoder has no last layer (see models.families), so its last is open_clip's penultimate. Only SD1 heeds CLIP skip.
READINGS = {
    "sd1": (Reading(None, normed=True, pads_with_zero=False),),
    "sd2": (Reading(1, normed=True, pads_with_zero=True),),
    "sdxl": (Reading(2, normed=False, pads_with_zero=False), Reading(2, normed=False, pads_with_zero=True)),
}


class Tokens:
    """CLIP's tokens of a text, without start and end. open_clip, unlike CLIP, also resolves HTML entities, twice."""

    def __init__(self, tokenizer: CLIPTokenizer, *, open_clip: bool = False):
        self._tokenizer = tokenizer
        self._open_clip = open_clip
        vocabulary = tokenizer.get_vocab()
        self.start = vocabulary["<|startoftext|>"]
        self.end = vocabulary["<|endoftext|>"]
        self.comma = vocabulary[",</w>"]

    def of(self, text: str) -> list[int]:
        text = ftfy.fix_text(text)  # as both did in training: curly quotes made straight, ligatures and wide letters plain
        if self._open_clip:
            text = html.unescape(html.unescape(text))
        return self._tokenizer(text, add_special_tokens=False, truncation=False, verbose=False)["input_ids"]


def tokens_of(checkpoint: Checkpoint) -> Tokens:
    """The checkpoint's tokens."""
    if checkpoint.family == "sd2":
        # SD2's own tokenizer pads with "!", and so takes each "!" of a text for padding. open_clip does not.
        return Tokens(bundled_tokenizer("<|endoftext|>"), open_clip=True)
    return Tokens(checkpoint.tokenizers[0])
