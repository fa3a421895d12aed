"""What is the learning rate multiplied by at a step? Pure functions of the step."""

from __future__ import annotations

from math import cos, pi

from lib_extension.spec.training.optimizer import ScheduleSettings


def factor(settings: ScheduleSettings, step: int, total: int) -> float:
    """For step 0, 1, … of `total`: rises to 1 over the warm-up, then falls to `lowest` as the schedule says.

    The cosine and its restarts are Loshchilov and Hutter's (2017, arXiv:1608.03983, equation 5).
    """
    if step < settings.warmup_steps:
        return (step + 1) / settings.warmup_steps
    gone = min(1.0, (step - settings.warmup_steps) / max(1, total - settings.warmup_steps))
    return settings.lowest + (1 - settings.lowest) * _fallen(settings, gone)


def _fallen(settings: ScheduleSettings, gone: float) -> float:
    """From 1 to 0 as `gone` goes from 0 to 1."""
    match settings.schedule:
        case "cosine":
            return (1 + cos(pi * gone)) / 2
        case "restarts":
            return (1 + cos(pi * (gone * settings.cycles % 1))) / 2 if gone < 1 else 0.0
        case "linear":
            return 1 - gone
        case "polynomial":
            return (1 - gone) ** settings.power
        case "constant":
            return 1.0
