"""Tiny models with a network on them, and steps that train it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor
from torch.optim import Optimizer

from lib_extension.models.checkpoint import Checkpoint, Placement, load_checkpoint
from lib_extension.models.hashes import Hashes
from lib_extension.models.library import Found
from lib_extension.spec.training.loss import LossSettings
from lib_extension.spec.training.network import NetworkSettings
from trainer.families import FAMILIES
from trainer.networks import attach
from trainer.step import draw, losses_of, noising, noisy_latents


@dataclass(frozen=True)
class Pictures:
    """What the loop knows of a batch, as far as a step needs it."""

    latents: Tensor
    captions: tuple[str, ...]
    original_sizes: Tensor
    crops: Tensor
    target_sizes: Tensor
    loss_mask: Tensor | None
    weights: Tensor


def load(folder: Path, dtype: torch.dtype = torch.float32) -> Checkpoint:
    """As fresh from its folder, which is read once."""
    read = _read(folder, dtype)
    return replace(read, unet=deepcopy(read.unet), text_encoders=deepcopy(read.text_encoders), base_weights={})


@lru_cache(maxsize=8)
def _read(path: Path, dtype: torch.dtype) -> Checkpoint:
    return load_checkpoint(Found(path, path.name, Hashes()), Placement(dtype=dtype))


def pictures(captions: Sequence[str] = ("a red hat", "a hat on a table, drawn"), side: int = 8) -> Pictures:
    chance = torch.Generator().manual_seed(1)
    count = len(captions)
    sizes = torch.tensor([[8 * side, 8 * side]] * count)
    latents = torch.randn(count, 4, side, side, generator=chance)
    return Pictures(latents, tuple(captions), sizes, torch.zeros_like(sizes), sizes, None, torch.ones(count))


def step_loss(checkpoint: Checkpoint, settings: LossSettings, batch: Pictures, step: int) -> Tensor:
    """The mean loss of one step, with gradients."""
    family, schedule = FAMILIES[checkpoint.family], noising(checkpoint.noise, settings)
    drawn = draw(0, step, batch.latents, settings)
    text = family.encode_text(checkpoint, batch.captions, 1, 0)
    noisy = noisy_latents(batch.latents, drawn, schedule).to(checkpoint.dtype)
    answer = family.predict(checkpoint.unet, noisy, drawn.timesteps, text, batch)
    return losses_of(answer, batch.latents, drawn, schedule, settings, batch).mean()


def train(checkpoint: Checkpoint, optimizer: Optimizer, steps: range, settings: LossSettings | None = None) -> list[float]:
    """The losses of some steps, after each of which the optimizer was called."""
    settings, batch, losses = settings or LossSettings(), pictures(), []
    checkpoint.unet.train()
    for step in steps:
        optimizer.zero_grad()
        loss = step_loss(checkpoint, settings, batch, step)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def shaken(checkpoint: Checkpoint, settings: NetworkSettings, seed: int = 5, strength: float = 0.2) -> Checkpoint:
    """The checkpoint with a network that does change it, by random values."""
    chance = torch.Generator().manual_seed(seed)
    for group in attach(checkpoint, settings):
        for parameter in group.parameters:
            parameter.data += strength * torch.randn(parameter.shape, generator=chance)
    return checkpoint
