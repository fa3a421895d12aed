"""Does every sampler end where the exact solution for a simple distribution ends?"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lib_extension.engine.brownian import PathNoise
from lib_extension.engine.samplers import SAMPLERS, Sampler, choose
from lib_extension.engine.schedules import NoiseLevels
from lib_extension.engine.solvers import euler
from lib_extension.engine.walk import Churn, Walk

LEVELS = NoiseLevels()
SPREAD = 0.7  # Pictures are normal noise of this size, so the best noiseless estimate is known, and so is the way there.


def denoised(x: Tensor, sigma: float) -> Tensor:
    return x * SPREAD**2 / (SPREAD**2 + sigma**2)


class Walked:
    """A walk that counts."""

    def __init__(self, sampler: Sampler, steps: int) -> None:
        self.evaluations, self.done, self.sampler = 0, [], sampler
        self.sigmas = choose(sampler.name, None, lenient=False).sigmas(steps, LEVELS)
        generator = torch.Generator().manual_seed(0)
        self.start = torch.randn(1, 4, 48, 48, generator=generator) * math.sqrt(SPREAD**2 + self.sigmas[0] ** 2)
        last: list[Tensor] = []

        def denoise(x: Tensor, sigma: float) -> Tensor:
            self.evaluations += 1
            last[:] = [denoised(x, sigma)]
            return last[0]

        def noise() -> Tensor:
            return torch.randn(self.start.shape, generator=generator)

        paths = PathNoise(self.start.shape[1:], [0], min(s for s in self.sigmas if s > 0), self.sigmas[0])
        walk = Walk(denoise, noise, paths.between, self.done.append, lambda: last[0], eta=0.0 if sampler.scaled else 1.0)
        self.end = sampler.solve(walk, self.start, self.sigmas)

    @property
    def exact(self) -> Tensor:
        """Where the ODE takes the start: without noise, only the size changes."""
        return self.start * math.sqrt((SPREAD**2 + self.sigmas[-1] ** 2) / (SPREAD**2 + self.sigmas[0] ** 2))

    @property
    def error(self) -> float:
        return float((self.end - self.exact).abs().max())


NOISY = ("DPM++ SDE", "DPM++ 2M SDE", "DPM++ 2M SDE Heun", "DPM++ 2S a", "DPM++ 3M SDE", "Euler a", "DPM2 a", "DPM fast", "Restart", "LCM")
ERROR_AT_40 = {
    "Euler": 0.2,
    "DDIM": 0.2,
    "DDIM CFG++": 0.2,
    "UniPC": 0.05,
    "DPM++ 2M": 0.01,
    "PLMS": 0.02,
    "Heun": 0.005,
    "DPM2": 0.002,
    "LMS": 0.001,
}


@pytest.mark.parametrize("name", ERROR_AT_40)
def test_without_noise_the_exact_end_is_approached(name: str) -> None:
    sampler = next(s for s in SAMPLERS if s.name == name)
    coarse, fine = Walked(sampler, 10), Walked(sampler, 40)
    assert fine.error < ERROR_AT_40[name]
    assert fine.error < coarse.error / 2


@pytest.mark.parametrize("name", [name for name in NOISY if name != "LCM"])
def test_with_noise_the_distribution_is_reached(name: str) -> None:
    walked = Walked(next(s for s in SAMPLERS if s.name == name), 60)
    assert float(walked.end.std()) == pytest.approx(SPREAD, rel=0.1)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: sampler.name)
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_every_number_of_steps_works_and_is_told(sampler: Sampler, steps: int) -> None:
    walked = Walked(sampler, steps)
    assert torch.isfinite(walked.end).all()
    own = len(walked.sigmas) - 1  # DDIM and its kin make one fewer where the number divides 1000, and UniPC one more where not.
    assert abs(own - steps) <= 1 if sampler.scaled else own == steps
    assert walked.done[-1] == (steps if sampler.name == "Restart" else own) - 1
    assert walked.evaluations <= sampler.total_evaluations(max(own, steps)) + (sampler.name == "PLMS")


def test_all_samplers_are_covered() -> None:
    assert {*ERROR_AT_40, *NOISY} == {sampler.name for sampler in SAMPLERS}


def test_churn_adds_noise_only_between_its_bounds() -> None:
    drawn = []

    def noise() -> Tensor:
        drawn.append(1)
        return torch.zeros(1)

    walk = Walk(
        denoised, noise, lambda sigma, after: noise(), lambda i: None, lambda: torch.zeros(1), churn=Churn(churn=4.0, t_min=1.0, t_max=5.0)
    )
    euler(walk, torch.ones(1), [10.0, 4.0, 2.0, 0.5, 0.0])
    assert len(drawn) == 2
