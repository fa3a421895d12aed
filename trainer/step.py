"""What happens at one step: which noise and timesteps, what is the model asked, and how far off is its answer?"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

import torch
from torch import Generator, Tensor

from lib_extension.models.families import NoiseSchedule
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.training.loss import LossSettings
from trainer.losses.debiased import debiased_weight
from trainer.losses.huber import TIMESTEPS, huber_c, pseudo_huber
from trainer.losses.masked import masked
from trainer.losses.min_snr import min_snr_weight
from trainer.losses.noise import offset_noise, perturbed, pyramid_noise
from trainer.losses.prediction import noisy, snr, velocity
from trainer.losses.prior import with_prior
from trainer.losses.timesteps import biased, timesteps
from trainer.losses.zero_terminal_snr import alphas_of_betas, rescaled


class Weighing(Protocol):
    """What a batch says of how its pictures count."""

    @property
    def loss_mask(self) -> Tensor | None: ...  # (B, 1, h, w), 0..1
    @property
    def weights(self) -> Tensor: ...  # (B,), with the prior weight in them


@dataclass(frozen=True)
class Noising:
    """The model's noise schedule as training needs it: alphas_cumprod (1000,), float32, and what the model predicts."""

    alphas_cumprod: Tensor
    prediction_type: str  # epsilon, v_prediction

    def at(self, timesteps: Tensor) -> Tensor:
        """(B,), where `timesteps` are."""
        return self.alphas_cumprod.to(timesteps.device)[timesteps]


@dataclass(frozen=True)
class Drawn:
    """What chance decided for a batch."""

    timesteps: Tensor  # (B,), int64
    noise: Tensor  # (B, C, h, w), what was added and is to be found again
    input_noise: Tensor  # (B, C, h, w), what the model sees added: the noise, perturbed if wanted


def noising(schedule: NoiseSchedule, settings: LossSettings, prediction: str = "auto") -> Noising:
    """The schedule that the checkpoint was trained with, rescaled to zero terminal SNR where it was or if wanted.

    Raises BadRequest for one that ends in pure noise with a model that predicts noise: there it can learn nothing.
    """
    prediction_type = schedule.prediction_type if prediction == "auto" else prediction
    zero_snr = schedule.zero_snr or settings.zero_terminal_snr
    if zero_snr and prediction_type == "epsilon":
        raise BadRequest("loss.zero_terminal_snr needs a model that predicts v, and this one predicts noise. Turn it off.")
    alphas = alphas_of_betas(_betas(schedule))
    return Noising((rescaled(alphas) if zero_snr else alphas).float(), prediction_type)


def draw(seed: int, step: int, latents: Tensor, settings: LossSettings, first: int = 0) -> Drawn:
    """Timesteps and noise for latents (B, C, h, w), from (seed, step, place in the batch) alone, the same on every device.

    `first` is the place of this process's first picture in the whole batch, so that processes together draw what one would.
    """
    pictures = [_drawn_for_one(_chance(seed, step, first + row), latents.shape[1:], settings) for row in range(len(latents))]
    times, noises, seen = (torch.cat(parts).to(latents.device) for parts in zip(*pictures, strict=True))
    return Drawn(times, noises, seen)


def noisy_latents(latents: Tensor, drawn: Drawn, noising: Noising) -> Tensor:
    """What the model is shown, (B, C, h, w)."""
    return noisy(latents, drawn.input_noise, _wide(noising.at(drawn.timesteps)))


def losses_of(answer: Tensor, latents: Tensor, drawn: Drawn, noising: Noising, settings: LossSettings, batch: Weighing) -> Tensor:
    """How far off each answer is, masked and weighted, (B,) float32. What is trained on is their mean."""
    alphas = noising.at(drawn.timesteps)
    target = velocity(latents, drawn.noise, _wide(alphas)) if noising.prediction_type == "v_prediction" else drawn.noise
    distance = _distance(answer.float(), target, drawn.timesteps, snr(alphas), settings)
    losses = masked(distance, batch.loss_mask)
    return with_prior(losses * _weight(snr(alphas), noising.prediction_type, settings), batch.weights)


def _distance(answer: Tensor, target: Tensor, times: Tensor, ratio: Tensor, settings: LossSettings) -> Tensor:
    if settings.distance == "huber":
        return pseudo_huber(answer, target, _wide(huber_c(settings.huber_schedule, settings.huber_c, times, ratio)))
    return (answer - target) ** 2


def _weight(ratio: Tensor, prediction_type: str, settings: LossSettings) -> Tensor:
    if settings.weighting == "min_snr":
        return min_snr_weight(ratio, settings.min_snr_gamma, prediction_type)
    if settings.weighting == "debiased":
        return debiased_weight(ratio, prediction_type)
    return torch.ones_like(ratio)


def _drawn_for_one(chance: Generator, shape: torch.Size, settings: LossSettings) -> tuple[Tensor, Tensor, Tensor]:
    """(1,), (1, C, h, w) and (1, C, h, w). The timestep comes first, so that it does not depend on the picture's size."""
    place = biased(torch.rand(1, generator=chance), settings.timestep_bias, settings.bias_strength)
    noise = torch.randn(1, *shape, generator=chance)
    if settings.noise_offset:
        noise = offset_noise(noise, settings.noise_offset, chance)
    if settings.pyramid_noise:
        noise = pyramid_noise(noise, settings.pyramid_noise, settings.pyramid_levels, chance)
    seen = perturbed(noise, settings.input_perturbation, chance) if settings.input_perturbation else noise
    return timesteps(place, settings.first_timestep, settings.last_timestep), noise, seen


def _chance(seed: int, step: int, place: int) -> Generator:
    """Its own source of chance for each picture of each step."""
    digest = blake2b(f"{seed} {step} {place}".encode(), digest_size=8).digest()
    return Generator().manual_seed(int.from_bytes(digest, "little") >> 1)


def _betas(schedule: NoiseSchedule) -> Tensor:
    """(1000,), in double precision."""
    start, end = schedule.beta_start, schedule.beta_end
    if schedule.beta_schedule == "scaled_linear":
        return torch.linspace(start**0.5, end**0.5, TIMESTEPS, dtype=torch.float64) ** 2
    if schedule.beta_schedule == "linear":
        return torch.linspace(start, end, TIMESTEPS, dtype=torch.float64)
    raise BadRequest(f'The checkpoint has the noise schedule "{schedule.beta_schedule}"; scaled_linear and linear can be trained.')


def _wide(values: Tensor) -> Tensor:
    return values[:, None, None, None]  # (B, 1, 1, 1)
