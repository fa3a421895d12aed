"""Which samplers and schedulers are there, and which does a request mean?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lib_extension.engine import multistep, solvers
from lib_extension.engine.schedules import (
    SCHEDULES,
    NoiseLevels,
    Schedule,
    ddim_rest,
    ddim_timesteps,
    unipc_rest,
    unipc_timesteps,
)
from lib_extension.engine.walk import Solver
from lib_extension.spec.errors import BadRequest, near_miss


@dataclass(frozen=True)
class Sampler:
    """A sampler under the WebUI's name; ``options`` is what GET /sdapi/v1/samplers tells of it.

    Samplers with ``own_levels`` ignore schedulers, start from noise of the model's own scale, and take ``eta_ddim``.
    """

    name: str
    aliases: tuple[str, ...]
    solve: Solver
    options: dict[str, str] = field(default_factory=dict)
    own_levels: Callable[[int, NoiseLevels], list[float]] | None = None
    own_rest: Callable[[int, int, NoiseLevels], list[float]] | None = None  # Of so many steps, the last so many timesteps.
    scaled: bool = False  # Variance-preserving: noise of unit size mixed in, rather than added.
    cfg_multiplier: float = 1.0
    every: int = 1  # It knows each so-manieth of the trained levels only.

    @property
    def second_order(self) -> bool:
        """Prompt editing counts evaluations of the U-Net: these have two a step."""
        return "second_order" in self.options

    @property
    def uses_ensd(self) -> bool:
        return "uses_ensd" in self.options

    @property
    def takes_eta(self) -> bool:
        return self.solve in _WITH_ETA

    def total_evaluations(self, steps: int) -> int:
        return steps * 2 if self.second_order else steps


_WITH_ETA = (
    solvers.dpmpp_sde,
    multistep.dpmpp_2m_sde,
    multistep.dpmpp_2m_sde_heun,
    multistep.dpmpp_3m_sde,
    solvers.dpmpp_2s_ancestral,
    solvers.dpm2_ancestral,
    solvers.euler_ancestral,
    solvers.dpm_fast,
    solvers.ddim_cfgpp,
)
_TWICE = {"second_order": "True"}
_TREE = {"brownian_noise": "True"}
_CUT = {"discard_next_to_last_sigma": "True"}
_ENSD = {"uses_ensd": "True"}
_KARRAS = {"scheduler": "karras"}
_EXPONENTIAL = {"scheduler": "exponential"}

SAMPLERS = (
    Sampler("DPM++ 2M", ("k_dpmpp_2m",), multistep.dpmpp_2m, _KARRAS),
    Sampler("DPM++ SDE", ("k_dpmpp_sde",), solvers.dpmpp_sde, {**_KARRAS, **_TWICE, **_TREE}),
    Sampler("DPM++ 2M SDE", ("k_dpmpp_2m_sde",), multistep.dpmpp_2m_sde, {**_EXPONENTIAL, **_TREE}),
    Sampler("DPM++ 2M SDE Heun", ("k_dpmpp_2m_sde_heun",), multistep.dpmpp_2m_sde_heun, {**_EXPONENTIAL, **_TREE, "solver_type": "heun"}),
    Sampler("DPM++ 2S a", ("k_dpmpp_2s_a",), solvers.dpmpp_2s_ancestral, {**_KARRAS, **_ENSD, **_TWICE}),
    Sampler("DPM++ 3M SDE", ("k_dpmpp_3m_sde",), multistep.dpmpp_3m_sde, {**_EXPONENTIAL, **_CUT, **_TREE}),
    Sampler("Euler a", ("k_euler_a", "k_euler_ancestral"), solvers.euler_ancestral, _ENSD),
    Sampler("Euler", ("k_euler",), solvers.euler),
    Sampler("LMS", ("k_lms",), multistep.lms),
    Sampler("Heun", ("k_heun",), solvers.heun, _TWICE),
    Sampler("DPM2", ("k_dpm_2",), solvers.dpm2, {**_KARRAS, **_CUT, **_TWICE}),
    Sampler("DPM2 a", ("k_dpm_2_a",), solvers.dpm2_ancestral, {**_KARRAS, **_CUT, **_ENSD, **_TWICE}),
    Sampler("DPM fast", ("k_dpm_fast",), solvers.dpm_fast, _ENSD),
    Sampler("Restart", ("restart",), solvers.restart, {**_KARRAS, **_TWICE}),
    Sampler("DDIM", ("ddim",), solvers.euler_ancestral, own_levels=ddim_timesteps, own_rest=ddim_rest, scaled=True),
    Sampler(
        "DDIM CFG++",
        ("ddim_cfgpp",),
        solvers.ddim_cfgpp,
        own_levels=ddim_timesteps,
        own_rest=ddim_rest,
        scaled=True,
        cfg_multiplier=1 / 12.5,
    ),
    Sampler("PLMS", ("plms",), multistep.plms, own_levels=ddim_timesteps, own_rest=ddim_rest, scaled=True),
    Sampler("UniPC", ("unipc",), multistep.unipc, own_levels=unipc_timesteps, own_rest=unipc_rest, scaled=True),
    Sampler("LCM", ("k_lcm",), solvers.lcm, every=20),
)


@dataclass(frozen=True)
class Choice:
    """A sampler and the schedule it walks; ``schedule`` "Automatic" is the sampler's own."""

    sampler: Sampler
    schedule: Schedule

    @property
    def effective(self) -> Schedule:
        if self.schedule.name == "automatic" and "scheduler" in self.sampler.options:
            return _schedule_named(self.sampler.options["scheduler"]) or self.schedule
        return self.schedule

    @property
    def told_schedule(self) -> str | None:
        """The label of the schedule that is walked, where it is one with a name."""
        return None if self.sampler.own_levels is not None or self.effective.name == "automatic" else self.effective.label

    def sigmas(self, steps: int, levels: NoiseLevels, *, cut: bool = False) -> list[float]:
        """The noise levels of ``steps`` steps, falling, with the end: ``steps`` + 1 numbers (the DDIM schedule may give more).

        ``cut`` leaves out the last level but one, as some samplers always do.
        """
        levels = levels.thinned(self.sampler.every)
        if self.sampler.own_levels is not None:
            return self.sampler.own_levels(steps, levels)
        if cut or "discard_next_to_last_sigma" in self.sampler.options:
            longer = self.effective.sigmas(steps + 1, levels)
            return [*longer[:-2], longer[-1]]
        return self.effective.sigmas(steps, levels)


