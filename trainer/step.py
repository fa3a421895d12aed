"""What happens at one step: which noise and timesteps, what is the model asked, and how far off is its answer?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from lib_extension.models.families import NoiseSchedule
from lib_extension.spec.training.loss import LossSettings


class Weighing(Protocol):
    """What a batch says of how its pictures count."""

    @property
    def loss_mask(self) -> Tensor | None: ...  # (B, 1, h, w), 0..1
    @property
    def weights(self) -> Tensor: ...  # (B,), with the prior weight in them


@dataclass(frozen=True)
class Noising:
    """The model's noise schedule as training needs it: alphas_cumprod (1000,), float32 on the CPU, and what the model predicts."""

    alphas_cumprod: Tensor
    prediction_type: str  # epsilon, v_prediction


@dataclass(frozen=True)
class Drawn:
    """What chance decided for a batch."""

    timesteps: Tensor  # (B,), int64
    noise: Tensor  # (B, C, h, w), what was added and is to be found again
    input_noise: Tensor  # (B, C, h, w), what the model sees added: the noise, perturbed if wanted


def noising(schedule: NoiseSchedule, settings: LossSettings, prediction: str = "auto") -> Noising:
    """The schedule that the checkpoint was trained with, rescaled to zero terminal SNR if wanted."""
    raise NotImplementedError


def draw(seed: int, step: int, latents: Tensor, settings: LossSettings, first: int = 0) -> Drawn:
    """Timesteps and noise for latents (B, C, h, w), from (seed, step, place in the batch) alone, the same on every device.

    `first` is the place of this process's first picture in the whole batch, so that processes together draw what one would.
    """
    raise NotImplementedError


def noisy_latents(latents: Tensor, drawn: Drawn, noising: Noising) -> Tensor:
    """What the model is shown: sqrt(a_t) x + sqrt(1 - a_t) noise (Ho et al. 2020, arXiv:2006.11239, equation 4); (B, C, h, w)."""
    raise NotImplementedError


def losses_of(answer: Tensor, latents: Tensor, drawn: Drawn, noising: Noising, settings: LossSettings, batch: Weighing) -> Tensor:
    """How far off each answer is, masked and weighted, (B,) float32. What is trained on is their mean."""
    raise NotImplementedError
