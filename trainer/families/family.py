"""What must be known of a family of base models to train one?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from lib_extension.models.checkpoint import Checkpoint


@dataclass(frozen=True)
class TextStates:
    """What the U-Net is told by captions."""

    hidden: Tensor  # (B, T, D), T a multiple of 77
    pooled: Tensor | None = None  # (B, P), of SDXL only

    def to(self, device: torch.device, dtype: torch.dtype) -> TextStates:
        return TextStates(self.hidden.to(device, dtype), None if self.pooled is None else self.pooled.to(device, dtype))


class Sizes(Protocol):
    """What a batch says of its pictures: (B, 2) whole numbers each, height and width, or top and left."""

    @property
    def original_sizes(self) -> Tensor: ...
    @property
    def crops(self) -> Tensor: ...
    @property
    def target_sizes(self) -> Tensor: ...


@dataclass(frozen=True)
class Family:
    """One family.

    `encode_text(checkpoint, captions, clip_skip, chunks)` gives the states of captions, each `chunks` chunks long (0: as many as the
    longest needs); gradients go through it. `predict(unet, noisy, timesteps, text, sizes)` gives the U-Net's answer (B, C, h, w).
    `network_type`, `base_version` and `architecture` are what LoRA files say of it.
    """

    name: str
    encode_text: Callable[[Checkpoint, Sequence[str], int, int], TextStates]
    predict: Callable[[nn.Module, Tensor, Tensor, TextStates, Sizes], Tensor]
    base_version: str  # ss_base_model_version
    architecture: str  # modelspec.architecture
    text_prefixes: tuple[str, ...]  # of a kohya LoRA file's names, per text encoder


def answer_of(output: Any) -> Tensor:
    """The tensor in a U-Net's output, as a class or as a tuple."""
    return output[0] if isinstance(output, tuple) else output.sample
