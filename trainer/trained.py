"""What changes while a LoRA is trained, and how are its weights put to use without changing how the training goes on?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.optim import Optimizer

from lib_extension.models.checkpoint import Checkpoint
from trainer import networks
from trainer.ema import Ema
from trainer.optimizers import for_use


@dataclass
class Trained:
    """A base model with a network on it, and what changes that."""

    checkpoint: Checkpoint
    optimizer: Optimizer
    parameters: tuple[nn.Parameter, ...]
    scaler: GradScaler | None = None  # of the loss, in fp16
    ema: Ema | None = None

    @property
    def weights(self) -> dict[str, Tensor]:
        """What is trained, by name; the tensors themselves."""
        return networks.state(self.checkpoint)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """The weights that are saved and shown: their running mean, or those that a schedule-free optimizer would have used.

        Afterwards every bit is as it was, so that a run that was looked at is the same as one that was not.
        """
        modules = [module for module in (self.checkpoint.unet, *self.checkpoint.text_encoders) if module.training]
        for module in modules:
            module.eval()
        try:
            with for_use(self.optimizer), self._averaged():
                yield
        finally:
            for module in modules:
                module.train()

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        if self.ema is None:
            yield
            return
        before = {name: weight.detach().clone() for name, weight in self.weights.items()}
        self._put(self.ema.means)
        try:
            yield
        finally:
            self._put(before)

    @torch.no_grad()
    def _put(self, values: dict[str, Tensor]) -> None:
        for name, weight in self.weights.items():
            weight.copy_(values[name])
