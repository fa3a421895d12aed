"""Does redrawing begin at the level that its strength asks for?"""

from __future__ import annotations

import pytest
import torch

from lib_extension.engine.denoise import Blend
from lib_extension.engine.samplers import choose
from lib_extension.engine.sampling import Path, SamplerSettings, from_latents
from lib_extension.engine.schedules import NoiseLevels

LEVELS = NoiseLevels()


def path(sampler: str, steps: int, strength: float, *, all_steps: bool = False) -> Path:
    settings = SamplerSettings(choose(sampler, None, lenient=False), steps, eta=0.0)
    return from_latents(settings, LEVELS, torch.zeros(1, 4, 8, 8), strength, all_steps=all_steps)


@pytest.mark.parametrize("sampler", ["DDIM", "PLMS", "UniPC", "DDIM CFG++"])
def test_scaled_samplers_walk_from_one_timestep_below_the_noise(sampler: str) -> None:
    redrawn = path(sampler, 10, 0.6)
    assert redrawn.noise_level is not None
    assert LEVELS.timestep_of(redrawn.noise_level) == pytest.approx(601)
    assert LEVELS.timestep_of(redrawn.sigmas[0]) == pytest.approx(501)


def test_a_second_pass_of_ddim_counts_its_timesteps_from_the_end() -> None:
    redrawn = path("DDIM", 6, 0.5, all_steps=True)  # 5 of the timesteps of 12 steps, which lie 83 apart
    assert redrawn.noise_level is not None
    assert LEVELS.timestep_of(redrawn.noise_level) == pytest.approx(416)
    assert [LEVELS.timestep_of(sigma) for sigma in redrawn.sigmas] == pytest.approx([333, 250, 167, 84, 1])


def test_other_samplers_walk_from_the_level_of_the_noise() -> None:
    redrawn = path("Euler", 10, 0.6)
    assert redrawn.noise_level is None
    assert redrawn.sigmas == choose("Euler", None, lenient=False).sigmas(10, LEVELS)[3:]


def test_a_blend_keeps_where_it_says() -> None:
    keep = torch.tensor([[[[1.0, 0.0]]]])
    assert Blend(torch.full((1, 1, 1, 2), 5.0), keep)(torch.zeros(1, 1, 1, 2)).flatten().tolist() == [5.0, 0.0]
