"""What does a CLIP text encoder say about chunks of tokens: which of its layers is asked, and with what padding?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from lib_extension.engine.chunks import Chunk
from lib_extension.spec.errors import BadRequest

TextModel = CLIPTextModel | CLIPTextModelWithProjection
_OPEN_CLIP_PAD = 0


@dataclass(frozen=True)
class Reading:
    """How a U-Net wants an encoder to be read. `layer` 1 is the last; None is the one that CLIP skip says."""

    layer: int | None
    normed: bool  # whether the final LayerNorm follows an earlier layer
    pads_with_zero: bool  # open_clip pads after the end with token 0, CLIP with the end token


# SD2's encoder has no last layer (see models.families), so its last is open_clip's penultimate. Only SD1 heeds CLIP skip.
READINGS = {
    "sd1": (Reading(None, normed=True, pads_with_zero=False),),
    "sd2": (Reading(1, normed=True, pads_with_zero=True),),
    "sdxl": (Reading(2, normed=False, pads_with_zero=False), Reading(2, normed=False, pads_with_zero=True)),
}


@dataclass(frozen=True)
class Encoder:
    """One text encoder of a checkpoint; `index` says which of an embedding's tensors are for it."""

    model: TextModel
    reading: Reading
    index: int

    def check_clip_skip(self, clip_skip: int) -> None:
        """Raises BadRequest for a layer that the encoder does not have."""
        layers = self.model.config.num_hidden_layers
        if self.reading.layer is None and not 1 <= clip_skip <= layers + 1:
            raise BadRequest(f"CLIP skip is {clip_skip}, but this checkpoint's text encoder can skip 1 to {layers + 1}.")

    def read(self, chunks: Sequence[Chunk], end: int, clip_skip: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        """States (B, 77, C) and, of an encoder with a projection, pooled states (B, P); both in 32 bits."""
        tokens = [_padded_with_zero(chunk.tokens, end) if self.reading.pads_with_zero else chunk.tokens for chunk in chunks]
        layer = self.reading.layer or clip_skip
        hook = self.model.get_input_embeddings().register_forward_hook(_placing(chunks, self.index))
        try:
            with torch.no_grad():
                output = self.model(input_ids=torch.tensor(tokens, device=self.model.device), output_hidden_states=layer > 1)
                states = output.last_hidden_state if layer == 1 else output.hidden_states[-layer]
                if layer > 1 and self.reading.normed:
                    states = self._final_norm(states)
        finally:
            hook.remove()
        pooled = getattr(output, "text_embeds", None)
        return states.float(), None if pooled is None else pooled.float()

    def _final_norm(self, states: torch.Tensor) -> torch.Tensor:
        inner: Any = getattr(self.model, "text_model", self.model)  # transformers 4 has one level more than 5
        return inner.final_layer_norm(states)


def _padded_with_zero(tokens: tuple[int, ...], end: int) -> tuple[int, ...]:
    after_end = tokens.index(end) + 1
    return tokens[:after_end] + (_OPEN_CLIP_PAD,) * (len(tokens) - after_end)


def _placing(chunks: Sequence[Chunk], index: int) -> Any:
    """A hook for the table of token vectors that puts learned vectors in their places."""

    def place(_module: torch.nn.Module, _inputs: object, vectors: torch.Tensor) -> torch.Tensor:  # vectors (B, 77, C)
        for row, chunk in enumerate(chunks):
            for start, embedding in chunk.embeddings:
                learned = embedding.vectors[index][: vectors.shape[1] - start]
                vectors[row, start : start + len(learned)] = learned.to(vectors)
        return vectors

    return place
