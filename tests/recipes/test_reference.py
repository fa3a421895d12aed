"""Does the page of what a recipe may hold name all of it, and are its examples recipes?"""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
import yaml

from lib_extension.masks import MASKS, read_source
from lib_extension.masks.operations import Operation
from lib_extension.masks.source import COMBINATIONS
from lib_extension.scores import SCORES
from lib_extension.session.recipes import BUILT_IN
from lib_extension.spec.recipe import Input, Recipe
from lib_extension.stages import STAGES, load_recipe
from lib_extension.stages.export import ExportSize
from lib_extension.stages.hires import Hires
from lib_extension.stages.patterns import PATTERN_NAMES
from lib_extension.stages.picture_settings import Control, LoraUse

PAGE = (BUILT_IN / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
NAMED = set(re.findall(r"[A-Za-z0-9_]+", " ".join([*re.findall(r"`([^`\n]+)`", PAGE), *EXAMPLES])))

FORMS: dict[str, Any] = {
    "Recipe": Recipe,
    "Input": Input,
    "LoRA": LoraUse,
    "ControlNet unit": Control,
    "hires": Hires,
    "size": ExportSize,
    "step after a mask": Operation,
    **{f"stage {name}": stage.settings for name, stage in STAGES.items()},
    **{f"mask {name}": mask.settings for name, mask in MASKS.items()},
    **{f"score {name}": score.settings for name, score in SCORES.items()},
}


def test_every_type_and_kind_is_named():
    assert {*STAGES, *MASKS, *SCORES, *COMBINATIONS, *PATTERN_NAMES} <= NAMED


@pytest.mark.parametrize("form", FORMS)
def test_every_field_is_named(form: str):
    assert {field.name for field in dataclasses.fields(FORMS[form])} <= NAMED


def test_the_examples_are_right():
    recipe, mask = map(yaml.safe_load, EXAMPLES)
    assert [stage["id"] for stage in load_recipe(recipe).stages] == ["shape", "scene", "files"]
    read_source(mask["mask"])
