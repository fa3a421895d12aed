"""Is the SDE samplers' noise the WebUI's, and that of a path?"""

from __future__ import annotations

import math

import pytest
import torch

from lib_extension.engine.brownian import PathNoise

SHAPE = (4, 8, 6)
LOW, HIGH = 0.0292, 14.6146


@pytest.mark.parametrize(
    ("sigma", "after", "told"),
    [
        (14.6146, 9.0, [0.2593, 0.1783, -0.0309, 0.0103, 1.6799, -0.2655]),
        (14.6146, 5.0, [1.6271, -0.7025, -0.1515, 0.35, 1.1827, 0.3352]),
        (5.0, 1.25, [-0.9177, -0.0315, -0.0368, -1.7562, 0.0695, 1.0599]),
        (0.5, 0.0292, [-1.0364, -0.2566, 0.3131, 0.7085, 1.7437, -0.4977]),
    ],
)
def test_the_noise_is_k_diffusions(sigma: float, after: float, told: list[float]) -> None:
    """Recorded from k-diffusion's BrownianTreeNoiseSampler with torchsde 0.2.6, seeds 7 and 123456789."""
    noise = PathNoise(SHAPE, (7, 123456789), LOW, HIGH).between(sigma, after)
    assert noise[:, 1, 2, :3].flatten().tolist() == pytest.approx(told, abs=1e-4)


def test_steps_add_up() -> None:
    paths = PathNoise(SHAPE, (3,), LOW, HIGH)
    whole = paths.between(10.0, 1.0) * math.sqrt(9.0)
    halves = paths.between(10.0, 4.0) * math.sqrt(6.0) + paths.between(4.0, 1.0) * math.sqrt(3.0)
    assert torch.allclose(whole, halves, atol=1e-4)


def test_a_picture_has_the_same_path_in_any_batch() -> None:
    batch = PathNoise(SHAPE, (5, -6, 2**63), LOW, HIGH).between(3.0, 2.0)
    for i, seed in enumerate((5, -6, 2**63)):
        assert torch.equal(PathNoise(SHAPE, (seed,), LOW, HIGH).between(3.0, 2.0)[0], batch[i])


def test_noise_has_unit_size() -> None:
    noise = PathNoise((4, 64, 64), (1,), LOW, HIGH).between(7.0, 2.0)
    assert float(noise.mean()) == pytest.approx(0, abs=0.03)
    assert float(noise.std()) == pytest.approx(1, abs=0.03)
