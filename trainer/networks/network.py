"""What is the same for every kind of network: which modules get one, with which rank, and how it comes on and off a model?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from lib_extension.models.checkpoint import Checkpoint
from lib_extension.spec.training.network import NetworkSettings


@dataclass(frozen=True)
class Group:
    """Parameters that are trained at one learning rate: that of `network`, times `factor`."""

    name: str
    network: str  # unet, text_encoder, text_encoder_2
    factor: float
    parameters: tuple[nn.Parameter, ...]
