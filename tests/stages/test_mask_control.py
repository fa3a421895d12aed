"""Masks and control maps as results of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_extension.pictures.png import decode_picture
from lib_extension.spec.calls import ModelMask
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.sdapi import Detect
from lib_extension.stages import STAGES
from tests.stages.painting import asked, photo, pixels, run, stage

MASK = STAGES["mask"]
RECTANGLE = {"kind": "geometry", "rectangles": [[10, 5, 20, 25]]}


def test_a_mask_has_its_pictures_size_and_says_what_it_covers():
    outcome, calls = asked(stage("mask", mask=RECTANGLE), photo(61, 45))
    (picture,) = outcome.pictures
    assert (picture.image.mode, picture.image.size, calls) == ("L", (61, 45), [])
    assert picture.image.getbbox() == (10, 5, 20, 25)
    assert picture.facts == {"coverage": round(200 / (61 * 45), 4), "box": [10, 5, 20, 25]}


def test_several_are_united_and_others_are_looked_at():
    drawing = photo(61, 45).convert("RGBA")
    drawing.paste((0, 0, 0, 0), (30, 0, 61, 45))
    outcome = run(stage("mask", mask=[RECTANGLE, {"kind": "alpha", "of": "d", "then": [{"invert": True}]}]), photo(61, 45), d=drawing)
    wanted = np.zeros((45, 61), bool)
    wanted[5:25, 10:20] = wanted[:, 30:] = True
    assert np.array_equal(pixels(outcome.pictures[0]) > 0, wanted)


def test_another_mask_is_fitted_to_the_picture():
    outcome = run(stage("mask", mask="m"), photo(40, 40), m=Image.new("L", (80, 80), 255))
    assert outcome.pictures[0].image.size == (40, 40)


@pytest.mark.parametrize(
    ("use", "named", "local"),
    [
        ("m", ("m",), True),
        (RECTANGLE, (), True),
        ({"kind": "alpha", "of": "d"}, ("d",), True),
        ([{"kind": "upload", "of": "m"}, {"kind": "text", "text": "watch", "of": "d"}], ("m", "d"), False),
    ],
)
def test_what_it_names_and_whether_it_needs_a_network(use: Any, named: tuple[str, ...], local: bool):
    settings = stage("mask", mask=use)
    assert MASK.references(settings) == named
    assert MASK.local(settings) is local


def test_a_network_is_asked():
    outcome, calls = asked(stage("mask", mask={"kind": "parts", "parts": ["strap"]}), photo(40, 40))
    assert [type(call) for call in calls] == [ModelMask]
    assert (calls[0].kind, calls[0].settings["parts"]) == ("parts", ["strap"])
    assert np.array_equal(pixels(outcome.pictures[0]) > 0, pixels(photo(40, 40).convert("L")) > 128)


class TestNothingFound:
    def test_fails(self):
        with pytest.raises(BadRequest, match='"s" found nothing to choose'):
            run(stage("mask", mask={"kind": "alpha"}), photo(40, 40))

    def test_is_a_result_without_pictures(self):
        outcome = run(stage("mask", mask={"kind": "alpha"}, when_empty="skip"), photo(40, 40))
        assert (outcome.pictures, outcome.reason) == ((), "Nothing was found to choose.")

    @pytest.mark.parametrize(("when", "level", "box"), [("keep", 0, None), ("whole", 255, [0, 0, 40, 30])])
    def test_is_an_empty_mask_or_all(self, when: str, level: int, box: list[int] | None):
        (picture,) = run(stage("mask", mask={"kind": "alpha"}, when_empty=when), photo(40, 30)).pictures
        assert picture.image.getextrema() == (level, level)
        assert picture.facts == {"coverage": level / 255, "box": box}


def test_a_preprocessor_is_asked_for_a_map_as_fine_as_the_picture():
    outcome, calls = asked(stage("control", module="canny", threshold_a=80), photo(61, 45))
    (call,) = calls
    assert isinstance(call, Detect)
    assert (call.controlnet_module, call.controlnet_processor_res, call.controlnet_threshold_a) == ("canny", 45, 80)
    assert np.array_equal(pixels(decode_picture(call.controlnet_input_images[0], what="")), pixels(photo(61, 45)))
    assert outcome.pictures[0].image.size == (61, 45)
    assert asked(stage("control", module="canny", processor_res=256), photo(61, 45))[1][0].controlnet_processor_res == 256


@pytest.mark.parametrize("module", ["none", "None", ""])
def test_a_preprocessor_that_makes_no_map(module: str):
    with pytest.raises(BadRequest, match="which makes no map"):
        stage("control", module=module)
