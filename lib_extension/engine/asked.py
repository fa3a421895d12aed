"""What exactly is asked for, once options, overrides and defaults are applied, and what is refused?"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any

from lib_extension.engine.options import Options
from lib_extension.engine.samplers import Choice, choose
from lib_extension.engine.sampling import SamplerSettings
from lib_extension.engine.walk import Churn
from lib_extension.pictures.sizes import floor_to_8
from lib_extension.spec.errors import BadRequest, TooLarge
from lib_extension.spec.sdapi import Generation, Img2Img, Txt2Img

MOST_STEPS = 1000
MOST_PICTURES = 64  # at once, in one batch
MOST_BATCHES = 1000
LONGEST_SIDE = 8192  # px
MOST_PIXELS = 64_000_000  # of one batch
LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True)
class Asked:
    """``seeds`` and ``subseeds`` are those of all pictures; ``width`` and ``height`` are sampled, the request's are told."""

    request: Generation
    options: Options
    choice: Choice
    seeds: tuple[int, ...]
    subseeds: tuple[int, ...]
    width: int
    height: int
    lenient: bool

    @property
    def tiling(self) -> bool:
        return self.request.tiling if self.request.tiling is not None else bool(self.options["tiling"])

    @property
    def clip_skip(self) -> int:
        return int(self.options["CLIP_stop_at_last_layers"])

    def sampler(self, choice: Choice | None = None, steps: int | None = None) -> SamplerSettings:
        """The settings of the request's sampler, or of another one with the same numbers."""
        request, options = self.request, self.options
        choice = choice or self.choice
        eta = options["eta_ddim"] if choice.sampler.scaled else options["eta_ancestral"]
        churn = Churn(
            churn=_given(request.s_churn, options["s_churn"]),
            t_min=_given(request.s_tmin, options["s_tmin"]),
            t_max=_given(request.s_tmax, options["s_tmax"]) or math.inf,
            noise=_given(request.s_noise, options["s_noise"]),
        )
        return SamplerSettings(
            choice=choice,
            steps=steps or request.steps,
            eta=float(_given(request.eta, eta)),
            churn=churn,
            cut=bool(options["always_discard_next_to_last_sigma"]),
        )

    def note(self, facts: dict[str, Any], settings: SamplerSettings) -> None:
        """Adds what the infotext tells of the sampler beyond its name: the schedule that Automatic meant, eta, churn."""
        sampler, schedule = settings.choice.sampler, settings.choice.effective
        if (label := settings.choice.told_schedule) is not None:
            facts["Schedule type"] = label
        facts |= schedule.facts if sampler.own_levels is None else {}
        if sampler.takes_eta and settings.eta != (0 if sampler.scaled else 1):
            facts["Eta DDIM" if sampler.scaled else "Eta"] = settings.eta
        told = (("Sigma churn", settings.churn.churn, 0), ("Sigma tmin", settings.churn.t_min, 0))
        told += (("Sigma tmax", settings.churn.t_max, math.inf), ("Sigma noise", settings.churn.noise, 1))
        facts |= {name: value for name, value, default in told if value != default}


def understand(request: Generation, options: Options, *, lenient: bool) -> Asked:
    """``options`` are those of this call, overrides applied. Raises BadRequest or TooLarge, before any slow work."""
    _check_numbers(request)
    if not lenient:
        _check_strictly(request)
    seed, subseed = _drawn(request.seed), _drawn(request.subseed)
    count = request.batch_size * request.n_iter
    varied = request.subseed_strength != 0  # Then the seed stays, and the subseed counts up.
    return Asked(
        request=request,
        options=options,
        choice=choose(request.sampler_name or request.sampler_index, request.scheduler, lenient=lenient),
        seeds=tuple(seed + (0 if varied else i) for i in range(count)),
        subseeds=tuple(subseed + i for i in range(count)),
        width=floor_to_8(request.width),
        height=floor_to_8(request.height),
        lenient=lenient,
    )


def check_size(width: int, height: int, batch_size: int, what: str) -> None:
    """Raises TooLarge, or BadRequest for less than one latent pixel."""
    if min(width, height) < 8:
        raise BadRequest(f"{what} is {width}×{height}; each side must be at least 8.")
    if max(width, height) > LONGEST_SIDE or width * height * batch_size > MOST_PIXELS:
        raise TooLarge(
            f"{what} is {width}×{height}, {batch_size} at once; the most is {LONGEST_SIDE} a side, {MOST_PIXELS // 1_000_000} megapixels."
        )


def _check_numbers(request: Generation) -> None:
    """What no mode can carry out."""
    for name, value, most in (
        ("steps", request.steps, MOST_STEPS),
        ("batch_size", request.batch_size, MOST_PICTURES),
        ("n_iter", request.n_iter, MOST_BATCHES),
    ):
        if value < 1:
            raise BadRequest(f"{name} is {value}; it must be at least 1.")
        if value > most:
            raise TooLarge(f"{name} is {value}; {most} is the most.")
    check_size(request.width, request.height, request.batch_size, "The picture")
    for name, value in (("seed", request.seed), ("subseed", request.subseed)):
        if not 0 <= abs(value) <= LARGEST_SEED - MOST_PICTURES * MOST_BATCHES:
            raise BadRequest(f"{name} is {value}; it must be below {LARGEST_SEED:.0e}.")
    strength = _strength(request)
    if strength is not None and not 0 <= strength <= 1:
        raise BadRequest(f"denoising_strength is {strength}; it must be between 0 and 1.")


def _check_strictly(request: Generation) -> None:
    """What the WebUI passes over in silence."""
    for name, value in (("width", request.width), ("height", request.height)):
        if value % 8:
            raise BadRequest(f"{name} is {value}; it must be a multiple of 8, such as {floor_to_8(value)} or {floor_to_8(value) + 8}.")
    if not 0 <= request.subseed_strength <= 1:
        raise BadRequest(f"subseed_strength is {request.subseed_strength}; it must be between 0 and 1.")
    if request.styles:
        raise BadRequest(f'There is no style "{request.styles[0]}": the engine keeps no styles. Write its text into the prompt.')
    for name, wanted in (
        ("restore_faces", request.restore_faces),
        ("refiner_checkpoint", request.refiner_checkpoint not in (None, "", "None", "none")),
        ("firstpass_image", request.firstpass_image),
    ):
        if wanted:
            raise BadRequest(f"The engine cannot do {name}. Leave it out.")


def _strength(request: Generation) -> float | None:
    return request.denoising_strength if isinstance(request, (Txt2Img, Img2Img)) else None


def _drawn(seed: int) -> int:
    return random.randrange(4294967294) if seed == -1 else seed


def _given(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
