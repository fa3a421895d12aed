"""Which sampler and schedule does a name mean?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_extension.engine.samplers import SAMPLERS, choose
from lib_extension.engine.schedules import NoiseLevels
from lib_extension.spec.errors import BadRequest


@pytest.mark.parametrize(
    ("sampler", "scheduler", "meant"),
    [
        ("Euler", None, ("Euler", "Automatic", "Automatic")),
        ("k_euler_a", None, ("Euler a", "Automatic", "Automatic")),
        ("DPM++ 2M Karras", None, ("DPM++ 2M", "Automatic", "Karras")),
        ("DPM++ 2M", "Karras", ("DPM++ 2M", "Automatic", "Karras")),
        ("DPM++ 2M", None, ("DPM++ 2M", "Automatic", "Karras")),
        ("DPM++ 2M SDE Exponential", None, ("DPM++ 2M SDE", "Automatic", "Exponential")),
        ("Euler", "karras", ("Euler", "Karras", "Karras")),
        ("Euler a SGMUniform", None, ("Euler a", "SGM Uniform", "SGM Uniform")),
        (None, None, ("DPM++ 2M", "Automatic", "Karras")),
        ("DDIM", None, ("DDIM", "Automatic", "Automatic")),
    ],
)
def test_names_mean_what_the_webui_makes_of_them(sampler: str | None, scheduler: str | None, meant: tuple[str, str, str]) -> None:
    choice = choose(sampler, scheduler, lenient=False)
    assert (choice.sampler.name, choice.schedule.label, choice.effective.label) == meant


def test_unknown_names_are_refused_with_the_near_miss() -> None:
    with pytest.raises(BadRequest, match=r'There is no sampler "Eulr a".* Did you mean "Euler a"'):
        choose("Eulr a", None, lenient=False)
    with pytest.raises(BadRequest, match=r'There is no scheduler "Kerras".* Did you mean "Karras"'):
        choose("Euler", "Kerras", lenient=False)


def test_lenient_takes_the_webuis_first_sampler() -> None:
    choice = choose("nope", "nope", lenient=True)
    assert (choice.sampler.name, choice.schedule.label) == ("DPM++ 2M", "Automatic")


def test_some_samplers_leave_out_the_last_level_but_one() -> None:
    levels = NoiseLevels()
    whole, cut = choose("Heun", "Karras", lenient=False).sigmas(5, levels), choose("DPM2", None, lenient=False).sigmas(5, levels)
    assert len(whole) == len(cut) == 6
    assert cut[-2] > whole[-2]
    assert choose("Heun", "Karras", lenient=False).sigmas(5, levels, cut=True) == cut


def test_lists_agree_with_the_recorded_ones() -> None:
    """All but "DPM adaptive", whose steps depend on the whole batch, so that a picture would not be the same alone."""
    recorded = json.loads((Path(__file__).parents[1] / "data" / "webui_samplers.json").read_text())
    known = {sampler.name: (list(sampler.aliases), sampler.options) for sampler in SAMPLERS}
    expected = {each["name"]: (each["aliases"], each["options"]) for each in recorded if each["name"] != "DPM adaptive"}
    assert known == expected
