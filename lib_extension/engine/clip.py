"""What does a CLIP text encoder say about chunks of tokens: which of its layers is asked, and with what padding?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from lib_extension.engine.chunks import Chunk
from lib_extension.models.clip_reading import Reading, TextModel
from lib_extension.spec.errors import BadRequest


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
        tokens = [self.reading.padded(chunk.tokens, end) for chunk in chunks]
        hook = self.model.get_input_embeddings().register_forward_hook(_placing(chunks, self.index))
        try:
            with torch.no_grad():
                states, pooled = self.reading.states(self.model, tokens, clip_skip)
        finally:
            hook.remove()
        return states.float(), None if pooled is None else pooled.float()


def _placing(chunks: Sequence[Chunk], index: int) -> Any:
    """A hook for the table of token vectors that puts learned vectors in their places."""

    def place(_module: torch.nn.Module, _inputs: object, vectors: torch.Tensor) -> torch.Tensor:  # vectors (B, 77, C)
        for row, chunk in enumerate(chunks):
            for start, embedding in chunk.embeddings:
                learned = embedding.vectors[index][: vectors.shape[1] - start]
                vectors[row, start : start + len(learned)] = learned.to(vectors)
        return vectors

    return place
