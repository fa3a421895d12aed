"""Which noise levels does a schedule visit?

A noise level is sigma, the standard deviation of the noise beside a picture's latent of unscaled size (the variance-exploding
view: x = latent + sigma · noise). Schedules are lists of falling sigmas, under the WebUI's scheduler names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lib_extension.models.families import NoiseSchedule

TRAINED_STEPS = 1000
BETA = 0.6


class NoiseLevels:
    """The levels that a model was trained on. ``sdxl`` chooses the numbers published for Align Your Steps."""

    def __init__(self, noise: NoiseSchedule = NoiseSchedule(), *, sdxl: bool = False) -> None:  # noqa: B008 (frozen)
        power = 0.5 if noise.beta_schedule == "scaled_linear" else 1.0
        betas = np.linspace(noise.beta_start**power, noise.beta_end**power, TRAINED_STEPS) ** (1 / power)
        kept = np.cumprod(1 - betas)  # alphas_cumprod
        if noise.zero_snr:
            kept = _rescaled_to_zero_snr(kept)
        self.sdxl = sdxl
        self.every = 1
        self.sigmas = np.sqrt((1 - kept) / kept)  # rising
        self._log_sigmas = np.log(self.sigmas)

    def thinned(self, every: int) -> NoiseLevels:
        """Only each ``every``-th level, up to the last: what a latent consistency model was distilled on."""
        if every == 1:
            return self
        fewer = copy(self)
        fewer.every, fewer.sigmas, fewer._log_sigmas = every, self.sigmas[every - 1 :: every], self._log_sigmas[every - 1 :: every]
        return fewer

    @property
    def smallest(self) -> float:
        return float(self.sigmas[0])

    @property
    def largest(self) -> float:
        return float(self.sigmas[-1])

    @property
    def last(self) -> int:
        """The number of the largest level, counted from 0; of all levels it is the last timestep."""
        return len(self.sigmas) - 1

    def sigma_of(self, number: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Between whole numbers of levels the logarithm is linear."""
        return np.exp(np.interp(number, np.arange(self.last + 1), self._log_sigmas))

    def timestep_of(self, sigma: float) -> float:
        """What the U-Net is told, clamped to the trained range: the fractional timestep, but of thinned levels the nearest whole one."""
        if self.every > 1:
            return float((np.abs(np.log(sigma) - self._log_sigmas).argmin() + 1) * self.every - 1)
        return float(np.interp(np.log(sigma), self._log_sigmas, np.arange(TRAINED_STEPS)))


@dataclass(frozen=True)
class Schedule:
    """``sigmas(n, levels)`` gives the n levels of n steps, and the end, 0."""

    name: str
    label: str
    sigmas: Callable[[int, NoiseLevels], list[float]]
    aliases: tuple[str, ...] = ()
    default_rho: float = -1.0
    need_inner_model: bool = False
    facts: Mapping[str, float] = field(default_factory=dict)  # What infotexts tell of it.


def uniform(n: int, levels: NoiseLevels) -> list[float]:
    """Evenly spaced timesteps, both ends included: what samplers without a schedule of their own use."""
    return _ended(levels.sigma_of(np.linspace(levels.last, 0, n)))


def karras(n: int, levels: NoiseLevels) -> list[float]:
    """Karras et al. 2022 (arXiv:2206.00364), equation 5, with rho 7."""
    rho = 7.0
    return _ended(np.linspace(levels.largest ** (1 / rho), levels.smallest ** (1 / rho), n) ** rho)


def exponential(n: int, levels: NoiseLevels) -> list[float]:
    return _ended(np.exp(np.linspace(np.log(levels.largest), np.log(levels.smallest), n)))


def sgm_uniform(n: int, levels: NoiseLevels) -> list[float]:
    """As ``uniform``, but the last step goes down from above the smallest level."""
    return _ended(levels.sigma_of(np.linspace(levels.last, 0, n + 1)[:-1]))


def kl_optimal(n: int, levels: NoiseLevels) -> list[float]:
    """Align Your Steps (arXiv:2404.14507), section 3: linear in the angle. Ends at the smallest level, not at 0."""
    angles = np.linspace(np.arctan(levels.largest), np.arctan(levels.smallest), n + 1)
    return np.tan(angles).tolist()


def align_your_steps(n: int, levels: NoiseLevels) -> list[float]:
    """The levels published with Align Your Steps, log-linear between them."""
    published = (
        [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029]
        if levels.sdxl
        else [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029]
    )
    places = np.linspace(0, 1, len(published))
    rising = np.interp(np.linspace(0, 1, n), places, np.log(published[::-1]))
    return _ended(np.exp(rising)[::-1])


