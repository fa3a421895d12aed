"""Is a request completed from an infotext as the WebUI does it?"""

from __future__ import annotations

from typing import Any

import pytest

from lib_extension.engine.from_infotext import with_infotext
from lib_extension.engine.options import Options
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.sdapi import Txt2Img

TEXT = (
    "a (cat:1.3)\nNegative prompt: blurry\nSteps: 7, Sampler: Euler, Schedule type: Beta, CFG scale: 5.5, Seed: 9, Size: 64x72, "
    "NGMS: 2.5, Clip skip: 2, Emphasis: No norm, Beta schedule alpha: 0.6, Version: 1.10.1"
)


def completed(given: dict[str, Any], options: dict[str, Any] | None = None, text: str = TEXT) -> Txt2Img:
    return with_infotext(Txt2Img(infotext=text, **given), set(given), Options(options))


def test_what_was_not_given_is_read() -> None:
    body = completed({"seed": 1})
    assert (body.prompt, body.negative_prompt, body.steps, body.seed) == ("a (cat:1.3)", "blurry", 7, 1)
    assert (body.sampler_name, body.scheduler, body.cfg_scale, body.width, body.height) == ("Euler", "Beta", 5.5, 64, 72)
    assert body.s_min_uncond == 2.5


def test_options_become_overrides_of_the_call() -> None:
    assert completed({}).override_settings == {"CLIP_stop_at_last_layers": 2, "emphasis": "No norm"}
    given = {"emphasis": "Ignore"}
    assert completed({"override_settings": given}).override_settings == {"emphasis": "Ignore", "CLIP_stop_at_last_layers": 2}
    assert given == {"emphasis": "Ignore"}


def test_what_is_set_already_is_no_override() -> None:
    assert not completed({}, {"CLIP_stop_at_last_layers": 2, "emphasis": "No norm"}).override_settings


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(BadRequest, match='"Steps: many", which is no number'):
        completed({}, text="a\nSteps: many, Sampler: Euler, Seed: 1, Size: 64x64")
