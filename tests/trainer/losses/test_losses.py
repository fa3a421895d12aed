"""Are the losses' formulas what the papers say, on numbers worked out by hand?"""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from trainer.losses.debiased import debiased_weight
from trainer.losses.huber import huber_c, pseudo_huber
from trainer.losses.masked import masked
from trainer.losses.min_snr import min_snr_weight
from trainer.losses.noise import offset_noise, perturbed, pyramid_noise
from trainer.losses.prediction import noisy, snr, velocity
from trainer.losses.prior import with_prior
from trainer.losses.timesteps import biased, timesteps
from trainer.losses.zero_terminal_snr import alphas_of_betas, rescaled


def t(*values: float) -> Tensor:
    return torch.tensor(values)


def close(made: Tensor, *expected: float) -> None:
    torch.testing.assert_close(made.flatten(), torch.tensor(expected, dtype=made.dtype), rtol=1e-5, atol=1e-6)


def test_noising_and_velocity() -> None:
    """a = 0.36: 0.6 of the picture and 0.8 of the noise; x = 1 and 10, noise = 2 and 0."""
    x, noise, a = t(1, 10), t(2, 0), t(0.36)
    close(noisy(x, noise, a), 2.2, 6)
    close(velocity(x, noise, a), 0.4, -8)
    close(snr(t(0.8, 0.5, 0.2)), 4, 1, 0.25)


def test_alphas_are_products() -> None:
    close(alphas_of_betas(t(0.1, 0.2, 0.5)), 0.9, 0.72, 0.36)


def test_zero_terminal_snr() -> None:
    """sqrt(a) of 0.9, 0.6 and 0.3 less 0.3 is 0.6, 0.3 and 0; times 0.9 / 0.6: 0.9, 0.45, 0."""
    close(rescaled(t(0.81, 0.36, 0.09)), 0.81, 0.2025, 0)


def test_min_snr() -> None:
    ratio = t(1, 5, 20, 0.5)
    close(min_snr_weight(ratio, 5, "epsilon"), 1, 1, 0.25, 1)
    close(min_snr_weight(ratio, 5, "v_prediction"), 0.5, 0.8333333, 0.2380952, 0.3333333)
    close(min_snr_weight(t(0), 5, "v_prediction"), 0)  # pure noise


def test_debiased_estimation() -> None:
    ratio = t(4, 1, 0.25)
    close(debiased_weight(ratio, "epsilon"), 0.5, 1, 2)
    close(debiased_weight(ratio, "v_prediction"), 0.4, 0.5, 0.4)


def test_v_weights_mean_the_same_as_those_of_noise() -> None:
    """Of one wrong picture, the weighted error in v is that in the noise."""
    x, wrong, a = t(1.0), t(1.5), t(0.3)
    z = noisy(x, t(-0.7), a)
    noise_of = [(z - a.sqrt() * picture) / (1 - a).sqrt() for picture in (x, wrong)]
    v_of = [velocity(picture, noise, a) for picture, noise in zip((x, wrong), noise_of, strict=True)]
    by_noise, by_v = (noise_of[0] - noise_of[1]) ** 2, (v_of[0] - v_of[1]) ** 2
    for weigh in (lambda kind: min_snr_weight(snr(a), 0.2, kind), lambda kind: debiased_weight(snr(a), kind)):
        torch.testing.assert_close(weigh("epsilon") * by_noise, weigh("v_prediction") * by_v)


def test_pseudo_huber() -> None:
    """d = 3, c = 4: 2 * 4 * (5 - 4). A small difference counts by its square, a large one by 2 c d."""
    close(pseudo_huber(t(3), t(0), t(4)), 8)
    close(pseudo_huber(t(0.001), t(0), t(4.0).double()), 1e-6)
    close(pseudo_huber(t(1000), t(0), t(0.1)), 199.98)


def test_huber_schedules() -> None:
    times, ratio = torch.tensor([0, 500, 1000]), t(1, 4, 1 / 9)
    close(huber_c("constant", 0.01, times, ratio), 0.01, 0.01, 0.01)
    close(huber_c("exponential", 0.01, times, ratio), 1, 0.1, 0.01)
    close(huber_c("snr", 0.1, times, ratio), 0.325, 0.5, 0.15625)  # sigma 1, 0.5 and 3


def test_masks() -> None:
    losses, mask = torch.tensor([[[[1.0, 2], [3, 4]]]]), torch.tensor([[[[1.0, 0], [0, 0.5]]]])
    close(masked(losses, None), 2.5)
    close(masked(losses, mask), 0.75)


def test_a_mask_holds_for_all_channels() -> None:
    close(masked(torch.ones(2, 4, 1, 2), torch.tensor([[[[1.0, 0]]], [[[1.0, 1]]]])), 0.5, 1)


def test_prior_preservation() -> None:
    close(with_prior(t(2, 3), t(1, 0.5)), 2, 1.5)


def test_timesteps() -> None:
    assert timesteps(t(0, 0.5, 0.9999), 100, 199).tolist() == [100, 150, 199]
    assert timesteps(t(0, 0.9999999), 7, 7).tolist() == [7, 7]


def test_biases() -> None:
    close(biased(t(0.5, 0.1), "none", 3), 0.5, 0.1)
    close(biased(t(0.5, 0.1), "early", 1), 0.25, 0.01)
    close(biased(t(0.5, 0.9), "late", 1), 0.75, 0.99)
    close(biased(t(0.5, 0.8413447), "middle", 1), 0.5, 0.7310586)  # one standard deviation: the logistic function of 1
    close(biased(t(0.8413447), "middle", 2), 0.6224593)
    assert torch.isfinite(biased(t(0, 1 - 1e-7), "middle", 0.1)).all()


def chance() -> Generator:
    return Generator().manual_seed(3)


def test_offset_noise_moves_each_channel_as_a_whole() -> None:
    noise = torch.randn(2, 4, 8, 8, generator=Generator().manual_seed(1))
    moved = offset_noise(noise, 0.1, chance()) - noise
    expected = 0.1 * torch.randn(2, 4, 1, 1, generator=chance())
    torch.testing.assert_close(moved, expected.expand(2, 4, 8, 8), rtol=0, atol=1e-6)


def test_pyramid_noise_is_coarser_and_as_strong() -> None:
    noise = torch.randn(1, 4, 64, 64, generator=Generator().manual_seed(1))
    made = pyramid_noise(noise, 0.8, 6, chance())
    assert made.std().item() == pytest.approx(1, abs=1e-4)
    blocks = torch.nn.functional.avg_pool2d(made, 8).std() / torch.nn.functional.avg_pool2d(noise, 8).std()
    assert blocks > 3
    assert torch.equal(noise, torch.randn(1, 4, 64, 64, generator=Generator().manual_seed(1)))


def test_pyramid_noise_of_one_level_by_hand() -> None:
    """On 2 × 2 places the next level is one number, added everywhere; then all is divided by the deviation from the mean."""
    noise = torch.tensor([[[[1.0, 2], [3, 4]]]])
    coarse = torch.randn(1, 1, 1, 1, generator=chance()).item()
    made = pyramid_noise(noise, 0.5, 5, chance())
    deviation = (5 / 3) ** 0.5  # of 1, 2, 3, 4
    close(made, *[(value + 0.5 * coarse) / deviation for value in (1, 2, 3, 4)])


def test_input_perturbation_leaves_what_is_to_be_found() -> None:
    noise = torch.zeros(1, 4, 32, 32)
    seen = perturbed(noise, 0.1, chance())
    assert seen.std().item() == pytest.approx(0.1, rel=0.05)
    assert not noise.any()
