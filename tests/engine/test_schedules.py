"""Do the schedules visit the levels that the WebUI's do?"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from lib_extension.engine.samplers import choose
from lib_extension.engine.schedules import (
    SCHEDULES,
    NoiseLevels,
    Schedule,
    align_your_steps,
    beta,
    ddim_rest,
    ddim_timesteps,
    karras,
    unipc_rest,
    unipc_timesteps,
)
from lib_extension.models.families import NoiseSchedule

LEVELS = NoiseLevels()


def test_the_levels_are_those_of_stable_diffusion() -> None:
    assert LEVELS.smallest == pytest.approx(0.0292, abs=1e-4)
    assert LEVELS.largest == pytest.approx(14.6146, abs=1e-3)


def test_timestep_and_sigma_are_inverse() -> None:
    for timestep in (0.0, 0.25, 500.5, 951.0, 999.0):
        assert LEVELS.timestep_of(float(LEVELS.sigma_of(timestep))) == pytest.approx(timestep, abs=1e-6)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule.name)
@pytest.mark.parametrize("n", [1, 2, 7, 20, 30])
def test_every_schedule_falls_from_the_largest_level(schedule: Schedule, n: int) -> None:
    sigmas = schedule.sigmas(n, LEVELS)
    assert len(sigmas) >= n + 1
    assert sigmas[0] <= LEVELS.largest + 1e-3
    assert all(first >= second for first, second in pairwise(sigmas))
    if schedule.name != "kl_optimal":
        assert sigmas[-1] == 0


def test_karras_levels_are_those_of_the_formula() -> None:
    assert karras(6, LEVELS)[0] == pytest.approx(LEVELS.largest)
    assert karras(6, LEVELS)[-2] == pytest.approx(LEVELS.smallest)
    root = [sigma ** (1 / 7) for sigma in karras(6, LEVELS)[:-1]]
    assert np.diff(root) == pytest.approx(np.full(5, root[1] - root[0]))


def test_the_beta_schedule_is_symmetric_as_its_distribution() -> None:
    shares = [(sigma - LEVELS.smallest) / (LEVELS.largest - LEVELS.smallest) for sigma in beta(9, LEVELS)[:-1]]
    assert shares[4] == pytest.approx(0.5, abs=1e-3)
    assert [1 - share for share in reversed(shares)] == pytest.approx(shares, abs=1e-3)
    assert shares[1] == pytest.approx(0.9444, abs=2e-3)  # The quantile at 7/8 of the beta distribution with 0.6 and 0.6.


def test_align_your_steps_has_its_published_numbers() -> None:
    assert align_your_steps(11, LEVELS)[:3] == pytest.approx([14.615, 6.475, 3.861])
    assert align_your_steps(11, NoiseLevels(sdxl=True))[:3] == pytest.approx([14.615, 6.315, 3.771])


def timesteps(sigmas: list[float]) -> list[float]:
    return [round(LEVELS.timestep_of(sigma), 6) for sigma in sigmas]


def test_ddim_ends_at_timestep_1_and_has_a_step_more_where_the_number_does_not_divide_1000() -> None:
    assert timesteps(ddim_timesteps(5, LEVELS)) == [801, 601, 401, 201, 1]
    assert timesteps(ddim_timesteps(6, LEVELS)) == [997, 831, 665, 499, 333, 167, 1]
    assert timesteps(ddim_timesteps(1, LEVELS)) == [1, 0]


def test_the_rest_of_ddim_and_unipc_is_counted_from_the_end() -> None:
    assert timesteps(ddim_rest(10, 4, LEVELS)) == [301, 201, 101, 1]
    assert timesteps(ddim_rest(10, 0, LEVELS)) == [1, 0]
    assert timesteps(unipc_rest(10, 4, LEVELS)) == [301, 225.75, 150.5, 75.25, 0]
    assert timesteps(unipc_timesteps(10, LEVELS))[::5] == [999, 499.5, 0]
    assert len(unipc_timesteps(6, LEVELS)) == 8


def test_lcm_is_told_only_the_timesteps_it_was_distilled_on() -> None:
    fewer = LEVELS.thinned(20)
    assert (fewer.last, fewer.smallest, fewer.largest) == (49, LEVELS.sigmas[19], LEVELS.sigmas[999])
    assert [fewer.timestep_of(float(LEVELS.sigmas[timestep])) for timestep in (0, 19, 22, 36, 994, 999)] == [19, 19, 19, 39, 999, 999]
    # The levels themselves may lie between those: the WebUI's are evenly spaced in time.
    assert timesteps(choose("LCM", None, lenient=False).sigmas(4, LEVELS)[:-1]) == pytest.approx([999, 672.3, 345.7, 19], abs=2)


@pytest.mark.parametrize("schedule", [schedule.name for schedule in SCHEDULES if schedule.name != "align_your_steps"])
def test_lcm_heeds_every_schedule_within_its_levels(schedule: str) -> None:
    sigmas = choose("LCM", schedule, lenient=False).sigmas(6, LEVELS)
    assert max(sigmas) <= LEVELS.sigmas[999] + 1e-9
    assert min(sigma for sigma in sigmas if sigma > 0) >= LEVELS.sigmas[19] - 1e-9


def test_zero_snr_starts_from_next_to_nothing_of_the_picture() -> None:
    assert NoiseLevels(NoiseSchedule(zero_snr=True)).largest > 4000
