"""The published schema takes what load_recipe takes, and refuses what an editor should mark."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from jsonschema_rs import Draft202012Validator, meta

from lib_extension.stages import STAGES, recipe_schema
from tests.stages.test_recipe_form import EVERY_STAGE, recipe

SCHEMA = recipe_schema()
VALID = Draft202012Validator(SCHEMA)


def test_it_is_a_schema():
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert meta.is_valid(SCHEMA)


def test_every_type_of_stage_and_kind_of_mask_is_in_it():
    types = {
        SCHEMA["$defs"][one["$ref"].split("/")[-1]]["properties"]["type"]["const"]
        for one in SCHEMA["properties"]["stages"]["items"]["oneOf"]
    }
    assert types == set(STAGES)
    assert {"AlphaMask", "CombinedMask", "DetectorMask", "SharpnessScore", "Control", "LoraUse", "ExportSize"} <= SCHEMA["$defs"].keys()


def test_forms_are_told_where_only_one_field_may_be_set():
    assert [name for name, one in SCHEMA["$defs"].items() if one.get("x-exactly-one")] == ["Operation"]


def test_a_recipe_with_every_type_of_stage_is_valid():
    VALID.validate(yaml.safe_load(EVERY_STAGE))


@pytest.mark.parametrize(
    "stage",
    [
        {"type": "txt2img", "steps": "{n}", "tiling": "{t}", "seed_policy": "{p}", "loras": "{l}", "eta": None},
        {"type": "img2img", "takes": ["base"], "controlnet": [{"weight": "{w}", "model": "m"}, "{unit}"]},
        {"type": "mask", "takes": "base", "mask": {"kind": "colour", "colour": "red", "tolerance": "{t}"}},
    ],
)
def test_variables_are_valid_in_any_field(stage: dict[str, Any]):
    VALID.validate(recipe({"id": "a", **stage}))


@pytest.mark.parametrize(
    "stage",
    [
        {"type": "txt2imgg"},
        {"type": "txt2img", "stepps": 3},
        {"type": "txt2img", "steps": "many"},
        {"type": "txt2img", "steps": 0},
        {"type": "txt2img", "takes": ["base"]},
        {"type": "img2img", "takes": 3},
        {"type": "mask", "takes": "base"},
        {"type": "mask", "takes": "base", "mask": {"kind": "alfa"}},
        {"type": "sheet", "takes": "base", "layout": "row"},
    ],
)
def test_what_an_editor_should_mark(stage: dict[str, Any]):
    assert not VALID.is_valid(recipe({"id": "a", **stage}))
