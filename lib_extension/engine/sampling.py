"""How is one batch of latents sampled, from noise alone or from latents that are there already?"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from lib_extension.engine.brownian import PathNoise
from lib_extension.engine.denoise import Denoiser, Guidance
from lib_extension.engine.latents import PreviewColours
from lib_extension.engine.noise import PictureNoise
from lib_extension.engine.progress import Progress, Stopped
from lib_extension.engine.samplers import Choice
from lib_extension.engine.schedules import NoiseLevels, leading_timesteps
from lib_extension.engine.walk import Churn, Walk
from lib_extension.models.checkpoint import Checkpoint

WHOLE = 0.999  # A denoising strength of 1 would ask for one level more than there is; the WebUI stops here.


@dataclass(frozen=True)
class SamplerSettings:
    """What a request says about its sampler. ``cut`` leaves out the last level but one."""

    choice: Choice
    steps: int
    eta: float
    churn: Churn = Churn()
    cut: bool = False


@dataclass(frozen=True)
class Tools:
    """What every sampling of a task uses."""

    checkpoint: Checkpoint
    levels: NoiseLevels
    progress: Progress
    colours: PreviewColours


@dataclass(frozen=True)
class Sampled:
    """Latents (B, C, h, w), and whether somebody stopped the sampling before they were finished.

    ``left_out`` says that somewhere the negative prompt was not evaluated, because of a least sigma.
    """

    latents: Tensor
    stopped: Stopped | None = None
    left_out: bool = False


@dataclass(frozen=True)
class Path:
    """Noise levels to walk. ``start`` are the latents to begin with, or None for noise alone.

    ``noise_level`` is how much noise these get, where it is not the first level walked from. ``whole`` are the levels of the schedule
    of which ``sigmas`` are the end; they are ``sigmas`` themselves where it is empty.
    """

    sigmas: list[float]
    start: Tensor | None = None
    noise_level: float | None = None
    whole: tuple[float, ...] = ()


def from_noise(settings: SamplerSettings, levels: NoiseLevels) -> Path:
    return Path(settings.choice.sigmas(settings.steps, levels, cut=settings.cut))


def from_latents(settings: SamplerSettings, levels: NoiseLevels, latents: Tensor, strength: float, *, all_steps: bool = False) -> Path:
    """The end of the walk, of which ``strength`` is the share; with ``all_steps`` that end has all the steps asked for."""
    strength = min(strength, WHOLE)
    if all_steps and strength > 0:
        steps, last = int(settings.steps / strength), settings.steps - 1
    else:
        steps, last = settings.steps, int(strength * settings.steps)
    if (rest := settings.choice.sampler.own_rest) is not None:
        # As in the WebUI: noise for one timestep more than are walked down.
        return Path(rest(steps, last, levels), latents, noise_level=float(levels.sigma_of(leading_timesteps(steps)[last])))
    sigmas = settings.choice.sigmas(steps, levels, cut=settings.cut)
    return Path(sigmas[max(steps - last - 1, 0) :], latents, whole=tuple(sigmas))


def sample(
    tools: Tools, settings: SamplerSettings, path: Path, guidance: Guidance, noise: PictureNoise, multiplier: float = 1.0
) -> Sampled:
    """Walks the path. ``multiplier`` scales the first noise (the WebUI's initial_noise_multiplier)."""
    device, sigmas = tools.checkpoint.device, path.sigmas
    sampler = settings.choice.sampler
    first = noise.first().to(device) * multiplier
    if path.start is not None:
        level = sigmas[0] if path.noise_level is None else path.noise_level
        x = (path.start + first * level) * math.sqrt((1 + sigmas[0] ** 2) / (1 + level**2))  # Of the size that the first level has.
    else:
        x = first * (math.sqrt(1 + sigmas[0] ** 2) if sampler.scaled else sigmas[0])
    steps = len(sigmas) - 1
    denoiser = Denoiser(tools.checkpoint, tools.levels.thinned(sampler.every), guidance, tools.progress, steps)
    tools.progress.sampling(steps)

    def done(i: int) -> None:
        denoiser.step_done(i)
        latest = denoiser.latest
        if latest is not None:
            tools.progress.step(i + 1, lambda: tools.colours.draw(latest))

    whole = path.whole or sigmas
    paths = PathNoise(noise.shape, noise.seeds.seeds, min(sigma for sigma in whole if sigma > 0), max(whole))
    walk = Walk(
        denoise=denoiser,
        noise=lambda: noise.next().to(device),
        path_noise=lambda sigma, after: paths.between(sigma, after).to(device),
        done=done,
        negative=denoiser.negative,
        eta=settings.eta,
        churn=settings.churn,
    )
    stopped = None
    try:
        x = sampler.solve(walk, x, sigmas)
        if sampler.scaled:
            x = x / math.sqrt(1 + sigmas[-1] ** 2)
    except Stopped as wish:
        stopped = wish
        x = denoiser.latest if denoiser.latest is not None else x / math.sqrt(1 + sigmas[0] ** 2)
    return Sampled(guidance.blend(x) if guidance.blend is not None else x, stopped, denoiser.left_out)