def simple(n: int, levels: NoiseLevels) -> list[float]:
    return _ended(np.array([levels.sigmas[-(1 + int(i * len(levels.sigmas) / n))] for i in range(n)]))


def ddim(n: int, levels: NoiseLevels) -> list[float]:
    """Every (1000 // n)-th level from the second one on. May have a step more than n."""
    return _ended(levels.sigmas[1 :: max(len(levels.sigmas) // n, 1)][::-1])


def beta(n: int, levels: NoiseLevels) -> list[float]:
    """Beta Sampling is All You Need (arXiv:2407.12173) with alpha = beta = ``BETA``, over sigma itself as the WebUI has it."""
    shares = _beta_quantiles(1 - np.linspace(0, 1, n), BETA, BETA)
    return _ended(levels.smallest + shares * (levels.largest - levels.smallest))


def ddim_timesteps(n: int, levels: NoiseLevels) -> list[float]:
    """Levels for DDIM and its kin. As in the WebUI, timestep 1 is not stepped from but where they end."""
    return ddim_rest(n, TRAINED_STEPS, levels)


def ddim_rest(n: int, last: int, levels: NoiseLevels) -> list[float]:
    """The same for the ``last`` smallest timesteps. There is always a step, though the WebUI makes none from a single timestep."""
    sigmas = levels.sigma_of(leading_timesteps(n)[: max(last, 1)][::-1]).tolist()
    return sigmas if len(sigmas) > 1 else [*sigmas, levels.smallest]


def unipc_timesteps(n: int, levels: NoiseLevels) -> list[float]:
    """Levels for UniPC with its even spacing in time ("time_uniform"); as many steps as DDIM has timesteps."""
    return levels.sigma_of(np.linspace(TRAINED_STEPS - 1, 0, len(leading_timesteps(n)) + 1)).tolist()


def unipc_rest(n: int, last: int, levels: NoiseLevels) -> list[float]:
    """The same for the ``last`` smallest timesteps."""
    timesteps = leading_timesteps(n)[: max(last, 1)]
    return levels.sigma_of(np.linspace(timesteps[-1], 0, len(timesteps) + 1)).tolist()


def leading_timesteps(n: int) -> NDArray[np.float64]:
    """Every (1000 // n)-th timestep from 1 up, rising. More than n where n does not divide 1000."""
    return np.minimum(np.arange(0, TRAINED_STEPS, max(TRAINED_STEPS // n, 1)) + 1.0, TRAINED_STEPS - 1)


SCHEDULES = (
    Schedule("automatic", "Automatic", uniform),
    Schedule("uniform", "Uniform", uniform, need_inner_model=True),
    Schedule("karras", "Karras", karras, default_rho=7.0),
    Schedule("exponential", "Exponential", exponential),
    Schedule("polyexponential", "Polyexponential", exponential, default_rho=1.0),  # With rho 1 the two are one.
    Schedule("sgm_uniform", "SGM Uniform", sgm_uniform, aliases=("SGMUniform",), need_inner_model=True),
    Schedule("kl_optimal", "KL Optimal", kl_optimal),
    Schedule("align_your_steps", "Align Your Steps", align_your_steps),
    Schedule("simple", "Simple", simple, need_inner_model=True),
    Schedule("normal", "Normal", uniform, need_inner_model=True),
    Schedule("ddim", "DDIM", ddim, need_inner_model=True),
    Schedule("beta", "Beta", beta, need_inner_model=True, facts={"Beta schedule alpha": BETA, "Beta schedule beta": BETA}),
)


def _ended(sigmas: NDArray[np.float64]) -> list[float]:
    return [*sigmas.tolist(), 0.0]


def _rescaled_to_zero_snr(kept: NDArray[np.float64]) -> NDArray[np.float64]:
    """arXiv:2305.08891, algorithm 1; the last level stays just short of pure noise, whose sigma would be infinite."""
    roots = np.sqrt(kept)
    roots = (roots - roots[-1]) * roots[0] / (roots[0] - roots[-1])
    return np.append(roots[:-1] ** 2, 4.8973451890853435e-08)


def _beta_quantiles(shares: NDArray[np.float64], a: float, b: float) -> NDArray[np.float64]:
    """Quantiles of the beta distribution. With x = sin² the density has no poles, so a plain sum of areas is exact enough."""
    angles = np.linspace(0, np.pi / 2, 20_001)
    middle = (angles[1:] + angles[:-1]) / 2
    areas = np.sin(middle) ** (2 * a - 1) * np.cos(middle) ** (2 * b - 1)
    reached = np.concatenate([[0.0], np.cumsum(areas)])
    return np.sin(np.interp(shares, reached / reached[-1], angles)) ** 2