def choose(sampler_name: str | None, scheduler: str | None, *, lenient: bool) -> Choice:
    """What the names mean. "Euler a Karras" names both at once, as older clients do.

    Unknown names raise BadRequest; ``lenient`` takes the WebUI's way: its first sampler, and Automatic.
    """
    schedule = _schedule_named(scheduler) if scheduler else SCHEDULES[0]
    if schedule is None and not lenient:
        labels = [known.label for known in SCHEDULES]
        raise BadRequest(f'There is no scheduler "{scheduler}".{near_miss(scheduler or "", labels)} GET /sdapi/v1/schedulers lists them.')
    schedule = schedule or SCHEDULES[0]
    name = sampler_name or SAMPLERS[0].name
    if (sampler := _sampler_named(name)) is None:
        name, suffix = _without_schedule(name)
        sampler, schedule = _sampler_named(name), suffix or schedule
    if sampler is None:
        if not lenient:
            names = [known.name for known in SAMPLERS]
            raise BadRequest(f'There is no sampler "{sampler_name}".{near_miss(name, names)} GET /sdapi/v1/samplers lists them.')
        sampler = SAMPLERS[0]
    if sampler.options.get("scheduler") == schedule.name:
        schedule = SCHEDULES[0]
    return Choice(sampler, schedule)


def _sampler_named(name: str) -> Sampler | None:
    wanted = name.lower()
    return next((s for s in SAMPLERS if wanted == s.name.lower() or wanted in s.aliases), None)


def _schedule_named(name: str) -> Schedule | None:
    wanted = name.lower()
    return next((s for s in SCHEDULES if wanted in (s.name, s.label.lower(), *(a.lower() for a in s.aliases))), None)


def _without_schedule(name: str) -> tuple[str, Schedule | None]:
    for schedule in SCHEDULES:
        for ending in (schedule.label, schedule.name, *schedule.aliases):
            if name.endswith(" " + ending):
                return name[: -len(ending) - 1], schedule
    return name, None
