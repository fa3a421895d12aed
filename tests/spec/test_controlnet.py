"""ControlNet units are read in today's and in older clients' terms, and what is wrong in one is named."""

from __future__ import annotations

from typing import Any

import pytest

from lib_extension.spec.controlnet import ControlNetUnit, ReadUnits, read_units
from lib_extension.spec.errors import BadRequest


def one(**sent: Any) -> ControlNetUnit:
    return read_units({"controlnet": {"args": [sent]}}).units[0]


def test_defaults():
    unit = one()
    assert unit == ControlNetUnit()
    assert (unit.enabled, unit.module, unit.model, unit.weight, unit.resize_mode) == (False, "none", "None", 1.0, "Crop and Resize")
    assert (unit.processor_res, unit.guidance_start, unit.guidance_end, unit.control_mode) == (-1, 0.0, 1.0, "Balanced")


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"input_image": "i", "lowvram": True, "guidance": 0.5}, {"image": "i", "low_vram": True, "guidance_end": 0.5}),
        ({"image": {"image": "i", "mask": "m"}}, {"image": "i", "mask": "m"}),
        ({"image": {"image": "i", "mask": None}, "mask": "m"}, {"image": "i", "mask": "m"}),
        ({"image": ["i", "m"]}, {"image": "i", "mask": "m"}),
        ({"image": [{"image": "i"}]}, {"image": "i"}),
        ({"mask_image": "m", "mask": None}, {"mask": "m"}),
        ({"resize_mode": 2, "control_mode": 1}, {"resize_mode": "Resize and Fill", "control_mode": "My prompt is more important"}),
        ({"resize_mode": "Scale to Fit (Inner Fit)"}, {"resize_mode": "Crop and Resize"}),
        ({"threshold_a": 100, "processor_res": 128.0}, {"threshold_a": 100.0, "processor_res": 128}),
        ({"weight": None, "image": None}, {}),
    ],
)
def test_older_and_other_forms(sent: dict[str, Any], read: dict[str, Any]):
    assert one(**sent) == ControlNetUnit(**read)


def test_scripts_are_found_by_any_case_and_strangers_are_listed():
    scripts = {"ControlNet": {"args": [{"enabled": True, "no_such": 1}, {"is_ui": False}]}, "ADetailer": {"args": [1]}}
    assert read_units(scripts) == ReadUnits((ControlNetUnit(enabled=True), ControlNetUnit()), ("no_such", "is_ui"))
    assert read_units({}) == ReadUnits((), ())


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"weight": 3}, "ControlNet unit 0.weight is 3; it must be between 0 and 2."),
        ({"weight": "heavy"}, "ControlNet unit 0.weight is 'heavy'; it must be a number."),
        ({"guidance_start": 0.8, "guidance_end": 0.2}, "ControlNet: guidance_start 0.8 is after guidance_end 0.2."),
        (
            {"image": "a", "input_image": "b"},
            "ControlNet unit 0 has both image and input_image, which is the old name for it. Send image only.",
        ),
        ({"image": ["a", "b", "c"]}, "ControlNet unit 0.image is a list of 3; one picture, or [picture, mask], can be used."),
        ({"image": 7}, "ControlNet unit 0.image is 7; it must be text."),
    ],
)
def test_wrong_units_are_named(sent: dict[str, Any], message: str):
    with pytest.raises(BadRequest) as caught:
        one(**sent)
    assert str(caught.value) == message


@pytest.mark.parametrize("body", [{"args": 1}, 5, {"args": ["x"]}, {"args": [None]}])
def test_malformed_args(body: object):
    with pytest.raises(BadRequest):
        read_units({"controlnet": body})


def test_unknown_choice_lists_the_known_ones():
    with pytest.raises(BadRequest, match="'Just Resize', 'Crop and Resize', 'Resize and Fill'"):
        one(resize_mode="nope")
