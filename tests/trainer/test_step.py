"""Do noise and timesteps come from seed, step and place alone, and does each setting of the loss do its part?"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import pytest
import torch

from lib_extension.models.families import NoiseSchedule
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import from_json
from lib_extension.spec.training.loss import LossSettings
from lib_extension.spec.training.network import NetworkSettings
from lib_extension.spec.training.optimizer import OptimizerSettings
from tests.trainer.models import load, pictures, train
from trainer.networks import attach
from trainer.optimizers import make_optimizer
from trainer.step import Drawn, Noising, draw, losses_of, noising, noisy_latents

EPS, V = NoiseSchedule(), NoiseSchedule(prediction_type="v_prediction")
LATENTS = torch.zeros(5, 4, 8, 8)


def test_the_schedule_is_stable_diffusions() -> None:
    """By a plain loop over sqrt-linear betas; the last is the well-known 0.00466."""
    roots = [0.00085**0.5 + (0.012**0.5 - 0.00085**0.5) * i / 999 for i in range(1000)]
    alphas = noising(EPS, LossSettings()).alphas_cumprod
    for at in (0, 499, 999):
        assert alphas[at].item() == pytest.approx(prod(1 - root**2 for root in roots[: at + 1]), rel=1e-5)
    assert alphas[999].item() == pytest.approx(0.0046601, rel=1e-3)
    assert noising(V, LossSettings(zero_terminal_snr=True)).alphas_cumprod[[0, 999]].tolist() == pytest.approx([0.99915, 0], abs=1e-6)


def test_pure_noise_cannot_teach_to_find_noise() -> None:
    with pytest.raises(BadRequest, match="needs a model that predicts v"):
        noising(EPS, LossSettings(zero_terminal_snr=True))
    assert noising(EPS, LossSettings(zero_terminal_snr=True), "v_prediction").prediction_type == "v_prediction"


def test_drawn_by_seed_step_and_place_alone() -> None:
    whole = draw(3, 10, LATENTS, LossSettings())
    again = draw(3, 10, LATENTS, LossSettings())
    assert torch.equal(whole.noise, again.noise)
    second = draw(3, 10, LATENTS[:2], LossSettings(), first=3)  # another process' share
    assert torch.equal(second.noise, whole.noise[3:])
    assert torch.equal(second.timesteps, whole.timesteps[3:])
    for other in (draw(4, 10, LATENTS, LossSettings()), draw(3, 11, LATENTS, LossSettings())):
        assert not torch.equal(other.noise, whole.noise)
    assert len(set(whole.timesteps.tolist())) > 1
    assert whole.input_noise is whole.noise or torch.equal(whole.input_noise, whole.noise)


def test_timesteps_cover_their_range_evenly() -> None:
    settings = LossSettings(first_timestep=200, last_timestep=299)
    times = torch.cat([draw(0, step, LATENTS, settings).timesteps for step in range(400)])
    assert times.min() == 200
    assert times.max() == 299
    assert torch.histc(times.float(), 4, 200, 300).div(len(times)).tolist() == pytest.approx([0.25] * 4, abs=0.03)
    early = torch.cat([draw(0, step, LATENTS, replace(settings, timestep_bias="early")).timesteps for step in range(200)])
    assert (early < 225).float().mean().item() == pytest.approx(0.5, abs=0.05)  # u² < 1/4


@pytest.mark.parametrize(
    "settings", [LossSettings(noise_offset=0.1), LossSettings(pyramid_noise=0.5), LossSettings(input_perturbation=0.1)]
)
def test_other_noises_keep_the_timesteps(settings: LossSettings) -> None:
    plain, other = draw(1, 2, LATENTS, LossSettings()), draw(1, 2, LATENTS, settings)
    assert torch.equal(plain.timesteps, other.timesteps)
    assert not torch.equal(plain.input_noise, other.input_noise)
    assert torch.equal(other.noise, other.input_noise) == (settings.input_perturbation == 0)


def hand_made(prediction_type: str) -> tuple[Noising, Drawn, torch.Tensor]:
    """Two pictures of one channel and two places at a = 0.8 (SNR 4) and a = 0.2 (SNR 1/4), and no picture in the latents."""
    noise = torch.tensor([[[[1.0, 3]]], [[[2.0, 0]]]])
    return Noising(torch.tensor([0.8, 0.2]), prediction_type), Drawn(torch.tensor([0, 1]), noise, noise), torch.zeros(2, 1, 1, 2)


@pytest.mark.parametrize(
    ("prediction", "settings", "expected"),
    [
        # Asked for the noise, answered 0: the mean squares are (1 + 9) / 2 and (4 + 0) / 2.
        ("epsilon", LossSettings(), [5, 2]),
        ("epsilon", LossSettings(weighting="min_snr", min_snr_gamma=2), [2.5, 2]),  # 2 / 4; 1
        ("epsilon", LossSettings(weighting="debiased"), [2.5, 4]),  # 1 / 2; 2
        # v = sqrt(a) noise: 0.8 and 0.2 of the squares.
        ("v_prediction", LossSettings(), [4, 0.4]),
        ("v_prediction", LossSettings(weighting="min_snr", min_snr_gamma=2), [1.6, 0.08]),  # 2 / 5; 0.25 / 1.25
        ("v_prediction", LossSettings(weighting="debiased"), [1.6, 0.16]),  # 2 / 5; 0.5 / 1.25
        # 2 c (sqrt(d² + c²) - c) with c = 1: sqrt(2), sqrt(10), sqrt(5), 1.
        ("epsilon", LossSettings(distance="huber", huber_schedule="constant", huber_c=1), [2.5764912, 1.2360680]),
    ],
)
def test_losses_by_hand(prediction: str, settings: LossSettings, expected: list[float]) -> None:
    schedule, drawn, latents = hand_made(prediction)
    batch = replace(pictures(), weights=torch.ones(2))
    losses = losses_of(torch.zeros_like(latents), latents, drawn, schedule, settings, batch)
    assert losses.tolist() == pytest.approx(expected, rel=1e-5)


def test_masks_and_weights_by_hand() -> None:
    schedule, drawn, latents = hand_made("epsilon")
    mask = torch.tensor([[[[1.0, 0]]], [[[1.0, 1]]]])
    batch = replace(pictures(), weights=torch.tensor([2.0, 0.5]), loss_mask=mask)
    losses = losses_of(torch.zeros_like(latents), latents, drawn, schedule, LossSettings(), batch)
    assert losses.tolist() == pytest.approx([1, 1])  # 2 * (1 + 0) / 2; 0.5 * (4 + 0) / 2
    batch = replace(batch, loss_mask=mask.clamp(min=0.1))
    losses = losses_of(torch.zeros_like(latents), latents, drawn, schedule, LossSettings(), batch)
    assert losses.tolist() == pytest.approx([1.9, 1])


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_the_right_answer_costs_nothing(prediction: str) -> None:
    schedule = Noising(noising(EPS, LossSettings()).alphas_cumprod, prediction)
    latents = torch.randn(2, 4, 8, 8)
    drawn = draw(0, 0, latents, LossSettings())
    a = schedule.at(drawn.timesteps)[:, None, None, None]
    answer = drawn.noise if prediction == "epsilon" else a.sqrt() * drawn.noise - (1 - a).sqrt() * latents
    losses = losses_of(answer, latents, drawn, schedule, LossSettings(), pictures())
    assert losses.tolist() == pytest.approx([0, 0], abs=1e-9)
    torch.testing.assert_close(noisy_latents(latents, drawn, schedule), a.sqrt() * latents + (1 - a).sqrt() * drawn.noise)


LOSSES = [
    LossSettings(),
    LossSettings(distance="huber"),
    LossSettings(distance="huber", huber_schedule="exponential"),
    LossSettings(weighting="min_snr"),
    LossSettings(weighting="debiased"),
    LossSettings(noise_offset=0.05),
    LossSettings(pyramid_noise=0.4),
    LossSettings(input_perturbation=0.1),
    LossSettings(timestep_bias="middle"),
]


@pytest.mark.parametrize("settings", [*LOSSES, LossSettings(zero_terminal_snr=True, weighting="min_snr")])
@pytest.mark.parametrize("family", ["sd1", "sd2"])
def test_every_loss_takes_three_steps(settings: LossSettings, family: str, request: pytest.FixtureRequest) -> None:
    if family == "sd1" and settings.zero_terminal_snr:
        pytest.skip("this one predicts noise")
    checkpoint = load(request.getfixturevalue(f"{family}_folder"))
    groups = attach(checkpoint, NetworkSettings(rank=4))
    optimizer, _ = make_optimizer(OptimizerSettings(optimizer="AdamW"), groups)
    before = [parameter.detach().clone() for group in groups for parameter in group.parameters]
    assert all(0 < loss < 100 for loss in train(checkpoint, optimizer, range(3), settings))
    after = [parameter for group in groups for parameter in group.parameters]
    assert any(not torch.equal(one, other) for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("data", "told"),
    [({"first_timestep": 500, "last_timestep": 400}, "first_timestep"), ({"noise_offset": 0.1, "pyramid_noise": 0.1}, "choose one")],
)
def test_contradictions_are_refused(data: dict[str, float], told: str) -> None:
    with pytest.raises(BadRequest, match=told):
        from_json(LossSettings, data)
