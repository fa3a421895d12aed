"""What if a loss is no number? The step is skipped; after many in a row the run ends, saying what the likely cause is."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from lib_extension.spec.errors import AtelierError
from lib_extension.spec.training import TrainingConfig
from trainer.data.batch import Batch
from trainer.trained import Trained

SKIPPED = "was skipped: its loss is no number."  # as a run's events tell of a step
OVERFLOW = "was skipped, as happens in fp16: its gradients were too large; from now on the loss is scaled by less."


class NotFinite(AtelierError):
    """Too many steps in a row had a loss that is no number."""


class Guard:
    """Counts steps without a finite loss."""

    def __init__(self, patience: int, bad_steps: int = 0) -> None:
        self._patience = patience
        self.bad_steps = bad_steps

    def skips(self, loss: float, norm: float, scale: float = 1.0) -> str:
        """Why this step must not change anything; "" where it may. `scale`: by what fp16's loss is multiplied.

        While that can still be halved, gradients that overflow only say that it is too large, and count for nothing.
        """
        if math.isfinite(loss) and math.isfinite(norm):
            self.bad_steps = 0
            return ""
        if math.isfinite(loss) and scale > 1:
            return OVERFLOW
        self.bad_steps += 1
        return SKIPPED

    @property
    def is_over(self) -> bool:
        return self.bad_steps >= self._patience


def likely_cause(config: TrainingConfig, precision: str, trained: Trained, batch: Batch) -> str:
    """In words, from what is found where: the pictures, the base model, the trained weights, the precision."""
    if bad := _bad_pictures(batch):
        return f"the latents of {bad} are no numbers. Delete data.cache_folder, and choose another VAE (model.vae) or leave the picture out"
    if not _all_finite(trained.checkpoint.unet.parameters()):
        if _all_finite(parameter for parameter in trained.checkpoint.unet.parameters() if not parameter.requires_grad):
            return (
                f"the trained weights have grown beyond all numbers: optimizer.learning_rate of {config.optimizer.learning_rate:g} "
                "is too high. Try a tenth of it"
            )
        return "the base model's own weights are no numbers: the checkpoint is damaged. Download it again, or take another"
    if precision == "fp16":
        return 'fp16 overflows. Set memory.precision to "bf16", or to "fp32" where the GPU does not compute in bf16'
    if config.loss.zero_terminal_snr:
        return "loss.zero_terminal_snr with this model. Leave it out"
    return f"optimizer.learning_rate of {config.optimizer.learning_rate:g} is too high. Try a tenth of it"


def _bad_pictures(batch: Batch) -> str:
    pictures = batch.latents if batch.latents is not None else batch.pixels
    assert pictures is not None
    finite = torch.isfinite(pictures.flatten(1)).all(dim=1).tolist()
    return ", ".join(f'"{name}"' for name, fine in zip(batch.names, finite, strict=True) if not fine)


def _all_finite(tensors: Iterable[Tensor]) -> bool:
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors if tensor.is_floating_point())
